using System.Globalization;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Engine.Tests.Components.MongoDb.Restoring;
using BotCore.Backup.Engine.Verification;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.PointInTime;

/// <summary>Chains that do not hang together, or whose archives are not what they were: found while planning, named, and nothing is changed.</summary>
public sealed class ChainDamageTests
{
    [Fact]
    public void A_missing_increment_is_found_while_planning_and_the_one_behind_it_named()
    {
        using var site = new Site();
        Remove(site.Second);

        var failure = site.Refused(site.Third);

        Assert.Equal(FailureKind.ChainBroken, failure.Kind);
        Assert.Contains(site.Third.Location, failure.Message, StringComparison.Ordinal);
        Assert.Contains(site.Third.Oplog!.Start, failure.Message, StringComparison.Ordinal);
        // What is before the hole can still be reached.
        Assert.Equal(2, site.Step(site.First).PointInTime!.Slices.Count + 1);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void A_damaged_archive_is_found_while_planning_and_named(int which)
    {
        using var site = new Site();
        var damaged = new[] { site.First, site.Second, site.Third }[which];
        var bytes = File.ReadAllBytes(damaged.Location);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(damaged.Location, bytes);

        var failure = site.Refused(site.Third);

        Assert.Equal(FailureKind.ChecksumMismatch, failure.Kind);
        Assert.Equal(damaged.Id, Assert.IsType<BotBackup>(failure.Target).Id);
        // An archive behind the moment is not looked at.
        if (which == 2)
            Assert.NotNull(site.Step(site.Second));
    }

    [Fact]
    public void A_damaged_increment_that_was_sound_while_planning_is_found_before_the_first_change()
    {
        using var site = new Site();
        var step = site.Step(site.Third);
        var before = site.Mongo.Describe();
        var bytes = File.ReadAllBytes(site.Second.Location);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(site.Second.Location, bytes);

        var failure = Workplace.Failure([.. RestoreRunner.Run(site.Session, [step], default).ToBlockingEnumerable()]);

        Assert.Equal(FailureKind.ChecksumMismatch, failure.Kind);
        Assert.Equal(before, site.Mongo.Describe());
        Assert.Empty(site.Mongo.Collections(site.To));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_shared_entry_must_be_the_very_same_in_both_archives(bool filtered)
    {
        using var site = new Site(filtered ? null : "all");
        // Its manifest fits, and its bytes do not.
        var entries = site.Slices.Oplog(site.First.Oplog!.End);
        var kept = new List<RawBson>(entries) { [0] = Changed(entries[0]) };
        Remove(site.Second);
        Remove(site.Third);
        var forged = site.Slices.Make(site.First, entries, kept);

        var failure = site.Refused(forged);

        Assert.Equal(FailureKind.ChainBroken, failure.Kind);
        Assert.Contains(forged.Location, failure.Message, StringComparison.Ordinal);
        if (filtered)
            Assert.Contains(site.First.Location, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_last_entry_must_be_the_one_that_the_manifest_tells_the_hash_of()
    {
        using var site = new Site("all");
        var entries = site.Slices.Oplog(site.Third.Oplog!.End);
        site.Mongo.Insert("a", """{"_id": 70}""");
        entries.Add(site.Slices.Oplog(site.Third.Oplog.End)[^1]);
        var forged = site.Slices.Make(site.Third, entries, [.. entries.SkipLast(1), Changed(entries[^1])]);

        Assert.Contains("its manifest tells the hash of", site.Refused(forged).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_base_within_an_increment_is_compared_with_it()
    {
        using var site = new Site();
        site.Mongo.Insert("a", """{"_id": 50}""");
        var full = site.Slices.Full(site.First);
        site.Mongo.Insert("a", """{"_id": 51}""");
        var entries = site.Slices.Oplog(site.Third.Oplog!.End);
        var at = entries.FindIndex(entry => SliceMaker.TimeOf(entry) == SliceMaker.At(full.Oplog!.End));
        Assert.True(at > 0);
        var kept = new List<RawBson>(entries) { [at] = Changed(entries[at]) };
        var forged = site.Slices.Make(site.Third, entries, kept);

        var failure = site.Refused(forged);

        Assert.Equal(FailureKind.ChainBroken, failure.Kind);
        Assert.Contains(full.Location, failure.Message, StringComparison.Ordinal);
        Assert.Contains(forged.Location, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_of_the_span_or_not_all_of_it_is_no_part_of_a_chain()
    {
        using var site = new Site();
        var entries = site.Slices.Oplog(site.First.Oplog!.End, SliceMaker.At(site.Second.Oplog!.End));
        Remove(site.Second);
        Remove(site.Third);

        var more = site.Slices.Make(site.First, entries, [.. entries, .. site.Slices.Oplog(site.Second.Oplog.End).Skip(1)]);
        Assert.Contains("manifest says that it spans", site.Refused(more).Message, StringComparison.Ordinal);
        Assert.Equal(Outcome.Failed, site.Prove(more, Depth.Archive).Outcome);
        Remove(more);
        var fewer = site.Slices.Make(site.First, entries, [.. entries.SkipLast(1)], claimed: entries.Count);
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"its manifest says {entries.Count}"), site.Refused(fewer).Message, StringComparison.Ordinal);
        Assert.Equal(FailureKind.ChainBroken, site.Prove(fewer, Depth.Archive).Failure?.Kind);
        Remove(fewer);
        var none = site.Slices.Make(site.First, entries, claimed: 0);
        Assert.Contains("its manifest says 0", site.Prove(none, Depth.Archive).Message, StringComparison.Ordinal);
        Remove(none);
        var disordered = site.Slices.Make(site.First, entries, [.. Enumerable.Reverse(entries)]);
        Assert.Equal(FailureKind.ChainBroken, site.Refused(disordered).Kind);
        Assert.Contains("cannot be part of a chain: its oplog is not in order", site.Prove(disordered, Depth.Archive).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Increments_of_two_servers_in_one_folder_never_mix()
    {
        using var site = new Site();
        using var other = new MongoPlatform(new SandboxOptions());
        var uri = other.UriOf(site.Mongo.Database);
        var session = site.Mongo.Session(uri);
        var maker = new SliceMaker(other, session);
        other.Insert("a", [ExtendedJson.Read("""{"_id": "the other server's"}""")], site.Mongo.Database);
        var full = site.Mongo.BackUp(session);
        other.Insert("a", [ExtendedJson.Read("""{"_id": "later"}""")], site.Mongo.Database);
        var slice = maker.After(full);

        foreach (var (backup, count) in new[] { (slice, 2), (site.Third, 4) })
        {
            foreach (var standing in site.Mongo.Collections(site.To))
                site.Mongo.Run(new BsonBuilder().Append("drop", standing), site.To);
            Workplace.Item<BotBackupRestore>(MongoPlatform.RunRestore(site.Session, backup, site.Request()));
            Assert.Equal(count, site.Mongo.SetOf("a", site.To).Count);
        }

        Remove(site.First);
        Remove(site.Second);
        var at = new RestoreRequest { PointInTime = new Engine.Restores.PointInTime(site.Third.Oplog!.End), Server = site.Request().Server };
        var failure = Assert.Throws<BackupException>(() => RestorePlanner.Plan(site.Session, site.Third, at, default)).Failure;
        Assert.Contains("missing", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_restored_server_has_a_history_of_its_own()
    {
        using var site = new Site();
        site.Mongo.Insert("a", """{"_id": 59}""");
        site.Mongo.Insert("a", """{"_id": 60}""");
        var second = site.Slices.Full(site.Third, "restored");
        site.Mongo.Insert("a", """{"_id": 61}""");
        var after = site.Slices.After(second);

        Assert.NotEqual(site.Third.Timeline, after.Timeline, StringComparer.Ordinal);
        Assert.Equal(second.Id, site.Step(after).PointInTime!.Base.Id);
        // No increment of the first history goes on over the hole.
        var between = Assert.Throws<BackupException>(() => RestorePlanner.PlanMoment(site.Session, site.Request() with { PointInTime = new(Behind(site.Third)) }, site.Session.Local, default)).Failure;
        Assert.Equal(FailureKind.ChainBroken, between.Kind);
        Assert.Contains(site.Third.Oplog!.End, between.Message, StringComparison.Ordinal);
        Assert.Contains(second.Oplog!.End, between.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Depth.Checksum)]
    [InlineData(Depth.Archive)]
    [InlineData(Depth.Restore)]
    public void An_increment_can_be_tested_alone_and_with_its_chain(Depth depth)
    {
        using var site = new Site();
        var proof = site.Prove(site.Second, depth);
        Assert.True(proof.Outcome == Outcome.Succeeded, proof.Message);
        if (depth == Depth.Restore)
            Assert.Contains("3 archives", proof.Message, StringComparison.Ordinal);

        Remove(site.First);
        Assert.Equal(depth == Depth.Restore ? Outcome.Failed : Outcome.Succeeded, site.Prove(site.Second, depth).Outcome);
    }

    [Fact]
    public void An_increment_is_rehearsed_with_a_chain_that_holds_it()
    {
        using var site = new Site();
        // Of the same moment, so that no increment is needed to get there.
        var full = site.Slices.Full(site.Full);
        Assert.Equal(site.Third.Oplog!.End, full.Oplog!.End);

        var proof = site.Prove(site.Third, Depth.Restore);

        Assert.Equal((Outcome.Succeeded, Depth.Restore), (proof.Outcome, proof.Proof.Depth));
        Assert.Contains("4 archives", proof.Message, StringComparison.Ordinal);
        Assert.Contains(site.Full.Key, proof.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_increment_that_no_chain_goes_through_stays_at_archive_depth()
    {
        using var site = new Site();
        var empty = site.Slices.After(site.Third);
        Assert.Equal(empty.Oplog!.Start, empty.Oplog.End);
        var proof = site.Prove(empty, Depth.Restore);
        Assert.Equal((Outcome.Succeeded, Depth.Archive), (proof.Outcome, proof.Proof.Depth));
        Assert.Contains("no new entry", proof.Message, StringComparison.Ordinal);

        // Its end can be reached, and by another one.
        var fork = site.Slices.Make(site.First, site.Slices.Oplog(site.First.Oplog!.End, SliceMaker.At(site.Second.Oplog!.End)));
        var proofs = new[] { site.Prove(fork, Depth.Restore), site.Prove(site.Second, Depth.Restore) };
        Assert.All(proofs, one => Assert.Equal(Outcome.Succeeded, one.Outcome));
        Assert.Contains("goes another way", Assert.Single(proofs, one => one.Proof.Depth == Depth.Archive).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_manifest_that_does_not_reach_is_refused_by_the_chain_itself()
    {
        using var site = new Site();
        var chain = new RestoreChain(site.Full, [site.First, site.Third], SliceMaker.At(site.Third.Oplog!.End));
        Assert.Equal(FailureKind.ChainBroken, Assert.Throws<BackupException>(() => Open(site, chain)).Failure.Kind);
        Assert.Equal(FailureKind.ChainBroken, Assert.Throws<BackupException>(() => Open(site, chain with { Slices = [site.First], UpTo = Behind(site.First) })).Failure.Kind);
        Assert.Equal(FailureKind.ChainBroken, Assert.Throws<BackupException>(() => Open(site, chain with { Slices = [], UpTo = new BsonTimestamp(1, 1) })).Failure.Kind);
        Assert.NotNull(Open(site, chain with { Slices = [site.First], UpTo = SliceMaker.At(site.First.Oplog!.End) }));
    }

    private static ChainDump Open(Site site, RestoreChain chain) => new(chain, backup => DatabaseRestore.SourceOf(site.Session, backup));

    private static BsonTimestamp Behind(BotBackup backup) => BsonTimestamp.FromValue(SliceMaker.At(backup.Oplog!.End).Value + 1);

    private static RawBson Changed(RawBson entry)
    {
        var builder = new BsonBuilder();
        var reader = entry.Read();
        while (reader.Read())
            builder.Append(reader.Current);
        return builder.Append("forged", value: true).ToBson();
    }

    private static void Remove(BotBackup backup)
    {
        foreach (var file in Directory.GetFiles(Path.GetDirectoryName(backup.Location)!, Path.GetFileName(backup.Location) + "*"))
            File.Delete(file);
    }

    /// <summary>A full and three increments.</summary>
    private sealed class Site : IDisposable
    {
        public Site(string? all = null)
        {
            Session = Mongo.Session(all is null ? null : Mongo.Uri);
            Slices = new SliceMaker(Mongo, Session);
            To = Mongo.NewDatabase("to");
            Mongo.Insert("a", """{"_id": 0}""");
            Full = Mongo.BackUp(Session);
            Mongo.Insert("a", """{"_id": 1}""");
            First = Slices.After(Full);
            Mongo.Insert("a", """{"_id": 2}""");
            Second = Slices.After(First);
            Mongo.Insert("a", """{"_id": 3}""");
            Third = Slices.After(Second);
        }

        public MongoPlatform Mongo { get; } = new(new SandboxOptions());

        public BackupSession Session { get; }

        public SliceMaker Slices { get; }

        public string To { get; }

        public BotBackup Full { get; }

        public BotBackup First { get; }

        public BotBackup Second { get; }

        public BotBackup Third { get; }

        public RestoreRequest Request() => new() { Server = SecretUri.WithPassword(Full.Manifest!.MongoDb!.Database is null ? Mongo.Uri : Mongo.UriOf(To)) };

        public RestoreStep Step(BotBackup backup) => RestorePlanner.Plan(Session, backup, Request(), default);

        public Failure Refused(BotBackup backup) => Assert.Throws<BackupException>(() => Step(backup)).Failure;

        public BotBackupVerification Prove(BotBackup backup, Depth depth) =>
            Workplace.Item<BotBackupVerification>([.. VerificationRunner.Run(Session, [backup], depth, default).ToBlockingEnumerable()]);

        public void Dispose() => Mongo.Dispose();
    }
}
