using System.Globalization;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Replay;

/// <summary>One operation of a batch: where its bytes are, and what an error needs to name it.</summary>
internal readonly record struct ReplayOperation(int Offset, int Length, OplogKind Kind, CataloguedCollection Collection, BsonTimestamp Timestamp);

/// <summary>Operations on documents, ready for <c>applyOps</c>, in one buffer that is used again. One thread at a time.</summary>
internal sealed class ReplayBatch
{
    // What stands around an operation in the command's array: type, index with NUL.
    private const int Frame = 10;

    private static readonly string[] Indexes = [.. Enumerable.Range(0, 4096).Select(index => index.ToString(CultureInfo.InvariantCulture))];

    private readonly List<ReplayOperation> _operations = [];
    private byte[] _bytes = new byte[64 * 1024];
    private int _length;

    public int Count => _operations.Count;

    public int Bytes => _length + (_operations.Count * Frame);

    public BsonTimestamp First => _operations[0].Timestamp;

    public ReplayOperation this[int at] => _operations[at];

    public void Add(ReadOnlySpan<byte> operation, OplogKind kind, CataloguedCollection collection, BsonTimestamp at)
    {
        if (_bytes.Length - _length < operation.Length)
            Array.Resize(ref _bytes, Math.Max(_length + operation.Length, 2 * _bytes.Length));
        operation.CopyTo(_bytes.AsSpan(_length));
        _operations.Add(new ReplayOperation(_length, operation.Length, kind, collection, at));
        _length += operation.Length;
    }

    public bool Fits(int length, int maxBytes, int maxOperations) => Count == 0 || (Bytes + length + Frame <= maxBytes && Count < maxOperations);

    public void Clear()
    {
        _operations.Clear();
        _length = 0;
    }

    public ReadOnlySpan<byte> Operation(int at) => _bytes.AsSpan(_operations[at].Offset, _operations[at].Length);

    /// <summary>The _id of the document that an operation is for; false where it does not say.</summary>
    public bool TryGetId(int at, out BsonElement id) => TryGetId(Operation(at), _operations[at].Kind, out id);

    public static bool TryGetId(ReadOnlySpan<byte> operation, OplogKind kind, out BsonElement id)
    {
        id = default;
        return RawBson.TryFind(operation, kind == OplogKind.Update ? "o2"u8 : "o"u8, out var document)
            && document.Type == BsonType.Document
            && RawBson.TryFind(document.AsDocument(), "_id"u8, out id);
    }

    /// <summary>The command for the operations from <paramref name="from"/> on.</summary>
    /// <param name="builder">Used again and again.</param>
    /// <param name="from">First operation.</param>
    /// <param name="count">How many.</param>
    /// <param name="atomic">All or none, where the server can.</param>
    /// <param name="skip">Operations that are not sent; null for none.</param>
    public void Write(BsonBuilder builder, int from, int count, bool atomic, HashSet<int>? skip = null)
    {
        builder.Clear();
        builder.BeginArray("applyOps");
        var index = 0;
        for (var at = from; at < from + count; at++)
        {
            if (skip?.Contains(at) != true)
                builder.AppendDocument(IndexText(index++), Operation(at));
        }

        builder.End();
        AppendOptions(builder, atomic);
    }

    /// <summary>What every applyOps of a replay says: documents are as they were, valid or not; an update finds its document or fails; no global lock.</summary>
    public static void AppendOptions(BsonBuilder builder, bool atomic)
    {
        if (!atomic)
            builder.Append("allowAtomic", false);
        builder.Append("alwaysUpsert", false).Append("bypassDocumentValidation", true);
    }

    internal static string IndexText(int index) => index < Indexes.Length ? Indexes[index] : index.ToString(CultureInfo.InvariantCulture);
}
