using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Components.Volumes.Quiesce;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Journal;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Engine.Backups;

/// <summary>One archive, into every store that it belongs to.</summary>
public sealed record BackupStep : Step
{
    internal BackupStep(ArchiveJob job, IStore store, string estimate)
        : this(_ => job, [store], estimate)
    {
    }

    internal BackupStep(Func<IStore, ArchiveJob> job, IReadOnlyList<IStore> stores, string estimate)
        : base(string.Join(", ", stores.Select(store => store.Location)), Describe(job(stores[0]), estimate))
    {
        JobFor = job;
        Stores = stores;
    }

    /// <summary>What is made for the store that it is sealed into; of an increment, the full backup that may have to be made in its place.</summary>
    internal Func<IStore, ArchiveJob> JobFor { get; }

    internal ArchiveJob Job => JobFor(Stores[0]);

    /// <summary>Sealed into the first that takes it, and copied into the others.</summary>
    internal IReadOnlyList<IStore> Stores { get; }

    /// <summary>What increments are made of; null for a full backup.</summary>
    internal IncrementPlan? Increment { get; init; }

    /// <summary>What an increment of files is made of; null for all else.</summary>
    internal FileIncrementPlan? FileIncrement { get; init; }

    /// <summary>Of a model: made only where the store's newest version has another content.</summary>
    internal FileIncrementPlan? Model { get; init; }

    /// <summary>The Docker volume that is read; null for all else.</summary>
    internal string? Volume { get; init; }

    /// <summary>What is done meanwhile to containers that mount it.</summary>
    internal QuiesceMode Quiesce { get; init; }

    /// <summary>Whether it is one of all that is configured, which belongs to one moment.</summary>
    internal bool IsOfPlatform { get; init; }

    internal GapAction OnGap { get; init; }

    /// <summary>What it is to make, and where.</summary>
    public RunSubject Subject => new(Job.Component, Job.Name, Increment is null && FileIncrement is null ? BackupType.Full : BackupType.Incremental, [.. Stores.Select(store => store.Name)]);

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

    private static string Describe(ArchiveJob job, string estimate) => $"Back up {job.Name} ({job.Component}): {estimate}";
}
