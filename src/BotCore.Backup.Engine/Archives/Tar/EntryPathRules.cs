using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Archives.Tar;

/// <summary>
/// Which paths may be restored: those that, joined to the destination, name exactly one place below it. What is refused would leave the
/// destination, or name one place in two ways and so get past <see cref="ArchiveShape"/>. Pure functions, thread-safe.
/// </summary>
public static class EntryPathRules
{
    /// <summary>Bytes of one component at most (NAME_MAX).</summary>
    public const int MaximumComponent = 255;

    /// <summary>Bytes of a path or a link target at most (PATH_MAX without its NUL). Judging a path costs the square of its depth, so it must be bounded.</summary>
    public const int MaximumPath = 4095;

    /// <summary>
    /// Why <paramref name="path"/> may not be restored, as the end of a sentence that starts with it; null where it may. <c>.</c>, the root, may.
    /// </summary>
    public static string? FindFlaw(EntryPath path)
    {
        var bytes = path.Bytes;
        if (bytes.SequenceEqual("."u8))
            return null;
        if (bytes.IsEmpty)
            return "is empty";
        if (bytes[0] == '/')
            return "is absolute";
        if (bytes.Contains((byte)0))
            return "holds a NUL byte";
        if (bytes.Length > MaximumPath)
            return $"is longer than {MaximumPath} bytes";
        foreach (var range in bytes.Split((byte)'/'))
        {
            if (FindComponentFlaw(bytes[range]) is { } flaw)
                return flaw;
        }

        return null;
    }

    private static string? FindComponentFlaw(ReadOnlySpan<byte> component)
    {
        if (component.SequenceEqual(".."u8))
            return "has a component '..'";
        if (component.SequenceEqual("."u8))
            return "has a component '.'";
        if (component.IsEmpty)
            return "has an empty component";
        return component.Length > MaximumComponent ? $"has a component longer than {MaximumComponent} bytes" : null;
    }

    /// <summary>
    /// Refuses an entry whose path, or whose target as a hard link, may not be restored, with <see cref="BackupException"/> (ArchiveCorrupt). What a symbolic
    /// link says is its own affair, absolute or not, as long as the file system can hold it: nothing is restored through it.
    /// </summary>
    public static void Check(ArchiveEntry entry)
    {
        if (FindFlaw(entry.Path) is { } flaw)
            throw Refuse(entry, $"its path {flaw}");
        if (entry.Kind == EntryKind.HardLink && (FindFlaw(entry.LinkTarget) ?? FindRootFlaw(entry.LinkTarget)) is { } linkFlaw)
            throw Refuse(entry, $"its target '{entry.LinkTarget}' {linkFlaw}");
        if (entry.Kind == EntryKind.SymbolicLink && FindSymbolicFlaw(entry.LinkTarget) is { } symbolicFlaw)
            throw Refuse(entry, $"what it links to {symbolicFlaw}");
    }

    private static string? FindRootFlaw(EntryPath target) => target.Bytes.SequenceEqual("."u8) ? "is the root" : null;

    private static string? FindSymbolicFlaw(EntryPath target)
    {
        if (target.IsEmpty)
            return "is empty";
        if (target.Bytes.Contains((byte)0))
            return "holds a NUL byte";
        return target.Length > MaximumPath ? $"is longer than {MaximumPath} bytes" : null;
    }

    internal static BackupException Refuse(ArchiveEntry entry, string flaw) => new(
        FailureKind.ArchiveCorrupt,
        $"The entry '{entry.Path}' could write outside of the destination: {flaw}.",
        "Do not restore this archive; find out who made it, and use another copy of the backup.",
        entry.Path);
}
