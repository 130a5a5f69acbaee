using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Archives.Tar;

/// <summary>What an <see cref="ArchiveShape"/> lets pass.</summary>
public sealed record ArchiveShapeOptions
{
    /// <summary>Bytes of the compressed archive; null where they are not known, and then sizes are not judged.</summary>
    public long? CompressedLength { get; init; }

    /// <summary>How many bytes one compressed byte can become at most; null where the codec has no such limit.</summary>
    public int? MaximumRatio { get; init; }

    /// <summary>
    /// False, for archives of ours: no path comes twice. True, for foreign ones: a directory may be told again, and a file may be replaced by a later entry,
    /// as <c>tar -r</c> appends it; the last one wins.
    /// </summary>
    public bool AllowDuplicates { get; init; }
}

/// <summary>
/// Judges the entries of one archive, in order, before anything is written: each alone by <see cref="EntryPathRules"/>, and against those that came before.
/// A refusal is a <see cref="BackupException"/> (ArchiveCorrupt) that names the entry. Takes 11 to 22 bytes a path. Not thread-safe.
/// </summary>
/// <remarks>
/// Refused are: an entry below what is no directory; something else than a directory where one is known or was used as one, and the reverse;
/// anything but a symbolic link in the place of an earlier symbolic link; a hard link whose target did not come before, or is a directory;
/// a root that is no directory;
/// a path that comes twice (unless allowed); more declared data than the compressed archive can hold.
/// A hard link is what its target is: one to a symbolic link is legal (file systems have them) and counts as a symbolic link.
/// So the restore must make it with linkat(2) without AT_SYMLINK_FOLLOW, and must replace an earlier file by rename, not write into it.
/// </remarks>
public sealed class ArchiveShape(ArchiveShapeOptions options)
{
    private const long Slack = 1024 * 1024;

    private readonly PathTable _paths = new();
    private readonly Int128? _limit = options is { CompressedLength: { } length, MaximumRatio: { } ratio } ? ((Int128)length * ratio) + Slack : null;
    private Int128 _declared;
    private bool _sawRoot;

    /// <summary>Judges the next entry and remembers it; throws where it must not be restored.</summary>
    public void Admit(ArchiveEntry entry)
    {
        EntryPathRules.Check(entry);
        CheckSize(entry);
        if (entry.Path.Bytes.SequenceEqual("."u8))
            AdmitRoot(entry);
        else
            AdmitPath(entry);
    }

    private void CheckSize(ArchiveEntry entry)
    {
        var length = entry.DataLength;
        _declared += length;
        if (_limit is { } limit && _declared > limit)
            throw new BackupException(
                FailureKind.ArchiveCorrupt,
                $"The entry '{entry.Path}' declares {length} bytes, which makes {_declared} in all, more than the archive can hold: "
                + $"its {options.CompressedLength} compressed bytes become at most {limit}.",
                "Do not restore this archive; find out who made it, and use another copy of the backup.",
                entry.Path);
    }

    private void AdmitRoot(ArchiveEntry entry)
    {
        if (entry.Kind != EntryKind.Directory)
            throw EntryPathRules.Refuse(entry, "the root is no directory in it");
        if (_sawRoot && !options.AllowDuplicates)
            throw Twice(entry);
        _sawRoot = true;
    }

    private void AdmitPath(ArchiveEntry entry)
    {
        var path = entry.Path.Bytes;
        EnterFolders(entry, path, "it stands");
        var before = _paths[path];
        var now = entry.Kind switch
        {
            EntryKind.Directory => PathState.Directory,
            EntryKind.File => PathState.File,
            EntryKind.SymbolicLink => PathState.SymbolicLink,
            EntryKind.HardLink => StateOfTarget(entry),
            _ => PathState.Special,
        };
        if (before != PathState.None)
            CheckAgain(entry, before, now);
        _paths[path] = now;
    }

    private void CheckAgain(ArchiveEntry entry, PathState before, PathState now)
    {
        if (IsDirectory(before) != IsDirectory(now))
            throw EntryPathRules.Refuse(entry, "the same path is a directory and something else in this archive");
        if (before == PathState.SymbolicLink && now != PathState.SymbolicLink)
            throw EntryPathRules.Refuse(entry, "the same path was a symbolic link before");
        if (before != PathState.ImpliedDirectory && !options.AllowDuplicates)
            throw Twice(entry);
    }

    private PathState StateOfTarget(ArchiveEntry entry)
    {
        var target = entry.LinkTarget.Bytes;
        if (target.SequenceEqual(entry.Path.Bytes))
            throw EntryPathRules.Refuse(entry, "it is a hard link to itself");
        EnterFolders(entry, target, $"its target '{entry.LinkTarget}' stands");
        var state = _paths[target];
        if (state == PathState.None)
            throw EntryPathRules.Refuse(entry, $"its target '{entry.LinkTarget}' did not come before it in this archive");
        return IsDirectory(state) ? throw EntryPathRules.Refuse(entry, $"its target '{entry.LinkTarget}' is a directory") : state;
    }

    // Every folder above the path must be a directory, and is known as one from now on.
    private void EnterFolders(ArchiveEntry entry, ReadOnlySpan<byte> path, string who)
    {
        for (var slash = path.IndexOf((byte)'/'); slash >= 0;)
        {
            var folder = path[..slash];
            var state = _paths[folder];
            if (state == PathState.None)
                _paths[folder] = PathState.ImpliedDirectory;
            else if (!IsDirectory(state))
                throw EntryPathRules.Refuse(entry, $"{who} below '{new EntryPath(folder.ToArray())}', which is no directory in this archive");
            var next = path[(slash + 1)..].IndexOf((byte)'/');
            slash = next < 0 ? -1 : slash + 1 + next;
        }
    }

    private static bool IsDirectory(PathState state) => state is PathState.Directory or PathState.ImpliedDirectory;

    private static BackupException Twice(ArchiveEntry entry) => new(
        FailureKind.ArchiveCorrupt,
        $"The entry '{entry.Path}' comes twice in this archive, which an archive of ours never has.",
        "Do not restore this archive; find out who made it, and use another copy of the backup.",
        entry.Path);
}
