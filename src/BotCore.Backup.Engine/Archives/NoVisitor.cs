namespace BotCore.Backup.Engine.Archives;

/// <summary>Wants nothing: the pass is for the proof alone.</summary>
internal sealed class NoVisitor : IEntryVisitor
{
    public static NoVisitor Instance { get; } = new();

    public bool Begin(ArchiveEntry entry) => false;

    public void Content(ReadOnlySpan<byte> content)
    {
        // Not wanted.
    }

    public void End(ArchiveEntry entry)
    {
        // Not wanted.
    }

    public void Abandon()
    {
        // Nothing was begun.
    }
}
