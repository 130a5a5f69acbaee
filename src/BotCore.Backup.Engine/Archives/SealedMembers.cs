using BotCore.Backup.Engine.Compression;

namespace BotCore.Backup.Engine.Archives;

/// <summary>Takes finished members in order: each goes to the encrypting stream, and it and the entries that end in it go to the index. One thread.</summary>
internal sealed class SealedMembers
{
    private long _offset;

    public void Write(CompressedBlock block, Stream packed, IndexWriter index)
    {
        var place = (MemberPlace)block.Tag!;
        place.Offset = _offset;
        packed.Write(block.Member.Span);
        index.Write(new IndexMember(_offset, block.Member.Length, block.PlainLength));
        _offset += block.Member.Length;
        foreach (var (start, skip, entry) in place.Entries)
            index.Write(entry.Mark == EntryMark.Vanished || entry.In is not null ? entry : entry with { Member = start.Offset, Skip = skip });
    }
}
