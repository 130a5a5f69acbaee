using System.Runtime.InteropServices;
using BotCore.Backup.Engine.Compression.Native;

namespace BotCore.Backup.Engine.Compression.Bzip2;

/// <summary>libbz2. <c>BOTBACKUP_LIBBZ2=off</c>, read once, makes a process do without it.</summary>
internal sealed unsafe class LibBz2
{
    public const int Ok = 0;
    public const int StreamEnd = 4;

    private readonly delegate* unmanaged[Cdecl]<byte*, uint*, byte*, uint, int, int, int, int> _compress;
    private readonly delegate* unmanaged[Cdecl]<BzStream*, int, int, int> _decompressInit;
    private readonly delegate* unmanaged[Cdecl]<BzStream*, int> _decompress;
    private readonly delegate* unmanaged[Cdecl]<BzStream*, int> _decompressEnd;

    private LibBz2(nint library)
    {
        _compress = (delegate* unmanaged[Cdecl]<byte*, uint*, byte*, uint, int, int, int, int>)NativeLibrary.GetExport(library, "BZ2_bzBuffToBuffCompress");
        _decompressInit = (delegate* unmanaged[Cdecl]<BzStream*, int, int, int>)NativeLibrary.GetExport(library, "BZ2_bzDecompressInit");
        _decompress = (delegate* unmanaged[Cdecl]<BzStream*, int>)NativeLibrary.GetExport(library, "BZ2_bzDecompress");
        _decompressEnd = (delegate* unmanaged[Cdecl]<BzStream*, int>)NativeLibrary.GetExport(library, "BZ2_bzDecompressEnd");
    }

    /// <summary>The library of this process, or null where there is none.</summary>
    public static LibBz2? Instance { get; } = NativeLibraryFile.Load(
        "BOTBACKUP_LIBBZ2",
        NativeLibraryFile.Names(["libbz2.so.1.0", "libbz2.so.1"], ["libbz2.1.0.dylib", "libbz2.dylib"], ["libbz2.dll", "bz2.dll"]),
        library => new LibBz2(library));

    /// <summary>One stream of all of <paramref name="block"/>; its length, or a negative error of the library.</summary>
    public int Compress(int level, ReadOnlySpan<byte> block, Span<byte> member)
    {
        byte none;
        var length = (uint)member.Length;
        fixed (byte* input = block, output = member)
        {
            var result = _compress(output is null ? &none : output, &length, input is null ? &none : input, (uint)block.Length, level, 0, 0);
            return result == Ok ? (int)length : result;
        }
    }

    public int BeginDecoding(BzStream* stream) => _decompressInit(stream, 0, 0);

    public int Decode(BzStream* stream) => _decompress(stream);

    public void EndDecoding(BzStream* stream) => _decompressEnd(stream);

    /// <summary>bz_stream of bzlib.h.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct BzStream
    {
        public byte* NextIn;
        public uint AvailableIn;
        public uint TotalInLow;
        public uint TotalInHigh;
        public byte* NextOut;
        public uint AvailableOut;
        public uint TotalOutLow;
        public uint TotalOutHigh;
        public nint State;
        public nint Allocate;
        public nint Free;
        public nint Opaque;
    }
}
