using System.IO.Compression;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb.Bson;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Dumps;

public sealed class DumpFolderTests
{
    [ToolTheory("tar", "xz")]
    [InlineData("dir", "100.18.0", true)]
    [InlineData("dir-gzip", "100.18.0", true)]
    [InlineData("dir-100.13.0", "100.13.0", false)]
    [InlineData("dir-oplog-gzip", "100.18.0", false)]
    public void Folders_of_the_tools_are_read_whole(string name, string tool, bool sameTrades)
    {
        using var unpacked = new Unpacked(name);
        var recorder = Read(Path.Combine(unpacked.Root, name));

        recorder.AssertExpected(sameTrades);
        Assert.Equal(new DumpVersions("7.0.77", tool), recorder.Seen);
        Assert.Empty(recorder.Others);
        Assert.Equal(name is "dir-oplog-gzip", recorder.Entries.Count > 0);
        Assert.All(recorder.Entries, entry => Assert.NotNull(new RawBson(entry).FindTimestamp("ts"u8)));
    }

    [ToolFact("tar", "xz")]
    public void The_folder_of_one_database_is_read_as_that_database()
    {
        using var unpacked = new Unpacked("dir");
        Read(Path.Combine(unpacked.Root, "dir", "bot_core")).AssertExpected();
    }

    [ToolFact("tar", "xz")]
    public void Metadata_is_written_as_the_tools_wrote_it()
    {
        using var unpacked = new Unpacked("dir");
        var files = Directory.GetFiles(Path.Combine(unpacked.Root, "dir", "bot_core"), "*.metadata.json");
        Assert.Equal(14, files.Length);
        foreach (var file in files)
        {
            var theirs = File.ReadAllText(file);
            var parsed = CollectionMetadata.Parse(File.ReadAllBytes(file), file);
            Assert.Equal(theirs, System.Text.Encoding.UTF8.GetString(parsed.ToJson()));
            Assert.False(parsed.NeedsBsonCopy);
        }
    }

    [Fact]
    public void Content_is_gunzipped_whatever_its_name_says()
    {
        using var folder = new Unpacked();
        var entry = new BsonBuilder().Append("ts", new BsonTimestamp(1, 2)).ToBson();
        File.WriteAllBytes(Path.Combine(folder.Root, "oplog.bson"), Gzip(entry.Span));
        Assert.Equal(entry.Span.ToArray(), Assert.Single(Read(folder.Root).Entries));

        File.WriteAllBytes(Path.Combine(folder.Root, "oplog.bson"), entry.Span);
        Assert.Equal(entry.Span.ToArray(), Assert.Single(Read(folder.Root).Entries));
    }

    [Theory]
    [InlineData("cut", "within a document")]
    [InlineData("cut gzip", "gzip data cannot be read")]
    [InlineData("no gzip", "is none")]
    [InlineData("bad document", "byte 5, a document is not valid BSON")]
    [InlineData("bad length", "claims 4 bytes")]
    [InlineData("bad metadata", "not valid JSON")]
    public void Damage_is_refused_with_the_file_named(string damage, string said)
    {
        using var folder = new Unpacked();
        Directory.CreateDirectory(Path.Combine(folder.Root, "db"));
        var valid = new BsonBuilder().Append("a", 1).ToBson().Span.ToArray();
        var (file, content) = damage switch
        {
            "cut" => ("c.bson", valid[..^1]),
            "cut gzip" => ("c.bson.gz", Gzip(valid)[..^5]),
            "no gzip" => ("c.bson.gz", valid),
            "bad document" => ("c.bson", [5, 0, 0, 0, 0, 8, 0, 0, 0, 8, (byte)'a', 0, 2]),
            "bad length" => ("c.bson", [4, 0, 0, 0, 0]),
            _ => ("c.metadata.json", "{\"indexes\":[}"u8.ToArray()),
        };
        File.WriteAllBytes(Path.Combine(folder.Root, "db", file), content);

        var failure = Assert.Throws<BackupException>(() => Read(folder.Root)).Failure;
        Assert.Equal(FailureKind.ArchiveCorrupt, failure.Kind);
        Assert.Contains(said, failure.Message, StringComparison.Ordinal);
        Assert.Contains("db/" + file, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Shortened_names_are_made_whole_by_the_metadata()
    {
        using var folder = new Unpacked();
        var db = Directory.CreateDirectory(Path.Combine(folder.Root, "db")).FullName;
        var name = new string('ü', 100);
        var stem = DumpFileName.Escape(name);
        File.WriteAllBytes(Path.Combine(db, stem + ".bson"), RawBson.Empty.Span);
        Assert.Contains("no metadata", Assert.Throws<BackupException>(() => Read(folder.Root)).Message, StringComparison.Ordinal);

        File.WriteAllBytes(Path.Combine(db, stem + ".metadata.json"), new CollectionMetadata { CollectionName = name }.ToJson());
        Assert.Single(Read(folder.Root).Documents[new DumpNamespace("db", name)]);

        File.WriteAllBytes(Path.Combine(db, stem + ".metadata.json"), new CollectionMetadata { CollectionName = name + "x" }.ToJson());
        Assert.Contains("not the one", Assert.Throws<BackupException>(() => Read(folder.Root)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_BSON_copy_goes_before_the_JSON()
    {
        using var folder = new Unpacked();
        var db = Directory.CreateDirectory(Path.Combine(folder.Root, "db")).FullName;
        var metadata = new CollectionMetadata { Options = new BsonBuilder().BeginDocument("storageEngine").Append("$numberInt", "5").End().ToBson(), CollectionName = "c" };
        Assert.True(metadata.NeedsBsonCopy);
        File.WriteAllBytes(Path.Combine(db, "c.metadata.json"), metadata.ToJson());
        File.WriteAllBytes(Path.Combine(db, "c.metadata.raw"), metadata.ToBson().Span);
        Assert.Equal(metadata.Options.Span.ToArray(), Read(folder.Root).Metadatas[new DumpNamespace("db", "c")].Options.Span.ToArray());
    }

    [Fact]
    public void Links_are_refused()
    {
        using var folder = new Unpacked();
        using var outside = new Unpacked();
        File.WriteAllBytes(Path.Combine(outside.Root, "c.bson"), RawBson.Empty.Span);
        var link = Path.Combine(folder.Root, "db");
        Directory.CreateSymbolicLink(link, outside.Root);
        Assert.Contains("symbolic link", Assert.Throws<BackupException>(() => Read(folder.Root)).Message, StringComparison.Ordinal);

        Directory.Delete(link);
        Directory.CreateDirectory(link);
        File.CreateSymbolicLink(Path.Combine(link, "c.bson"), Path.Combine(outside.Root, "c.bson"));
        Assert.Contains("symbolic link", Assert.Throws<BackupException>(() => Read(folder.Root)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_visitor_that_fails_ends_the_reading_with_its_own_exception()
    {
        using var folder = new Unpacked();
        Directory.CreateDirectory(Path.Combine(folder.Root, "db"));
        var many = Enumerable.Repeat(new BsonBuilder().AppendBinary("a", new byte[100_000]).ToBson().Span.ToArray(), 100).SelectMany(bytes => bytes).ToArray();
        foreach (var (name, content) in new[] { ("c.bson", many), ("c.bson.gz", Gzip(many)) })
        {
            var file = Path.Combine(folder.Root, "db", name);
            File.WriteAllBytes(file, content);
            Assert.Throws<NotSupportedException>(() => new DumpFolderReader(folder.Root).Read(new Failing(), CancellationToken.None));
            File.Delete(file);
        }
    }

    [Fact]
    public void No_folder_is_not_found() =>
        Assert.Equal(FailureKind.BackupNotFound, Assert.Throws<BackupException>(() => new DumpFolderReader("/nowhere/at/all")).Failure.Kind);

    [ToolsDataFact]
    public void Folders_of_the_tools_own_tests_are_read()
    {
        var preludes = Read(ToolsDataFactAttribute.Restore("prelude_test", "prelude_gzip"));
        Assert.Single(preludes.Documents[new DumpNamespace("test", "foo")]);
        Assert.Null(Read(ToolsDataFactAttribute.Restore("prelude_test", "server_version_unknown")).Seen!.Server);

        var users = Read(ToolsDataFactAttribute.Restore("usersdump"));
        Assert.NotEmpty(users.Documents[new DumpNamespace("admin", "system.users")]);

        var series = Read(ToolsDataFactAttribute.Restore("timeseries_tests", "ts_dump"));
        Assert.Equal(CollectionMetadata.TimeSeries, series.Metadatas[new DumpNamespace("timeseries_test", "foo_ts")].EffectiveType);
        Assert.NotEmpty(series.Documents[new DumpNamespace("timeseries_test", "system.buckets.foo_ts")]);

        Assert.Contains(new DumpNamespace("db1", "cafés"), Read(ToolsDataFactAttribute.Restore("specialcharacter")).Metadatas);
        Assert.NotEmpty(Read(ToolsDataFactAttribute.Restore("oplogdump")).Entries);
        Assert.Contains(new DumpNamespace("local", "oplog.rs"), Read(ToolsDataFactAttribute.Restore("dump_local_oplog")).Ended);
        Assert.Contains(Read(ToolsDataFactAttribute.Restore("longcollectionname", "db1")).Ended, name => name.Collection.Length > 208);

        var legacy = Read(ToolsDataFactAttribute.Restore("indextestdump")).Metadatas[new DumpNamespace("indextest", "test_collection")];
        Assert.Equal(
            """{"a":{"$numberDouble":"1.0"},"b":true,"c":{"$numberDecimal":"0"},"d":""}""", ExtendedJson.ToText(legacy.Indexes[1].FindDocument("key"u8)!.Value));
    }

    private static Recorder Read(string folder)
    {
        var recorder = new Recorder();
        new DumpFolderReader(folder).Read(recorder, CancellationToken.None);
        return recorder;
    }

    private static byte[] Gzip(ReadOnlySpan<byte> bytes)
    {
        using var memory = new MemoryStream();
        using (var gzip = new GZipStream(memory, CompressionLevel.Fastest))
            gzip.Write(bytes);
        return memory.ToArray();
    }

    private sealed class Failing : IDumpVisitor
    {
        public void Versions(DumpVersions versions)
        {
        }

        public void Metadata(DumpNamespace collection, CollectionMetadata metadata)
        {
        }

        public void Document(DumpNamespace collection, ReadOnlySpan<byte> bson) => throw new NotSupportedException();

        public void End(DumpNamespace collection) => Assert.Fail("It goes on.");

        public void Oplog(ReadOnlySpan<byte> entry)
        {
        }

        public void Other(string path)
        {
        }
    }
}
