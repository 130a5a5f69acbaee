using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Replay;

/// <summary>Collections in memory that take the commands that a replay sends, so that its own decisions can be tested without a server. Thread-safe.</summary>
internal sealed class MemoryTarget : IReplayTarget
{
    private readonly Lock _lock = new();

    public Dictionary<string, Dictionary<UInt128, RawBson>> Collections { get; } = new(StringComparer.Ordinal);

    public List<string> Log { get; } = [];

    public List<RawBson> Built { get; } = [];

    /// <summary>Whether it makes a document where an update finds none, as old servers do, whatever they are told.</summary>
    public bool Upserts { get; init; }

    /// <summary>Refuses an operation: gives the server's words.</summary>
    public Func<RawBson, string?>? Refuse { get; set; }

    public RawBson Run(string database, BsonBuilder command, CancellationToken token)
    {
        token.ThrowIfCancellationRequested();
        lock (_lock)
            return Answer(database, command.ToBson());
    }

    public IReadOnlyList<string> Content(string ns) =>
        Collections.TryGetValue(ns, out var documents) ? [.. documents.Values.Select(ExtendedJson.ToText).Order(StringComparer.Ordinal)] : [];

    private RawBson Answer(string database, RawBson command)
    {
        var reader = command.Read();
        reader.Read();
        var name = reader.Current.NameText;
        Log.Add(name);
        var ns = database + "." + command.FindString(System.Text.Encoding.UTF8.GetBytes(name));
        switch (name)
        {
            case "applyOps":
                return ApplyOps(command);
            case "find":
                return Find(ns, command);
            case "createIndexes":
                Built.Add(command);
                return Ok();
            case "renameCollection":
                return Rename(command);
            case "drop":
                return Collections.Remove(ns) ? Ok() : Error(26, "ns not found");
            case "listCollections":
                return List(database, command.FindDocument("filter"u8)?.FindString("name"u8));
            case "dropDatabase" or "dropIndexes":
                return Ok();
            default:
                return Error(59, "no such command");
        }
    }

    private RawBson ApplyOps(RawBson command)
    {
        var results = new BsonBuilder();
        results.BeginArray("results");
        var failed = false;
        RawBson reason = default;
        var count = 0;
        var reader = command.FindDocument("applyOps"u8)!.Value.Read();
        while (reader.Read())
        {
            var operation = new RawBson(reader.Current.AsDocument().ToArray());
            foreach (var left in (string[])["ui", "ts", "t", "wall", "stmtId", "rid", "lsid", "txnNumber"])
                Assert(!operation.Has(System.Text.Encoding.UTF8.GetBytes(left)), left);
            var reply = Refuse?.Invoke(operation) is { } refusal ? Error(1, refusal) : Apply(operation);
            var ok = ServerReply.IsOk(reply);
            if (!ok)
                (failed, reason) = (true, reply);
            results.Append(count++.ToString(System.Globalization.CultureInfo.InvariantCulture), ok);
        }

        results.End().Append("applied", count).Append("ok", failed ? 0 : 1);
        if (failed)
            results.Append("errmsg", reason.FindString("errmsg"u8)).Append("code", (int)ServerReply.Code(reason));
        return results.ToBson();
    }

    private RawBson Apply(RawBson operation)
    {
        var ns = operation.FindString("ns"u8)!;
        var o = operation.FindDocument("o"u8)!.Value;
        var kind = operation.FindString("op"u8);
        if (kind is "c")
            return Command(ns, o);
        if (!Collections.TryGetValue(ns, out var documents))
            return kind is "d" ? Ok() : Error(26, "cannot apply insert or update operation on a non-existent namespace " + ns);
        var which = kind is "u" ? operation.FindDocument("o2"u8)!.Value : o;
        which.TryFind("_id"u8, out var id);
        var key = DocumentId.Key(id);
        switch (kind)
        {
            case "i":
                documents[key] = o;
                return Ok();
            case "d":
                documents.Remove(key);
                return Ok();
            default:
                if (!documents.TryGetValue(key, out var old) && !Upserts)
                    return Error(218, "Failed to apply update: " + ExtendedJson.ToText(o));
                documents[key] = Changed(old.IsEmpty ? new BsonBuilder().Append("_id", id).ToBson() : old, o);
                return Ok();
        }
    }

    private RawBson Command(string ns, RawBson o)
    {
        var database = ns[..ns.IndexOf('.', StringComparison.Ordinal)];
        if (o.FindString("create"u8) is { } create)
            return Collections.TryAdd(database + "." + create, []) ? Ok() : Error(48, "exists");
        if (o.FindString("drop"u8) is { } drop)
            return Collections.Remove(database + "." + drop) ? Ok() : Error(26, "ns not found");
        return o.Has("collMod"u8) || o.Has("convertToCapped"u8) || o.Has("emptycapped"u8) ? Ok() : Error(59, "no such command");
    }

    private RawBson Rename(RawBson command)
    {
        var from = command.FindString("renameCollection"u8)!;
        var to = command.FindString("to"u8)!;
        if (!Collections.TryGetValue(from, out var documents))
            return Error(26, "source namespace does not exist");
        if (Collections.ContainsKey(to))
            return Error(48, "target namespace exists");
        Collections.Remove(from);
        Collections.Add(to, documents);
        return Ok();
    }

    private RawBson List(string database, string? name)
    {
        var reply = new BsonBuilder().BeginDocument("cursor").BeginArray("firstBatch");
        if (name is not null && Collections.ContainsKey(database + "." + name))
            reply.BeginDocument("0").Append("name", name).End();
        return reply.End().End().Append("ok", 1).ToBson();
    }

    private RawBson Find(string ns, RawBson command)
    {
        var reply = new BsonBuilder().BeginDocument("cursor").BeginArray("firstBatch");
        var ids = command.FindDocument("filter"u8)!.Value.FindDocument("_id"u8)!.Value.FindDocument("$in"u8)!.Value.Read();
        var at = 0;
        while (ids.Read())
        {
            if (Collections.TryGetValue(ns, out var documents) && documents.ContainsKey(DocumentId.Key(ids.Current)))
                reply.BeginDocument(at++.ToString(System.Globalization.CultureInfo.InvariantCulture)).Append("_id", ids.Current).End();
        }

        return reply.End().End().Append("ok", 1).ToBson();
    }

    // Whole documents, $set, and the u, i and d of a $v:2 diff: what the tests use.
    private static RawBson Changed(RawBson old, RawBson change)
    {
        var set = change.FindDocument("$set"u8);
        var diff = change.FindDocument("diff"u8);
        if (set is null && diff is null)
            return change;
        var fields = new SortedDictionary<string, RawBson>(StringComparer.Ordinal);
        foreach (var part in (RawBson?[])[old, set, diff?.FindDocument("u"u8), diff?.FindDocument("i"u8)])
            Take(part, fields);
        if (diff?.FindDocument("d"u8) is { } removed)
        {
            var reader = removed.Read();
            while (reader.Read())
                fields.Remove(reader.Current.NameText);
        }

        var builder = new BsonBuilder();
        foreach (var field in fields.Values)
        {
            var reader = field.Read();
            reader.Read();
            builder.Append(reader.Current);
        }

        return builder.ToBson();
    }

    private static void Take(RawBson? part, SortedDictionary<string, RawBson> fields)
    {
        var reader = (part ?? RawBson.Empty).Read();
        while (reader.Read())
            fields[reader.Current.NameText] = new BsonBuilder().Append(reader.Current).ToBson();
    }

    private static RawBson Ok() => new BsonBuilder().Append("ok", 1).ToBson();

    private static RawBson Error(int code, string message) => new BsonBuilder().Append("ok", 0).Append("errmsg", message).Append("code", code).ToBson();

    private static void Assert(bool condition, string what)
    {
        if (!condition)
            throw new InvalidOperationException($"The operation still has {what}.");
    }
}
