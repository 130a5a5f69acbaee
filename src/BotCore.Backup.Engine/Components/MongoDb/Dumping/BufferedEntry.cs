using BotCore.Backup.Engine.Archives;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumping;

/// <summary>An entry whose content lies in memory: metadata, folders, and collections that fit into a block.</summary>
internal sealed class BufferedEntry(ArchiveEntry entry, ReadOnlyMemory<byte> content, DocumentSet? set = null) : SourceEntry
{
    private int _position;

    public override ArchiveEntry Entry { get; } = entry.Kind == EntryKind.File ? entry with { Size = content.Length } : entry;

    public override DocumentSet? Set { get; } = set;

    public override int Read(Span<byte> buffer)
    {
        var part = content.Span[_position..];
        part = part[..Math.Min(part.Length, buffer.Length)];
        part.CopyTo(buffer);
        _position += part.Length;
        return part.Length;
    }

    public override EntryMark Finish() => EntryMark.None;
}
