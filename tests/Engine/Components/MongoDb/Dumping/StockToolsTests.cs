using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using System.Text.Json;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Tests.Components.MongoDb.Restoring;
using BotCore.Backup.Engine.Tests.Outside;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Dumping;

/// <summary>
/// What gpg, tar and a reader that is not the product's own find in an archive: mongodump's layout, as MONGODB.md has it. The expectations come from the server's own listings.
/// </summary>
public sealed class StockToolsTests
{
    [ToolFact("gpg", "tar", "sha256sum")]
    public async Task The_archive_of_a_whole_server_is_a_dump_of_mongodump_s_layout()
    {
        using var mongo = new MongoPlatform();
        var names = Fill(mongo);
        var backup = await BackUpWhileWriting(mongo, mongo.Uri);
        var root = Open(mongo, backup);

        CheckDatabase(mongo, root, names);
        var oplog = CheckOrder(root, backup);
        var span = backup.Manifest!.MongoDb!.Oplog!;
        Assert.Equal(span.Start, Moment(oplog[0]));
        Assert.Equal(span.End, Moment(oplog[^1]));
        Assert.Equal(span.EndSha256, Convert.ToHexStringLower(SHA256.HashData(oplog[^1])));
        CheckPrelude(mongo, root);
        CheckChecksum(backup);
    }

    [ToolFact("gpg", "tar")]
    public async Task The_archive_of_one_database_holds_its_oplog_alone()
    {
        using var mongo = new MongoPlatform();
        var names = Fill(mongo);
        var other = mongo.NewDatabase("foreign");
        mongo.Insert("foreign", [Values.Rich("foreign")], other);
        var backup = await BackUpWhileWriting(mongo, mongo.UriOf(mongo.Database), other);
        var root = Open(mongo, backup);

        CheckDatabase(mongo, root, names);
        var oplog = CheckOrder(root, backup);
        Assert.All(oplog, entry => Assert.True(
            PlainBson.Text(entry, "ns") is "" or "admin.$cmd" || PlainBson.Text(entry, "ns").StartsWith(mongo.Database + ".", StringComparison.Ordinal), PlainBson.Text(entry, "ns")));
        Assert.False(Directory.Exists(Path.Combine(root, other)));
        using var told = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(root, "backup-metadata.json")));
        Assert.Equal(mongo.Database, told.RootElement.GetProperty("database").GetString());
        Assert.Equal(backup.Manifest!.MongoDb!.Collections, told.RootElement.GetProperty("collections").GetArrayLength());
        Assert.Equal(backup.Manifest.MongoDb.Documents, told.RootElement.GetProperty("collections").EnumerateArray().Sum(one => one.TryGetProperty("documents", out var count) ? count.GetInt64() : 0));
    }

    /// <summary>Every type, every odd name, and every kind of collection; gives the collections of odd names that the server took.</summary>
    private static List<string> Fill(MongoPlatform mongo)
    {
        var taken = new List<string>();
        string[] odd = [.. Values.OddCollections, Values.LongName(mongo.Database), Long(mongo, 'ü', "a"), Long(mongo, 'ü', "b"), Long(mongo, '%', ""), "dol$lar", "x.metadata", "$admin.users", "trailing."];
        foreach (var name in odd)
        {
            try
            {
                mongo.Run(new BsonBuilder().Append("create", name));
                taken.Add(name);
            }
            catch (MongoException refused) when (refused.Error == MongoError.CommandFailed)
            {
                // Not a name for this server.
            }
        }

        // What every server takes; else this would prove nothing.
        foreach (var name in odd.Where(name => !name.Contains('$', StringComparison.Ordinal) && !name.StartsWith('.') && !name.EndsWith('.')))
            Assert.Contains(name, taken, StringComparer.Ordinal);
        foreach (var name in taken)
            mongo.Insert(name, [Values.Rich(name), new BsonBuilder().Append("_id", 1).Append("text", "plain").ToBson()]);

        // The last is NaN as a decimal, which equals NaN as a double.
        mongo.Insert("ids", Enumerable.Range(0, 20).Select(type => Values.WithId(type, 7)));
        mongo.Insert("more ids", [Values.WithId(20, 7)]);
        mongo.Insert("ids", Values.OddCollections.Concat(Values.OddFields).Select(name => new BsonBuilder().Append("_id", name).ToBson()));
        var fields = new BsonBuilder().BeginDocument("_id");
        foreach (var name in Values.OddFields.Where(name => !name.StartsWith('$')))
            fields.Append(name, -0.0);
        mongo.Insert("ids", [fields.End().Append("", 1).Append("a.b", 2).Append("$x", 3).Append("with\nline", 4).ToBson()]);

        mongo.Json("""{"create": "empty"}""");
        mongo.Json("""{"create": "log", "capped": true, "size": 1048576, "max": 500}""");
        mongo.Insert("log", """{"_id": 2}""", """{"_id": 1}""");
        mongo.Json("""{"create": "folded", "collation": {"locale": "en", "strength": 2}}""");
        mongo.Insert("folded", """{"_id": "a"}""");
        mongo.Json("""{"create": "checked", "validator": {"price": {"$gt": 0}}, "validationLevel": "strict", "validationAction": "error"}""");
        mongo.Insert("checked", """{"_id": 1, "price": 5}""");
        mongo.Json("""{"createIndexes": "checked", "indexes": [{"key": {"price": 1, "at": -1}, "name": "z", "unique": true}, {"key": {"at": 1}, "name": "a", "expireAfterSeconds": 3600}, {"key": {"a": 1}, "name": "p", "partialFilterExpression": {"price": {"$gt": 1}}}]}""");
        mongo.Json("""{"create": "dear", "viewOn": "checked", "pipeline": [{"$match": {"z": 1, "price": {"$gte": 5, "$lt": 9}, "a": 1}}, {"$project": {"z": 1, "a": 1}}], "collation": {"locale": "en"}}""");
        // A document that reads like a number in JSON, so that its BSON copy must stand beside it.
        var likeness = new BsonBuilder().BeginDocument("x").BeginDocument("$eq").Append("$numberInt", "5").End().End();
        mongo.Run(new BsonBuilder().Append("create", "likeness").Append("validator", likeness.ToBson()));
        mongo.Json("""{"create": "ticks", "timeseries": {"timeField": "at", "metaField": "sym", "granularity": "minutes"}}""");
        mongo.Insert("system.buckets.ticks", """{"_id": {"$oid": "65a000000000000000000001"}, "control": {"version": 1, "min": {"at": {"$date": {"$numberLong": "1700000000000"}}}, "max": {"at": {"$date": {"$numberLong": "1700000000000"}}}}, "meta": "BTC", "data": {"at": {"0": {"$date": {"$numberLong": "1700000000000"}}}}}""");
        return taken;
    }

    private static string Long(MongoPlatform mongo, char filler, string end) => new string(filler, (255 - mongo.Database.Length - 1 - end.Length) / (filler > 127 ? 2 : 1)) + end;

    private static async Task<BotBackup> BackUpWhileWriting(MongoPlatform mongo, string uri, string? also = null)
    {
        using var stop = new CancellationTokenSource();
        var written = 0;
        var writer = Task.Run(() =>
        {
            for (; !stop.IsCancellationRequested; Volatile.Write(ref written, written + 1))
            {
                mongo.Insert("busy", [new BsonBuilder().Append("_id", written).Append("text", "first").ToBson()]);
                mongo.Json($$"""{"update": "busy", "updates": [{"q": {"_id": {{written}} }, "u": {"$set": {"text": "second"} } }]}""");
                if (also is not null)
                    mongo.Insert("foreign", [new BsonBuilder().Append("_id", written).ToBson()], also);
            }
        });
        SpinWait.SpinUntil(() => Volatile.Read(ref written) > 5 || writer.IsCompleted);
        var backup = mongo.BackUp(mongo.Session(uri));
        await stop.CancelAsync();
        await writer;
        return backup;
    }

    private static string Open(MongoPlatform mongo, BotBackup backup)
    {
        var root = Assert.Single(Directory.GetFileSystemEntries(mongo.Unpack(backup)));
        // Every file whose name says BSON is BSON to its last byte.
        foreach (var file in Directory.EnumerateFiles(root, "*.bson", SearchOption.AllDirectories))
            PlainBson.Documents(File.ReadAllBytes(file));
        return root;
    }

    private static void CheckDatabase(MongoPlatform mongo, string root, List<string> odd)
    {
        var folder = Path.Combine(root, mongo.Database);
        using var told = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(root, "backup-metadata.json")));
        var sets = told.RootElement.GetProperty("collections").EnumerateArray().Where(one => one.GetProperty("database").ValueEquals(mongo.Database))
            .ToDictionary(one => one.GetProperty("collection").GetString()!, StringComparer.Ordinal);
        var listed = Ask(mongo, new BsonBuilder().Append("listCollections", 1));
        var expected = new List<string>();
        foreach (var one in listed.Where(one => !PlainBson.Text(one, "name").StartsWith("system.", StringComparison.Ordinal)))
        {
            var (name, type) = (PlainBson.Text(one, "name"), PlainBson.Text(one, "type"));
            var metadata = FileName(name) + ".metadata.json";
            expected.Add(metadata);
            CheckMetadata(mongo, one, File.ReadAllBytes(Path.Combine(folder, metadata)), listed);
            Assert.True(sets.Remove(name, out var set), name);
            Assert.Equal(type, set.GetProperty("type").GetString());
            if (type is "view")
            {
                Assert.False(set.TryGetProperty("documents", out _));
                continue;
            }

            var data = type is "timeseries" ? "system.buckets." + name : name;
            expected.Add(FileName(data) + ".bson");
            CheckDocuments(mongo, data, PlainBson.Documents(File.ReadAllBytes(Path.Combine(folder, FileName(data) + ".bson"))), set);
        }

        Assert.Empty(sets);
        Assert.All(odd, name => Assert.Contains(FileName(name) + ".bson", expected, StringComparer.Ordinal));
        CheckCopy(Path.Combine(folder, "likeness.metadata.raw"), listed);
        expected.Add("likeness.metadata.raw");
        Assert.Equal(
            expected.Order(StringComparer.Ordinal),
            Directory.EnumerateFileSystemEntries(folder).Select(file => Path.GetFileName(file)).Where(file => !file.StartsWith("$admin.system.", StringComparison.Ordinal)).Order(StringComparer.Ordinal),
            StringComparer.Ordinal);
    }

    private static void CheckMetadata(MongoPlatform mongo, byte[] listed, byte[] json, List<byte[]> all)
    {
        using var document = JsonDocument.Parse(json);
        var metadata = document.RootElement;
        var (name, type) = (PlainBson.Text(listed, "name"), PlainBson.Text(listed, "type"));
        var options = PlainBson.Value(listed, "options");
        var uuid = type is "view" ? null : UuidOf(type is "timeseries" ? all.Single(one => string.Equals(PlainBson.Text(one, "name"), "system.buckets." + name, StringComparison.Ordinal)) : listed);
        string[] keys = [.. options.Length > 5 ? ["options"] : Array.Empty<string>(), "indexes", .. uuid is null ? Array.Empty<string>() : ["uuid"], "collectionName", "type"];
        Assert.Equal(keys, metadata.EnumerateObject().Select(one => one.Name), StringComparer.Ordinal);
        Assert.Equal(name, metadata.GetProperty("collectionName").GetString());
        Assert.Equal(type, metadata.GetProperty("type").GetString());
        if (options.Length > 5)
            SameShape(metadata.GetProperty("options"), 3, options);
        if (uuid is not null)
            Assert.Equal(uuid, metadata.GetProperty("uuid").GetString());

        var indexes = type is "collection" ? Ask(mongo, new BsonBuilder().Append("listIndexes", name)) : [];
        if (type is not "timeseries")
            Assert.Equal(indexes.Count, metadata.GetProperty("indexes").GetArrayLength());
        foreach (var (index, at) in indexes.Select((index, at) => (index, at)))
            SameShape(metadata.GetProperty("indexes")[at], 3, index);
    }

    private static void CheckCopy(string file, List<byte[]> listed)
    {
        var copy = Assert.Single(PlainBson.Documents(File.ReadAllBytes(file)));
        Assert.Equal(["options", "indexes", "uuid", "collectionName", "type"], PlainBson.Fields(copy).Select(field => field.Name), StringComparer.Ordinal);
        Assert.Equal(PlainBson.Value(listed.Single(one => PlainBson.Text(one, "name") is "likeness"), "options"), PlainBson.Value(copy, "options"));
    }

    private static void CheckDocuments(MongoPlatform mongo, string collection, List<byte[]> documents, JsonElement told)
    {
        Assert.Equal(documents.Count, told.GetProperty("documents").GetInt64());
        Assert.Equal(SetHash(documents), told.GetProperty("hash").GetString());
        if (collection is "busy")
            return;
        var there = Ask(mongo, new BsonBuilder().Append("find", collection));
        Assert.Equal(there.Count, documents.Count);
        Assert.Equal(SetHash(there), SetHash(documents));
    }

    /// <summary>The same names in the same order all the way down; texts and truth values are compared, what JSON wraps is not.</summary>
    private static void SameShape(JsonElement json, byte type, byte[] value)
    {
        switch (type)
        {
            case 2:
                Assert.Equal(System.Text.Encoding.UTF8.GetString(value, 4, value.Length - 5), json.GetString());
                break;
            case 3:
                Assert.Equal(PlainBson.Fields(value).Select(field => field.Name), json.EnumerateObject().Select(one => one.Name), StringComparer.Ordinal);
                foreach (var (field, one) in PlainBson.Fields(value).Zip(json.EnumerateObject()))
                    SameShape(one.Value, field.Type, field.Value);
                break;
            case 4:
                Assert.Equal(PlainBson.Fields(value).Count, json.GetArrayLength());
                foreach (var (field, one) in PlainBson.Fields(value).Zip(json.EnumerateArray()))
                    SameShape(one, field.Type, field.Value);
                break;
            case 8:
                Assert.Equal(value[0] != 0, json.GetBoolean());
                break;
            case 16:
                Assert.Equal(BitConverter.ToInt32(value), int.Parse(json.GetProperty("$numberInt").GetString()!, CultureInfo.InvariantCulture));
                break;
        }
    }

    private static List<byte[]> CheckOrder(string root, BotBackup backup)
    {
        var oplog = PlainBson.Documents(File.ReadAllBytes(Path.Combine(root, "oplog.bson")));
        Assert.True(oplog.Count > 2, $"Only {oplog.Count} entries: the writer was asleep.");
        for (var at = 1; at < oplog.Count; at++)
            Assert.True(PlainBson.Time(oplog[at - 1]) < PlainBson.Time(oplog[at]), $"Entry {at} is not after the one before it.");
        var span = backup.Manifest!.MongoDb!.Oplog!;
        Assert.True(Time(span.Start) <= PlainBson.Time(oplog[0]) && PlainBson.Time(oplog[^1]) <= Time(span.End));
        using var told = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(root, "backup-metadata.json")));
        Assert.Equal((span.Start, span.End), (told.RootElement.GetProperty("oplog").GetProperty("start").GetString(), told.RootElement.GetProperty("oplog").GetProperty("end").GetString()));
        return oplog;
    }

    private static void CheckPrelude(MongoPlatform mongo, string root)
    {
        using var prelude = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(root, "prelude.json")));
        Assert.Equal(["ServerVersion", "ToolVersion"], prelude.RootElement.EnumerateObject().Select(one => one.Name), StringComparer.Ordinal);
        Assert.Equal(mongo.Client.Run("admin", new BsonBuilder().Append("buildInfo", 1), default).FindString("version"u8), prelude.RootElement.GetProperty("ServerVersion").GetString());
        Assert.StartsWith("BotCore.Backup ", prelude.RootElement.GetProperty("ToolVersion").GetString(), StringComparison.Ordinal);
    }

    private static void CheckChecksum(BotBackup backup)
    {
        var checksum = BackupFiles.Checksum(backup.Location);
        Assert.EndsWith(": OK", Shell.Run("bash", "-c", $"cd '{Path.GetDirectoryName(checksum)}' && sha256sum -c '{Path.GetFileName(checksum)}'"), StringComparison.Ordinal);
    }

    // url.QueryEscape of Go, and the hash for what is too long: written from MONGODB.md, not from the product.
    private static string FileName(string collection)
    {
        var escaped = Uri.EscapeDataString(collection).Replace("%20", "+", StringComparison.Ordinal);
        if (escaped.Length <= 238)
            return escaped;
#pragma warning disable CA5350 // The format asks for SHA-1.
        var hash = SHA1.HashData(System.Text.Encoding.UTF8.GetBytes(collection));
#pragma warning restore CA5350
        return escaped[..208] + "%24" + Convert.ToBase64String(hash).TrimEnd('=').Replace('+', '-').Replace('/', '_');
    }

    private static string SetHash(IEnumerable<byte[]> documents)
    {
        var sum = documents.Aggregate(BigInteger.Zero, (sum, document) => sum + new BigInteger(SHA256.HashData(document), isUnsigned: true, isBigEndian: true)) % BigInteger.Pow(2, 256);
        return Convert.ToHexStringLower(sum.ToByteArray(isUnsigned: true, isBigEndian: true)).PadLeft(64, '0');
    }

    private static string Moment(byte[] entry) => string.Create(CultureInfo.InvariantCulture, $"{PlainBson.Time(entry) >> 32}:{PlainBson.Time(entry) & uint.MaxValue}");

    private static ulong Time(string moment) => moment.Split(':') is [var seconds, var ordinal] ? (ulong.Parse(seconds, CultureInfo.InvariantCulture) << 32) | ulong.Parse(ordinal, CultureInfo.InvariantCulture) : 0;

    private static string UuidOf(byte[] listed) => Convert.ToHexStringLower(PlainBson.Value(PlainBson.Value(listed, "info"), "uuid").AsSpan(5));

    private static List<byte[]> Ask(MongoPlatform mongo, BsonBuilder command)
    {
        var found = new List<byte[]>();
        using var cursor = mongo.Client.Open(mongo.Database, command, new CursorOptions(), default);
        while (cursor.Next() == CursorStep.Document)
            found.Add(cursor.Current.ToArray());
        return found;
    }
}
