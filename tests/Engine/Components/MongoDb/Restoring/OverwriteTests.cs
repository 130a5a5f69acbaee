using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components.MongoDb;
using BotCore.Backup.Engine.Components.MongoDb.Restoring;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Restoring;

/// <summary>A restore over what stands there: nothing is lost, everything can be taken back, and half of it never stays.</summary>
public sealed class OverwriteTests
{
    [Fact]
    public void The_snapshot_and_the_undo_each_bring_back_what_stood_there()
    {
        using var mongo = new MongoPlatform();
        var (session, backup) = Prepare(mongo);
        var backed = mongo.Describe();
        Change(mongo);
        var changed = mongo.Describe();

        var restore = Restore(session, backup);
        Assert.Equal(backed + Others, WithOthers(mongo));
        Assert.Equal(changed, Undo(mongo, session, restore));
        Assert.Empty(mongo.Leftovers());
        var again = MongoFailure([.. UndoRunner.Run(session, [restore], default).ToBlockingEnumerable()]);
        Assert.Equal(FailureKind.BackupNotFound, again.Kind);
        Assert.Contains("was undone", again.Message, StringComparison.Ordinal);

        var second = Restore(session, backup);
        Assert.Equal(backed + Others, WithOthers(mongo));
        Restore(session, second.Snapshot!);
        // A snapshot holds what was replaced; what was new stays beside it.
        mongo.Json("""{"drop": "gone later"}""");
        Assert.Equal(changed, mongo.Describe());
    }

    [Fact]
    public void An_undo_by_id_needs_nothing_but_the_server()
    {
        using var mongo = new MongoPlatform();
        var (session, backup) = Prepare(mongo);
        Change(mongo);
        var changed = mongo.Describe();
        var restore = Restore(session, backup);

        Assert.DoesNotContain([.. UndoRunner.Run(mongo.Session(), restore.Undo!.Id, null, default).ToBlockingEnumerable()], happened => happened is Failed);
        Assert.Equal(changed, mongo.Describe());
        var none = MongoFailure([.. UndoRunner.Run(session, restore.Undo.Id, null, default).ToBlockingEnumerable()]);
        Assert.Equal(FailureKind.BackupNotFound, none.Kind);
    }

    [Fact]
    public void An_undo_that_was_interrupted_between_two_databases_can_be_repeated()
    {
        using var mongo = new MongoPlatform();
        var second = mongo.NewDatabase("second");
        mongo.Insert("a", """{"_id": 1}""");
        mongo.Insert("b", [ExtendedJson.Read("""{"_id": 2}""")], second);
        var dump = new MemoryDump().Add(mongo.Database, "a", null, ["""{"_id": 10}"""]).Add(second, "b", null, ["""{"_id": 20}"""]);
        var result = Job(mongo, dump).Run(default);
        Assert.Equal(2, result.Databases.Count);
        var session = mongo.Session();
        var restore = new BotBackupRestore
        {
            Backup = mongo.BackUp(session),
            Destination = "there",
            Outcome = Outcome.Succeeded,
            Partial = false,
            Counts = new RestoreCounts(0, 0, 0, 0),
            Duration = default,
            Undo = new RestoreUndo(result.Id, result.Databases) { Server = MongoTarget.Of(SecretUri.WithPassword(mongo.Uri)) },
        };

        new UndoJournal(mongo.Client, default).Remove(result.Id, mongo.Database);
        Workplace.Item<BotBackupRestore>([.. UndoRunner.Run(session, [restore], default).ToBlockingEnumerable()]);
        Assert.Equal(["""{"_id":{"$numberInt":"2"}}"""], mongo.Texts("b", second));
    }

    [Fact]
    public void Without_a_snapshot_it_takes_force_to_replace_something()
    {
        using var mongo = new MongoPlatform();
        var (session, backup) = Prepare(mongo);
        Change(mongo);
        var changed = mongo.Describe();

        var refused = MongoFailure(MongoPlatform.RunRestore(session, backup, new RestoreRequest { NoSnapshot = true }));
        Assert.Equal(FailureKind.DestinationNotEmpty, refused.Kind);
        Assert.Equal(changed, mongo.Describe());
        Assert.Empty(mongo.Leftovers());

        var restore = Workplace.Item<BotBackupRestore>(MongoPlatform.RunRestore(session, backup, new RestoreRequest { NoSnapshot = true, Force = true }));
        Assert.Null(restore.Snapshot);
        Assert.Equal(changed, Undo(mongo, session, restore));
    }

    public static TheoryData<int> Renames => [.. Enumerable.Range(0, 7)];

    [Theory]
    [MemberData(nameof(Renames))]
    public void A_rename_that_the_server_refuses_takes_all_of_them_back(int at)
    {
        var renames = -1;
        using var mongo = new MongoPlatform(new SandboxOptions
        {
            Fault = (command, _, _) => command is "renameCollection" && renames >= 0 && renames++ == at ? new SandboxFault(SandboxFaultKind.Error, Code: 10107) : null,
        });
        var (session, backup) = Prepare(mongo);
        Change(mongo);
        var changed = mongo.Describe();
        renames = 0;

        var events = MongoPlatform.RunRestore(session, backup);

        Assert.True(renames > at, $"Only {renames} renames came.");
        Assert.Single(events.OfType<Failed>());
        Assert.Equal(changed, mongo.Describe());
        Assert.Empty(mongo.Leftovers());
    }

    [Theory]
    [MemberData(nameof(Renames))]
    public void A_restore_that_dies_between_two_renames_is_repaired_by_its_id(int at)
    {
        var renames = -1;
        using var mongo = new MongoPlatform(new SandboxOptions
        {
            // From that rename on nothing answers any more: no taking back, no tidying up.
            Fault = (command, _, _) => renames >= 0 && (renames > at || (command is "renameCollection" && renames++ == at)) ? new SandboxFault(SandboxFaultKind.CloseConnection) : null,
        });
        var (session, backup) = Prepare(mongo);
        Change(mongo);
        var changed = mongo.Describe();
        renames = 0;
        var failure = MongoFailure(MongoPlatform.RunRestore(session, backup));
        renames = -1;

        Assert.Contains("Undo-BotRestore -Id", failure.Advice, StringComparison.Ordinal);
        var id = mongo.Leftovers().Single(name => name.StartsWith("__bot_undo_", StringComparison.Ordinal) && !name.Contains('.', StringComparison.Ordinal))["__bot_undo_".Length..];
        Assert.Contains(id, failure.Advice, StringComparison.Ordinal);
        Assert.DoesNotContain([.. UndoRunner.Run(session, id, null, default).ToBlockingEnumerable()], happened => happened is Failed);
        Assert.Equal(changed, mongo.Describe());
        Assert.Empty(mongo.Leftovers());
    }

    [Fact]
    public void A_view_that_the_server_refuses_takes_the_swap_back()
    {
        using var mongo = new MongoPlatform();
        mongo.Insert("a", """{"_id": 1}""");
        var before = mongo.Describe();
        var dump = new MemoryDump().Add(mongo.Database, "a", null, ["""{"_id": 10}"""]).Add(mongo.Database, "v", null, [], options: """{"viewOn": "", "pipeline": []}""");

        Assert.Throws<BackupException>(() => Job(mongo, dump).Run(default));
        Assert.Equal(before, mongo.Describe());
        Assert.Empty(mongo.Leftovers());
    }

    [Fact]
    public void A_failure_behind_the_swap_says_how_to_undo()
    {
        using var mongo = new MongoPlatform();
        mongo.Insert("a", """{"_id": 1}""");
        var before = mongo.Describe();
        var dump = new MemoryDump().Add(mongo.Database, "a", null, ["""{"_id": 10}"""]).Add(mongo.Database, "ts", null, [], options: """{"timeseries": {"metaField": "no time field"}}""");

        var failure = Assert.Throws<BackupException>(() => Job(mongo, dump).Run(default)).Failure;
        var id = failure.Advice.Split("-Id ")[1][..8];
        Assert.DoesNotContain([.. UndoRunner.Run(mongo.Session(), id, null, default).ToBlockingEnumerable()], happened => happened is Failed);
        Assert.Equal(before, mongo.Describe());
    }

    internal static MongoRestoreJob Job(MongoPlatform mongo, MemoryDump dump, Func<MongoRestoreOptions, MongoRestoreOptions>? change = null, Action<BackupEvent>? tell = null)
    {
        var options = new MongoRestoreOptions { SpillFolder = mongo.Folder, Threads = 2 };
        return new MongoRestoreJob(MongoTarget.Of(SecretUri.WithPassword(mongo.Uri)), dump, change?.Invoke(options) ?? options, tell ?? (_ => { }));
    }

    internal static Failure MongoFailure(IReadOnlyList<BackupEvent> events)
    {
        Assert.DoesNotContain(events, happened => happened is Made { Item: BotBackupRestore });
        return Assert.Single(events.OfType<Failed>()).Failure;
    }

    private const string Others = "untouched";

    // Collections, a view of one of them, and a collection and a view that change places later.
    private static (BackupSession Session, BotBackup Backup) Prepare(MongoPlatform mongo)
    {
        mongo.Insert("a", [.. Enumerable.Range(0, 100).Select(n => $$"""{"_id": {{n}}, "x": {{n}}}""")]);
        mongo.Json("""{"createIndexes": "a", "indexes": [{"key": {"x": 1}, "name": "x", "unique": true}]}""");
        mongo.Insert("b", """{"_id": "b"}""");
        mongo.Insert("becomes view", """{"_id": "was a collection"}""");
        mongo.Json("""{"create": "becomes collection", "viewOn": "a", "pipeline": []}""");
        mongo.Json("""{"create": "view", "viewOn": "a", "pipeline": [{"$match": {"x": 1}}]}""");
        mongo.Insert("gone later", """{"_id": "gone"}""");
        var session = mongo.Session();
        return (session, mongo.BackUp(session));
    }

    private static void Change(MongoPlatform mongo)
    {
        mongo.Insert("a", """{"_id": "later", "x": -1}""");
        mongo.Json("""{"dropIndexes": "a", "index": "x"}""");
        mongo.Json("""{"drop": "becomes view"}""");
        mongo.Json("""{"create": "becomes view", "viewOn": "b", "pipeline": []}""");
        mongo.Json("""{"drop": "becomes collection"}""");
        mongo.Insert("becomes collection", """{"_id": "is a collection"}""");
        mongo.Json("""{"collMod": "view", "viewOn": "a", "pipeline": [{"$match": {"x": 2}}]}""");
        mongo.Json("""{"drop": "gone later"}""");
        mongo.Insert("zz other", """{"_id": "not in the backup"}""");
    }

    // What is not in the backup stays; its text comes last by name.
    private static string WithOthers(MongoPlatform mongo)
    {
        var text = mongo.Describe();
        var at = text.IndexOf("zz other", StringComparison.Ordinal);
        return at > 0 && mongo.SetOf("zz other").Count == 1 ? text[..at] + Others : text;
    }

    private static BotBackupRestore Restore(BackupSession session, BotBackup backup) => Workplace.Item<BotBackupRestore>(MongoPlatform.RunRestore(session, backup));

    private static string Undo(MongoPlatform mongo, BackupSession session, BotBackupRestore restore)
    {
        Workplace.Item<BotBackupRestore>([.. UndoRunner.Run(session, [restore], default).ToBlockingEnumerable()]);
        return mongo.Describe();
    }
}
