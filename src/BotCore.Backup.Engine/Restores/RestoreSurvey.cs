using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Restores;

/// <summary>
/// The first pass of a restore: what would be written, what would be overwritten, and what forbids it. Writes nothing. One thread.
/// </summary>
internal sealed class RestoreSurvey(RestoreSelection selection, bool allowDevices, long freeSpace, Func<EntryPath, EntryKind?> standing) : IEntryVisitor
{
    private readonly List<EntryPath> _overwritten = [];

    /// <summary>Entries that are asked for.</summary>
    public long Entries { get; private set; }

    /// <summary>Bytes of their content.</summary>
    public long Bytes { get; private set; }

    /// <summary>What stands at the destination and would be replaced; folders that stay folders are not.</summary>
    public IReadOnlyList<EntryPath> Overwritten => _overwritten;

    public bool Begin(ArchiveEntry entry)
    {
        Consider(entry.Path, entry.Kind, entry.LinkTarget, entry.DataLength);
        return false;
    }

    /// <summary>The same for an entry of the index.</summary>
    public void Consider(EntryPath path, EntryKind kind, EntryPath linkTarget, long bytes)
    {
        if (!selection.Note(path, kind, linkTarget))
            return;
        Entries++;
        Bytes += bytes;
        if (Bytes > freeSpace)
        {
            throw new BackupException(
                FailureKind.TooLittleSpace, $"The restore needs more than the {new Catalog.ByteSize(freeSpace)} that are free at the destination.", "Free space there, or give another -Destination; nothing was written.");
        }

        if (kind is EntryKind.CharacterDevice or EntryKind.BlockDevice && !allowDevices)
        {
            throw new BackupException(
                FailureKind.RestoreFailed, $"'{path}' is a device node, which gives access to hardware; it is not made unless that is allowed.", "Add -AllowDevices when you trust this archive, or leave it out with -Exclude; nothing was written.", path);
        }

        if (standing(path) is { } there && !(there == EntryKind.Directory && kind == EntryKind.Directory))
            _overwritten.Add(path);
    }

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
