using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Components.MongoDb;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Components.MongoDb.Restoring;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Restoring;

/// <summary>What goes wrong before the swap leaves everything as it was, and nothing beside it.</summary>
public sealed class LoadFailureTests
{
    [Fact]
    public void A_document_that_is_refused_fails_the_restore_by_its_name()
    {
        using var mongo = new MongoPlatform();
        mongo.Insert("a", """{"_id": "live"}""");
        var before = mongo.Describe();
        // Two documents of one _id: the server takes one.
        var dump = new MemoryDump().Add(mongo.Database, "a", null, ["""{"_id": 1}""", """{"_id": "twin", "x": 1}""", """{"_id": "twin", "x": 2}"""]).Add(mongo.Database, "b", null, ["""{"_id": 1}"""]);

        var failure = Assert.Throws<BackupException>(() => OverwriteTests.Job(mongo, dump).Run(default)).Failure;
        Assert.Equal(FailureKind.RestoreFailed, failure.Kind);
        Assert.Contains("\"twin\"", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Nothing was swapped in", failure.Advice, StringComparison.Ordinal);
        Assert.Equal(before, mongo.Describe());
        Assert.Empty(mongo.Leftovers());
    }

    [Fact]
    public void What_was_written_is_read_back_and_not_believed()
    {
        using var mongo = new MongoPlatform();
        var other = mongo;
        var documents = Enumerable.Range(0, 10).Select(n => $$"""{"_id": {{n}}, "x": 1}""").ToArray();
        var dump = new MemoryDump().Add(mongo.Database, "a", null, documents);
        // Another client changes a staged document before it is read back.
        var job = OverwriteTests.Job(mongo, dump, options => options with
        {
            Moved = (doing, _) =>
            {
                var staged = other.Leftovers() is [var first, ..] ? first : null;
                if (doing is "reading back" && staged is not null)
                    other.Json($$$$"""{"update": "{{{{staged}}}}", "updates": [{"q": {"_id": 5}, "u": {"$set": {"x": 2}}}]}""");
            },
        });

        Assert.Equal(FailureKind.RestoreMismatch, Assert.Throws<BackupException>(() => job.Run(default)).Failure.Kind);
        Assert.Empty(mongo.Collections());
    }

    [Fact]
    public void An_index_that_cannot_be_built_fails_the_restore()
    {
        using var mongo = new MongoPlatform();
        mongo.Insert("a", """{"_id": "live"}""");
        var before = mongo.Describe();
        var dump = new MemoryDump().Add(mongo.Database, "a", null, ["""{"_id": 1, "x": 1}""", """{"_id": 2, "x": 1}"""], ["""{"v": 2, "key": {"x": 1}, "name": "only one", "unique": true}"""]);

        var failure = Assert.Throws<BackupException>(() => OverwriteTests.Job(mongo, dump).Run(default)).Failure;
        Assert.Equal(FailureKind.RestoreFailed, failure.Kind);
        Assert.Contains($"only one of {mongo.Database}.a could not be built", failure.Message, StringComparison.Ordinal);
        Assert.Equal(before, mongo.Describe());
        Assert.Empty(mongo.Leftovers());
    }

    [Theory]
    [InlineData("""{"dropIndexes": "COLLECTION", "index": "x"}""")]
    [InlineData("""{"collMod": "COLLECTION", "index": {"name": "x", "hidden": true}}""")]
    public void Indexes_are_looked_at_and_not_believed(string between)
    {
        MongoPlatform? there = null;
        using var mongo = new MongoPlatform(new SandboxOptions
        {
            Fault = (command, name, _) =>
            {
                // Another client comes between the build and the look.
                if (command is "listIndexes" && name.Contains("__bot_", StringComparison.Ordinal))
                    there?.Json(between.Replace("COLLECTION", name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..], StringComparison.Ordinal));
                return null;
            },
        });
        there = mongo;
        var dump = new MemoryDump().Add(mongo.Database, "a", null, ["""{"_id": 1}"""], ["""{"v": 2, "key": {"x": 1}, "name": "x"}"""]);

        Assert.Equal(FailureKind.RestoreMismatch, Assert.Throws<BackupException>(() => OverwriteTests.Job(mongo, dump).Run(default)).Failure.Kind);
        Assert.Empty(mongo.Collections());
    }

    [Fact]
    public void Indexes_come_after_the_documents_and_those_that_expire_last()
    {
        var seen = new List<string>();
        using var mongo = new MongoPlatform(new SandboxOptions
        {
            Fault = (command, name, _) =>
            {
                if (command is "insert" or "createIndexes" or "renameCollection" && name.Contains("__bot_", StringComparison.Ordinal) && !name.Contains("undo", StringComparison.Ordinal) && !name.Contains("resume", StringComparison.Ordinal))
                    seen.Add(command);
                return null;
            },
        });
        var dump = new MemoryDump().Add(mongo.Database, "a", null, ["""{"_id": 1}"""], ["""{"v": 2, "key": {"at": 1}, "name": "ttl", "expireAfterSeconds": 9}""", """{"v": 2, "key": {"x": 1}, "name": "x"}"""]);

        OverwriteTests.Job(mongo, dump).Run(default);
        Assert.Equal("insert createIndexes createIndexes", string.Join(' ', seen.Where(command => command is not "renameCollection")));
        Assert.Equal(["_id_", "x", "ttl"], Names(mongo, "a"));
    }

    [Fact]
    public void A_connection_that_breaks_beside_a_capped_collection_is_told_as_what_it_is()
    {
        using var writing = new ManualResetEventSlim();
        using var broken = new ManualResetEventSlim();
        using var mongo = new MongoPlatform(new SandboxOptions
        {
            Fault = (command, ns, _) =>
            {
                if (command is not "insert")
                    return null;
                if (ns.EndsWith(".a", StringComparison.Ordinal))
                {
                    // Not before the thread that reads the dump is at work on the other one.
                    writing.Wait();
                    return new SandboxFault(SandboxFaultKind.CloseConnection);
                }

                if (!ns.EndsWith(".capped", StringComparison.Ordinal))
                    return null;
                writing.Set();
                return new SandboxFault(SandboxFaultKind.Delay, Gate: broken);
            },
        });
        var dump = new MemoryDump().Add(mongo.Database, "a", null, ["""{"_id": 1}"""]).Add(mongo.Database, "capped", null, ["""{"_id": 1}"""], options: """{"capped": true, "size": 4096}""");

        var told = Assert.ThrowsAny<Exception>(() => OverwriteTests.Job(mongo, dump).Run(default));
        broken.Set();
        Assert.Equal(FailureKind.SourceUnreachable, Assert.IsType<BackupException>(told).Failure.Kind);
    }

    [Theory]
    [InlineData("insert", SandboxFaultMoment.BeforeCommand)]
    [InlineData("insert", SandboxFaultMoment.BeforeReply)]
    [InlineData("insert", SandboxFaultMoment.WithinReply)]
    [InlineData("find", SandboxFaultMoment.WithinReply)]
    [InlineData("createIndexes", SandboxFaultMoment.BeforeReply)]
    public void A_connection_that_is_lost_before_the_swap_is_told_or_survived(string lost, SandboxFaultMoment moment)
    {
        var armed = false;
        using var mongo = new MongoPlatform(new SandboxOptions
        {
            Fault = (command, name, _) => armed && string.Equals(command, lost, StringComparison.Ordinal) && name.Contains("__bot_", StringComparison.Ordinal) ? Fire() : null,
        });
        mongo.Insert("a", """{"_id": "live"}""");
        var before = mongo.Describe();
        var dump = new MemoryDump().Add(mongo.Database, "a", null, [.. Enumerable.Range(0, 500).Select(n => $$"""{"_id": {{n}}}""")], ["""{"v": 2, "key": {"x": 1}, "name": "x"}"""]);
        armed = true;

        var wrong = Record.Exception(() => OverwriteTests.Job(mongo, dump).Run(default));
        Assert.False(armed, "Nothing was lost.");
        if (wrong is null)
        {
            Assert.Equal(500, mongo.SetOf("a").Count);
            Assert.Equal(["_id_", "x"], Names(mongo, "a"));
            return;
        }

        Assert.Equal(FailureKind.SourceUnreachable, Assert.IsType<BackupException>(wrong).Failure.Kind);
        Assert.Equal(before, mongo.Describe());
        Assert.Empty(mongo.Leftovers());

        SandboxFault Fire()
        {
            armed = false;
            return new SandboxFault(SandboxFaultKind.CloseConnection, moment);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(30_000)]
    public void A_restore_that_is_cancelled_while_it_writes_leaves_nothing(int at)
    {
        using var mongo = new MongoPlatform();
        using var cancel = new CancellationTokenSource();
        mongo.Insert("a", """{"_id": "live"}""");
        var before = mongo.Describe();
        var read = 0;
        var dump = new MemoryDump
        {
            Reading = () =>
            {
                if (++read == at)
                    cancel.Cancel();
            },
        };
        dump.Add(mongo.Database, "a", null, [.. Enumerable.Range(0, 60_000).Select(n => $$"""{"_id": {{n}}}""")]);

        Assert.ThrowsAny<OperationCanceledException>(() => OverwriteTests.Job(mongo, dump).Run(cancel.Token));
        Assert.Equal(before, mongo.Describe());
        Assert.Empty(mongo.Leftovers());
    }

    [Fact]
    public void A_damaged_archive_is_refused_before_anything_is_written()
    {
        using var mongo = new MongoPlatform();
        mongo.Insert("a", [.. Enumerable.Range(0, 5000).Select(n => $$"""{"_id": {{n}}, "x": "{{Guid.NewGuid()}}"}""")]);
        var session = mongo.Session();
        var backup = mongo.BackUp(session);
        mongo.Insert("a", """{"_id": "later"}""");
        var before = mongo.Describe();
        var sound = File.ReadAllBytes(backup.Location);

        foreach (var at in (int[])[sound.Length / 3, sound.Length / 2, sound.Length - 40])
        {
            var damaged = sound.ToArray();
            damaged[at] ^= 0x10;
            Refused(damaged);
        }

        Refused(sound[..(sound.Length / 2)]);
        Refused(sound[..^1]);

        void Refused(byte[] content)
        {
            File.WriteAllBytes(backup.Location, content);
            var failed = Assert.Single(MongoPlatform.RunRestore(session, backup).OfType<Failed>()).Failure;
            Assert.True(failed.Kind is FailureKind.ArchiveCorrupt or FailureKind.ManifestMismatch or FailureKind.ChecksumMismatch, failed.ToString());
            Assert.Equal(before, mongo.Describe());
            Assert.Empty(mongo.Leftovers());
        }
    }

    [Fact]
    public void A_collection_that_is_not_what_the_index_says_is_refused()
    {
        using var mongo = new MongoPlatform();
        var dump = new LyingDump(new MemoryDump().Add(mongo.Database, "a", null, ["""{"_id": 1}"""]));

        var job = new MongoRestoreJob(
            MongoTarget.Of(SecretUri.WithPassword(mongo.Uri)), dump, new MongoRestoreOptions { SpillFolder = mongo.Folder }, _ => { });
        Assert.Equal(FailureKind.ManifestMismatch, Assert.Throws<BackupException>(() => job.Run(default)).Failure.Kind);
        Assert.Empty(mongo.Collections());
    }

    private static IReadOnlyList<string> Names(MongoPlatform mongo, string collection)
    {
        var names = new List<string>();
        using var cursor = mongo.Client.Open(mongo.Database, new BsonBuilder().Append("listIndexes", collection), new CursorOptions(), default);
        while (cursor.Next() == CursorStep.Document)
            names.Add(new RawBson(cursor.Current.ToArray()).FindString("name"u8)!);
        return names;
    }

    private sealed class LyingDump(MemoryDump dump) : IDumpSource
    {
        public string Name => dump.Name;

        public long Size => 0;

        public DocumentSet? Expected(DumpNamespace name) => new(1, new string('0', 64));

        public void Prove(IDumpVisitor visitor, NamespaceFilter wanted, Action<long> moved, CancellationToken token) => dump.Prove(visitor, wanted, moved, token);

        public void Read(IDumpVisitor visitor, Func<DumpNamespace, bool> documents, bool oplog, Action<long> moved, CancellationToken token) => dump.Read(visitor, documents, oplog, moved, token);
    }
}
