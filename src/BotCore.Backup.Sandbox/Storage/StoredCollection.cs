using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Queries;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Storage;

/// <summary>One collection, view or time-series: its options, records and indexes. Not thread-safe: the server's lock guards it.</summary>
internal sealed class StoredCollection
{
    private readonly Dictionary<ValueKey, int> _ids = [];
    private readonly IdOrder _order;

    public StoredCollection(Namespace ns, Guid uuid, RawBson options)
    {
        Namespace = ns;
        Uuid = uuid;
        _order = new IdOrder(Records);
        Options = options;
        ReadOptions();
        if (!IsView)
            Indexes.Add(new IndexDefinition(IdIndexSpec(options)));
    }

    public Namespace Namespace { get; set; }

    public Guid Uuid { get; private set; }

    public RawBson Options { get; private set; }

    public RecordStore Records { get; } = new();

    public List<IndexDefinition> Indexes { get; } = [];

    public bool IsView { get; private set; }

    public bool IsTimeSeries { get; private set; }

    public bool IsCapped { get; private set; }

    public long CappedBytes { get; set; }

    public long CappedDocuments { get; private set; }

    public bool IsDropped { get; set; }

    public Filter? Validator { get; private set; }

    /// <summary>The oplog has no <c>_id</c>, and needs no index on it.</summary>
    public bool HasIds { get; init; } = true;

    public string Type => IsTimeSeries ? "timeseries" : IsView ? "view" : "collection";

    public OrderedIds OrderedIds => _order.Current();

    public RawBson IdIndex => Indexes[0].Spec;

    public void SetOptions(RawBson options)
    {
        Options = options;
        ReadOptions();
    }

    public void SetUuid(Guid uuid) => Uuid = uuid;

    public bool TryFind(BsonValue id, out int number) => _ids.TryGetValue(ValueKey.Of(id), out number);

    /// <summary>Adds a document that has its <c>_id</c> already. Throws <see cref="DuplicateKeyException"/> and has then changed nothing.</summary>
    public int Insert(ReadOnlySpan<byte> document)
    {
        var kept = Records.Keep(document);
        var number = Records.Next;
        foreach (var index in Indexes)
            index.Check(Namespace, kept, number);
        if (HasIds)
        {
            var id = IdOrder.IdOf(kept);
            if (!_ids.TryAdd(ValueKey.Of(id), number))
                throw new DuplicateKeyException(Namespace, "_id_", Indexes[0].Key, new BsonBuilder().AppendRaw(id.Type, "_id", id.Span).ToBson());
        }

        foreach (var index in Indexes)
            index.Add(kept, number);
        return Records.Add(kept);
    }

    /// <summary>Throws <see cref="DuplicateKeyException"/> where a unique index would not take the document.</summary>
    public void CheckUnique(ReadOnlyMemory<byte> document, int self)
    {
        foreach (var index in Indexes)
            index.Check(Namespace, document, self);
    }

    public void Replace(int number, ReadOnlySpan<byte> document)
    {
        var old = Records[number];
        var kept = Records.Keep(document);
        foreach (var index in Indexes)
            index.Check(Namespace, kept, number);
        foreach (var index in Indexes)
            index.Remove(old, number);
        foreach (var index in Indexes)
            index.Add(kept, number);
        Records.Replace(number, kept);
        // The key shares the document's bytes: without this the old ones would live on.
        _ids.Remove(ValueKey.Of(IdOrder.IdOf(old)));
        _ids[ValueKey.Of(IdOrder.IdOf(kept))] = number;
    }

    public void Remove(int number)
    {
        var old = Records[number];
        foreach (var index in Indexes)
            index.Remove(old, number);
        if (HasIds)
            _ids.Remove(ValueKey.Of(IdOrder.IdOf(old)));
        Records.Remove(number);
    }

    /// <summary>Whether a capped collection holds more than it may, so that its oldest document must go.</summary>
    public bool IsOverfull => IsCapped && Records.Count > 1 && (Records.Bytes > CappedBytes || (CappedDocuments > 0 && Records.Count > CappedDocuments));

    /// <summary>Adds an index; a unique one is built at once and throws <see cref="DuplicateKeyException"/> where the documents forbid it.</summary>
    public void Build(IndexDefinition index)
    {
        foreach (var (number, document) in Records.Walk())
        {
            index.Check(Namespace, document, number);
            index.Add(document, number);
        }

        Indexes.Add(index);
    }

    private static RawBson IdIndexSpec(RawBson options)
    {
        if (options.FindDocument("clusteredIndex"u8) is { } clustered)
            return new BsonBuilder().Append("v", 2).Append("key", clustered.FindDocument("key"u8) ?? RawBson.Empty).Append("name", "_id_").Append("unique", value: true).Append("clustered", value: true).ToBson();
        if (options.FindDocument("idIndex"u8) is { } given)
            return given;
        var builder = new BsonBuilder().Append("v", 2).BeginDocument("key").Append("_id", 1).End().Append("name", "_id_");
        if (options.FindDocument("collation"u8) is { } collation)
            builder.Append("collation", collation);
        return builder.ToBson();
    }

    private void ReadOptions()
    {
        IsTimeSeries = Options.Has("timeseries"u8) && !Namespace.Collection.StartsWith("system.buckets.", StringComparison.Ordinal);
        IsView = Options.Has("viewOn"u8) || IsTimeSeries;
        IsCapped = Options.IsTrue("capped"u8);
        // The server rounds up to 256 bytes.
        CappedBytes = ((Options.FindInt64("size"u8) ?? 0) + 255) / 256 * 256;
        CappedDocuments = Options.FindInt64("max"u8) ?? 0;
        Validator = Options.FindDocument("validator"u8) is { IsEmpty: false } validator && Options.FindString("validationLevel"u8) is not "off" && Options.FindString("validationAction"u8) is not "warn"
            ? Filter.ForValidation(validator)
            : null;
    }
}
