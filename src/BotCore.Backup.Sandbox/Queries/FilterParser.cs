using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Queries;

/// <summary>Turns a query document into a test. An operator that it does not know is an error, never a match.</summary>
internal static class FilterParser
{
    public static Predicate<ReadOnlyMemory<byte>> Parse(RawBson query)
    {
        var parts = new List<Predicate<ReadOnlyMemory<byte>>>();
        var reader = query.Read();
        while (reader.Read())
        {
            var name = reader.Current.NameText;
            var value = BsonValue.Within(query.Memory, reader.Current);
            if (string.Equals(name, "$comment", StringComparison.Ordinal))
                continue;
            parts.Add(name.StartsWith('$') ? Logical(name, value) : Field(new BsonPath(name), value));
        }

        return parts switch
        {
            [] => _ => true,
            [var only] => only,
            _ => document => parts.TrueForAll(part => part(document)),
        };
    }

    public static bool IsOperators(BsonValue value) =>
        value.Type == BsonType.Document && value.Document.Read() is var reader && reader.Read() && reader.Current.Name is [(byte)'$', ..] && !reader.Current.NameIs("$ref"u8) && !reader.Current.NameIs("$id"u8);

    private static Predicate<ReadOnlyMemory<byte>> Logical(string name, BsonValue value)
    {
        switch (name)
        {
            case "$and":
                var all = Clauses(name, value);
                return document => all.TrueForAll(clause => clause(document));
            case "$or":
                var any = Clauses(name, value);
                return document => any.Exists(clause => clause(document));
            case "$nor":
                var none = Clauses(name, value);
                return document => !none.Exists(clause => clause(document));
            case "$alwaysTrue":
                return _ => true;
            case "$alwaysFalse":
                return _ => false;
            case "$expr":
                return WholeDocument(value);
            default:
                throw new ServerException(ServerException.BadValue, $"unknown top level operator: {name}");
        }
    }

    // The one expression that is known: the whole document compared with another, as the aggregation's $eq compares, where 1 and 1.0 are equal and the order of fields counts.
    private static Predicate<ReadOnlyMemory<byte>> WholeDocument(BsonValue value)
    {
        if (value.Type == BsonType.Document && Only(value, "$eq") is { Type: BsonType.Array } equal && ValueTests.Elements(equal) is [var root, var literal]
            && root.Type == BsonType.String && string.Equals(root.AsString(), "$$ROOT", StringComparison.Ordinal)
            && literal.Type == BsonType.Document && Only(literal, "$literal") is { Type: BsonType.Document } wanted)
            return document => BsonOrder.Compare(BsonType.Document, document.Span, BsonType.Document, wanted.Span) == 0;
        throw new ServerException(ServerException.NotImplemented, "The sandbox knows $expr as { $eq: [\"$$ROOT\", { $literal: document }] } only.");
    }

    private static BsonValue Only(BsonValue document, string name)
    {
        var fields = document.Document.Read();
        if (!fields.Read() || !string.Equals(fields.Current.NameText, name, StringComparison.Ordinal))
            return BsonValue.Missing;
        var value = BsonValue.Within(document.Bytes, fields.Current);
        return fields.Read() ? BsonValue.Missing : value;
    }

    private static List<Predicate<ReadOnlyMemory<byte>>> Clauses(string name, BsonValue value)
    {
        if (value.Type != BsonType.Array || value.Document.IsEmpty)
            throw new ServerException(ServerException.BadValue, $"{name} must be a nonempty array");
        var clauses = new List<Predicate<ReadOnlyMemory<byte>>>();
        var reader = value.Document.Read();
        while (reader.Read())
        {
            if (reader.Current.Type != BsonType.Document)
                throw new ServerException(ServerException.BadValue, "$or/$and/$nor entries need to be full objects");
            clauses.Add(Parse(new RawBson(BsonValue.Slice(value.Bytes, reader.Current.Value))));
        }

        return clauses;
    }

    private static Predicate<ReadOnlyMemory<byte>> Field(BsonPath path, BsonValue value)
    {
        if (!IsOperators(value))
            return value.Type == BsonType.RegularExpression ? Any(path, ValueTests.Regex(value, options: null), spread: true) : Equal(path, value);
        var parts = new List<Predicate<ReadOnlyMemory<byte>>>();
        var reader = value.Document.Read();
        while (reader.Read())
            parts.Add(Operator(path, reader.Current.NameText, BsonValue.Within(value.Bytes, reader.Current), value.Document));
        parts.RemoveAll(part => part is null);
        return parts.Count == 1 ? parts[0] : document => parts.TrueForAll(part => part(document));
    }

    private static Predicate<ReadOnlyMemory<byte>> Operator(BsonPath path, string name, BsonValue operand, RawBson siblings)
    {
        switch (name)
        {
            case "$eq":
                return Equal(path, operand);
            case "$ne":
                return Not(Equal(path, operand));
            case "$in":
                return Any(path, ValueTests.In(operand), spread: true);
            case "$nin":
                return Not(Any(path, ValueTests.In(operand), spread: true));
            case "$not":
                if (operand.Type == BsonType.RegularExpression)
                    return Not(Any(path, ValueTests.Regex(operand, options: null), spread: true));
                return IsOperators(operand) ? Not(Field(path, operand)) : throw new ServerException(ServerException.BadValue, "$not needs a regex or a document");
            case "$exists":
                var wanted = operand.IsTruthy;
                return document => Has(path, document) == wanted;
            case "$gt" or "$gte" or "$lt" or "$lte":
                return Any(path, ValueTests.Compare(name, operand), spread: true);
            case "$type":
                return Any(path, TypeNames.Parse(operand), spread: true);
            case "$regex":
                return Any(path, ValueTests.Regex(operand, siblings.FindString("$options"u8)), spread: true);
            case "$options":
                return _ => true;
            case "$mod":
                return Any(path, ValueTests.Mod(operand), spread: true);
            case "$size":
                return Any(path, ValueTests.Size(operand), spread: false);
            case "$elemMatch":
                return Any(path, ElementMatch(operand), spread: false);
            default:
                throw new ServerException(ServerException.BadValue, $"unknown operator: {name}");
        }
    }

    private static Predicate<BsonValue> ElementMatch(BsonValue operand)
    {
        if (operand.Type != BsonType.Document)
            throw new ServerException(ServerException.BadValue, "$elemMatch needs an Object");
        Predicate<BsonValue> element;
        if (IsOperators(operand))
        {
            // The operators look at the element itself: it is put under one name and the field's test is asked.
            var test = Field(new BsonPath("e"), operand);
            element = value => test(new BsonBuilder(value.Bytes.Length + 16).AppendRaw(value.Type, "e"u8, value.Span).ToBson().Memory);
        }
        else
        {
            var test = Parse(operand.Document);
            element = value => value.IsContainer && test(value.Bytes);
        }

        return array => array.Type == BsonType.Array && AnyElement(array, element);
    }

    private static bool AnyElement(BsonValue array, Predicate<BsonValue> test)
    {
        var reader = array.Document.Read();
        while (reader.Read())
        {
            if (test(BsonValue.Within(array.Bytes, reader.Current)))
                return true;
        }

        return false;
    }

    private static Predicate<ReadOnlyMemory<byte>> Equal(BsonPath path, BsonValue operand) => Any(path, ValueTests.Equal(operand), spread: true);

    private static Predicate<ReadOnlyMemory<byte>> Not(Predicate<ReadOnlyMemory<byte>> test) => document => !test(document);

    private static Predicate<ReadOnlyMemory<byte>> Any(BsonPath path, Predicate<BsonValue> test, bool spread)
    {
        if (path.Depth > 1)
            return document => Collect(path, document, spread).Exists(test);
        // The common case needs no list.
        var name = path.First.ToArray();
        return document =>
        {
            if (!RawBson.TryFind(document.Span, name, out var element))
                return test(BsonValue.Missing);
            var value = BsonValue.Within(document, element);
            return test(value) || (spread && value.Type == BsonType.Array && AnyElement(value, test));
        };
    }

    private static bool Has(BsonPath path, ReadOnlyMemory<byte> document) => Collect(path, document, spread: false).Exists(value => !value.IsMissing);

    private static List<BsonValue> Collect(BsonPath path, ReadOnlyMemory<byte> document, bool spread)
    {
        var found = new List<BsonValue>();
        path.Collect(document, spread, found);
        return found;
    }
}
