using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Retention.Pins;

/// <summary>One backup to be pinned, or unpinned.</summary>
public sealed record PinStep : Step
{
    internal PinStep(BotBackup backup, BackupPin? pin)
        : base(backup.Location, pin is null ? "Unpin: the policy decides again" : $"Pin {pin}") => (Backup, Pin) = (backup, pin);

    /// <summary>Which.</summary>
    public BotBackup Backup { get; }

    /// <summary>The pin; null to take away what there is.</summary>
    public BackupPin? Pin { get; }
}

/// <summary>Pins backups, so that no policy removes them or what they stand on, and unpins them. Each becomes a <see cref="Made"/> with the <see cref="BotBackup"/> as it is then.</summary>
public static class PinRunner
{
    private const int LongestReason = 500;

    /// <summary>The step for one backup. Throws ConfigurationInvalid for a pin that would be none, and for what is no archive of a store.</summary>
    public static PinStep Plan(BackupSession session, BotBackup backup, BackupPin? pin)
    {
        if (backup.PlainDump is not null)
            throw new BackupException(FailureKind.ConfigurationInvalid, $"{backup.Location} is no archive in a store: no policy removes it, so it needs no pin.", "Copy it into a store first: Copy-BotBackup.", backup);
        if (pin is { Until: { } until } && until <= session.Clock.GetUtcNow())
            throw new BackupException(FailureKind.ConfigurationInvalid, $"A pin until {until.UtcDateTime:u} is over already.", "Give -Until a time to come.", backup);
        if (pin is not null && (string.IsNullOrWhiteSpace(pin.Reason) || pin.Reason.Length > LongestReason))
            throw new BackupException(FailureKind.ConfigurationInvalid, "A pin needs a reason, of 500 letters at most: who finds it in a year must know whether it may go.", "Give -Pin a reason.", backup);
        return new PinStep(backup, pin);
    }

    /// <summary>Does <paramref name="steps"/>.</summary>
    public static IAsyncEnumerable<BackupEvent> Run(BackupSession session, IReadOnlyList<PinStep> steps, CancellationToken token) =>
        EventRun.Start("pin", (tell, stop) =>
        {
            foreach (var step in steps)
            {
                stop.ThrowIfCancellationRequested();
                try
                {
                    if (step.Pin is { } pin)
                        PinFiles.Write(step.Backup, pin, session.Clock.GetUtcNow(), stop);
                    else
                        PinFiles.Remove(step.Backup, stop);
                    tell(new Made(step.Backup with { Pin = step.Pin }));
                }
                catch (BackupException wrong)
                {
                    tell(new Failed(wrong.Failure));
                }
            }
        }, token);
}
