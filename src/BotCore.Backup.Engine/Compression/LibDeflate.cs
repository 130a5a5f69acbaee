using System.Runtime.InteropServices;
using BotCore.Backup.Engine.Compression.Native;

namespace BotCore.Backup.Engine.Compression;

/// <summary>libdeflate, bound at run time by function pointers: the library may be absent, and an assembly has only one import resolver to give away.</summary>
internal sealed unsafe class LibDeflate
{
    private readonly delegate* unmanaged[Cdecl]<int, nint> _allocCompressor;
    private readonly delegate* unmanaged[Cdecl]<nint, void> _freeCompressor;
    private readonly delegate* unmanaged[Cdecl]<nint, nuint, nuint> _gzipCompressBound;
    private readonly delegate* unmanaged[Cdecl]<nint, byte*, nuint, byte*, nuint, nuint> _gzipCompress;
    private readonly delegate* unmanaged[Cdecl]<nint> _allocDecompressor;
    private readonly delegate* unmanaged[Cdecl]<nint, void> _freeDecompressor;
    private readonly delegate* unmanaged[Cdecl]<nint, byte*, nuint, byte*, nuint, nuint*, nuint*, int> _gzipDecompress;

    private LibDeflate(nint library)
    {
        _allocCompressor = (delegate* unmanaged[Cdecl]<int, nint>)NativeLibrary.GetExport(library, "libdeflate_alloc_compressor");
        _freeCompressor = (delegate* unmanaged[Cdecl]<nint, void>)NativeLibrary.GetExport(library, "libdeflate_free_compressor");
        _gzipCompressBound = (delegate* unmanaged[Cdecl]<nint, nuint, nuint>)NativeLibrary.GetExport(library, "libdeflate_gzip_compress_bound");
        _gzipCompress = (delegate* unmanaged[Cdecl]<nint, byte*, nuint, byte*, nuint, nuint>)NativeLibrary.GetExport(library, "libdeflate_gzip_compress");
        _allocDecompressor = (delegate* unmanaged[Cdecl]<nint>)NativeLibrary.GetExport(library, "libdeflate_alloc_decompressor");
        _freeDecompressor = (delegate* unmanaged[Cdecl]<nint, void>)NativeLibrary.GetExport(library, "libdeflate_free_decompressor");
        _gzipDecompress = (delegate* unmanaged[Cdecl]<nint, byte*, nuint, byte*, nuint, nuint*, nuint*, int>)
            NativeLibrary.GetExport(library, "libdeflate_gzip_decompress_ex");
    }

    /// <summary>The library of this process, or null where there is none.</summary>
    public static LibDeflate? Instance { get; } = NativeLibraryFile.Load(
        "BOTBACKUP_LIBDEFLATE",
        NativeLibraryFile.Names(["libdeflate.so.0", "libdeflate.so.1"], ["libdeflate.0.dylib", "libdeflate.dylib"], ["libdeflate.dll", "deflate.dll"]),
        library => new LibDeflate(library));

    public Handle AllocateCompressor(int level) => Handle.Of(_allocCompressor(level), _freeCompressor);

    public Handle AllocateDecompressor() => Handle.Of(_allocDecompressor(), _freeDecompressor);

    /// <summary>What a member takes at most, at any level.</summary>
    public int GzipCompressBound(int length) => checked((int)_gzipCompressBound(0, (nuint)length));

    /// <summary>The length of the member, or 0 where it does not fit.</summary>
    public int GzipCompress(Handle compressor, ReadOnlySpan<byte> block, Span<byte> member)
    {
        // An empty span may pin to a null pointer, which the library's contract does not mention.
        byte none;
        fixed (byte* input = block, output = member)
        {
            var length = _gzipCompress(compressor.Value, input is null ? &none : input, (nuint)block.Length, output is null ? &none : output, (nuint)member.Length);
            GC.KeepAlive(compressor);
            return (int)length;
        }
    }

    /// <summary>Whether <paramref name="member"/>, all of it, is one sound member that fills <paramref name="block"/> exactly.</summary>
    public bool TryGzipDecompress(Handle decompressor, ReadOnlySpan<byte> member, Span<byte> block)
    {
        byte none;
        fixed (byte* input = member, output = block)
        {
            nuint consumed = 0;
            nuint produced = 0;
            var result = _gzipDecompress(
                decompressor.Value,
                input is null ? &none : input,
                (nuint)member.Length,
                output is null ? &none : output,
                (nuint)block.Length,
                &consumed,
                &produced);
            GC.KeepAlive(decompressor);
            return result == 0 && consumed == (nuint)member.Length && produced == (nuint)block.Length;
        }
    }

    /// <summary>A compressor or decompressor of the library.</summary>
    internal sealed class Handle : SafeHandle
    {
        private readonly delegate* unmanaged[Cdecl]<nint, void> _free;

        private Handle(nint value, delegate* unmanaged[Cdecl]<nint, void> free)
            : base(0, ownsHandle: true)
        {
            _free = free;
            SetHandle(value);
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

        public static Handle Of(nint value, delegate* unmanaged[Cdecl]<nint, void> free) =>
            value == 0 ? throw new InvalidOperationException("libdeflate found no memory for its tables.") : new Handle(value, free);

        protected override bool ReleaseHandle()
        {
            _free(handle);
            return true;
        }
    }
}
