using System.Runtime.InteropServices;
using BotCore.Backup.Engine.Compression.Native;

namespace BotCore.Backup.Engine.Compression.Zstd;

/// <summary>Makes zstd frames.</summary>
internal sealed class ZstdCompressor : IBlockCompressor
{
    private readonly LibZstd _library;
    private readonly ZstdContext _context;

    public ZstdCompressor(LibZstd library, int level)
    {
        _library = library;
        _context = new ZstdContext(library.CreateCompressor(), library.FreeCompressor);
        library.SetCompressor(_context.Value, LibZstd.CompressionLevel, level);
        library.SetCompressor(_context.Value, LibZstd.ChecksumFlag, 1);
    }

    public int MaximumLength(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        // The bound of zstd.h leaves the checksum out.
        return checked(_library.CompressBound(length) + 4);
    }

    public int Compress(ReadOnlySpan<byte> block, Span<byte> member)
    {
        var length = _library.Compress(_context.Value, block, member);
        GC.KeepAlive(_context);
        return length > 0 ? length : throw new ArgumentException("The buffer is shorter than MaximumLength says.", nameof(member));
    }

    public void Dispose() => _context.Dispose();
}

/// <summary>Opens whole zstd frames; the block is the window, so there is none to allocate.</summary>
internal sealed class ZstdDecompressor(LibZstd library) : IBlockDecompressor
{
    private readonly ZstdContext _context = new(library.CreateDecompressor(), library.FreeDecompressor);

    public void Decompress(ReadOnlySpan<byte> member, Span<byte> block)
    {
        var wrong = library.Decompress(_context.Value, member, block);
        GC.KeepAlive(_context);
        if (wrong is not null)
            throw new InvalidDataException($"The zstd member is damaged, or is not of the length it should have: {wrong}.");
    }

    public void Dispose() => _context.Dispose();
}

/// <summary>Opens zstd frames in pieces; windows up to <see cref="ZstdCodec.LongestWindow"/>, which is what <c>zstd --long=27</c> makes.</summary>
internal sealed class ZstdDecoder : IMemberDecoder
{
    private readonly LibZstd _library;
    private readonly ZstdContext _context;

    public ZstdDecoder(LibZstd library)
    {
        _library = library;
        _context = new ZstdContext(library.CreateDecompressor(), library.FreeDecompressor);
        library.SetDecompressor(_context.Value, LibZstd.WindowLogMax, ZstdCodec.WindowLog);
    }

    public void Begin() => _library.ResetDecompressor(_context.Value);

    public bool Decode(ReadOnlySpan<byte> input, Span<byte> output, out int consumed, out int produced)
    {
        var ended = _library.DecompressStream(_context.Value, input, output, out consumed, out produced);
        GC.KeepAlive(_context);
        return ended;
    }

    public void Dispose() => _context.Dispose();
}

/// <summary>A context of the library.</summary>
internal sealed class ZstdContext : SafeHandle
{
    private readonly Action<nint> _free;

    public ZstdContext(nint value, Action<nint> free)
        : base(0, ownsHandle: true)
    {
        _free = free;
        SetHandle(value != 0 ? value : throw new InvalidOperationException("libzstd found no memory for its tables."));
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
        _free(handle);
        return true;
    }
}
