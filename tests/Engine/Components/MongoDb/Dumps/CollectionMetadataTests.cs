using System.Text;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb.Bson;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Dumps;

public sealed class CollectionMetadataTests
{
    private static readonly RawBson IdIndex =
        new BsonBuilder().Append("v", 2).BeginDocument("key").Append("_id", 1).End().Append("name", "_id_").ToBson();

    [Fact]
    public void Keys_stand_in_the_order_of_the_tools()
    {
        var metadata = new CollectionMetadata
        {
            Options = new BsonBuilder().Append("capped", true).Append("size", 4096.0).ToBson(),
            Indexes = [IdIndex],
            Uuid = "deabcb0af30b4084bec07a26f50d70f4",
            CollectionName = "c \"d\"",
            Type = CollectionMetadata.Collection,
        };
        Assert.Equal(
            """{"options":{"capped":true,"size":{"$numberDouble":"4096.0"}},"indexes":[{"v":{"$numberInt":"2"},"key":{"_id":{"$numberInt":"1"}},"name":"_id_"}],"uuid":"deabcb0af30b4084bec07a26f50d70f4","collectionName":"c \"d\"","type":"collection"}""",
            Encoding.UTF8.GetString(metadata.ToJson()));
        Assert.Equal(metadata.ToJson(), CollectionMetadata.Parse(metadata.ToJson(), "x").ToJson());
        Assert.Equal(metadata.ToJson(), CollectionMetadata.ParseCopy(metadata.ToBson().Span, "x").ToJson());
        Assert.False(metadata.NeedsBsonCopy);
    }

    [Fact]
    public void Nothing_but_indexes_is_always_there() => Assert.Equal("""{"indexes":[]}""", Encoding.UTF8.GetString(new CollectionMetadata().ToJson()));

    [Theory]
    [InlineData("", "collection", 0)]
    [InlineData(" \n", "collection", 0)]
    [InlineData("""{"options":{"viewOn":"a","pipeline":[]},"indexes":[]}""", "view", 0)]
    [InlineData("""{"options":{"timeseries":{"timeField":"t"}},"indexes":[]}""", "timeseries", 0)]
    [InlineData("""{"options":{},"indexes":[{"v":1,"key":{"_id":1},"name":"_id_","ns":"db1.c1"}]}""", "collection", 1)]
    [InlineData("""{"indexes":[],"type":"timeseries"}""", "timeseries", 0)]
    public void Metadata_of_old_versions_is_read(string json, string type, int indexes)
    {
        var metadata = CollectionMetadata.Parse(Encoding.UTF8.GetBytes(json), "x");
        Assert.Equal((type, indexes), (metadata.EffectiveType, metadata.Indexes.Count));
        Assert.Null(metadata.CollectionName);
    }

    [Theory]
    [InlineData("$numberInt", true)]
    [InlineData("$date", true)]
    [InlineData("$oid", true)]
    [InlineData("$jsonSchema", false)]
    [InlineData("$match", false)]
    public void Options_named_as_types_need_the_copy(string name, bool needed) =>
        Assert.Equal(needed, new CollectionMetadata { Options = new BsonBuilder().BeginDocument("validator").Append(name, "5").End().ToBson() }.NeedsBsonCopy);

    [Theory]
    [InlineData("{")]
    [InlineData("""{"indexes":[1]}""")]
    [InlineData("[]")]
    public void What_is_no_metadata_is_refused(string json)
    {
        var failure = Assert.Throws<BackupException>(() => CollectionMetadata.Parse(Encoding.UTF8.GetBytes(json), "db/c.metadata.json")).Failure;
        Assert.Equal((FailureKind.ArchiveCorrupt, "db/c.metadata.json"), (failure.Kind, failure.Target));
    }

    [ToolsDataFact]
    public void Metadata_of_all_versions_is_read_and_keeps_its_sense()
    {
        var files = Directory.GetFiles(ToolsDataFactAttribute.Restore(), "*.metadata.json", SearchOption.AllDirectories);
        Assert.True(files.Length > 30);
        foreach (var file in files)
        {
            var metadata = CollectionMetadata.Parse(File.ReadAllBytes(file), file);
            var again = CollectionMetadata.Parse(metadata.ToJson(), file);
            Assert.Equal(metadata.ToBson().Span.ToArray(), again.ToBson().Span.ToArray());
        }
    }
}
