using System.Globalization;
using System.Text;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumping;

/// <summary>
/// What of the oplog goes into a slice: all of it, or what concerns the selection, operations inside transactions included. What restores of ours stage (<c>__bot_</c>)
/// never does; a rename that swaps such a collection in is noted, since the dump would then be of two states. One thread.
/// </summary>
internal sealed class OplogFilter(DumpSelection selection)
{
    private readonly BsonBuilder _rebuilt = new();

    /// <summary>The collection that a restore swapped in meanwhile; null where there is none.</summary>
    public string? Swapped { get; private set; }

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
            return WantsCommand(space, command.AsDocument()) && !ConcernsOwn(command.AsDocument());
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

    private static bool IsOwn(ReadOnlySpan<byte> space)
    {
        var dot = space.IndexOf((byte)'.');
        return dot >= 0 && space[(dot + 1)..].StartsWith("__bot_"u8);
    }

    private bool KeepTransaction(ReadOnlySpan<byte> entry, ReadOnlySpan<byte> operations, out ReadOnlySpan<byte> rebuilt)
    {
        rebuilt = default;
        var all = true;
        var any = false;
        var reader = new BsonReader(operations);
        while (reader.Read())
        {
            var wanted = WantsOperation(reader.Current.AsDocument());
            all &= wanted;
            any |= wanted;
        }

        if (!all)
            rebuilt = Rebuild(entry);
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

    private ReadOnlySpan<byte> Rebuild(ReadOnlySpan<byte> entry)
    {
        _rebuilt.Clear();
        var fields = new BsonReader(entry);
        while (fields.Read())
        {
            if (!fields.Current.NameIs("o"u8))
            {
                _rebuilt.Append(fields.Current);
                continue;
            }

            _rebuilt.BeginDocument("o");
            var command = new BsonReader(fields.Current.AsDocument());
            while (command.Read())
            {
                if (command.Current.NameIs("applyOps"u8))
                    CopyWanted(command.Current.AsDocument());
                else
                    _rebuilt.Append(command.Current);
            }

            _rebuilt.End();
        }

        return _rebuilt.Finish().Span;
    }

    private void CopyWanted(ReadOnlySpan<byte> operations)
    {
        _rebuilt.BeginArray("applyOps");
        var count = 0;
        var reader = new BsonReader(operations);
        while (reader.Read())
        {
            if (WantsOperation(reader.Current.AsDocument()))
                _rebuilt.Append(count++.ToString(CultureInfo.InvariantCulture), reader.Current);
        }

        _rebuilt.End();
    }

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
