using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Engine.Retention;
using BotCore.Backup.Engine.Retention.Undo;
using BotCore.Backup.Engine.Tests.Components.MongoDb;
using BotCore.Backup.Engine.Tests.Components.MongoDb.Increments;
using BotCore.Backup.Protocols.MongoDb.Bson;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Retention;

/// <summary>What restores kept for an undo goes after its days, and nothing else does.</summary>
public sealed class UndoCleanUpTests
{
    [Fact]
    public void What_a_restore_kept_goes_after_its_days_and_is_announced_the_day_before()
    {
        using var mongo = new MongoPlatform();
        var session = mongo.Session();
        Slices.Write(mongo);
        var backup = mongo.BackUp(session);
        Slices.Write(mongo);
        var restore = Workplace.Item<BotBackupRestore>(MongoPlatform.RunRestore(session, backup));
        // What only looks like ours.
        mongo.Insert("__bot_undo_mine", [new BsonBuilder().Append("a", 1).ToBson()]);
        var policy = RetentionPolicy.Of(session.Configuration);
        var now = DateTimeOffset.UtcNow;
        IReadOnlyList<BotUndoRetention> Decide(int days) => UndoCleanUp.Decide(session, policy, now.AddDays(days), CancellationToken.None);

        var fresh = Assert.Single(Decide(0));
        Assert.Equal((restore.Undo!.Id, RetentionVerdict.Keep, 1), (fresh.Id, fresh.Verdict, fresh.Collections));
        Assert.InRange(fresh.Restored!.Value, now.AddMinutes(-5), now.AddMinutes(5));
        Assert.Empty(UndoCleanUp.Plan([fresh]));
        Assert.Empty(UndoCleanUp.Announcements([fresh]));
        Assert.Single(UndoCleanUp.Announcements(Decide(7)));

        var step = Assert.Single(UndoCleanUp.Plan(Decide(8)));
        var dropped = Workplace.Item<BotUndoRetention>([.. UndoCleanUp.Run(session, [step], CancellationToken.None).ToBlockingEnumerable()]);
        Assert.Equal(Outcome.Succeeded, dropped.Outcome);
        Assert.Equal(["__bot_undo_mine", "trades"], mongo.Collections());
        Assert.Empty(Decide(8));
        Assert.Equal(FailureKind.BackupNotFound, Workplace.Failure([.. UndoRunner.Run(session, [restore], CancellationToken.None).ToBlockingEnumerable()]).Kind);
    }

    [Fact]
    public void What_does_not_say_when_it_was_kept_stays()
    {
        using var mongo = new MongoPlatform();
        var session = mongo.Session();
        mongo.Insert("__bot_undo_0123abcd", [new BsonBuilder().Append("_id", "trades").Append("kept", "__bot_undo_0123abcd.trades").ToBson()]);
        mongo.Insert("__bot_undo_0123abcd.trades", [new BsonBuilder().Append("a", 1).ToBson()]);
        var decision = Assert.Single(UndoCleanUp.Decide(session, RetentionPolicy.Of(session.Configuration), DateTimeOffset.UtcNow.AddYears(9), CancellationToken.None));
        Assert.Equal((RetentionVerdict.Keep, null), (decision.Verdict, decision.Restored));
    }

    [Fact]
    public void A_server_that_is_away_is_said_to_be()
    {
        using var mongo = new MongoPlatform();
        var session = mongo.Session("mongodb://127.0.0.1:1/bot?serverSelectionTimeoutMS=200");
        Assert.Equal(FailureKind.SourceUnreachable, Assert.Throws<BackupException>(() => UndoCleanUp.Decide(session, RetentionPolicy.Of(session.Configuration), null, CancellationToken.None)).Failure.Kind);
    }
}
