using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Retention;
using BotCore.Backup.Engine.Retention.Pins;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Retention;

/// <summary>What is pinned stays, and what it stands on.</summary>
public sealed class PinTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 12, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly RetentionPolicy Policy = new() { Daily = 2, Weekly = 0, Monthly = 0, Config = 2, Volumes = 2, Snapshots = 1 };

    private readonly Workplace _work = new(encrypted: false);

    public void Dispose() => _work.Dispose();

    [Fact]
    public void Names_say_until_when_and_what_cannot_be_read_holds_for_ever() =>
        Prop.ForAll(
            ArbMap.Default.GeneratorFor<int>().Select(Math.Abs).Two().ToArbitrary(),
            drawn =>
            {
                var (until, set) = (DateTimeOffset.UnixEpoch.AddSeconds(drawn.Item1), DateTimeOffset.UnixEpoch.AddSeconds(drawn.Item2));
                foreach (var name in new[] { new PinName(until, set), new PinName(null, set) })
                {
                    var key = name.KeyOf("config/config_20251118_030000.tar.gz");
                    if (!PinName.IsOne(key) || PinName.Parse(key) != name || !BackupFiles.IsCompanion(key) || BackupFiles.ArchiveOf(key) is not "config/config_20251118_030000.tar.gz")
                        return false;
                    // A letter less or more, and nobody knows what it says.
                    if (PinName.Parse(key.Insert(key.Length - 6, "x")).Until is not null)
                        return false;
                }

                return !PinName.IsOne("config/config_20251118_030000.tar.gz") && !PinName.IsOne("config/.pin.json") && PinName.IsOne("config/a.pin.what.json");
            }).QuickCheckThrowOnFailure();

    [Fact]
    public void Whatever_is_pinned_stays_with_all_that_it_stands_on() =>
        Prop.ForAll(
            Gen.Choose(0, 1 << 30).Select(seed => new Random(seed)).ToArbitrary(),
            random =>
            {
                var backups = History(random);
                for (var at = 0; at < backups.Count; at++)
                {
                    if (random.Next(8) == 0)
                        backups[at] = backups[at] with { Pin = new BackupPin(random.Next(3) switch { 0 => null, 1 => Now.AddDays(1), _ => Now.AddDays(-1) }, "why") };
                }

                var decisions = RetentionDecider.Decide(backups, Policy, Now, hasServer: false);
                var kept = decisions.Where(decision => decision.Verdict == RetentionVerdict.Keep).Select(decision => decision.Backup).ToHashSet();
                foreach (var pinned in backups.Where(backup => backup.Pin?.Holds(Now) == true))
                {
                    if (!kept.Contains(pinned) || !decisions.Any(decision => decision.Backup == pinned && decision.Rule is RetentionRules.Pinned && decision.Reason.Contains("why", StringComparison.Ordinal)))
                        return false;
                    // Of a database the moment that it holds, of files the chain.
                    if (pinned.Component == Component.MongoDb && Reaches(backups, pinned) && !Reaches(kept, pinned))
                        return false;
                    if (pinned.Manifest!.Increment is { } increment && !kept.Any(backup => string.Equals(backup.Id, increment.Base, StringComparison.Ordinal)))
                        return false;
                }

                // A pin that is over is none.
                var without = RetentionDecider.Decide([.. backups.Select(backup => backup.Pin?.Holds(Now) == false ? backup with { Pin = null } : backup)], Policy, Now, hasServer: false);
                return decisions.Select(decision => decision.Verdict).SequenceEqual(without.Select(decision => decision.Verdict));
            }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_pinned_backup_is_not_removed_until_it_is_unpinned_or_that_is_forced()
    {
        _work.Write("a.txt", "a");
        var pinned = _work.BackUp();
        _work.BackUp();
        pinned = Set(pinned, new BackupPin(null, "audit"));
        Assert.Equal("audit", _work.Reopen(pinned).Pin!.Reason);

        var refused = Assert.Throws<BackupException>(() => BackupRemover.Plan(pinned with { Pin = null }, force: false, CancellationToken.None)).Failure;
        Assert.Equal(FailureKind.Pinned, refused.Kind);
        Assert.Contains("audit", refused.Message, StringComparison.Ordinal);
        Assert.NotNull(BackupRemover.Plan(pinned, force: true, CancellationToken.None));
        Assert.Null(Set(pinned, null).Pin);
        var step = BackupRemover.Plan(pinned, force: false, CancellationToken.None);
        Assert.Equal(Engine.Events.Outcome.Succeeded, Workplace.Item<BotBackupRemoval>([.. BackupRemover.Run([step], CancellationToken.None).ToBlockingEnumerable()]).Outcome);
    }

    [Fact]
    public void A_pin_that_comes_after_the_decision_is_seen_and_one_that_comes_too_late_is_refused()
    {
        _work.Write("a.txt", "a");
        var backup = _work.BackUp();
        Set(backup, new BackupPin(null, "just in time"));
        Assert.Equal(FailureKind.Pinned, Assert.Throws<BackupException>(() => BackupRemover.RemoveHeld(backup, "Expired", "old", CancellationToken.None, Now)).Failure.Kind);
        Assert.Equal("just in time", _work.Reopen(backup).Pin!.Reason);
        Assert.Null(_work.Local.Find(BackupFiles.Intent(backup.Key), CancellationToken.None));

        // Its removal has begun.
        PinFiles.Remove(backup, CancellationToken.None);
        Engine.Backups.Publication.LeaveIntent(_work.Local, backup.Key, "run", CancellationToken.None);
        Assert.Equal(FailureKind.BackupNotFound, Assert.Throws<BackupException>(() => PinFiles.Write(backup, new BackupPin(null, "too late"), Now, CancellationToken.None)).Failure.Kind);
        Assert.DoesNotContain(_work.Local.List("", CancellationToken.None), one => PinName.IsOne(one.Key));
    }

    [Fact]
    public void A_pin_without_reason_or_time_to_come_is_none()
    {
        _work.Write("a.txt", "a");
        var backup = _work.BackUp();
        foreach (var pin in new[] { new BackupPin(null, " "), new BackupPin(DateTimeOffset.UtcNow, "x"), new BackupPin(null, new string('x', 501)) })
            Assert.Equal(FailureKind.ConfigurationInvalid, Assert.Throws<BackupException>(() => PinRunner.Plan(_work.Session, backup, pin)).Failure.Kind);
    }

    private BotBackup Set(BotBackup backup, BackupPin? pin) => Workplace.Item<BotBackup>([.. PinRunner.Run(_work.Session, [PinRunner.Plan(_work.Session, backup, pin)], CancellationToken.None).ToBlockingEnumerable()]);

    private static bool Reaches(IEnumerable<BotBackup> backups, BotBackup backup)
    {
        var at = OplogTimeline.EndOf(backup);
        return OplogChains.Of(backups.Where(one => one.Component == Component.MongoDb)).Timelines.Any(timeline => timeline.Reaches().Any(reach => reach.From <= at && at <= reach.To));
    }

    private static List<BotBackup> History(Random random)
    {
        var backups = new List<BotBackup>();
        var at = Now.AddDays(-20);
        for (; at < Now.AddHours(-6); at = at.AddHours(6))
        {
            // A gap now and then.
            if (random.Next(10) == 0)
                continue;
            backups.Add(random.Next(4) == 0 ? KeptHistory.Full(at.AddHours(6)) : KeptHistory.Slice(at, at.AddHours(6)));
        }

        BotBackup? full = null;
        BotBackup? before = null;
        for (var day = 20; day > 0; day--)
        {
            var next = before is null || random.Next(5) == 0 ? KeptHistory.File(Component.Config, Now.AddDays(-day)) : KeptHistory.File(Component.Config, Now.AddDays(-day), before: before);
            full = next.Manifest!.Increment is null ? next : full;
            before = next;
            backups.Add(next);
        }

        return backups;
    }
}
