using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Engine.Backups.Copying;

/// <summary>One backup into one other store.</summary>
public sealed record CopyStep : Step
{
    internal CopyStep(BotBackup backup, IStore to, BotBackup? there, bool replaces)
        : base(to.Location, $"{(replaces ? "Replace what stands there by a copy of" : "Copy")} {backup.Location} ({backup.Size})")
    {
        Backup = backup;
        To = to;
        There = there;
        Replaces = replaces;
    }

    /// <summary>What is copied.</summary>
    public BotBackup Backup { get; }

    /// <summary>The copy, where it stands there whole already, with the same manifest and the same lengths; null where it must be made.</summary>
    public BotBackup? There { get; }

    internal IStore To { get; }

    internal bool Replaces { get; }
}

/// <summary>Copies backups from one store to another: what is there already is left alone, and what is copied is compared on its way and read back.</summary>
public static class CopyRunner
{
    /// <summary>
    /// The step for one backup. What stands under its name and is something else throws DestinationNotEmpty, unless <paramref name="force"/> asks to replace it; then a copy that is whole is made anew, too.
    /// </summary>
    public static CopyStep Plan(BotBackup backup, IStore to, bool force, CancellationToken token)
    {
        if (string.Equals(backup.Source.Location, to.Location, StringComparison.Ordinal))
            throw new BackupException(FailureKind.ConfigurationInvalid, $"{backup.Location} lies in {to.Location} already.", "Name another store as -Destination.", backup);
        if (force)
            return new CopyStep(backup, to, there: null, replaces: !Publication.IsFree(to, backup.Key, token));
        return new CopyStep(backup, to, new ArchiveCopy(to, _ => { }).FindThere(backup, token), replaces: false);
    }

    /// <summary>Carries out <paramref name="steps"/>, in their order: each becomes a <see cref="Made"/> with the backup that now stands in the other store, or a <see cref="Failed"/>, and the next goes on.</summary>
    public static IAsyncEnumerable<BackupEvent> Run(IReadOnlyList<CopyStep> steps, CancellationToken token) =>
        EventRun.Start("copy", (tell, stop) =>
        {
            var runId = BackupRunner.NewRunId();
            foreach (var step in steps)
            {
                try
                {
                    tell(new Made(Copy(step, runId, tell, stop)));
                }
                catch (BackupException wrong)
                {
                    tell(new Failed(wrong.Failure));
                }
            }
        }, token);

    private static BotBackup Copy(CopyStep step, string runId, Action<BackupEvent> tell, CancellationToken token)
    {
        if (step.There is { } there)
        {
            tell(new Said($"{there.Location} stands there already, with the same manifest."));
            return there;
        }

        var copy = new ArchiveCopy(step.To, tell);
        if (step.Replaces)
            copy.Clear(step.Backup, runId, token);
        var made = copy.Copy(step.Backup, runId, token);
        tell(new Said($"{made.Location}: copied from {step.Backup.Location}, read back and compared."));
        BreakGlass.Leave(step.To, tell);
        return made;
    }
}
