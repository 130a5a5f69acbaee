using System.Globalization;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Sessions;
using BotCore.Backup.Sandbox.Storage;

namespace BotCore.Backup.Sandbox.Oplog;

/// <summary>What an entry says beside its time.</summary>
internal readonly record struct OplogEntry(string Op, string Namespace, RawBson Object)
{
    public Guid? Uuid { get; init; }

    public RawBson? Second { get; init; }

    public TransactionTag? Tag { get; init; }

    public int? Statement { get; init; }

    /// <summary>The entry before it in its transaction's chain; a write of a session without one says so with zeros.</summary>
    public BsonTimestamp? Previous { get; init; }
}

/// <summary>
/// <c>local.oplog.rs</c>: every change as an entry with the fields of mongod 7.0 in their order, the oldest falling off when the cap is passed. A standalone server and a
/// router have none. Guarded by the server's lock for writers.
/// </summary>
internal sealed class OplogLog
{
    private readonly ServerState _server;
    private readonly BsonBuilder _builder = new(1024);
    private readonly StoredCollection? _collection;

    public OplogLog(ServerState server)
    {
        _server = server;
        if (server.Options.Standalone || server.Options.Sharded)
            return;
        var options = new BsonBuilder().Append("capped", value: true).Append("size", (double)server.Options.OplogCap).Append("autoIndexId", value: false).ToBson();
        _collection = new StoredCollection(new Namespace("local", "oplog.rs"), Guid.NewGuid(), options) { HasIds = false, CappedBytes = server.Options.OplogCap };
        _collection.Indexes.Clear();
        server.Store.Add(_collection);
        WriteNoOp("initiating set");
    }

    public bool IsOn => _collection is not null;

    public BsonTimestamp Newest { get; private set; }

    public long NewestWall { get; private set; }

    /// <summary>The election term that entries carry.</summary>
    public long Term { get; set; } = 1;

    public BsonTimestamp WriteNoOp(string text) => Append(new OplogEntry("n", "", new BsonBuilder().Append("msg", text).ToBson()));

    public BsonTimestamp WriteCommand(string database, Guid? uuid, RawBson command, RawBson? second = null) =>
        Append(new OplogEntry("c", database + ".$cmd", command) { Uuid = uuid, Second = second });

    public BsonTimestamp Append(OplogEntry entry)
    {
        if (_collection is null)
            return default;
        var ts = _server.Clock.Next();
        _builder.Clear();
        if (entry.Tag is { } tag)
            _builder.Append("lsid", tag.Session).Append("txnNumber", tag.Number);
        _builder.Append("op", entry.Op).Append("ns", entry.Namespace);
        if (entry.Uuid is { } uuid)
            AppendUuid(_builder, "ui", uuid);
        _builder.AppendDocument("o", entry.Object.Span);
        if (entry.Second is { } second)
            _builder.AppendDocument("o2", second.Span);
        if (entry.Statement is { } statement)
            _builder.Append("stmtId", statement);
        NewestWall = _server.Clock.Milliseconds;
        _builder.Append("ts", ts).Append("t", Term).Append("v", 2L).AppendDateTime("wall", NewestWall);
        if (entry.Tag is not null)
            AppendOpTime(_builder, "prevOpTime", entry.Previous ?? default, entry.Previous is { Value: > 0 } ? Term : -1);
        _collection.Insert(_builder.Finish().Span);
        while (_collection.IsOverfull)
            _collection.Remove(_collection.Records.First);
        Newest = ts;
        return ts;
    }

    public static void AppendUuid(BsonBuilder builder, string name, Guid uuid)
    {
        Span<byte> bytes = stackalloc byte[16];
        uuid.TryWriteBytes(bytes, bigEndian: true, out _);
        builder.AppendBinary(name, bytes, 4);
    }

    public static void AppendOpTime(BsonBuilder builder, string name, BsonTimestamp ts, long term) =>
        builder.BeginDocument(name).Append("ts", ts).Append("t", term).End();

    public static Guid? ReadUuid(RawBson document, ReadOnlySpan<byte> name)
    {
        if (!document.TryFind(name, out var element) || element.Type != BsonType.Binary)
            return null;
        var bytes = element.AsBinary(out _);
        return bytes.Length == 16 ? new Guid(bytes, bigEndian: true) : null;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"oplog up to {Newest}");
}
