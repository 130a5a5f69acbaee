using System.Collections.Concurrent;
using System.Globalization;
using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb;

namespace BotCore.Backup.Engine.Components.MongoDb.Restoring;

/// <summary>The part of a restore that nobody sees: collections under working names, up to the moment before they are swapped in. One thread.</summary>
internal sealed class StagedRestore
{
    private readonly MongoClient _client;
    private readonly IDumpSource _source;
    private readonly MongoRestoreOptions _options;
    private readonly StagingNames _names;
    private readonly Action<BackupEvent> _tell;
    private readonly List<RestoreItem> _items;
    private readonly IndexCatalogue _catalogue = new();
    private readonly NamespaceMap _map;
    private readonly ConcurrentDictionary<string, string> _sources = new(StringComparer.Ordinal);

    public StagedRestore(MongoClient client, IDumpSource source, MongoRestoreOptions options, StagingNames names, MongoRestorePlan plan, Action<BackupEvent> tell)
    {
        (_client, _source, _options, _names, _tell) = (client, source, options, names, tell);
        _items = [.. plan.Items.Where(item => item.Way == RestoreWay.Staged)];
        // Collections that the oplog makes are staged, too; what cannot be staged is replayed later, in its place. Buckets never can be, not even those that are gone at the end.
        var plain = plan.Items.Where(item => item.Way != RestoreWay.Staged).Select(item => item.From).ToHashSet();
        _map = new NamespaceMap(name => Split(name) is var one && !one.Collection.StartsWith("system.", StringComparison.Ordinal) && !plain.Contains(one) && options.Wanted.Wants(one), StagedName, buckets: false);
    }

    /// <summary>Makes the collections, writes their documents, and compares what the server then has with what the dump has.</summary>
    public void Load(CancellationToken token)
    {
        var maker = new CollectionMaker(_client, token);
        foreach (var item in _items)
            maker.Create(Split(StagedName(item.From.ToString())), item.Metadata);
        Take();
        if (_items.Count > 0)
            LoadProof.Run(_client, _source, _items, item => _names.Staged(item.To), _options, _tell, token);
    }

    /// <summary>Takes what an interrupted restore loaded, whose proof it noted before it went on, as loaded.</summary>
    public void Take()
    {
        foreach (var item in _items)
        {
            StagedName(item.From.ToString());
            _catalogue.Add(item.From.ToString(), IdentityOf(item.Metadata), item.Metadata.Options, item.Metadata.Indexes);
        }
    }

    /// <summary>Brings what was loaded to the dump's last moment.</summary>
    /// <param name="scan">What planning found in the oplog; null where there is none.</param>
    /// <param name="resume">How far an interrupted restore had come; null where this one loaded the documents itself.</param>
    /// <param name="checkpoint">Keeps how far it has come.</param>
    /// <param name="token">Ends it.</param>
    public ReplayResult? Replay(ReplayScan? scan, ReplayCheckpoint? resume, Action<ReplayCheckpoint> checkpoint, CancellationToken token)
    {
        if (scan is null)
            return null;
        var options = new ReplayOptions
        {
            Lanes = _options.Threads,
            SpillFolder = _options.SpillFolder,
            // Nobody reads what is staged, so a transaction needs no call of its own.
            AtomicTransactions = false,
            Resume = resume,
            Checkpoint = checkpoint,
        };
        using var replayer = new OplogReplayer(new MongoReplayTarget(_client), _map, _catalogue, options, token);
        _source.Read(new OplogVisitor(replayer), _ => false, oplog: true, done => _options.Moved("replaying", done), token);
        var result = replayer.Complete();
        if ((result.Entries, result.Last) != (scan.Entries, scan.Last))
        {
            throw new BackupException(
                FailureKind.ArchiveCorrupt,
                $"The oplog of {_source.Name} ended at {result.Last} when it was read again, and it had been read up to {scan.Last}.",
                "Something changes the backup while it is read; restore from another copy.",
                _source.Name);
        }

        _tell(new Said(string.Create(
            CultureInfo.InvariantCulture,
            $"The oplog was applied up to {result.Last}: {result.Inserts:N0} inserts, {result.Updates:N0} updates, {result.Deletes:N0} deletes, {result.Commands:N0} commands, {result.Transactions:N0} transactions.")));
        foreach (var open in result.Unfinished)
            _tell(new Said($"A transaction that was not committed by the end of the backup is not part of it: {open}."));
        return result;
    }

    /// <summary>Builds all indexes, proves that they stand, and gives the collections to swap in, by their final names.</summary>
    public IReadOnlyList<DumpNamespace> BuildIndexes(CancellationToken token)
    {
        _options.Moved("building indexes", 0);
        var built = Build(token);
        if (built > 0)
            _tell(new Said(string.Create(CultureInfo.InvariantCulture, $"{built:N0} indexes were built.")));
        var swaps = new List<DumpNamespace>();
        var server = new ServerCatalog(_client, token);
        foreach (var collection in _catalogue.Collections)
        {
            var final = _options.Mapping.Target(Split(collection.Name));
            IndexProof.Demand(server, _names.Staged(final), final, _catalogue.Specifications(collection.Name));
            swaps.Add(final);
        }

        return swaps;
    }

    /// <summary>Drops what was staged, after a failure. False where that did not work, and was told.</summary>
    public bool Discard()
    {
        try
        {
            // The oplog may have made collections in other databases than the dump has.
            var databases = _items.Select(item => item.To.Database).Concat(_sources.Keys.Select(NamespaceMap.DatabaseOf));
            RestoreLeftovers.Drop(_client, _names.Id, databases.Distinct(StringComparer.Ordinal));
            return true;
        }
        catch (Exception wrong) when (wrong is MongoException or BackupException)
        {
            _tell(new Warned($"What was staged as {StagingNames.StagedPrefix(_names.Id)}* could not be dropped ({wrong.Message.TrimEnd('.')}). Undo-BotRestore -Id {_names.Id} drops it."));
            return false;
        }
    }

    internal static DumpNamespace Split(string name) => new(NamespaceMap.DatabaseOf(name), NamespaceMap.CollectionOf(name));

    internal static Guid? IdentityOf(CollectionMetadata metadata) => Guid.TryParseExact(metadata.Uuid, "N", out var identity) ? identity : null;

    private int Build(CancellationToken token)
    {
        try
        {
            return IndexBuild.Run(new MongoReplayTarget(_client), _catalogue, _map, convertLegacy: true, token);
        }
        catch (BackupException refused) when (refused.Failure.Target is string staged && _sources.TryGetValue(staged, out var name))
        {
            var target = _options.Mapping.Target(Split(name)).ToString();
            throw new BackupException(refused.Failure with
            {
                Message = refused.Failure.Message.Replace(staged, target, StringComparison.Ordinal),
                Advice = "Restore into a server of the version that was backed up, or leave that collection out with -Exclude.",
                Target = target,
            });
        }
    }

    // Two collections that share a name at the target would be mixed, and a new one may come from the oplog.
    private string StagedName(string name)
    {
        var target = _options.Mapping.Target(Split(name));
        var staged = _names.Staged(target).ToString();
        var first = _sources.GetOrAdd(staged, name);
        if (string.Equals(first, name, StringComparison.Ordinal))
            return staged;
        throw new BackupException(FailureKind.ConfigurationInvalid, $"{first} and {name} would both become {target}.", "Give each collection a name of its own.", target.ToString());
    }
}
