using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Engine.Backups;

/// <summary>One archive into one store.</summary>
public sealed record BackupStep : Step
{
    internal BackupStep(ArchiveJob job, IStore store, string estimate)
        : base(store.Location, $"Back up {job.Name} ({job.Component}): {estimate}")
    {
        Job = job;
        Store = store;
    }

    /// <summary>What is made; of an increment, the full backup that may have to be made in its place.</summary>
    internal ArchiveJob Job { get; }

    internal IStore Store { get; }

    /// <summary>What increments are made of; null for a full backup.</summary>
    internal IncrementPlan? Increment { get; init; }

    internal GapAction OnGap { get; init; }

    /// <summary>The chains of databases that <paramref name="store"/> holds now, and its notes of gaps. What cannot be read there is told through <paramref name="failed"/>.</summary>
    internal static OplogChains Chains(IStore store, Action<Failure> failed, CancellationToken token)
    {
        var listed = BackupCatalog.List(store, "mongodb/", token).ToList();
        var wrong = listed.OfType<Failed>().Select(one => one.Failure).ToList();
        wrong.ForEach(failed);
        var chains = OplogChains.Of(listed.OfType<Made>().Select(made => (BotBackup)made.Item), OplogGapRecord.ReadAll(store, failed, token));
        // A manifest whose archive is gone can be read: that backup is lost, and nothing else is hidden by it.
        return chains.With([.. wrong.Where(failure => failure.Kind != FailureKind.BackupNotFound)]);
    }
}
