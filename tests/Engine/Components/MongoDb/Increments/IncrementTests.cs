using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Tests.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Verification;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox;
using Xunit;
using Xunit.Abstractions;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Increments;

/// <summary>Increments that go well: contiguous, proven by bytes, small.</summary>
public sealed class IncrementTests(ITestOutputHelper output)
{
    [Fact]
    public void Increments_link_by_the_bytes_of_the_entry_that_they_share_and_hold_the_oplog_without_a_hole()
    {
        using var mongo = new MongoPlatform();
        var session = mongo.Session(mongo.Uri);
        Slices.Write(mongo);
        var full = mongo.BackUp(session);
        Assert.Equal(full.Id, full.Timeline);
        Assert.Equal(full.Id, full.Manifest!.Chain!.Timeline);
        Assert.NotNull(full.Oplog!.StartSha256);
        Assert.True(full.Oplog.Entries > 0);

        var last = full;
        var entries = new List<byte[]>();
        for (var round = 0; round < 4; round++)
        {
            Slices.Write(mongo, 5);
            var increment = Slices.Take(session);
            Slices.AssertFollows(increment, last);
            Assert.Equal((true, 0), (increment.Manifest!.MongoDb!.Consistent, increment.Manifest.MongoDb.Collections));
            var slice = Slices.Entries(mongo, increment);
            Assert.Equal(increment.Oplog!.Entries, slice.Count);
            Assert.Equal(increment.Oplog.StartSha256, Convert.ToHexStringLower(SHA256.HashData(slice[0])));
            Assert.Equal(increment.Oplog.EndSha256, Convert.ToHexStringLower(SHA256.HashData(slice[^1])));
            entries.AddRange(entries.Count == 0 ? slice : slice.Skip(1));
            last = increment;
        }

        var (from, to) = (Slices.Time(full.Oplog.End), Slices.Time(last.Oplog!.End));
        Assert.Equal(Slices.Oplog(mongo).Where(entry => PlainBson.Time(entry) is var at && at >= from && at <= to), entries);
        Assert.Empty(Slices.Gaps(session));
    }

    [Fact]
    public void An_increment_of_one_database_keeps_that_one_and_links_by_entries_that_it_does_not_keep()
    {
        using var mongo = new MongoPlatform();
        var other = mongo.NewDatabase("other");
        var session = mongo.Session();
        Slices.Write(mongo);
        var full = mongo.BackUp(session);
        mongo.Insert("strange", Trouble.Numbered(3), other);
        var first = Slices.Take(session);
        Slices.Write(mongo, 2);
        mongo.Insert("strange", Trouble.Numbered(3).Select(_ => new BsonBuilder().Append("x", 1).ToBson()), other);
        var second = Slices.Take(session);

        Slices.AssertFollows(first, full);
        Slices.AssertFollows(second, first);
        Assert.Equal(mongo.Database, second.Manifest!.MongoDb!.Database);
        var spaces = Slices.Entries(mongo, second).Select(entry => PlainBson.Text(entry, "ns")).ToList();
        Assert.Equal(2, spaces.Count(space => string.Equals(space, mongo.Database + ".trades", StringComparison.Ordinal)));
        Assert.DoesNotContain(spaces, space => space.StartsWith(other, StringComparison.Ordinal));
        // The entry that the second begins with is the other database's: not kept, and recorded all the same.
        Assert.Equal(first.Oplog!.EndSha256, second.Oplog!.StartSha256);
        Assert.DoesNotContain(Slices.Entries(mongo, second), entry => string.Equals(Convert.ToHexStringLower(SHA256.HashData(entry)), second.Oplog.StartSha256, StringComparison.Ordinal));
    }

    [Fact]
    public void An_idle_server_gives_an_empty_increment_and_its_no_op_a_longer_one()
    {
        using var mongo = new MongoPlatform(new SandboxOptions());
        var session = mongo.Session();
        Slices.Write(mongo);
        var full = mongo.BackUp(session);
        var empty = Slices.Take(session);
        var idle = Slices.Take(session);
        mongo.Sandbox.WriteNoOp();
        var after = Slices.Take(session);

        Assert.Equal(empty.Oplog!.Start, empty.Oplog.End);
        Slices.AssertFollows(empty, full);
        Assert.Equal(empty.Oplog, idle.Oplog);
        Assert.True(Slices.Time(after.Oplog!.Start) < Slices.Time(after.Oplog.End));
        Assert.Equal(empty.Oplog.EndSha256, after.Oplog.StartSha256);
    }

    [Fact]
    public void Increments_go_on_across_a_full_backup_of_the_same_history()
    {
        using var mongo = new MongoPlatform();
        var session = mongo.Session();
        Slices.Write(mongo);
        var first = mongo.BackUp(session);
        Slices.Write(mongo);
        var one = Slices.Take(session);
        Slices.Write(mongo);
        var second = mongo.BackUp(session);
        Slices.Write(mongo);
        var two = Slices.Take(session);

        Assert.Equal(first.Id, second.Timeline);
        Slices.AssertFollows(two, one);
        Assert.True(Slices.Time(two.Oplog!.Start) < Slices.Time(second.Oplog!.End));
        var chains = OplogChains.Load(session.Local, default);
        Assert.Equal(OplogTimeline.EndOf(two), Assert.Single(Assert.Single(chains.Timelines).Reaches()).To);
    }

    [Fact]
    public void The_stock_tools_open_an_increment_and_its_files_tell_what_it_is()
    {
        using var mongo = new MongoPlatform();
        var session = mongo.Session();
        Slices.Write(mongo);
        var full = mongo.BackUp(session);
        Slices.Write(mongo);
        var increment = Slices.Take(session);

        Assert.Matches(@"^mongodb/\d{4}/\d{2}/mongodb_incremental_\d{8}_\d{6}\.tar\.gz\.gpg$", increment.Key);
        var root = Assert.Single(Directory.GetFileSystemEntries(mongo.Unpack(increment)));
        Assert.Equal(increment.Manifest!.Archive, Path.GetFileName(root) + ".tar.gz.gpg");
        Assert.Equal(["backup-metadata.json", "oplog.bson", "prelude.json"], Directory.GetFiles(root).Select(Path.GetFileName).Order(StringComparer.Ordinal), StringComparer.Ordinal);
        using var metadata = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(root, "backup-metadata.json")));
        Assert.Equal("incremental", metadata.RootElement.GetProperty("backup_type").GetString());
        Assert.Equal(full.Oplog!.End, metadata.RootElement.GetProperty("oplog").GetProperty("start").GetString());
        var proof = Workplace.Item<BotBackupVerification>([.. VerificationRunner.Run(session, [increment], Depth.Archive, default).ToBlockingEnumerable()]);
        Assert.Equal(Outcome.Succeeded, proof.Outcome);
    }

    [Fact]
    public void What_a_majority_does_not_have_waits_for_the_next_increment()
    {
        using var mongo = new MongoPlatform(new SandboxOptions());
        var session = mongo.Session();
        Slices.Write(mongo);
        var full = mongo.BackUp(session);
        Slices.Write(mongo);
        var majority = mongo.Sandbox.NewestEntry;
        mongo.Sandbox.MajorityLag = majority;
        Slices.Write(mongo);
        var first = Slices.Take(session);
        mongo.Sandbox.MajorityLag = null;
        var second = Slices.Take(session);

        Slices.AssertFollows(first, full);
        Assert.Equal(majority.ToString(), first.Oplog!.End);
        Slices.AssertFollows(second, first);
        Assert.Equal(mongo.Sandbox.NewestEntry.ToString(), second.Oplog!.End);
    }

    [Fact]
    public async Task A_member_behind_the_end_of_the_chain_is_waited_for()
    {
        using var trouble = new Trouble();
        var mongo = trouble.Mongo;
        var session = mongo.Session();
        Slices.Write(mongo);
        var behind = mongo.Sandbox.NewestEntry;
        Slices.Write(mongo);
        var full = mongo.BackUp(session);
        mongo.Sandbox.MajorityLag = behind;
        var hellos = 0;
        trouble.Always((command, _) =>
        {
            if (command is "hello")
                Interlocked.Increment(ref hellos);
            return null;
        });
        var taking = Task.Run(() => Slices.Take(session));
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref hellos) > 8 || taking.IsCompleted, TimeSpan.FromSeconds(30)));
        Assert.False(taking.IsCompleted);
        mongo.Sandbox.MajorityLag = null;

        Slices.AssertFollows(await taking, full);
    }

    [Fact]
    public void The_step_says_where_it_goes_on()
    {
        using var mongo = new MongoPlatform();
        var session = mongo.Session();
        Assert.Contains("once there is a full backup", Assert.Single(Slices.Plan(session)).Action, StringComparison.Ordinal);
        Assert.Contains("a full backup of", Assert.Single(Slices.Plan(session, Engine.Backups.GapAction.Full)).Action, StringComparison.Ordinal);
        Slices.Write(mongo);
        var full = mongo.BackUp(session);

        var step = Assert.Single(Slices.Plan(session));
        Assert.Contains($"since {full.Oplog!.End} (", step.Action, StringComparison.Ordinal);
        Assert.Contains($" ago), where {full.Key} ends", step.Action, StringComparison.Ordinal);
    }

    [Fact]
    public void Models_have_no_increments()
    {
        using var mongo = new MongoPlatform();
        var failures = new List<Failure>();
        var request = new Engine.Backups.BackupRequest { Components = [Component.MongoDb, Component.Model], Type = BackupType.Incremental };
        var wrong = Assert.Throws<BackupException>(() => Engine.Backups.BackupPlanner.Plan(mongo.Session(), request, failures.Add, default));
        Assert.Equal(FailureKind.ConfigurationInvalid, wrong.Failure.Kind);
        Assert.Contains("increments of models", wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_increment_costs_little()
    {
        using var mongo = new MongoPlatform();
        var session = mongo.Session();
        Slices.Write(mongo);
        mongo.BackUp(session);
        Slices.Take(session);
        Slices.Write(mongo, 200);
        var watch = Stopwatch.StartNew();
        var increment = Slices.Take(session);
        output.WriteLine($"{watch.ElapsedMilliseconds} ms for {increment.Oplog!.Entries} entries");
    }
}
