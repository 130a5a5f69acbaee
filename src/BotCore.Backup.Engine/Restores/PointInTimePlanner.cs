using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Components.MongoDb;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Engine.Components.MongoDb.Restoring;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Engine.Restores;

/// <summary>Finds the chain for a moment, reads and proves all of its oplog, and says what restoring it would do. Changes nothing. One thread at a time.</summary>
/// <param name="session">Keys and settings.</param>
/// <param name="request">What is asked for.</param>
/// <param name="failed">Gets what of a store cannot be read, and so is in no chain.</param>
internal sealed class PointInTimePlanner(BackupSession session, RestoreRequest request, Action<Failure>? failed = null)
{
    // docs/performance.md, "A database", median of the whole verified restore: 72 MiB/s of plain content.
    private const double BytesASecond = 72 * 1024 * 1024;

    // The Sandbox takes 350,000 (docs/performance.md, "Replaying an oplog"); a mongod writes to a disk and builds journals, so far less is assumed until one was measured.
    private const double OperationsASecond = 20_000;

    /// <summary>The chain that <paramref name="backup"/> asks for: of a moment that was asked for, or of an increment to its end. Null where it is restored as it is.</summary>
    public RestoreChain? ChainOf(BotBackup backup, CancellationToken token)
    {
        var isSlice = backup is { Component: Component.MongoDb, Type: BackupType.Incremental, Oplog: not null };
        if (request.PointInTime is null && !isSlice)
            return null;
        if (backup.Oplog is null || backup.Type is not (BackupType.Full or BackupType.Incremental))
        {
            throw new BackupException(
                backup.Component == Component.MongoDb ? FailureKind.OplogUnavailable : FailureKind.ConfigurationInvalid,
                backup.Type == BackupType.Snapshot ? $"{backup.Location} is a snapshot, and no increments stand on it." : $"{backup.Location} holds no oplog, so it cannot be brought to another moment.",
                "Restore it as it is, without -PointInTime, or choose a full backup or increment of a replica set.",
                backup);
        }

        return OplogChains.Load(backup.Source, token, failed).Find(request.PointInTime?.Bound ?? OplogTimeline.EndOf(backup), backup.Timeline);
    }

    /// <summary>The chain to the moment that was asked for, in <paramref name="store"/>.</summary>
    public RestoreChain ChainIn(IStore store, string? timeline, CancellationToken token)
    {
        var moment = request.PointInTime ?? throw new BackupException(FailureKind.ConfigurationInvalid, "No moment was given.", "Give -PointInTime.");
        return OplogChains.Load(store, token, failed).Find(moment.Bound, timeline);
    }

    /// <summary>Reads and proves the oplog of <paramref name="chain"/>, for a target whose URI names <paramref name="database"/>; null for all.</summary>
    /// <exception cref="BackupException">RestoreFailed: something in it cannot be replayed. ChainBroken and what a proof fails with: an archive is damaged, which is the target then.</exception>
    public PointInTimePlan Plan(RestoreChain chain, string? database, CancellationToken token)
    {
        var wanted = new NamespaceFilter(request.Include, request.Exclude);
        // A dump of all databases gives the target's own one; of the only one it may be another name.
        if (database is not null && chain.Base.Manifest!.MongoDb!.Database is null)
            wanted = wanted.Within(database);
        var scan = new OplogScan(wanted);
        // Documents are proven when they are restored; what decides whether it can be is the oplog.
        new ChainDump(chain, backup => DatabaseRestore.SourceOf(session, backup)).Prove(scan, new NamespaceFilter([], ["*"]), _ => { }, token);
        if (scan.Mattering is { } obstacle)
        {
            throw new BackupException(
                FailureKind.RestoreFailed,
                $"Up to {PointText.Of(chain.UpTo)} the oplog holds what cannot be replayed: {PointInTimePlan.Describe(obstacle)}.",
                obstacle.LastGood is { } good ? $"Restore to -PointInTime {good}, or leave that collection out with -Exclude." : "Restore to an earlier moment, or leave that collection out with -Exclude.",
                obstacle.Namespace);
        }

        var bytes = chain.Backups.Sum(backup => backup.Size.Bytes);
        var operations = scan.All.Kinds.Where(kind => kind.Key is OplogKind.Insert or OplogKind.Update or OplogKind.Delete).Sum(kind => kind.Value);
        var plain = chain.Backups.Sum(backup => backup.PlainSize?.Bytes ?? backup.Size.Bytes);
        return new PointInTimePlan
        {
            Base = chain.Base,
            Slices = chain.Slices,
            UpTo = chain.MomentOf(scan.All.Last).ToString(),
            Bytes = bytes,
            Entries = new Dictionary<OplogKind, long>(scan.All.Kinds),
            Obstacles = [.. scan.All.Obstacles],
            Estimated = TimeSpan.FromSeconds((plain / BytesASecond) + (operations / OperationsASecond)),
        };
    }

    /// <summary>The request for the moment before <paramref name="damage"/>: its namespace alone, unless others were asked for.</summary>
    public static RestoreRequest Before(Components.MongoDb.Damage.BotOplogEvent damage, RestoreRequest request)
    {
        DemandHistory(damage);
        if (damage.LastGood is not { } good)
        {
            throw new BackupException(
                FailureKind.BackupNotFound, $"The {damage} is in the first entry that is stored, so nothing is known of the moment before it.", "Restore an older backup.", damage);
        }

        var include = request.Include.Count > 0 ? request.Include : [damage.Namespace.Contains('.', StringComparison.Ordinal) ? damage.Namespace : damage.Namespace + ".*"];
        return request with { PointInTime = new PointInTime(good), Include = include };
    }

    /// <summary>Throws where <paramref name="damage"/> belongs to no stored history: that of another server may hold the same moment.</summary>
    /// <exception cref="BackupException">OplogGap.</exception>
    public static void DemandHistory(Components.MongoDb.Damage.BotOplogEvent damage)
    {
        if (damage.Timeline is null)
        {
            throw new BackupException(
                FailureKind.OplogGap,
                $"The {damage} was found in the live oplog of a server that the store has no history of up to it, so there is no stored history of that server to restore from.",
                "Make an increment first with Invoke-BotBackup MongoDb -Type Incremental -OnGap Full, then find the event again with Find-BotOplogEvent.",
                damage);
        }
    }

    private sealed class OplogScan(NamespaceFilter wanted) : IDumpVisitor
    {
        private readonly ReplayScan _wanted = new(new NamespaceMap(wanted.IsEverything ? null : name => wanted.Wants(StagedRestore.Split(name))));

        public ReplayScan All { get; } = new(NamespaceMap.All);

        public ReplayObstacle? Mattering => _wanted.Obstacles.FirstOrDefault(obstacle =>
            obstacle.Namespace.Length == 0 || wanted.WantsDatabase(NamespaceMap.DatabaseOf(obstacle.Namespace)));

        public void Oplog(ReadOnlySpan<byte> entry)
        {
            All.Add(entry);
            _wanted.Add(entry);
        }

        public void Versions(DumpVersions versions)
        {
            // Not asked for.
        }

        public void Metadata(DumpNamespace collection, CollectionMetadata metadata)
        {
            // Not asked for.
        }

        public void Document(DumpNamespace collection, ReadOnlySpan<byte> bson)
        {
            // Not asked for.
        }

        public void End(DumpNamespace collection)
        {
            // Not asked for.
        }

        public void Other(string path)
        {
            // No part of the dump.
        }
    }
}
