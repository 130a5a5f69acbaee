using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Outside.Posix;

namespace BotCore.Backup.Engine.Components.Files;

/// <summary>
/// Which part of a folder tree is meant. Selections and what is left out may be text from a configuration: their bytes are UTF-8 then.
/// </summary>
/// <param name="Root">The absolute path of the tree; symbolic links in it are followed.</param>
internal sealed record FileTreeScope(EntryPath Root)
{
    /// <summary>
    /// What of the tree is meant: paths and globs relative to the root, or absolute ones inside it; none, or <c>.</c>, is all of it.
    /// A folder that is selected brings everything in it. In globs <c>*</c>, <c>?</c> and <c>[a-z]</c> stay within one name and
    /// <c>**</c> is any number of folders; as in bash they match no leading dot. A backslash in a glob takes the next character as it is.
    /// </summary>
    public IReadOnlyList<EntryPath> Selections { get; init; } = [];

    /// <summary>Absolute paths that are left out with everything in them, such as the folder that the archives go to.</summary>
    public IReadOnlyList<EntryPath> LeaveOut { get; init; } = [];

    /// <summary>Whether selections are plain paths, no globs, and a folder that is selected brings itself only.</summary>
    public bool Exact { get; init; }

    /// <summary>The setting that the selections come from, for messages.</summary>
    public string Setting { get; init; } = "CONFIG_PATHS";

    /// <summary>Throws unless this machine can read trees as bytes.</summary>
    internal static void RequireLinux()
    {
        if (!Syscalls.Supported)
            throw new BackupException(
                FailureKind.ConfigurationInvalid,
                "Folders can be backed up and restored on Linux (x64 and arm64) only in this version.",
                "Run this on the Linux machine that holds the folder, or leave folders out of the run.");
    }
}
