using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Queries;

/// <summary>The names and numbers of types as <c>$type</c> takes them.</summary>
internal static class TypeNames
{
    public static Predicate<BsonValue> Parse(BsonValue operand)
    {
        if (operand.Type != BsonType.Array)
            return One(operand);
        var any = new List<Predicate<BsonValue>>();
        var reader = operand.Document.Read();
        while (reader.Read())
            any.Add(One(BsonValue.Within(operand.Bytes, reader.Current)));
        return value => any.Exists(one => one(value));
    }

    private static Predicate<BsonValue> One(BsonValue operand)
    {
        if (operand.Type == BsonType.String && operand.AsString() is "number")
            return value => value.IsNumber;
        var type = operand.Type == BsonType.String ? Named(operand.AsString()) : Numbered(operand.AsInt64());
        return value => value.Type == type;
    }

    private static BsonType Numbered(long number) => number == -1 ? BsonType.MinKey : (BsonType)(byte)number;

    private static BsonType Named(string name) => name switch
    {
        "double" => BsonType.Double,
        "string" => BsonType.String,
        "object" => BsonType.Document,
        "array" => BsonType.Array,
        "binData" => BsonType.Binary,
        "undefined" => BsonType.Undefined,
        "objectId" => BsonType.ObjectId,
        "bool" => BsonType.Boolean,
        "date" => BsonType.DateTime,
        "null" => BsonType.Null,
        "regex" => BsonType.RegularExpression,
        "dbPointer" => BsonType.DbPointer,
        "javascript" => BsonType.JavaScript,
        "symbol" => BsonType.Symbol,
        "javascriptWithScope" => BsonType.JavaScriptWithScope,
        "int" => BsonType.Int32,
        "timestamp" => BsonType.Timestamp,
        "long" => BsonType.Int64,
        "decimal" => BsonType.Decimal128,
        "minKey" => BsonType.MinKey,
        "maxKey" => BsonType.MaxKey,
        _ => throw new ServerException(ServerException.BadValue, $"Unknown type name alias: {name}"),
    };
}
