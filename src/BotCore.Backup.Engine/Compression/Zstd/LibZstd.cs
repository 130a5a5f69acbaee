using System.Runtime.InteropServices;
using BotCore.Backup.Engine.Compression.Native;

namespace BotCore.Backup.Engine.Compression.Zstd;

/// <summary>libzstd 1.4 or later. <c>BOTBACKUP_LIBZSTD=off</c>, read once, makes a process do without it.</summary>
internal sealed unsafe class LibZstd
{
    // ZSTD_cParameter and ZSTD_dParameter of zstd.h.
    public const int CompressionLevel = 100;
    public const int ChecksumFlag = 201;
    public const int WindowLogMax = 100;

    private readonly delegate* unmanaged[Cdecl]<nuint, uint> _isError;
    private readonly delegate* unmanaged[Cdecl]<nuint, nuint> _compressBound;
    private readonly delegate* unmanaged[Cdecl]<nint> _createCompressor;
    private readonly delegate* unmanaged[Cdecl]<nint, nuint> _freeCompressor;
    private readonly delegate* unmanaged[Cdecl]<nint, int, int, nuint> _setCompressor;
    private readonly delegate* unmanaged[Cdecl]<nint, byte*, nuint, byte*, nuint, nuint> _compress;
    private readonly delegate* unmanaged[Cdecl]<nint> _createDecompressor;
    private readonly delegate* unmanaged[Cdecl]<nint, nuint> _freeDecompressor;
    private readonly delegate* unmanaged[Cdecl]<nint, int, int, nuint> _setDecompressor;
    private readonly delegate* unmanaged[Cdecl]<nint, int, nuint> _resetDecompressor;
    private readonly delegate* unmanaged[Cdecl]<nint, byte*, nuint, byte*, nuint, nuint> _decompress;
    private readonly delegate* unmanaged[Cdecl]<nint, Buffer*, Buffer*, nuint> _decompressStream;
    private readonly delegate* unmanaged[Cdecl]<byte*, nuint, nuint> _frameLength;
    private readonly delegate* unmanaged[Cdecl]<nuint, byte*> _errorName;

    private LibZstd(nint library)
    {
        _isError = (delegate* unmanaged[Cdecl]<nuint, uint>)NativeLibrary.GetExport(library, "ZSTD_isError");
        _compressBound = (delegate* unmanaged[Cdecl]<nuint, nuint>)NativeLibrary.GetExport(library, "ZSTD_compressBound");
        _createCompressor = (delegate* unmanaged[Cdecl]<nint>)NativeLibrary.GetExport(library, "ZSTD_createCCtx");
        _freeCompressor = (delegate* unmanaged[Cdecl]<nint, nuint>)NativeLibrary.GetExport(library, "ZSTD_freeCCtx");
        _setCompressor = (delegate* unmanaged[Cdecl]<nint, int, int, nuint>)NativeLibrary.GetExport(library, "ZSTD_CCtx_setParameter");
        _compress = (delegate* unmanaged[Cdecl]<nint, byte*, nuint, byte*, nuint, nuint>)NativeLibrary.GetExport(library, "ZSTD_compress2");
        _createDecompressor = (delegate* unmanaged[Cdecl]<nint>)NativeLibrary.GetExport(library, "ZSTD_createDCtx");
        _freeDecompressor = (delegate* unmanaged[Cdecl]<nint, nuint>)NativeLibrary.GetExport(library, "ZSTD_freeDCtx");
        _setDecompressor = (delegate* unmanaged[Cdecl]<nint, int, int, nuint>)NativeLibrary.GetExport(library, "ZSTD_DCtx_setParameter");
        _resetDecompressor = (delegate* unmanaged[Cdecl]<nint, int, nuint>)NativeLibrary.GetExport(library, "ZSTD_DCtx_reset");
        _decompress = (delegate* unmanaged[Cdecl]<nint, byte*, nuint, byte*, nuint, nuint>)NativeLibrary.GetExport(library, "ZSTD_decompressDCtx");
        _decompressStream = (delegate* unmanaged[Cdecl]<nint, Buffer*, Buffer*, nuint>)NativeLibrary.GetExport(library, "ZSTD_decompressStream");
        _frameLength = (delegate* unmanaged[Cdecl]<byte*, nuint, nuint>)NativeLibrary.GetExport(library, "ZSTD_findFrameCompressedSize");
        _errorName = (delegate* unmanaged[Cdecl]<nuint, byte*>)NativeLibrary.GetExport(library, "ZSTD_getErrorName");
    }

    /// <summary>The library of this process, or null where there is none.</summary>
    public static LibZstd? Instance { get; } = NativeLibraryFile.Load(
        "BOTBACKUP_LIBZSTD",
        NativeLibraryFile.Names(["libzstd.so.1"], ["libzstd.1.dylib", "libzstd.dylib"], ["libzstd.dll", "zstd.dll"]),
        library => new LibZstd(library));

    public int CompressBound(int length) => checked((int)_compressBound((nuint)length));

    public nint CreateCompressor() => _createCompressor();

    public void FreeCompressor(nint compressor) => _freeCompressor(compressor);

    public void SetCompressor(nint compressor, int parameter, int value) => Demand(_setCompressor(compressor, parameter, value));

    /// <summary>One frame of all of <paramref name="block"/>; 0 where it does not fit.</summary>
    public int Compress(nint compressor, ReadOnlySpan<byte> block, Span<byte> member)
    {
        byte none;
        fixed (byte* input = block, output = member)
        {
            var length = _compress(compressor, output is null ? &none : output, (nuint)member.Length, input is null ? &none : input, (nuint)block.Length);
            return _isError(length) == 0 ? (int)length : 0;
        }
    }

    public nint CreateDecompressor() => _createDecompressor();

    public void FreeDecompressor(nint decompressor) => _freeDecompressor(decompressor);

    public void SetDecompressor(nint decompressor, int parameter, int value) => Demand(_setDecompressor(decompressor, parameter, value));

    /// <summary>Forgets the frame under way, and keeps the parameters (ZSTD_reset_session_only).</summary>
    public void ResetDecompressor(nint decompressor) => Demand(_resetDecompressor(decompressor, 1));

    /// <summary>Null where all of <paramref name="member"/> is one sound frame that fills <paramref name="block"/> exactly; else what is wrong.</summary>
    public string? Decompress(nint decompressor, ReadOnlySpan<byte> member, Span<byte> block)
    {
        byte none;
        fixed (byte* input = member, output = block)
        {
            var from = input is null ? &none : input;
            var frame = _frameLength(from, (nuint)member.Length);
            if (_isError(frame) != 0)
                return ErrorOf(frame);
            if (frame != (nuint)member.Length)
                return "bytes follow it";
            var length = _decompress(decompressor, output is null ? &none : output, (nuint)block.Length, from, (nuint)member.Length);
            if (_isError(length) != 0)
                return ErrorOf(length);
            return length == (nuint)block.Length ? null : "it is shorter than it should be";
        }
    }

    /// <summary>True where a frame ended.</summary>
    public bool DecompressStream(nint decompressor, ReadOnlySpan<byte> input, Span<byte> output, out int consumed, out int produced)
    {
        byte none;
        fixed (byte* from = input, to = output)
        {
            var source = new Buffer { Start = from is null ? &none : from, Length = (nuint)input.Length };
            var target = new Buffer { Start = to is null ? &none : to, Length = (nuint)output.Length };
            var result = _decompressStream(decompressor, &target, &source);
            consumed = (int)source.Position;
            produced = (int)target.Position;
            return _isError(result) == 0 ? result == 0 : throw new InvalidDataException($"The zstd stream is damaged, or needs more memory than {ZstdCodec.LongestWindow >> 20} MiB: {ErrorOf(result)}.");
        }
    }

    private string ErrorOf(nuint result) => Marshal.PtrToStringUTF8((nint)_errorName(result)) ?? "unknown error";

    private void Demand(nuint result)
    {
        if (_isError(result) != 0)
            throw new InvalidOperationException($"libzstd refuses a parameter: {ErrorOf(result)}.");
    }

    /// <summary>ZSTD_inBuffer and ZSTD_outBuffer of zstd.h.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Buffer
    {
        public byte* Start;
        public nuint Length;
        public nuint Position;
    }
}
