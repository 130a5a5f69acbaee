namespace BotCore.Backup.Engine.Compression.Native;

/// <summary>Opens whole members with a library's decoder, and takes nothing that is not exactly the member it should be.</summary>
/// <param name="decoder">The decoder; owned.</param>
/// <param name="name">The format's name, for messages.</param>
internal sealed class MemberDecompressor(IMemberDecoder decoder, string name) : IBlockDecompressor
{
    public void Decompress(ReadOnlySpan<byte> member, Span<byte> block)
    {
        decoder.Begin();
        Span<byte> beyond = stackalloc byte[1];
        while (true)
        {
            // Where the block is full, one byte more shows that there is one too many; without room a decoder may not say that it ended.
            var isFull = block.IsEmpty;
            var ended = decoder.Decode(member, isFull ? beyond : block, out var consumed, out var produced);
            member = member[consumed..];
            if (isFull && produced > 0)
                throw new InvalidDataException($"The {name} member is longer than it should be.");
            block = block[(isFull ? 0 : produced)..];
            if (ended)
                break;
            if (consumed == 0 && produced == 0)
                throw new InvalidDataException($"The {name} member is damaged: it ends early.");
        }

        if (!block.IsEmpty)
            throw new InvalidDataException($"The {name} member is shorter than it should be.");
        if (!member.IsEmpty)
            throw new InvalidDataException($"Bytes follow the {name} member.");
    }

    public void Dispose() => decoder.Dispose();
}
