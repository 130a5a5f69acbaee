using System.Runtime.InteropServices;

namespace BotCore.Backup.Engine.Compression.Native;

/// <summary>A library's struct that must stay in its place in memory, zeroed at first, and whatever the library keeps with it.</summary>
internal sealed unsafe class DecoderState : SafeHandle
{
    private readonly Action<nint> _end;

    /// <summary>Takes memory for the struct.</summary>
    /// <param name="length">Bytes of the struct.</param>
    /// <param name="end">Gives back what the library keeps; must bear a struct that was never begun.</param>
    public DecoderState(int length, Action<nint> end)
        : base(0, ownsHandle: true)
    {
        _end = end;
        SetHandle((nint)NativeMemory.AllocZeroed((nuint)length));
    }

    public override bool IsInvalid => handle == 0;

    public nint Value
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return handle;
        }
    }

    protected override bool ReleaseHandle()
    {
        _end(handle);
        NativeMemory.Free((void*)handle);
        return true;
    }
}
