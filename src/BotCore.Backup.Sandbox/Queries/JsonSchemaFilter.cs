using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Queries;

/// <summary>The part of <c>$jsonSchema</c> that the sandbox enforces: <c>required</c>, and <c>bsonType</c>, <c>minimum</c> and <c>maximum</c> of top-level <c>properties</c>. The rest is stored only.</summary>
internal static class JsonSchemaFilter
{
    public static Filter Parse(RawBson validator)
    {
        var schema = validator.FindDocument("$jsonSchema"u8) ?? throw new ServerException(ServerException.FailedToParse, "$jsonSchema must be an object");
        var checks = new List<Predicate<ReadOnlyMemory<byte>>>();
        AddRequired(schema, checks);
        AddProperties(schema, checks);
        var others = new BsonBuilder();
        var reader = validator.Read();
        while (reader.Read())
        {
            if (!reader.Current.NameIs("$jsonSchema"u8))
                others.Append(reader.Current);
        }

        checks.Add(Filter.Parse(others.ToBson()).Matches);
        return Filter.Of(document => checks.TrueForAll(check => check(document)));
    }

    private static void AddRequired(RawBson schema, List<Predicate<ReadOnlyMemory<byte>>> checks)
    {
        if (schema.FindDocument("required"u8) is not { } required)
            return;
        var reader = required.Read();
        while (reader.Read())
        {
            var name = reader.Current.AsUtf8().ToArray();
            checks.Add(document => RawBson.TryFind(document.Span, name, out _));
        }
    }

    private static void AddProperties(RawBson schema, List<Predicate<ReadOnlyMemory<byte>>> checks)
    {
        if (schema.FindDocument("properties"u8) is not { } properties)
            return;
        var reader = properties.Read();
        while (reader.Read())
        {
            if (reader.Current.Type != BsonType.Document)
                continue;
            var name = reader.Current.Name.ToArray();
            var rules = Rules(new RawBson(BsonValue.Slice(properties.Memory, reader.Current.Value)));
            checks.Add(document => !RawBson.TryFind(document.Span, name, out var element) || Hold(rules, BsonValue.Within(document, element)));
        }
    }

    private static bool Hold(List<Predicate<BsonValue>> rules, BsonValue value) => rules.TrueForAll(rule => rule(value));

    private static List<Predicate<BsonValue>> Rules(RawBson property)
    {
        var rules = new List<Predicate<BsonValue>>();
        if (property.TryFind("bsonType"u8, out var type))
            rules.Add(TypeNames.Parse(BsonValue.CopyOf(type)));
        if (property.TryFind("minimum"u8, out var minimum))
            rules.Add(AtLeast(BsonValue.CopyOf(minimum), 1));
        if (property.TryFind("maximum"u8, out var maximum))
            rules.Add(AtLeast(BsonValue.CopyOf(maximum), -1));
        return rules;
    }

    private static Predicate<BsonValue> AtLeast(BsonValue bound, int sign) => value => !value.IsNumber || BsonOrder.Compare(value, bound) * sign >= 0;
}
