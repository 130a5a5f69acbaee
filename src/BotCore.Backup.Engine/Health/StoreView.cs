using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Verification;

namespace BotCore.Backup.Engine.Health;

/// <summary>What a store lists, listed once for all questions. Immutable.</summary>
/// <param name="Name">The store's word.</param>
/// <param name="Backups">What it has; null where it could not be listed.</param>
/// <param name="Failure">Why it could not.</param>
/// <param name="Flaws">What in it cannot be read as a backup.</param>
internal sealed record StoreView(string Name, IReadOnlyList<BotBackup>? Backups, Failure? Failure, IReadOnlyList<Failure> Flaws)
{
    /// <summary>Lists the stores that the settings enable.</summary>
    public static IReadOnlyList<StoreView> Read(BackupSession session, CancellationToken token) => [.. session.Configuration.EnabledStores.Select(name => Read(session, name, token))];

    /// <summary>Backups that are not known to be damaged and whose date is not ahead of the clock.</summary>
    public IEnumerable<BotBackup> Good(Component component, DateTimeOffset now) => (Backups ?? [])
        .Where(backup => backup.Component == component && backup.Type != BackupType.Snapshot && IsGood(backup) && backup.Taken <= now + ProofHistory.Skew);

    /// <summary>Whether something is known that speaks for it, and nothing that speaks against it.</summary>
    public static bool IsGood(BotBackup backup) => !backup.IsDamaged && backup.Proof.Depth != Depth.Unknown;

    private static StoreView Read(BackupSession session, string name, CancellationToken token)
    {
        token.ThrowIfCancellationRequested();
        try
        {
            var found = BackupCatalog.List(session.StoreNamed(name), "", token, session.Clock).ToList();
            return new StoreView(name, [.. found.OfType<Made>().Select(made => (BotBackup)made.Item)], Failure: null, [.. found.OfType<Failed>().Select(failed => failed.Failure)]);
        }
        catch (BackupException wrong)
        {
            return new StoreView(name, Backups: null, wrong.Failure, []);
        }
    }
}
