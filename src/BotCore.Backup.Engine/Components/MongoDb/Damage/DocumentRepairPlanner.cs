using System.Globalization;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Engine.Components.MongoDb.Restoring;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;

namespace BotCore.Backup.Engine.Components.MongoDb.Damage;

/// <summary>How to put documents back.</summary>
public sealed record DocumentRepairRequest
{
    /// <summary>The MongoDB server to put them back into; null means DATABASE_URL. A database in it takes the event's one; that of DATABASE_URL only where the backups are of one database alone.</summary>
    public SecretUri? Server { get; init; }
}

/// <summary>The victims of one event, back into one collection.</summary>
public sealed record DocumentRepairStep : Step
{
    internal DocumentRepairStep(BotOplogEvent damage, MongoTarget server, RestoreChain before, RestoreChain until, RestoreChain known, VictimScan victims, RestoreMapping mapping, string action)
        : base(server.Name, action)
    {
        (Event, Server, Before, Until, Known, Victims, Mapping) = (damage, server, before, until, known, victims, mapping);
        Live = mapping.Target(StagedRestore.Split(damage.Namespace));
    }

    /// <summary>The event.</summary>
    public BotOplogEvent Event { get; }

    internal MongoTarget Server { get; }

    /// <summary>To the last good moment.</summary>
    internal RestoreChain Before { get; }

    /// <summary>To the event's end, from the same full backup.</summary>
    internal RestoreChain Until { get; }

    /// <summary>As far as the store leads from that full backup.</summary>
    internal RestoreChain Known { get; }

    /// <summary>Whether somebody named the server: then the collection need not be the very one that the event was in.</summary>
    internal bool IsElsewhere { get; init; }

    internal VictimScan Victims { get; }

    internal RestoreMapping Mapping { get; }

    internal DumpNamespace Live { get; }
}

/// <summary>Turns an event into a step that puts its documents back; reads the oplog of its backups, and changes nothing.</summary>
public static class DocumentRepairPlanner
{
    /// <summary>The step for one event. Throws where its documents cannot be put back one by one.</summary>
    /// <param name="session">Keys and settings.</param>
    /// <param name="damage">The event.</param>
    /// <param name="request">Where to.</param>
    /// <param name="token">Stops it.</param>
    /// <param name="failed">Gets what of the store cannot be read, and so is in no chain.</param>
    public static DocumentRepairStep Plan(BackupSession session, BotOplogEvent damage, DocumentRepairRequest request, CancellationToken token, Action<Failure>? failed = null)
    {
        DemandDocuments(damage);
        var server = request.Server is { } given ? MongoTarget.Of(given) : MongoTarget.Of(session.Configuration);
        var database = NamespaceMap.DatabaseOf(damage.Namespace);
        var (before, until, known, onlyDatabase) = Chains(OplogChains.Load(session.Local, token, failed), damage);
        // DATABASE_URL is where the platform is, and a whole server's history has other databases beside it: their documents go back to where they were.
        var isMeant = request.Server is not null || string.Equals(onlyDatabase, database, StringComparison.Ordinal);
        var mapping = isMeant && server.Database is { } other && !string.Equals(other, database, StringComparison.Ordinal) ? RestoreMapping.None.With(database, other) : RestoreMapping.None;
        Directory.CreateDirectory(session.SpillFolder);
        var victims = new VictimScan(damage, session.SpillFolder);
        // A chain is proven before it is believed.
        victims.Survey(visitor => Open(session, until).Prove(visitor, OplogEntries.NoCollection, _ => { }, token));
        var count = damage.Kind == OplogEventKind.Drop ? damage.Count : victims.Count.Count;
        var what = damage.Kind switch
        {
            OplogEventKind.Drop => "all documents that were dropped with",
            OplogEventKind.MassDelete => string.Create(CultureInfo.InvariantCulture, $"{count:N0} deleted documents of"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{count:N0} updated documents of"),
        };
        var live = mapping.Target(StagedRestore.Split(damage.Namespace));
        var renamed = mapping.IsNone ? "" : $" into {live}";
        var step = new DocumentRepairStep(
            damage,
            server,
            before,
            until,
            known,
            victims,
            mapping,
            $"Put back {what} {damage.Namespace}{renamed} as of {damage.LastGood}, from {before.Base.Key} with {(until.Slices.Count == 1 ? "1 increment" : $"{until.Slices.Count} increments")}; what was written since is listed and not touched")
        {
            IsElsewhere = request.Server is not null,
        };
        DemandStanding(step, token);
        return step;
    }

    internal static ChainDump Open(BackupSession session, RestoreChain chain) => new(chain, backup => DatabaseRestore.SourceOf(session, backup));

    internal static void DemandStanding(DocumentRepairStep step, CancellationToken token) => step.Server.Guard("looking for the collection", () =>
    {
        using var client = step.Server.Connect(requirePrimary: true, token);
        var standing = new ServerCatalog(client, token).Find(step.Live);
        if (standing is null)
        {
            throw new BackupException(
                FailureKind.RestoreFailed, $"{step.Live} does not stand at {step.Server.Name} any more, so there is nothing that single documents could be put back into.", "Bring the whole collection back: pipe the event into Restore-BotBackup -Before.", step.Event);
        }

        if (standing.IsView || standing.IsTimeSeries)
            throw new BackupException(FailureKind.RestoreFailed, $"{step.Live} is a {standing.Type}, whose documents cannot be put back one by one.", "Restore it under another name with Restore-BotBackup -Before -Rename, and copy what you need.", step.Event);
        if (standing.IsCapped)
            throw new BackupException(FailureKind.RestoreFailed, $"{step.Live} is capped: each document that is put back would push out one that is newer.", "Restore it under another name with Restore-BotBackup -Before -Rename, and copy what you need.", step.Event);
        if (!step.IsElsewhere && step.Victims.Collection is { } identity && Guid.TryParseExact(standing.Uuid, "N", out var live) && live != identity)
        {
            throw new BackupException(
                FailureKind.RestoreFailed,
                $"{step.Live} is another collection than the one that the {step.Event} was in: it was restored, renamed or made anew since.",
                "Where its documents belong into this one all the same, say so by naming the server with -Destination; or restore the old one under another name with Restore-BotBackup -Before -Rename.",
                step.Event);
        }
    });

    private static void DemandDocuments(BotOplogEvent damage)
    {
        if (damage.Kind is not (OplogEventKind.Drop or OplogEventKind.MassDelete or OplogEventKind.MassUpdate))
            throw new BackupException(FailureKind.ConfigurationInvalid, $"The {damage} destroyed no documents.", "Choose an event of kind Drop, MassDelete or MassUpdate.", damage);
        if (!damage.Namespace.Contains('.', StringComparison.Ordinal))
            throw new BackupException(FailureKind.ConfigurationInvalid, $"The {damage} dropped a whole database, and not documents of one collection.", "Bring it back with Restore-BotBackup -Before.", damage);
        PointInTimePlanner.DemandHistory(damage);
        if (damage.LastGood is null)
            throw new BackupException(FailureKind.BackupNotFound, $"The {damage} is in the first entry that is stored, so nothing is known of the moment before it.", "Restore an older backup.", damage);
    }

    // Both from the same full backup, so that the two states are of one history.
    private static (RestoreChain Before, RestoreChain Until, RestoreChain Known, string? OnlyDatabase) Chains(OplogChains chains, BotOplogEvent damage)
    {
        var (good, last) = (OplogEventFinder.Parse(damage.LastGood!), OplogEventFinder.Parse(damage.Last));
        var before = chains.Find(good, damage.Timeline);
        var timeline = chains.Timelines.First(one => string.Equals(one.Id, before.Base.Timeline, StringComparison.Ordinal) && one.Fulls.Contains(before.Base));
        try
        {
            var chain = OplogChains.Of([before.Base, .. timeline.Slices]);
            return (before, chain.Find(last, timeline.Id), chain.Find(chain.Timelines[0].Reaches()[0].To, timeline.Id), timeline.Database);
        }
        catch (BackupException missing) when (missing.Failure.Kind is FailureKind.BackupNotFound or FailureKind.ChainBroken)
        {
            throw new BackupException(missing.Failure with
            {
                Message = $"The store does not hold the {damage} to its end at {damage.Last}: {missing.Failure.Message}",
                Advice = "Store what the server's oplog has of it with Invoke-BotBackup MongoDb -Type Incremental, and run this again.",
                Target = damage,
            });
        }
    }
}
