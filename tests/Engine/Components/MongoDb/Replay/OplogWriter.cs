using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Replay;

/// <summary>Writes oplog entries as servers do, each one second after the one before.</summary>
internal sealed class OplogWriter
{
    private uint _seconds = 1000;

    public List<RawBson> Entries { get; } = [];

    public BsonTimestamp Now => new(_seconds, 1);

    public BsonTimestamp Insert(string ns, Guid? uuid, int id, int value) => Write("i", ns, uuid, o => o.Append("_id", id).Append("x", value), null);

    public BsonTimestamp Set(string ns, Guid? uuid, int id, int value) =>
        Write("u", ns, uuid, o => o.Append("$v", 2).BeginDocument("diff").BeginDocument("u").Append("x", value).End().End(), o2 => o2.Append("_id", id));

    public BsonTimestamp Delete(string ns, Guid? uuid, int id) => Write("d", ns, uuid, o => o.Append("_id", id), null);

    public BsonTimestamp NoOp() => Write("n", "", null, o => o.Append("msg", "periodic noop"), null);

    public BsonTimestamp Create(string ns, Guid? uuid, bool capped = false) =>
        Command(ns, uuid, o => (capped ? o.Append("create", NamespaceMap.CollectionOf(ns)).Append("capped", true) : o.Append("create", NamespaceMap.CollectionOf(ns)))
            .BeginDocument("idIndex").Append("v", 2).BeginDocument("key").Append("_id", 1).End().Append("name", "_id_").Append("ns", ns).End());

    public BsonTimestamp Drop(string ns, Guid? uuid) => Command(ns, uuid, o => o.Append("drop", NamespaceMap.CollectionOf(ns)));

    public BsonTimestamp Rename(string from, string to, Guid? uuid, Guid? victim = null) => Command(from, uuid, o =>
    {
        o.Append("renameCollection", from).Append("to", to).Append("stayTemp", false);
        if (victim is { } dropped)
            o.AppendBinary("dropTarget", dropped.ToByteArray(bigEndian: true), 4);
    });

    public BsonTimestamp CreateIndex(string ns, Guid? uuid, string field, bool expires = false) => Command(ns, uuid, o =>
    {
        o.Append("createIndexes", NamespaceMap.CollectionOf(ns)).Append("v", 2).BeginDocument("key").Append(field, 1).End().Append("name", field + "_1").Append("background", true);
        if (expires)
            o.Append("expireAfterSeconds", 60);
    });

    public BsonTimestamp Command(string ns, Guid? uuid, Action<BsonBuilder> o) => Write("c", NamespaceMap.DatabaseOf(ns) + ".$cmd", uuid, o, null);

    /// <summary>A whole transaction: its operations, split into entries of so many.</summary>
    public BsonTimestamp Transaction(long number, IReadOnlyList<RawBson> operations, int each, bool prepare = false, string? end = null)
    {
        var previous = default(BsonTimestamp);
        for (var from = 0; from < operations.Count; from += each)
        {
            var part = operations.Skip(from).Take(each).ToList();
            var isLast = from + each >= operations.Count;
            var before = previous;
            previous = Write("c", "admin.$cmd", null, o =>
            {
                o.BeginArray("applyOps");
                for (var at = 0; at < part.Count; at++)
                    o.Append(at.ToString(System.Globalization.CultureInfo.InvariantCulture), part[at]);
                o.End();
                if (!isLast)
                    o.Append("partialTxn", true);
                else if (prepare)
                    o.Append("prepare", true);
            }, null, e => Session(e, number, before));
        }

        if (end is not null)
            previous = EndTransaction(number, previous, end);
        return previous;
    }

    public BsonTimestamp EndTransaction(long number, BsonTimestamp before, string end) => Write("c", "admin.$cmd", null, o => o.Append(end, 1), null, e => Session(e, number, before));

    /// <summary>The last entry without what only a whole entry has: an operation for a transaction. The entry is taken out again.</summary>
    public RawBson TakeOperation()
    {
        var entry = Entries[^1];
        Entries.RemoveAt(Entries.Count - 1);
        var builder = new BsonBuilder();
        var reader = entry.Read();
        while (reader.Read())
        {
            if (reader.Current.NameText is "op" or "ns" or "ui" or "o" or "o2")
                builder.Append(reader.Current);
        }

        return builder.ToBson();
    }

    private static void Session(BsonBuilder entry, long number, BsonTimestamp before) =>
        entry.BeginDocument("lsid").Append("id", 7).End().Append("txnNumber", number)
            .BeginDocument("prevOpTime").Append("ts", before).Append("t", before.Value == 0 ? -1L : 1L).End();

    private BsonTimestamp Write(string op, string ns, Guid? uuid, Action<BsonBuilder> o, Action<BsonBuilder>? o2, Action<BsonBuilder>? more = null)
    {
        var at = new BsonTimestamp(++_seconds, 1);
        var entry = new BsonBuilder().Append("op", op).Append("ns", ns);
        if (uuid is { } identity)
            entry.AppendBinary("ui", identity.ToByteArray(bigEndian: true), 4);
        entry.BeginDocument("o");
        o(entry);
        entry.End();
        if (o2 is not null)
        {
            entry.BeginDocument("o2");
            o2(entry);
            entry.End();
        }

        more?.Invoke(entry);
        Entries.Add(entry.Append("ts", at).Append("t", 1L).Append("v", 2L).AppendDateTime("wall", 0).ToBson());
        return at;
    }
}
