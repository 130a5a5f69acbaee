using System.Globalization;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumps;

/// <summary>Makes the failure of a dump that cannot be believed.</summary>
internal static class DumpCorruption
{
    /// <summary>A flaw at a byte of a file, counted after gzip is taken off.</summary>
    public static BackupException At(string target, long offset, string problem, Exception? cause = null) =>
        Of(target, string.Create(CultureInfo.InvariantCulture, $"at byte {offset}, {problem}"), cause);

    /// <summary>A flaw of a whole file.</summary>
    public static BackupException Of(string target, string problem, Exception? cause = null) => new(
        FailureKind.ArchiveCorrupt,
        $"The dump {target} is damaged: {problem}.",
        "Use another backup, and test this one's storage and transfer. Nothing of a damaged dump should be trusted.",
        target,
        cause);
}
