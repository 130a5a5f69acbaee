using System.Buffers.Binary;
using BotCore.Backup.Engine.Compression;

namespace BotCore.Backup.Engine.Tests.Compression;

/// <summary>gzip that breaks at a block or member by what it starts with (an int, little endian; 0 for members), or at once for -1; and counts what is open.</summary>
internal sealed class BrokenCodec : ICodec
{
    private int _open;

    public NotFiniteNumberException Error { get; } = new("broken");

    public int BreaksAt { get; init; }

    public int Open => Volatile.Read(ref _open);

    public string Name => "broken";

    public string Suffix => ".broken";

    public int DefaultLevel => 1;

    public (int Lowest, int Highest) Levels => (1, 9);

    public int MaximumRatio => 1032;

    public int BlockSize(int level) => Samples.BlockSize;

    public long CompressorMemory(int level) => 0;

    public IBlockCompressor CreateCompressor(int level)
    {
        if (BreaksAt < 0)
            throw Error;
        Interlocked.Increment(ref _open);
        return new Compressor(this);
    }

    public IBlockDecompressor CreateDecompressor()
    {
        if (BreaksAt < 0)
            throw Error;
        Interlocked.Increment(ref _open);
        return new Decompressor(this);
    }

    public Stream OpenReader(Stream compressed, bool leaveOpen) => Samples.Managed.OpenReader(compressed, leaveOpen);

    private void Check(ReadOnlySpan<byte> data)
    {
        if (BinaryPrimitives.TryReadInt32LittleEndian(data, out var first) && first == BreaksAt)
            throw Error;
    }

    private sealed class Compressor(BrokenCodec codec) : IBlockCompressor
    {
        private readonly IBlockCompressor _inner = Samples.Managed.CreateCompressor(1);

        public int MaximumLength(int length) => _inner.MaximumLength(length);

        public int Compress(ReadOnlySpan<byte> block, Span<byte> member)
        {
            codec.Check(block);
            return _inner.Compress(block, member);
        }

        public void Dispose() => Interlocked.Decrement(ref codec._open);
    }

    private sealed class Decompressor(BrokenCodec codec) : IBlockDecompressor
    {
        private readonly IBlockDecompressor _inner = Samples.Managed.CreateDecompressor();

        public void Decompress(ReadOnlySpan<byte> member, Span<byte> block)
        {
            codec.Check(member);
            _inner.Decompress(member, block);
        }

        public void Dispose() => Interlocked.Decrement(ref codec._open);
    }
}
