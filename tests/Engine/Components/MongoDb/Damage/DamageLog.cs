using BotCore.Backup.Engine.Components.MongoDb.Damage;
using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Damage;

/// <summary>Writes oplog entries, as many in one second as a test likes, and gives them to a finder.</summary>
internal sealed class DamageLog(OplogEventFinder finder)
{
    private BsonTimestamp? _before;
    private uint _ordinal;

    public uint Second { get; private set; } = 1000;

    /// <summary>The entry before the next one.</summary>
    public string? LastGood => _before?.ToString();

    /// <summary>Lets time go by.</summary>
    public void Wait(uint seconds) => (Second, _ordinal) = (Second + seconds, 0);

    public string Insert(string ns, int id) => Write("i", ns, Document(id));

    public string Delete(string ns, int id) => Write("d", ns, Document(id));

    public string Update(string ns, int id) => Write("u", ns, new BsonBuilder().Append("$v", 2).BeginDocument("diff").End().ToBson(), Document(id));

    public string NoOp() => Write("n", "", new BsonBuilder().Append("msg", "periodic noop").ToBson());

    public string Command(string ns, string command, Action<BsonBuilder>? more = null, long? records = null)
    {
        var o = new BsonBuilder();
        if (command is "dropDatabase")
            o.Append(command, 1);
        else
            o.Append(command, command is "renameCollection" ? ns : NamespaceMap.CollectionOf(ns));
        more?.Invoke(o);
        return Write("c", NamespaceMap.DatabaseOf(ns) + ".$cmd", o.ToBson(), records is { } count ? new BsonBuilder().Append("numRecords", count).ToBson() : null);
    }

    /// <summary>The row of a view.</summary>
    public string View(string op, string name) => Write(op, NamespaceMap.DatabaseOf(name) + ".system.views", new BsonBuilder().Append("_id", name).ToBson());

    /// <summary>Deletes within an <c>applyOps</c>; with a number it is a part of that transaction.</summary>
    public string ApplyDeletes(string ns, IEnumerable<int> ids, long? number = null, BsonTimestamp previous = default, Action<BsonBuilder>? state = null)
    {
        var o = new BsonBuilder().BeginArray("applyOps");
        var at = 0;
        foreach (var id in ids)
            o.BeginDocument($"{at++}").Append("op", "d").Append("ns", ns).Append("o", Document(id)).End();
        o.End();
        state?.Invoke(o);
        return Write("c", "admin.$cmd", o.ToBson(), null, number, previous);
    }

    public string End(long number, BsonTimestamp previous, string how) => Write("c", "admin.$cmd", new BsonBuilder().Append(how, 1).ToBson(), null, number, previous);

    private static RawBson Document(int id) => new BsonBuilder().Append("_id", id).ToBson();

    private string Write(string op, string ns, RawBson o, RawBson? o2 = null, long? number = null, BsonTimestamp previous = default)
    {
        var at = new BsonTimestamp(Second, ++_ordinal);
        var entry = new BsonBuilder().Append("ts", at).Append("t", 1L).Append("op", op).Append("ns", ns).Append("o", o);
        if (o2 is { } identity)
            entry.Append("o2", identity);
        if (number is { } transaction)
        {
            entry.BeginDocument("lsid").Append("id", 7).End().Append("txnNumber", transaction)
                .BeginDocument("prevOpTime").Append("ts", previous).Append("t", previous.Value == 0 ? -1L : 1L).End();
        }

        finder.Add(entry.ToBson().Span, _before, "line", "archive");
        _before = at;
        return at.ToString();
    }
}
