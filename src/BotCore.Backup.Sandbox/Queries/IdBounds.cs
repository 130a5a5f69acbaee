using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Queries;

/// <summary>What a query says of <c>_id</c>, and of <c>ts</c> for the oplog, so that not every document must be looked at. It narrows only: the query itself is always asked too.</summary>
internal sealed class IdBounds
{
    /// <summary>The values that <c>_id</c> must be one of; null where the query does not say so.</summary>
    public List<BsonValue>? Exact { get; private set; }

    public (BsonValue Value, bool Inclusive)? Lower { get; private set; }

    public (BsonValue Value, bool Inclusive)? Upper { get; private set; }

    /// <summary>No <c>ts</c> below this one is wanted.</summary>
    public BsonTimestamp? FromTimestamp { get; private set; }

    public bool IsRange => Lower is not null || Upper is not null;

    public static IdBounds Of(RawBson query)
    {
        var bounds = new IdBounds();
        bounds.Read(query);
        return bounds;
    }

    private void Read(RawBson query)
    {
        var reader = query.Read();
        while (reader.Read())
        {
            var value = BsonValue.Within(query.Memory, reader.Current);
            if (reader.Current.NameIs("_id"u8))
                ReadId(value);
            else if (reader.Current.NameIs("ts"u8))
                ReadTimestamp(value);
            else if (reader.Current.NameIs("$and"u8) && value.Type == BsonType.Array)
                ValueTests.Elements(value).ForEach(clause => Read(clause.Document));
        }
    }

    private void ReadId(BsonValue value)
    {
        if (!FilterParser.IsOperators(value))
        {
            SetExact(value);
            return;
        }

        var reader = value.Document.Read();
        while (reader.Read())
        {
            var operand = BsonValue.Within(value.Bytes, reader.Current);
            switch (reader.Current.NameText)
            {
                case "$eq":
                    SetExact(operand);
                    break;
                case "$in" when operand.Type == BsonType.Array && ValueTests.Elements(operand).TrueForAll(one => one.Type is not (BsonType.RegularExpression or BsonType.Null or BsonType.Array)):
                    Exact = ValueTests.Elements(operand);
                    break;
                case "$gt" or "$gte" when operand.Type is not (BsonType.Null or BsonType.Array):
                    Lower = (operand, reader.Current.NameIs("$gte"u8));
                    break;
                case "$lt" or "$lte" when operand.Type is not (BsonType.Null or BsonType.Array):
                    Upper = (operand, reader.Current.NameIs("$lte"u8));
                    break;
                default:
                    break;
            }
        }
    }

    private void SetExact(BsonValue value)
    {
        if (value.Type is not (BsonType.RegularExpression or BsonType.Null or BsonType.Undefined or BsonType.Array))
            Exact = [value];
    }

    private void ReadTimestamp(BsonValue value)
    {
        if (value.Type == BsonType.Timestamp)
            FromTimestamp = BsonTimestamp.FromValue(System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(value.Span));
        else if (value.Type == BsonType.Document)
            FromTimestamp = value.Document.FindTimestamp("$gte"u8) ?? value.Document.FindTimestamp("$gt"u8) ?? value.Document.FindTimestamp("$eq"u8) ?? FromTimestamp;
    }
}
