namespace BotCore.Backup.Engine.Compression.Bzip2;

/// <summary>Makes bzip2 streams with the library of the adapters.</summary>
internal sealed class AdaptedBzip2Compressor(IBzip2Library library, int level) : IBlockCompressor
{
    public int MaximumLength(int length) => Bzip2Codec.MaximumLength(length);

    public int Compress(ReadOnlySpan<byte> block, Span<byte> member)
    {
        using var target = new MemoryStream(member.Length);
        using (var writer = library.OpenWriter(target, level))
            writer.Write(block);
        if (target.Length > member.Length)
            throw new ArgumentException("The buffer is shorter than MaximumLength says.", nameof(member));
        target.GetBuffer().AsSpan(0, (int)target.Length).CopyTo(member);
        return (int)target.Length;
    }

    public void Dispose()
    {
        // Nothing is held from one block to the next.
    }
}

/// <summary>Opens whole members with the library of the adapters, and takes nothing that is not exactly the member it should be.</summary>
internal sealed class AdaptedBzip2Decompressor(IBzip2Library library) : IBlockDecompressor
{
    public void Decompress(ReadOnlySpan<byte> member, Span<byte> block)
    {
        using var source = new MemoryStream(member.ToArray(), writable: false);
        using var input = new Bzip2Source(source);
        using var reader = Bzip2Source.IsStream(input) ? library.OpenReader(input) : throw new InvalidDataException("The bzip2 member is damaged.");
        if (reader.ReadAtLeast(block, block.Length, throwOnEndOfStream: false) < block.Length)
            throw new InvalidDataException("The bzip2 member is shorter than it should be.");
        if (reader.ReadByte() >= 0)
            throw new InvalidDataException("The bzip2 member is longer than it should be.");
        if (!input.IsAtEnd)
            throw new InvalidDataException("Bytes follow the bzip2 member.");
    }

    public void Dispose()
    {
        // As above.
    }
}
