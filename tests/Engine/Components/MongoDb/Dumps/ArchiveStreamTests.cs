using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb.Bson;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Dumps;

public sealed class ArchiveStreamTests
{
    [Fact]
    public void Streams_of_the_tool_are_read_whole()
    {
        var plain = Read(Unpacked.Gunzip("bot_core.plain.archive.gz"));
        plain.AssertExpected();
        Assert.Equal(new DumpVersions("7.0.77", "100.18.0"), plain.Seen);
        Assert.Empty(plain.Entries);

        Read(File.ReadAllBytes(Unpacked.Fixture("bot_core.archive.gz"))).AssertExpected();

        var all = Read(Unpacked.Gunzip("all-oplog.archive.gz"));
        all.AssertExpected(sameTrades: false);
        Assert.Equal(69, all.Entries.Count);
        Assert.Equal(1503, all.Documents[new DumpNamespace("bot_core", "trades")].Count);
        Assert.DoesNotContain(ArchiveNamespace.Oplog, all.Ended);
    }

    // The tool wrote each collection in one run: writing the same in the same order must give the same file.
    [Theory]
    [InlineData("bot_core.plain.archive.gz")]
    [InlineData("all-oplog.archive.gz")]
    public void What_is_written_is_what_the_tool_wrote(string name)
    {
        var theirs = Unpacked.Gunzip(name);
        var recorder = Read(theirs);
        var collections = recorder.Metadatas
            .Select(one => new ArchiveNamespace(one.Key, System.Text.Encoding.UTF8.GetString(one.Value.ToJson()), 0, one.Value.Type))
            .ToList();
        if (recorder.Entries.Count > 0)
            collections.Add(new ArchiveNamespace(ArchiveNamespace.Oplog, "", 0, ""));

        using var ours = new MemoryStream();
        var writer = new ArchiveStreamWriter(ours, recorder.Seen!, collections);
        foreach (var collection in recorder.Ended)
        {
            foreach (var document in recorder.Documents.GetValueOrDefault(collection, []))
                writer.Document(collection, document);
            writer.End(collection);
        }

        foreach (var entry in recorder.Entries)
            writer.Document(ArchiveNamespace.Oplog, entry);
        if (recorder.Entries.Count > 0)
            writer.End(ArchiveNamespace.Oplog);
        writer.Complete();

        Assert.True(theirs.AsSpan().SequenceEqual(ours.ToArray()));
    }

    [Fact]
    public void Any_interleaving_comes_back() =>
        Prop.ForAll(Arb.From(Gen.Choose(0, int.MaxValue)), seed =>
        {
            var random = new Random(seed);
            var names = Enumerable.Range(0, 4).Select(i => new DumpNamespace("db", "c" + i)).ToList();
            var written = names.ToDictionary(name => name, _ => new List<byte[]>());
            using var stream = new MemoryStream();
            var writer = new ArchiveStreamWriter(stream, new DumpVersions(null, null), [.. names.Select(name => new ArchiveNamespace(name, "", 3_000_000_000, "collection"))]);
            for (var i = random.Next(60); i > 0; i--)
            {
                var name = names[random.Next(names.Count)];
                var document = new BsonBuilder().AppendBinary("b", new byte[random.Next(100)]).ToBson().Span.ToArray();
                writer.Document(name, document);
                written[name].Add(document);
            }

            names.ForEach(writer.End);
            writer.Complete();
            var read = Read(stream.ToArray());
            return names.All(name => read.Ended.Contains(name) && written[name].SequenceEqual(read.Documents.GetValueOrDefault(name, []), SameBytes.Instance));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Every_cut_is_refused()
    {
        var archive = Small();
        for (var length = 0; length < archive.Length; length++)
        {
            var failure = Assert.Throws<BackupException>(() => Read(archive[..length])).Failure;
            Assert.Equal(FailureKind.ArchiveCorrupt, failure.Kind);
        }

        Read(archive);
    }

    [Fact]
    public void Every_changed_bit_of_the_documents_is_found()
    {
        var archive = Small();
        var value = archive.AsSpan().IndexOf("needle"u8);
        for (var bit = 0; bit < 48; bit++)
        {
            var damaged = archive.ToArray();
            damaged[value + (bit / 8)] ^= (byte)(1 << (bit % 8));
            Assert.Contains("checksum of db.c", Assert.Throws<BackupException>(() => Read(damaged)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Any_damage_is_an_exception_and_no_crash() =>
        Prop.ForAll(Arb.From(Gen.Choose(0, int.MaxValue)), seed =>
        {
            var random = new Random(seed);
            var archive = Small();
            for (var i = 0; i < 4; i++)
                archive[random.Next(archive.Length)] = (byte)random.Next(256);
            try
            {
                Read(archive);
            }
            catch (BackupException e)
            {
                return e.Failure.Kind == FailureKind.ArchiveCorrupt;
            }

            return true;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(3000));

    [Fact]
    public void Documents_behind_an_end_and_other_formats_are_refused()
    {
        var archive = Small();
        var again = archive.AsSpan().LastIndexOf("\u0002db\0"u8) - 4;
        Assert.Contains("goes on after its end", Refusal([.. archive, .. archive[again..]]), StringComparison.Ordinal);
        Assert.Contains("terminator", Refusal([.. archive, 255, 255, 255, 255]), StringComparison.Ordinal);
        Assert.Contains("does not begin", Refusal("PK\u0003\u0004 and more"u8.ToArray()), StringComparison.Ordinal);
        var version = archive.ToArray();
        version[archive.AsSpan().IndexOf("0.1\0"u8)]++;
        Assert.Contains("version is 1.1", Refusal(version), StringComparison.Ordinal);
    }

    [Fact]
    public void The_writer_holds_the_order()
    {
        var name = new DumpNamespace("db", "c");
        var writer = new ArchiveStreamWriter(Stream.Null, new DumpVersions("8", "1"), [new(name, "", 0, "collection"), new(ArchiveNamespace.Oplog, "", 0, "")]);
        Assert.Throws<InvalidOperationException>(() => writer.Document(ArchiveNamespace.Oplog, RawBson.Empty.Span));
        Assert.Throws<InvalidOperationException>(() => writer.Document(new DumpNamespace("db", "d"), RawBson.Empty.Span));
        writer.End(name);
        Assert.Throws<InvalidOperationException>(() => writer.End(name));
        Assert.Throws<InvalidOperationException>(writer.Complete);
        writer.End(ArchiveNamespace.Oplog);
        writer.Complete();
    }

    [ToolsDataFact]
    public void Streams_of_the_tools_own_tests()
    {
        var read = Read(File.ReadAllBytes(ToolsDataFactAttribute.Restore("dump-w-oplog.archive")));
        Assert.Equal(25, read.Documents[new DumpNamespace("test", "foo")].Count);
        Assert.Equal(18, read.Entries.Count);
        Assert.Contains("test.ixtest", Refusal(File.ReadAllBytes(ToolsDataFactAttribute.Restore("bad-format.archive"))), StringComparison.Ordinal);
    }

    [Fact]
    public void A_view_may_have_no_run_of_documents_and_a_collection_must()
    {
        foreach (var (metadata, allowed) in new[] { ("""{"options":{"viewOn":"a","pipeline":[]},"indexes":[]}""", true), ("""{"indexes":[]}""", false) })
        {
            using var stream = new MemoryStream();
            _ = new ArchiveStreamWriter(stream, new DumpVersions("4.0", null), [new(new DumpNamespace("db", "v"), metadata, 0, null)]);
            if (allowed)
                Assert.Single(Read(stream.ToArray()).Metadatas);
            else
                Assert.Contains("db.v has no end", Refusal(stream.ToArray()), StringComparison.Ordinal);
        }
    }

    private static string Refusal(byte[] archive) => Assert.Throws<BackupException>(() => Read(archive)).Message;

    private static byte[] Small()
    {
        using var stream = new MemoryStream();
        var name = new DumpNamespace("db", "c");
        var writer = new ArchiveStreamWriter(stream, new DumpVersions("8.0", "1.0"), [new(name, """{"indexes":[]}""", 0, "collection")]);
        writer.Document(name, new BsonBuilder().Append("a", "needle").ToBson().Span);
        writer.End(name);
        writer.Complete();
        return stream.ToArray();
    }

    private static Recorder Read(byte[] archive)
    {
        var recorder = new Recorder();
        using var stream = new MemoryStream(archive);
        ArchiveStreamReader.Read(stream, "an.archive", recorder, CancellationToken.None);
        return recorder;
    }

    private sealed class SameBytes : IEqualityComparer<byte[]>
    {
        public static readonly SameBytes Instance = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(byte[] obj) => obj.Length;
    }
}
