namespace BotCore.Backup.Engine.Archives;

/// <summary>An entry of an increment that is what it was in a backup before: the index names it, and that backup holds it.</summary>
internal sealed class KnownEntry(IndexEntry line) : SourceItem
{
    /// <summary>Its line, which says in which backup it is.</summary>
    public IndexEntry Line { get; } = line;

    /// <inheritdoc/>
    public override EntryPath Path => Line.Path;
}
