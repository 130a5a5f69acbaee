using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Retention;
using BotCore.Backup.Engine.Tests.Components.MongoDb.Dumping;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Increments;

/// <summary>Increments beside full backups, through lost connections, and what is left of those that were stopped.</summary>
public sealed class IncrementTroubleTests
{
    [Fact]
    public void An_increment_is_taken_while_a_full_backup_runs_and_neither_touches_the_others_files()
    {
        using var trouble = new Trouble();
        var mongo = trouble.Mongo;
        mongo.Insert("victim", Trouble.Numbered(300));
        var session = mongo.Session();
        var full = mongo.BackUp(session);
        BotBackup? during = null;
        // Told apart afterwards: what is thrown on the server's thread ends the process.
        IReadOnlyList<string> before = [], after = [];
        // The full backup is in the middle of a collection: its intent and half-written files stand in the folder.
        trouble.Once("find", "victim", () =>
        {
            Slices.Write(mongo);
            before = Partials(mongo);
            during = Slices.Take(mongo.Session());
            after = Partials(mongo);
            return null;
        });
        var second = mongo.BackUp(session);

        Assert.NotEmpty(before);
        Assert.Equal(before, after);
        Slices.AssertFollows(during!, full);
        Assert.Equal(full.Id, second.Timeline);
        Assert.Equal(3, Slices.Backups(session).Count);
        Slices.Write(mongo);
        Slices.AssertFollows(Slices.Take(session), during!);
    }

    [Fact]
    public void A_full_backup_is_made_while_an_increment_runs()
    {
        using var trouble = new Trouble();
        var mongo = trouble.Mongo;
        var session = mongo.Session();
        Slices.Write(mongo);
        var full = mongo.BackUp(session);
        Slices.Write(mongo);
        BotBackup? during = null;
        // Told apart afterwards: what is thrown on the server's thread ends the process.
        IReadOnlyList<string> before = [], after = [];
        trouble.Once("find", "oplog.rs", () =>
        {
            before = Partials(mongo);
            during = mongo.BackUp(mongo.Session());
            after = Partials(mongo);
            return null;
        });

        Slices.AssertFollows(Slices.Take(session), full);
        Assert.NotEmpty(before);
        Assert.Equal(before, after);
        Assert.Equal(full.Id, during!.Timeline);
    }

    [Fact]
    public void Two_increments_at_once_are_one_too_many()
    {
        using var mongo = new MongoPlatform();
        var session = mongo.Session();
        Slices.Write(mongo);
        mongo.BackUp(session);
        using (session.Local.AcquireLease("mongodb-incremental", default))
            Assert.Equal(FailureKind.Locked, Slices.Refuse(mongo.Session()).Kind);
        Slices.Take(session);
    }

    [Fact]
    public void A_lost_connection_in_the_middle_of_a_slice_is_mended()
    {
        using var trouble = new Trouble();
        var mongo = trouble.Mongo;
        var session = mongo.Session();
        Slices.Write(mongo);
        var full = mongo.BackUp(session);
        Slices.Write(mongo, 400);
        var cuts = 0;
        trouble.Always((command, space) => command is "getMore" && space.EndsWith("oplog.rs", StringComparison.Ordinal) && Interlocked.Increment(ref cuts) == 1 ? trouble.CutOff : null);
        var increment = Slices.Take(session);
        trouble.Always(null);

        Assert.True(cuts > 1, $"{cuts}");
        Slices.AssertFollows(increment, full);
        var (from, to) = (Slices.Time(increment.Oplog!.Start), Slices.Time(increment.Oplog.End));
        Assert.Equal(Slices.Oplog(mongo).Where(entry => PlainBson.Time(entry) is var at && at > from && at <= to).Count(), Slices.Entries(mongo, increment).Count - 1);
    }

    [Fact]
    public void A_cancelled_increment_leaves_nothing_and_the_next_goes_on_from_the_same_tip()
    {
        using var trouble = new Trouble();
        var mongo = trouble.Mongo;
        var session = mongo.Session();
        Slices.Write(mongo);
        var full = mongo.BackUp(session);
        Slices.Write(mongo, 400);
        var before = Workplace.Describe(mongo.Store);
        using var stop = new CancellationTokenSource();
        trouble.Once("getMore", "oplog.rs", () =>
        {
            stop.Cancel();
            return null;
        });
        Assert.ThrowsAny<OperationCanceledException>(() => Slices.Run(session, token: stop.Token));

        Assert.Equal(before, Workplace.Describe(mongo.Store));
        Slices.AssertFollows(Slices.Take(session), full);
    }

    [Fact]
    public void What_a_killed_increment_left_the_next_removes_and_a_full_backup_does_not()
    {
        using var mongo = new MongoPlatform();
        var session = mongo.Session();
        Slices.Write(mongo);
        var full = mongo.BackUp(session);
        var folder = Path.GetDirectoryName(full.Location)!;
        var dead = full.Key.Replace("mongodb_full_2", "mongodb_incremental_1", StringComparison.Ordinal);
        foreach (var file in new[] { dead, BackupFiles.Index(dead), BackupFiles.Intent(dead) })
            File.WriteAllText(Path.Combine(mongo.Store, file), "half");
        File.WriteAllText(Path.Combine(folder, "." + Path.GetFileName(dead) + ".0011aabb.partial"), "half");
        File.WriteAllText(Path.Combine(folder, "." + Path.GetFileName(BackupFiles.Manifest(dead)) + ".0011aabb.partial"), "half");

        Slices.Write(mongo);
        var second = mongo.BackUp(session);
        Assert.Equal(5, Of(dead).Count);
        Assert.Equal(2, Slices.Backups(session).Count);

        var events = Slices.Run(session);
        Assert.Contains(events.OfType<Warned>(), warned => warned.Text.Contains(dead, StringComparison.Ordinal));
        Slices.AssertFollows(Workplace.Item<BotBackup>(events), second);
        Assert.Empty(Of(dead));

        IReadOnlyList<string> Of(string key) => [.. Directory.GetFiles(folder, "*").Where(file => file.Contains(Path.GetFileName(key), StringComparison.Ordinal))];
    }

    [Fact]
    public void What_increments_stand_on_is_not_removed_unless_that_is_forced()
    {
        using var mongo = new MongoPlatform();
        var session = mongo.Session();
        Slices.Write(mongo);
        var full = mongo.BackUp(session);
        var slices = Enumerable.Range(0, 3).Select(_ =>
        {
            Slices.Write(mongo);
            return Slices.Take(session);
        }).ToList();

        Refused(slices[1], "1 increment stands");
        Slices.Write(mongo);
        var second = mongo.BackUp(session);
        Slices.Write(mongo);
        var last = Slices.Take(session);
        // The ribbon from the first full backup on holds all; without it nothing of the first three is reached.
        Refused(full, "3 increments");
        Refused(slices[0], "2 increments");
        // The second full backup's moment is within the last increment.
        Assert.Throws<BackupException>(() => BackupRemover.Plan(last, force: false, default));
        BackupRemover.Plan(full, force: true, default);
        Workplace.Item<BotBackupRemoval>([.. BackupRemover.Run([BackupRemover.Plan(full, force: true, default)], default).ToBlockingEnumerable()]);
        // What nothing reaches any more holds nobody back.
        BackupRemover.Plan(slices[0], force: false, default);
        Refused(slices[2], "");
        Assert.Equal(second.Timeline, full.Id);

        static void Refused(BotBackup backup, string text)
        {
            if (text.Length == 0)
            {
                BackupRemover.Plan(backup, force: false, default);
                return;
            }

            var wrong = Assert.Throws<BackupException>(() => BackupRemover.Plan(backup, force: false, default));
            Assert.Equal(FailureKind.ChainBroken, wrong.Failure.Kind);
            Assert.StartsWith(text, wrong.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void An_increment_is_removed_under_its_own_lease()
    {
        using var mongo = new MongoPlatform();
        var session = mongo.Session();
        Slices.Write(mongo);
        mongo.BackUp(session);
        var first = Slices.Take(session);
        Slices.Take(session);
        using (session.Local.AcquireLease("mongodb", default))
            Workplace.Item<BotBackupRemoval>([.. BackupRemover.Run([BackupRemover.Plan(first, force: true, default)], default).ToBlockingEnumerable()]);
        Assert.DoesNotContain(first.Key, Slices.Backups(session), StringComparer.Ordinal);
    }

    private static IReadOnlyList<string> Partials(MongoPlatform mongo) =>
        [.. Directory.GetFiles(mongo.Store, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = default }).Where(file => file.EndsWith(".partial", StringComparison.Ordinal) || file.EndsWith(".intent", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
}
