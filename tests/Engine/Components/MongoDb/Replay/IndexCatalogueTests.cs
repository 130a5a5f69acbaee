using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Protocols.MongoDb.Bson;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Replay;

public sealed class IndexCatalogueTests
{
    [MongoToolsFact]
    public void Index_changes_of_real_servers_end_as_they_ended_there()
    {
        var catalogue = new IndexCatalogue();
        var target = new MemoryTarget();
        Replay(target, catalogue, MongoToolsData.Bson("mongorestore/testdata/oplogs/bson/collMod_indexUniqueness.bson"));
        var specifications = catalogue.Specifications("mongodump_test_db.coll1");
        Assert.Equal(catalogue.IndexNames("mongodump_test_db.coll1").Count, specifications.Count);
        Assert.All(specifications, index => Assert.False(index.Has("prepareUnique"u8) && index.IsTrue("unique"u8)));
        Assert.False(Named("a_1").IsTrue("unique"u8), "forceNonUnique came last");
        Assert.True(Named("b_1").IsTrue("hidden"u8));
        Assert.Equal(100_000, Named("d_1").FindInt64("expireAfterSeconds"u8));
        Assert.Equal(["applyOps"], target.Log);

        RawBson Named(string name) => specifications.Single(index => index.FindString("name"u8) is { } own && own.Equals(name, StringComparison.Ordinal));
    }

    [MongoToolsFact]
    public void A_build_counts_when_it_is_committed()
    {
        foreach (var (file, name) in ((string, string)[])[("create_index", "f_1"), ("commit_index", "a_1")])
        {
            var catalogue = new IndexCatalogue();
            catalogue.Add("test.foo", null, RawBson.Empty, []);
            Replay(new MemoryTarget(), catalogue, MongoToolsData.Bson($"mongorestore/testdata/oplogs/bson/{file}.bson"));
            Assert.Equal(name, Assert.Single(catalogue.IndexNames("test.foo")));
        }

        var aborted = new IndexCatalogue();
        aborted.Add("test.skip_index_entries", null, RawBson.Empty, []);
        Replay(new MemoryTarget(), aborted, MongoToolsData.Bson("mongorestore/testdata/oplog_ignore_index/oplog.bson"));
        Assert.Empty(aborted.IndexNames("test.skip_index_entries"));
    }

    [Fact]
    public void Indexes_of_the_dump_and_of_the_oplog_are_built_once_and_those_that_expire_last()
    {
        var catalogue = new IndexCatalogue();
        catalogue.Add("a.x", null, RawBson.Empty, [Index("_id_", "_id"), Index("old_1", "old"), Index("gone_1", "gone"), Index("ttl_1", "ttl", expires: true)]);
        catalogue.Add("a.y", null, RawBson.Empty, [Index("y_1", "y")]);
        var oplog = new OplogWriter();
        oplog.CreateIndex("a.x", null, "new");
        oplog.CreateIndex("a.x", null, "old");
        oplog.Command("a.x", null, o => o.Append("dropIndexes", "x").Append("index", "gone_1"));
        oplog.Rename("a.x", "a.z", null);
        oplog.CreateIndex("a.z", null, "late", expires: true);
        var target = new MemoryTarget();
        target.Collections.Add("a.x", []);
        Replay(target, catalogue, oplog.Entries);
        Assert.Equal(["old_1", "ttl_1", "new_1", "late_1"], catalogue.IndexNames("a.z"));
        Assert.Equal(5, IndexBuild.Run(target, catalogue, new NamespaceMap(renames: new Dictionary<string, string>(StringComparer.Ordinal) { ["a"] = "b" }), false, CancellationToken.None));
        Assert.Equal("y: y_1; z: old_1 new_1; z: ttl_1 late_1", string.Join("; ", target.Built.Select(Describe)));
        Assert.All(target.Built, command => Assert.DoesNotContain("background", ExtendedJson.ToText(command), StringComparison.Ordinal));
        Assert.Equal(0, IndexBuild.Run(target, catalogue, NamespaceMap.All, false, CancellationToken.None));
    }

    [Fact]
    public void Indexes_die_with_their_collection()
    {
        var catalogue = new IndexCatalogue();
        catalogue.Add("a.x", null, RawBson.Empty, [Index("x_1", "x")]);
        catalogue.Add("a.y", null, RawBson.Empty, [Index("y_1", "y")]);
        var oplog = new OplogWriter();
        oplog.Drop("a.x", null);
        oplog.Create("a.x", null);
        oplog.Command("a.y", null, o => o.Append("dropDatabase", 1));
        var target = new MemoryTarget();
        Replay(target, catalogue, oplog.Entries);
        Assert.Equal(0, catalogue.Count);
    }

    [Fact]
    public void Old_specifications_lose_what_servers_refuse_and_keys_change_only_when_asked()
    {
        var old = ExtendedJson.Read("""{"v":1,"key":{"a":true,"b":"","c":"text","d":-1,"e":0},"name":"n","ns":"a.x","background":true,"dropDups":true,"safe":null,"unique":true}""");
        Assert.Equal("""{"v":1,"key":{"a":true,"b":"","c":"text","d":-1,"e":0},"name":"n","unique":true}""", Plain(IndexSpecification.Clean(old, false)));
        Assert.Equal("""{"v":1,"key":{"a":1,"b":1,"c":"text","d":-1,"e":1},"name":"n","unique":true}""", Plain(IndexSpecification.Clean(old, true)));
    }

    private static string Plain(RawBson document) => System.Text.RegularExpressions.Regex.Replace(
        ExtendedJson.ToText(document), "\\{\"\\$numberInt\":\"(?<number>-?\\d+)\"\\}", "${number}", System.Text.RegularExpressions.RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)).Replace(" ", "", StringComparison.Ordinal);

    private static void Replay(MemoryTarget target, IndexCatalogue catalogue, IEnumerable<RawBson> entries) => ReplayTransactionTests.Replay(target, catalogue, entries, new ReplayOptions());

    private static RawBson Index(string name, string field, bool expires = false)
    {
        var builder = new BsonBuilder().Append("v", 2).BeginDocument("key").Append(field, 1).End().Append("name", name);
        return expires ? builder.Append("expireAfterSeconds", 1).ToBson() : builder.ToBson();
    }

    private static string Describe(RawBson command)
    {
        var names = new List<string>();
        var reader = command.FindDocument("indexes"u8)!.Value.Read();
        while (reader.Read())
            names.Add(new RawBson(reader.Current.AsDocument().ToArray()).FindString("name"u8)!);
        return $"{command.FindString("createIndexes"u8)}: {string.Join(' ', names)}";
    }
}
