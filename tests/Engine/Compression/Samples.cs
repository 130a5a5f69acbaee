using BotCore.Backup.Engine.Compression;

namespace BotCore.Backup.Engine.Tests.Compression;

/// <summary>Test data and the steps that many tests share.</summary>
internal static class Samples
{
    /// <summary>Bytes of a block of gzip.</summary>
    public const int BlockSize = 4 << 20;

    public static readonly int[] Sizes =
        [0, 1, BlockSize - 1, BlockSize, BlockSize + 1, (2 * BlockSize) + 77];

    public static GzipCodec Managed { get; } = new(allowNative: false);

    public static GzipCodec Native { get; } = new();

    /// <summary>Compresses like text.</summary>
    public static byte[] Text(int length, int seed = 1)
    {
        var random = new Random(seed);
        var data = new byte[length];
        for (var i = 0; i < length; i++)
            data[i] = i > 64 && random.Next(8) != 0 ? data[i - 1 - random.Next(4)] : (byte)random.Next(256);
        return data;
    }

    /// <summary>Does not compress.</summary>
    public static byte[] Noise(int length, int seed = 1)
    {
        var data = new byte[length];
        new Random(seed).NextBytes(data);
        return data;
    }

    public static byte[] Member(ICodec codec, ReadOnlySpan<byte> block, int level = 6)
    {
        using var compressor = codec.CreateCompressor(level);
        var member = new byte[compressor.MaximumLength(block.Length)];
        return member[..compressor.Compress(block, member)];
    }

    public static byte[] Open(ICodec codec, ReadOnlySpan<byte> member, int length)
    {
        using var decompressor = codec.CreateDecompressor();
        var block = new byte[length];
        decompressor.Decompress(member, block);
        return block;
    }

    public static byte[] ReadAll(ICodec codec, byte[] stream)
    {
        using var reader = codec.OpenReader(new MemoryStream(stream), leaveOpen: false);
        return ReadAll(reader);
    }

    public static byte[] ReadAll(Stream stream)
    {
        using var all = new MemoryStream();
        stream.CopyTo(all);
        return all.ToArray();
    }

    /// <summary>Members of the sizes given, each of other content, as one stream; and the plaintext.</summary>
    public static (byte[] Stream, byte[] Plain, (int Compressed, int Plain)[] Lengths) Members(ICodec codec, params int[] sizes)
    {
        var plain = sizes.Select((size, i) => Text(size, i + 1)).ToArray();
        var members = plain.Select(p => Member(codec, p)).ToArray();
        return ([.. members.SelectMany(m => m)], [.. plain.SelectMany(p => p)], [.. members.Zip(plain, (m, p) => (m.Length, p.Length))]);
    }
}
