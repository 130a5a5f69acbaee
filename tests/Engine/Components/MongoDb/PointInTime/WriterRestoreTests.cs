using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.PointInTime;

/// <summary>A writer runs for the whole test; what is backed up meanwhile is restored, and must be what the writer's model says of that moment.</summary>
public sealed class WriterRestoreTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 6)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_full_backup_is_of_the_moment_of_its_end(int seed)
    {
        using var stage = new WriterStage(seed);
        stage.Write(150);
        var full = stage.BackUp(BackupType.Full, during: 120);
        stage.Write(30);
        var entries = stage.Run.Entries();
        var end = Moment(full.Oplog!.End!);
        var state = WriterLog.StatesAt(entries, [end])[end];
        if (entries.First(entry => entry.Time == end).Part?.IsSettled == false)
            return;
        Check(seed, state, stage.Restore(full, null), "the full's own end");
    }

    [Fact]
    public void A_full_backup_begins_with_the_first_entry_of_a_transaction_that_is_prepared()
    {
        using var mongo = new MongoPlatform(new SandboxOptions { TransactionEntryBytes = 200 });
        var accounts = new BsonBuilder().Append("create", "accounts");
        mongo.Run(accounts);
        for (var id = 0; id < 5; id++)
            mongo.Run(Within(new BsonBuilder().Append("insert", "accounts").BeginArray("documents").BeginDocument("0").Append("_id", id).Append("pad", new string('.', 200)).End().End(), starts: id == 0));
        var before = mongo.Sandbox.NewestEntry;
        mongo.Run(Within(new BsonBuilder().Append("prepareTransaction", 1)), "admin");
        Assert.Equal(5U, mongo.Sandbox.NewestEntry.Ordinal - (before.Seconds == mongo.Sandbox.NewestEntry.Seconds ? before.Ordinal : 0));
        var full = mongo.BackUp(mongo.Session());
        var start = Moment(full.Oplog!.Start);
        // The entry after the newest one of before: the beginning of the chain, not its end.
        Assert.True(start > before && start < mongo.Sandbox.NewestEntry, $"{start} is not the first after {before}");
        mongo.Run(Within(new BsonBuilder().Append("commitTransaction", 1)), "admin");
    }

    private static BsonBuilder Within(BsonBuilder command, bool starts = false)
    {
        command.BeginDocument("lsid").AppendBinary("id", new byte[16], 4).End().Append("txnNumber", 1L).Append("autocommit", false);
        return starts ? command.Append("startTransaction", true) : command;
    }

    // A second seed can be asked for with BOTBACKUP_TEST_SEED.
    [Fact]
    public void Every_moment_of_a_full_and_twenty_increments()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("BOTBACKUP_TEST_SEED"), out var given) ? given : 1;
        var random = new Random(seed);
        using var stage = new WriterStage(seed);
        stage.Write(100);
        var full = stage.BackUp(BackupType.Full, during: 100);
        var backups = new List<BotBackup> { full };
        for (var count = 0; count < 20; count++)
        {
            stage.Write(random.Next(50));
            if (random.Next(3) == 0)
                stage.CutTransaction();
            backups.Add(stage.BackUp(BackupType.Incremental, during: random.Next(9)));
            stage.Release();
        }

        stage.Write(30);
        var entries = stage.Run.Entries();
        var (from, to) = (Moment(full.Oplog!.End!), Moment(backups[^1].Oplog!.End!));
        var ends = backups.Select(backup => Moment(backup.Oplog!.End!)).Where(end => entries.First(entry => entry.Time == end).Part?.IsSettled != false).OrderBy(_ => random.Next()).Take(10);
        var moments = ends.Append(from).Append(to).Concat(WriterRun.Moments(entries, from, to, random, 60)).Distinct().Take(50).ToList();
        var states = WriterLog.StatesAt(entries, moments);
        Assert.Equal(50, moments.Count);
        foreach (var moment in moments)
        {
            stage.Write(3);
            var entry = entries.First(entry => entry.Time == moment);
            Check(seed, states[moment], stage.Restore(full, new Engine.Restores.PointInTime(moment)), $"moment {moment}, {entry}");
        }
    }

    private static void Check(int seed, IReadOnlyList<string> expected, IReadOnlyList<string> actual, string what)
    {
        var difference = WriterPicture.Difference(expected, actual);
        Assert.True(difference is null, $"seed {seed}, {what}: {difference}");
    }

    private static BsonTimestamp Moment(string text) => BsonTimestamp.TryParse(text, out var moment) ? moment : throw new FormatException(text);
}
