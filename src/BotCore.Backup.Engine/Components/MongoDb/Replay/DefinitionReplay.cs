using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Replay;

/// <summary>
/// Applies commands that create, change, rename and drop collections and indexes. Collections are followed by their identity, so that a dump taken while they were renamed
/// or made anew ends as the source does. Runs alone: no lane writes meanwhile.
/// </summary>
internal sealed class DefinitionReplay(IReplayTarget target, NamespaceMap map, IndexCatalogue catalogue, MissingDocuments missing, GoneCollections gone, CancellationToken token)
{
    private const string Moved = "__bot_moved_";

    private readonly OperationWriter _writer = new(map);
    private int _moves;

    /// <summary>Whether commands are followed only, because an earlier replay applied them.</summary>
    public bool OnlyFollows { get; set; }

    /// <summary>
    /// Whether an earlier replay may have done the command at hand, whole or in part. Most commands say so themselves when they come twice; a rename that drops what is in its way
    /// would drop what it renamed.
    /// </summary>
    public bool IsUncertain { get; set; }

    /// <summary>Called before each command that goes to the server.</summary>
    public Action Sending { get; init; } = () => { };

    /// <summary>Collections that had to make way and never got their name.</summary>
    public IEnumerable<string> Displaced => catalogue.Collections.Select(collection => collection.Name).Where(name => name.Contains("." + Moved, StringComparison.Ordinal));

    /// <summary>Applies one command; false where it is about nothing that is wanted.</summary>
    public bool Apply(in OplogEntry entry, BsonTimestamp at)
    {
        switch (entry.Kind)
        {
            case OplogKind.Create:
                return Create(entry, at);
            case OplogKind.Rename:
                return Rename(entry, at);
            case OplogKind.DropDatabase:
                return DropDatabase(entry, at);
            default:
                var ns = entry.CommandNamespace();
                var collection = catalogue.Resolve(ns, entry.Collection);
                if (collection is null && !map.IsWanted(ns))
                    return false;
                if (entry.Kind == OplogKind.Drop)
                    Drop(collection, ns, entry.Collection, at);
                else if (collection is null)
                    gone.Add(ns, entry.Collection, at);
                else
                    Change(entry, collection, at);
                return true;
        }
    }

    private void Change(in OplogEntry entry, CataloguedCollection collection, BsonTimestamp at)
    {
        switch (entry.Kind)
        {
            case OplogKind.CreateIndexes or OplogKind.CommitIndexBuild:
                foreach (var index in IndexesOf(entry))
                    IndexCatalogue.AddIndex(collection, index, built: false);
                break;
            case OplogKind.DropIndexes:
                DropIndexes(entry, collection, at);
                break;
            case OplogKind.CollectionChange:
                ChangeCollection(entry, collection, at);
                break;
            default:
                collection.IsCapped |= entry.Command.SequenceEqual("convertToCapped"u8);
                collection.IsOrdered |= collection.IsCapped;
                Send("admin", _writer.Command(entry, map.Target(collection.Name)), entry, collection.Name, at);
                missing.Settle(collection);
                break;
        }
    }

    private bool Create(in OplogEntry entry, BsonTimestamp at)
    {
        var ns = entry.CommandNamespace();
        var known = entry.Collection is { } uuid ? catalogue.Find(uuid) : null;
        if (known is null && !map.IsWanted(ns))
            return false;
        if (known is not null)
        {
            if (IsDone(known, ns))
                Follow(entry, at, Create);
            else
                MoveTo(known, ns, entry, at);
            return true;
        }

        if (catalogue.Find(ns) is { } occupant)
        {
            if (entry.Collection is null || occupant.Uuid is null)
            {
                catalogue.Adopt(occupant, entry.Collection);
                return true;
            }

            MoveAway(occupant, entry, at);
        }

        var isView = RawBson.TryFind(entry.Object, "viewOn"u8, out _);
        Send("admin", _writer.Command(entry, map.Target(ns), "recordIdsReplicated", "uuid"), entry, ns, at, ServerReply.NamespaceExists);
        if (!isView)
        {
            var made = catalogue.Track(ns, entry.Collection, RawBson.TryFind(entry.Object, "capped"u8, out var capped) && capped.IsTruthy);
            made.HasCollation = RawBson.TryFind(entry.Object, "collation"u8, out _);
        }

        return true;
    }

    private bool Rename(in OplogEntry entry, BsonTimestamp at)
    {
        var from = entry.Argument("renameCollection"u8);
        var to = entry.Argument("to"u8);
        var collection = catalogue.Resolve(from, entry.Collection);
        if (collection is null && !map.IsWanted(from) && !map.IsWanted(to))
            return false;
        if (collection is not null && map.IsWanted(to) && IsDone(collection, to))
        {
            Follow(entry, at, Rename);
            return true;
        }

        if (RawBson.TryFind(entry.Object, "dropTarget"u8, out var victim))
        {
            if (OplogEntry.UuidOf(victim) is { } uuid)
                Drop(catalogue.Find(uuid), to, uuid, at);
            else if (victim.IsTruthy && catalogue.Find(to) is { } named && named != collection)
                Drop(named, to, null, at);
        }

        if (collection is null)
            gone.Rename(from, to, entry.Collection, at);
        else if (map.IsWanted(to))
            MoveTo(collection, to, entry, at);
        else
            Drop(collection, from, entry.Collection, at);
        return true;
    }

    // Never the server's dropDatabase: the target may hold what is not of this restore. The server logs a drop for each collection before; this is for those that did not.
    private bool DropDatabase(in OplogEntry entry, BsonTimestamp at)
    {
        var database = NamespaceMap.DatabaseOf(entry.NamespaceText);
        foreach (var collection in catalogue.Collections.Where(collection => string.Equals(NamespaceMap.DatabaseOf(collection.Name), database, StringComparison.Ordinal)).ToArray())
            Drop(collection, collection.Name, collection.Uuid, at);
        gone.SettleDatabase(database);
        return true;
    }

    private void Drop(CataloguedCollection? collection, string ns, Guid? uuid, BsonTimestamp at)
    {
        gone.Settle(ns, uuid);
        if (collection is null)
            return;
        var name = map.Target(collection.Name);
        var command = new BsonBuilder();
        command.BeginArray("applyOps").BeginDocument("0").Append("op", "c").Append("ns", NamespaceMap.DatabaseOf(name) + ".$cmd")
            .BeginDocument("o").Append("drop", NamespaceMap.CollectionOf(name)).End().End().End();
        Send("admin", command.ToBson(), "drop", collection.Name, at, ServerReply.NamespaceNotFound);
        missing.Settle(collection);
        catalogue.Drop(collection);
    }

    private void DropIndexes(in OplogEntry entry, CataloguedCollection collection, BsonTimestamp at)
    {
        if (!RawBson.TryFind(entry.Object, "index"u8, out var which))
            throw OplogEntry.Corrupt($"The entry of {at} drops an index without saying which.");
        foreach (var index in IndexCatalogue.DropIndexes(collection, which))
        {
            var name = map.Target(collection.Name);
            var command = new BsonBuilder().Append("dropIndexes", NamespaceMap.CollectionOf(name)).Append("index", index.Name);
            Send(NamespaceMap.DatabaseOf(name), command.ToBson(), "dropIndexes", collection.Name, at, ServerReply.IndexNotFound);
        }
    }

    private void ChangeCollection(in OplogEntry entry, CataloguedCollection collection, BsonTimestamp at)
    {
        var isBuilt = true;
        if (RawBson.TryFind(entry.Object, "index"u8, out var index) && index.Type == BsonType.Document)
            isBuilt = IndexCatalogue.ChangeIndex(collection, new RawBson(index.AsDocument().ToArray()));
        var command = isBuilt ? _writer.Command(entry, map.Target(collection.Name)) : _writer.Command(entry, map.Target(collection.Name), "index");
        if (isBuilt || HasMore(entry))
            Send("admin", command, entry, collection.Name, at);
    }

    // Whether a collMod says more than its collection and an index.
    private static bool HasMore(in OplogEntry entry)
    {
        var reader = new BsonReader(entry.Object);
        for (var at = 0; reader.Read(); at++)
        {
            if (at > 0 && !reader.Current.NameIs("index"u8))
                return true;
        }

        return false;
    }

    private delegate bool Step(in OplogEntry entry, BsonTimestamp at);

    // A collection that is to be renamed stands, unless that was done. What stood in its way was dropped or moved before.
    private bool IsDone(CataloguedCollection collection, string to) =>
        IsUncertain && !OnlyFollows && !string.Equals(collection.Name, to, StringComparison.Ordinal) && !Stands(map.Target(collection.Name)) && Stands(map.Target(to));

    private void Follow(in OplogEntry entry, BsonTimestamp at, Step step)
    {
        OnlyFollows = true;
        step(entry, at);
        OnlyFollows = false;
    }

    private void MoveAway(CataloguedCollection occupant, in OplogEntry entry, BsonTimestamp at)
    {
        var away = $"{NamespaceMap.DatabaseOf(occupant.Name)}.{Moved}{_moves++}";
        // Nobody else makes that name, so where it stands the collection went there; what has its old name is the new one.
        if (IsUncertain && !OnlyFollows && Stands(map.Target(away)))
            catalogue.Rename(occupant, away);
        else
            MoveTo(occupant, away, entry, at);
    }

    private void MoveTo(CataloguedCollection collection, string to, in OplogEntry entry, BsonTimestamp at)
    {
        if (string.Equals(collection.Name, to, StringComparison.Ordinal))
            return;
        if (catalogue.Find(to) is { } occupant)
            MoveAway(occupant, entry, at);
        var command = new BsonBuilder().Append("renameCollection", map.Target(collection.Name)).Append("to", map.Target(to));
        if (!Send("admin", command.ToBson(), "renameCollection", collection.Name, at, ServerReply.NamespaceNotFound) && !Stands(map.Target(to)))
            throw Refused("renameCollection", collection.Name, at, "it is not there, and neither is its new name");
        catalogue.Rename(collection, to);
    }

    /// <summary>Demands that every collection stands that the catalogue has: an interrupted replay left them, and somebody may have dropped one since.</summary>
    public void DemandStanding()
    {
        if (catalogue.Collections.FirstOrDefault(collection => !NamespaceMap.CollectionOf(collection.Name).StartsWith("system.", StringComparison.Ordinal) && !Stands(map.Target(collection.Name))) is not { } lost)
            return;
        throw new BackupException(
            FailureKind.RestoreFailed, $"{map.Target(lost.Name)}, which an interrupted restore left, is not there any more.", "Run the restore again: it begins anew.", lost.Name);
    }

    private bool Stands(string ns)
    {
        var command = new BsonBuilder().Append("listCollections", 1).BeginDocument("filter").Append("name", NamespaceMap.CollectionOf(ns)).End().Append("nameOnly", true);
        return ServerReply.FirstBatch(target.Run(NamespaceMap.DatabaseOf(ns), command, token)).Count > 0;
    }

    private bool Send(string database, RawBson command, in OplogEntry entry, string ns, BsonTimestamp at, int tolerated = 0) =>
        Send(database, command, System.Text.Encoding.UTF8.GetString(entry.Command), ns, at, tolerated);

    // False where the answer was the tolerated one: what an earlier, interrupted replay has done already.
    private bool Send(string database, RawBson command, string name, string ns, BsonTimestamp at, int tolerated = 0)
    {
        if (OnlyFollows)
            return true;
        Sending();
        var builder = new BsonBuilder(command.Length + 64);
        var reader = command.Read();
        while (reader.Read())
            builder.Append(reader.Current);
        var reply = target.Run(database, builder, token);
        if (ServerReply.IsOk(reply))
            return true;
        return tolerated != 0 && ServerReply.Code(reply) == tolerated ? false : throw Refused(name, ns, at, ServerReply.Reason(reply));
    }

    private static BackupException Refused(string name, string ns, BsonTimestamp at, string reason) => new(
        FailureKind.RestoreFailed,
        $"The {name} of {at} on {ns} was refused: {reason}",
        "Restore into an empty target of the same server version or later; the target now holds everything before that time.",
        ns);

    // createIndexes has the index among its own fields, or under spec; commitIndexBuild has a list.
    private static List<RawBson> IndexesOf(in OplogEntry entry)
    {
        var found = new List<RawBson>();
        if (RawBson.TryFind(entry.Object, "indexes"u8, out var list) && list.Type == BsonType.Array)
        {
            var each = new BsonReader(list.AsDocument());
            while (each.Read())
                found.Add(new RawBson(each.Current.AsDocument().ToArray()));
            return found;
        }

        if (RawBson.TryFind(entry.Object, "spec"u8, out var specification) && specification.Type == BsonType.Document)
            return [new RawBson(specification.AsDocument().ToArray())];
        var builder = new BsonBuilder();
        var reader = new BsonReader(entry.Object);
        for (var at = 0; reader.Read(); at++)
        {
            if (at > 0)
                builder.Append(reader.Current);
        }

        return [builder.ToBson()];
    }
}
