using System.Buffers;
using System.Runtime.ExceptionServices;

namespace BotCore.Backup.Engine.Outside.Gnupg;

/// <summary>
/// A thread that copies from one end of a gpg to a stream of the caller, or the other way. Where the caller's stream fails, gpg is killed, so that the other
/// side wakes up, and the failure is kept. Where gpg's pipe breaks, the copying just ends: gpg's exit says why.
/// </summary>
internal abstract class GpgPump : IDisposable
{
    // A caller's stream that never returns must not hold its caller for ever; the thread then dies with the process.
    private static readonly TimeSpan AbandonLimit = TimeSpan.FromSeconds(10);

    private const int BufferLength = 128 * 1024;

    private readonly Thread _thread;
    private readonly ManualResetEventSlim _ended = new();
    private volatile bool _abandoned;
    private volatile Exception? _failure;

    protected GpgPump(GpgProcess gpg, string name)
    {
        Gpg = gpg;
        _thread = new Thread(Run) { IsBackground = true, Name = name };
    }

    protected GpgProcess Gpg { get; }

    /// <summary>What the caller's stream threw.</summary>
    internal Exception? Failure => _failure;

    /// <summary>Waits until all is copied.</summary>
    internal void Wait(CancellationToken token) => _ended.Wait(token);

    /// <summary>Throws what the caller's stream threw, with its own trace.</summary>
    internal void ThrowFailure()
    {
        if (_failure is { } failure)
            ExceptionDispatchInfo.Throw(failure);
    }

    /// <summary>Ends the copying; gpg is killed if it still runs.</summary>
    public void Dispose()
    {
        _abandoned = true;
        Gpg.Kill();
        if (_thread.Join(AbandonLimit))
            _ended.Dispose();
        GC.SuppressFinalize(this);
    }

    protected void Begin() => _thread.Start();

    /// <summary>Reads the next bytes; 0 at the end.</summary>
    protected abstract int Read(byte[] buffer);

    /// <summary>Writes them; false where there is nobody to read them.</summary>
    protected abstract bool Write(ReadOnlySpan<byte> bytes);

    /// <summary>Called after the last byte, unless something failed.</summary>
    protected abstract void Close();

    private void Run()
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferLength);
        try
        {
            int count;
            while ((count = Read(buffer)) > 0 && !_abandoned && Write(buffer.AsSpan(0, count)))
            {
                // All is in the condition.
            }

            if (!_abandoned)
                Close();
        }
        catch (Exception failure)
        {
            _failure = failure;
            Gpg.Kill();
        }
        finally
        {
            // It held plaintext on one of the two ways.
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
            _ended.Set();
        }
    }
}

/// <summary>From the caller's stream into gpg.</summary>
internal sealed class GpgFeed : GpgPump
{
    private readonly Stream _source;

    internal GpgFeed(GpgProcess gpg, Stream source)
        : base(gpg, "gpg input")
    {
        _source = source;
        Begin();
    }

    protected override int Read(byte[] buffer) => _source.Read(buffer);

    protected override bool Write(ReadOnlySpan<byte> bytes)
    {
        try
        {
            Gpg.Input.Write(bytes);
            return true;
        }
        catch (Exception gone) when (gone is IOException or ObjectDisposedException)
        {
            return false;
        }
    }

    protected override void Close() => Gpg.CloseInput();
}

/// <summary>From gpg into the caller's stream.</summary>
internal sealed class GpgDrain : GpgPump
{
    private readonly Stream _target;

    internal GpgDrain(GpgProcess gpg, Stream target)
        : base(gpg, "gpg output")
    {
        _target = target;
        Begin();
    }

    protected override int Read(byte[] buffer)
    {
        try
        {
            return Gpg.Output.Read(buffer);
        }
        catch (Exception gone) when (gone is IOException or ObjectDisposedException)
        {
            return 0;
        }
    }

    protected override bool Write(ReadOnlySpan<byte> bytes)
    {
        _target.Write(bytes);
        return true;
    }

    protected override void Close()
    {
        // The caller's stream stays open.
    }
}
