using System.Text;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumping;

/// <summary>
/// What of the oplog goes into a slice: all of it, or what concerns the selection, operations inside transactions included. What restores of ours stage (<c>__bot_</c>),
/// and the scratch databases of our rehearsals, never do; a rename that swaps such a collection in is noted, since the dump would then be of two states. One thread.
/// </summary>
internal sealed class OplogFilter(DumpSelection selection)
{
    private OperationCut? _cut;

    /// <summary>The collection that a restore swapped in meanwhile; null where there is none.</summary>
    public string? Swapped { get; private set; }

    /// <summary>Forgets <see cref="Swapped"/>.</summary>
    public void Forget() => Swapped = null;

    /// <summary>Whether to keep <paramref name="entry"/>; where only a part of it is kept, <paramref name="rebuilt"/> is that part.</summary>
    public bool Keep(ReadOnlySpan<byte> entry, out ReadOnlySpan<byte> rebuilt)
    {
        rebuilt = default;
        var space = RawBson.TryFind(entry, "ns"u8, out var ns) && ns.Type == BsonType.String ? ns.AsUtf8() : default;
        if (RawBson.TryFind(entry, "op"u8, out var op) && op.Type == BsonType.String && op.AsUtf8().SequenceEqual("c"u8)
            && RawBson.TryFind(entry, "o"u8, out var command) && command.Type == BsonType.Document)
        {
            if (RawBson.TryFind(command.AsDocument(), "applyOps"u8, out var operations) && operations.Type == BsonType.Array)
                return KeepTransaction(entry, operations.AsDocument(), out rebuilt);
            // What ends a prepared transaction names no collection; without it the transaction would be lost.
            if (command.AsDocument() is var ends && (RawBson.TryFind(ends, "commitTransaction"u8, out _) || RawBson.TryFind(ends, "abortTransaction"u8, out _)))
                return true;
            return WantsCommand(space, command.AsDocument()) && !IsOwn(space) && !ConcernsOwn(command.AsDocument());
        }

        // A no-op concerns nobody and proves that there is no gap.
        return space.IsEmpty || (WantsSpace(space) && !IsOwn(space));
    }

    private bool WantsSpace(ReadOnlySpan<byte> space)
    {
        if (selection.IsEverything)
            return true;
        var dot = space.IndexOf((byte)'.');
        return dot > 0 && selection.Wants(new DumpNamespace(Encoding.UTF8.GetString(space[..dot]), Encoding.UTF8.GetString(space[(dot + 1)..])));
    }

    // A command names its collection in its first field, without the database; renameCollection names whole namespaces.
    private bool WantsCommand(ReadOnlySpan<byte> space, ReadOnlySpan<byte> command)
    {
        if (selection.IsEverything)
            return true;
        var dot = space.IndexOf((byte)'.');
        var database = dot > 0 ? Encoding.UTF8.GetString(space[..dot]) : "";
        if (selection.Only is null || !selection.WantsDatabase(database))
            return selection.WantsDatabase(database);
        var reader = new BsonReader(command);
        if (!reader.Read() || reader.Current.Type != BsonType.String)
            return true;
        if (!reader.Current.NameIs("renameCollection"u8))
            return selection.Wants(new DumpNamespace(database, reader.Current.AsString()));
        return WantsSpace(reader.Current.AsUtf8()) || (RawBson.TryFind(command, "to"u8, out var to) && to.Type == BsonType.String && WantsSpace(to.AsUtf8()));
    }

    // A database of ours counts as anybody's where it is asked for by its name.
    private bool IsOwn(ReadOnlySpan<byte> space)
    {
        var dot = space.IndexOf((byte)'.');
        return dot >= 0 && (space[(dot + 1)..].StartsWith("__bot_"u8) || (selection.Databases is null && CollectionRules.IsOwnDatabase(space)));
    }

    private bool KeepTransaction(ReadOnlySpan<byte> entry, ReadOnlySpan<byte> operations, out ReadOnlySpan<byte> rebuilt)
    {
        rebuilt = default;
        var all = true;
        var any = false;
        var reader = new BsonReader(operations);
        while (reader.Read())
        {
            // What holds others is looked into when it is cut.
            var holds = OperationCut.HoldsOthers(reader.Current.AsDocument());
            var wanted = holds || WantsOperation(reader.Current.AsDocument());
            all &= wanted && !holds;
            any |= wanted;
        }

        if (!all)
            rebuilt = (_cut ??= new OperationCut(WantsOperation)).Cut(entry);
        // An empty link of a transaction in several entries keeps the others together.
        return any || all || IsLink(entry);
    }

    private static bool IsLink(ReadOnlySpan<byte> entry)
    {
        if (RawBson.TryFind(entry, "prevOpTime"u8, out var previous) && previous.Type == BsonType.Document
            && RawBson.TryFind(previous.AsDocument(), "ts"u8, out var ts) && ts.Type == BsonType.Timestamp && ts.AsTimestamp().Value > 0)
            return true;
        return RawBson.TryFind(entry, "o"u8, out var command) && (RawBson.TryFind(command.AsDocument(), "partialTxn"u8, out _) || RawBson.TryFind(command.AsDocument(), "prepare"u8, out _));
    }

    private bool WantsOperation(ReadOnlySpan<byte> operation) =>
        !RawBson.TryFind(operation, "ns"u8, out var ns) || ns.Type != BsonType.String || (WantsSpace(ns.AsUtf8()) && !IsOwn(ns.AsUtf8()));

    // create, drop and the rest name a collection in their first field; renameCollection names two namespaces.
    private bool ConcernsOwn(ReadOnlySpan<byte> command)
    {
        var reader = new BsonReader(command);
        if (!reader.Read() || reader.Current.Type != BsonType.String)
            return false;
        var name = reader.Current.AsUtf8();
        if (!reader.Current.NameIs("renameCollection"u8))
            return name.StartsWith("__bot_"u8);
        var to = RawBson.TryFind(command, "to"u8, out var target) && target.Type == BsonType.String ? target.AsUtf8() : default;
        if (IsOwn(name) != IsOwn(to))
            Swapped ??= Encoding.UTF8.GetString(IsOwn(name) ? to : name);
        return IsOwn(name) || IsOwn(to);
    }
}
