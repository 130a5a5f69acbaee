using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Restoring;

/// <summary>What goes in comes out: into another database of the same server, and compared there by options, indexes and documents.</summary>
public sealed class FidelityTests
{
    [Fact]
    public void Every_type_of_value_and_every_odd_field_name_comes_back_byte_for_byte()
    {
        using var mongo = new MongoPlatform();
        foreach (var (document, at) in Odd().Select((document, at) => (document, at)))
            InsertExactly(mongo, "types", new BsonBuilder().Append("_id", at), document);
        var session = mongo.Session();
        var backup = mongo.BackUp(session);
        Assert.Contains(mongo.Texts("types"), text => text.Contains("\"empty\":{\"$timestamp\":{\"t\":0,\"i\":0}}", StringComparison.Ordinal));

        RestoreAndCompare(mongo, session, backup);
    }

    [Fact]
    public void Collections_of_odd_names_come_back()
    {
        using var mongo = new MongoPlatform();
        var longest = new string('x', 255 - System.Text.Encoding.UTF8.GetByteCount(mongo.Database) - 1);
        string[] names = ["a\nb", "sl/ash", "d.ot.ted", "per%cent", "spa ce", "ümläut 😀", longest, longest[..^1] + "y", "__proto__"];
        foreach (var name in names)
            mongo.Insert(name, [new BsonBuilder().Append("_id", name).ToBson()]);
        var session = mongo.Session();
        var backup = mongo.BackUp(session);

        // Over itself: staged and undo names must fit, too.
        mongo.Insert("sl/ash", """{"_id": "later"}""");
        Workplace.Item<BotBackupRestore>(MongoPlatform.RunRestore(session, backup));
        Assert.Equal([.. names.Order(StringComparer.Ordinal)], [.. mongo.Collections().Where(name => !name.StartsWith("__bot_", StringComparison.Ordinal))]);
        foreach (var name in names)
            Assert.Equal(1, mongo.SetOf(name).Count);
    }

    [Fact]
    public void Indexes_come_back_with_all_their_options()
    {
        using var mongo = new MongoPlatform();
        mongo.Insert("trades", [.. Enumerable.Range(0, 50).Select(n => $$$"""{"_id": {{{n}}}, "sym": "S{{{n}}}", "at": {"$date": {"$numberLong": "4102444800000"}}, "text": "buy {{{n}}}", "on": {{{(n % 2 == 0 ? "true" : "false")}}}}""")]);
        mongo.Json("""
            {"createIndexes": "trades", "indexes": [
            {"key": {"sym": 1}, "name": "unique", "unique": true},
            {"key": {"at": 1}, "name": "ttl", "expireAfterSeconds": 3600},
            {"key": {"sym": 1, "at": -1}, "name": "partial", "partialFilterExpression": {"on": true}},
            {"key": {"maybe": 1}, "name": "sparse", "sparse": true},
            {"key": {"sym": "hashed"}, "name": "hashed"},
            {"key": {"at": -1, "sym": 1}, "name": "hidden", "hidden": true},
            {"key": {"text": 1}, "name": "collated", "collation": {"locale": "de", "strength": 2}}]}
            """);
        mongo.Json("""{"createIndexes": "trades", "indexes": [{"key": {"text": "text"}, "name": "words", "default_language": "german", "weights": {"text": 3}}]}""");
        var session = mongo.Session();

        RestoreAndCompare(mongo, session, mongo.BackUp(session));
    }

    [Fact]
    public void Capped_and_clustered_collections_validators_collations_and_views_come_back()
    {
        using var mongo = new MongoPlatform();
        mongo.Json("""{"create": "log", "capped": true, "size": 1048576, "max": 500}""");
        // Not in the order of _id: what counts is the order of the inserts.
        mongo.Insert("log", [.. Enumerable.Range(0, 300).Select(n => $$"""{"_id": {{n * 7 % 300}}, "n": {{n}}}""")]);
        mongo.Json("""{"create": "clustered", "clusteredIndex": {"key": {"_id": 1}, "unique": true, "name": "by id"}}""");
        mongo.Insert("clustered", """{"_id": 2}""", """{"_id": 1}""");
        mongo.Json("""{"create": "folded", "collation": {"locale": "en", "strength": 2}}""");
        mongo.Insert("folded", """{"_id": "a", "empty": {"$timestamp": {"t": 0, "i": 1}}}""");
        mongo.Insert("checked", """{"_id": 1}""", """{"_id": 2, "price": 5}""");
        // The first document was there before the rule, so it breaks it; also one that only applyOps can write.
        InsertExactly(mongo, "checked", new BsonBuilder().Append("_id", 3), new BsonBuilder().Append("zero", default(BsonTimestamp)).ToBson());
        mongo.Json("""{"collMod": "checked", "validator": {"price": {"$gt": 0}}, "validationLevel": "strict", "validationAction": "error"}""");
        mongo.Json("""{"create": "dear", "viewOn": "checked", "pipeline": [{"$match": {"price": {"$gte": 5}}}]}""");
        mongo.Json("""{"create": "dearest", "viewOn": "dear", "pipeline": [{"$match": {"price": {"$gte": 9}}}], "collation": {"locale": "en"}}""");
        var session = mongo.Session();
        var order = mongo.Texts("log");

        var other = RestoreAndCompare(mongo, session, mongo.BackUp(session));
        Assert.Equal(order, mongo.Texts("log", other));
        Assert.Equal(["""{"_id":{"$numberInt":"2"},"price":{"$numberInt":"5"}}"""], mongo.Texts("dear", other));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Time_series_come_back(bool hasOplog)
    {
        using var mongo = hasOplog ? new MongoPlatform() : new MongoPlatform(new SandboxOptions { Standalone = true });
        mongo.Json("""{"create": "ticks", "timeseries": {"timeField": "at", "metaField": "sym", "granularity": "minutes"}, "expireAfterSeconds": 864000}""");
        var bucket = """{"_id": {"$oid": "65a0000000000000000000NN"}, "control": {"version": 1, "min": {"at": {"$date": {"$numberLong": "1700000000000"}}}, "max": {"at": {"$date": {"$numberLong": "1700000000000"}}}}, "meta": "BTC", "data": {"at": {"0": {"$date": {"$numberLong": "1700000000000"}}}}}""";
        mongo.Insert("system.buckets.ticks", bucket.Replace("NN", "01", StringComparison.Ordinal), bucket.Replace("NN", "02", StringComparison.Ordinal));
        mongo.Json("""{"createIndexes": "ticks", "indexes": [{"key": {"sym": 1, "at": -1}, "name": "by sym"}]}""");
        var session = mongo.Session();

        var other = RestoreAndCompare(mongo, session, mongo.BackUp(session));
        Assert.Contains("by sym", mongo.Describe(other), StringComparison.Ordinal);
        Assert.Equal(mongo.SetOf("system.buckets.ticks").ToString(), mongo.SetOf("system.buckets.ticks", other).ToString());
        Assert.Equal(2, mongo.SetOf("system.buckets.ticks", other).Count);
    }

    // A dump without an oplog left them out once.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Indexes_of_time_series_are_asked_for(bool hasOplog)
    {
        var asked = new List<string>();
        using var mongo = new MongoPlatform(new SandboxOptions
        {
            Fault = (command, name, _) =>
            {
                if (command is "createIndexes")
                    asked.Add(name);
                return null;
            },
        });
        var dump = new MemoryDump().Add(mongo.Database, "ticks", null, [], ["""{"v": 2, "key": {"sym": 1, "at": -1}, "name": "by sym"}"""], """{"timeseries": {"timeField": "at", "metaField": "sym"}}""");
        if (hasOplog)
            dump.Oplog.Add(new BsonBuilder().Append("op", "n").Append("ns", "").BeginDocument("o").Append("msg", "").End().Append("ts", new BsonTimestamp(1, 1)).ToBson());

        OverwriteTests.Job(mongo, dump).Run(default);
        Assert.Contains($"{mongo.Database}.ticks", asked, StringComparer.Ordinal);
    }

    private static string RestoreAndCompare(MongoPlatform mongo, BackupSession session, BotBackup backup)
    {
        var other = mongo.NewDatabase("other");
        var before = mongo.Describe();
        Workplace.Item<BotBackupRestore>(MongoPlatform.RunRestore(session, backup, new RestoreRequest { Server = SecretUri.WithPassword(mongo.UriOf(other)) }));
        Assert.Equal(before, mongo.Describe(other));
        Assert.Equal(before, mongo.Describe());
        return other;
    }

    // An insert would put the server's time in place of an empty timestamp.
    private static void InsertExactly(MongoPlatform mongo, string collection, BsonBuilder document, RawBson fields)
    {
        var reader = fields.Read();
        while (reader.Read())
            document.Append(reader.Current);
        if (!mongo.Collections().Contains(collection, StringComparer.Ordinal))
            mongo.Run(new BsonBuilder().Append("create", collection));
        mongo.Run(new BsonBuilder().BeginArray("applyOps").BeginDocument("0").Append("op", "i").Append("ns", $"{mongo.Database}.{collection}").Append("o", document.ToBson()).End().End(), "admin");
    }

    private static IEnumerable<RawBson> Odd()
    {
        yield return new BsonBuilder().Append("zero", -0.0).Append("nan", double.NaN).Append("infinite", double.NegativeInfinity).Append("least", double.Epsilon).ToBson();
        yield return new BsonBuilder().AppendRaw(BsonType.Double, "odd nan", [1, 2, 3, 4, 5, 6, 0xF8, 0xFF]).ToBson();
        yield return new BsonBuilder().Append("empty", default(BsonTimestamp)).Append("later", new BsonTimestamp(1, 2)).BeginDocument("in").Append("empty", default(BsonTimestamp)).End().ToBson();
        foreach (byte subtype in (byte[])[0, 1, 3, 4, 5, 6, 7, 8, 9, 128, 255])
            yield return new BsonBuilder().AppendBinary("binary", new byte[16], subtype).ToBson();
        yield return new BsonBuilder().AppendRaw(BsonType.Binary, "old", [7, 0, 0, 0, 2, 3, 0, 0, 0, 1, 2, 3]).ToBson();
        yield return new BsonBuilder().AppendRaw(BsonType.Decimal128, "decimal", [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x3C, 0xB0])
            .AppendRaw(BsonType.Decimal128, "nan", [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x7C]).ToBson();
        yield return new BsonBuilder().Append("", "no name").BeginDocument("in").Append("", 1).Append("$set", 2).Append("a.b", 3).End().ToBson();
        yield return new BsonBuilder().AppendRaw(BsonType.ObjectId, "oid", new byte[12]).Append("truth", value: true).AppendDateTime("date", -1).AppendNull("null")
            .AppendRaw(BsonType.RegularExpression, "regex", "a/b\0im\0"u8).AppendRaw(BsonType.DbPointer, "pointer", [2, 0, 0, 0, (byte)'x', 0, .. new byte[12]])
            .AppendRaw(BsonType.JavaScript, "code", [2, 0, 0, 0, (byte)'x', 0]).AppendRaw(BsonType.Symbol, "symbol", [2, 0, 0, 0, (byte)'x', 0])
            .AppendRaw(BsonType.JavaScriptWithScope, "scoped", [15, 0, 0, 0, 2, 0, 0, 0, (byte)'x', 0, 5, 0, 0, 0, 0])
            .Append("int", int.MinValue).Append("long", long.MaxValue).AppendRaw(BsonType.MinKey, "min", []).AppendRaw(BsonType.MaxKey, "max", []).AppendRaw(BsonType.Undefined, "undefined", []).ToBson();
        yield return new BsonBuilder().Append("text", "nul \0, é, 😀").BeginArray("list").Append("0", 1).BeginArray("1").End().End().BeginDocument("none").End().ToBson();
    }
}
