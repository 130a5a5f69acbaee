using System.Diagnostics;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Dumping;

/// <summary>What goes wrong while a dump runs: the archive is whole, or there is none.</summary>
public sealed class DumpDisturbanceTests
{
    /// <summary>What is done to <c>victim</c>.</summary>
    public static TheoryData<string, string> Acts
    {
        get
        {
            var acts = new TheoryData<string, string>();
            foreach (var moment in new[] { "listIndexes", "find", "getMore" })
            {
                foreach (var act in new[] { "drop", "rename", "swap", "create", "recreate", "replace", "index", "remove", "empty" })
                    acts.Add(moment, act);
            }

            return acts;
        }
    }

    [Theory]
    [MemberData(nameof(Acts))]
    public void What_a_restore_gives_is_what_the_server_holds_at_the_end(string moment, string act)
    {
        using var trouble = new Trouble();
        var mongo = trouble.Mongo;
        mongo.Insert("victim", Trouble.Numbered(400));
        trouble.Index("victim", "text");
        // After the index, so that the slice does not begin with it: the dump has to find it itself.
        mongo.Insert("other", Trouble.Numbered(300, "other"));
        var acted = false;
        trouble.Once(moment, "victim", () =>
        {
            acted = true;
            Do(trouble, act);
            return null;
        });

        var session = mongo.Session();
        var backup = mongo.BackUp(session);

        Assert.True(acted);
        Compare(trouble, backup, session);
    }

    [Theory]
    [InlineData("getMore", SandboxFaultMoment.BeforeCommand)]
    [InlineData("getMore", SandboxFaultMoment.BeforeReply)]
    [InlineData("getMore", SandboxFaultMoment.WithinReply)]
    [InlineData("find", SandboxFaultMoment.WithinReply)]
    [InlineData("listIndexes", SandboxFaultMoment.WithinReply)]
    public void A_connection_that_is_closed_once_is_mended(string command, SandboxFaultMoment moment)
    {
        using var trouble = new Trouble();
        var mongo = trouble.Mongo;
        mongo.Insert("victim", Trouble.Numbered(3000));
        trouble.Once(command, "victim", () => new SandboxFault(SandboxFaultKind.CloseConnection, moment));

        var session = mongo.Session();
        var backup = mongo.BackUp(session);

        Assert.Equal(3000, backup.Manifest!.MongoDb!.Documents);
        Compare(trouble, backup, session);
    }

    [Fact]
    public void All_connections_closed_in_the_middle_are_mended_too()
    {
        using var trouble = new Trouble();
        var mongo = trouble.Mongo;
        mongo.Insert("victim", Trouble.Numbered(3000));
        using var written = new ManualResetEventSlim();
        var reads = 0;
        // The oplog's cursor too, while it waits.
        trouble.Always((command, space) =>
        {
            if (!space.EndsWith(".victim", StringComparison.Ordinal) || (command is not "getMore" && Volatile.Read(ref reads) == 0))
                return null;
            if (Interlocked.Increment(ref reads) > 1)
            {
                // The dump comes back at once: it must not be done before this is written.
                written.Wait(TimeSpan.FromSeconds(30));
                return null;
            }

            mongo.Sandbox.CloseConnections();
            mongo.Insert("after", Trouble.Numbered(5));
            written.Set();
            return null;
        });
        var session = mongo.Session();
        Compare(trouble, mongo.BackUp(session), session);
    }

    [Theory]
    [InlineData("getMore", "victim")]
    [InlineData("find", "victim")]
    [InlineData("find", "oplog.rs")]
    public void A_connection_that_is_always_closed_is_SourceUnreachable_and_nothing_is_kept(string command, string collection)
    {
        using var trouble = new Trouble();
        var mongo = trouble.Mongo;
        mongo.Insert("victim", Trouble.Numbered(3000));
        var session = mongo.Session();
        trouble.Always((name, space) => string.Equals(name, command, StringComparison.Ordinal) && space.EndsWith("." + collection, StringComparison.Ordinal) ? trouble.CutOff : null);

        var failure = Workplace.Failure(MongoPlatform.RunBackup(session));

        Assert.Equal(FailureKind.SourceUnreachable, failure.Kind);
        Assert.NotEmpty(failure.Advice);
        NothingKept(mongo);
    }

    [Theory]
    [InlineData(43)]
    [InlineData(175)]
    [InlineData(11602)]
    public void A_cursor_that_the_server_lost_is_opened_again(int code)
    {
        using var trouble = new Trouble();
        var mongo = trouble.Mongo;
        mongo.Insert("victim", Trouble.Numbered(3000));
        trouble.Once("getMore", "victim", () => new SandboxFault(SandboxFaultKind.Error, Code: code));
        var session = mongo.Session();
        Compare(trouble, mongo.BackUp(session), session);
    }

    [Fact]
    public void An_error_that_no_attempt_mends_fails_at_once()
    {
        using var trouble = new Trouble();
        var mongo = trouble.Mongo;
        mongo.Insert("victim", Trouble.Numbered(3000));
        var asked = 0;
        var session = mongo.Session();
        trouble.Always((name, space) => name is "getMore" && space.EndsWith(".victim", StringComparison.Ordinal) && Interlocked.Increment(ref asked) > 0 ? new SandboxFault(SandboxFaultKind.Error, Code: 8) : null);

        var failure = Workplace.Failure(MongoPlatform.RunBackup(session));

        Assert.Equal(FailureKind.SourceUnreachable, failure.Kind);
        Assert.Contains("victim", failure.ToString() + failure.Message, StringComparison.Ordinal);
        NothingKept(mongo);
    }

    [Fact]
    public void Cancelled_in_the_middle_it_ends_soon_and_leaves_nothing()
    {
        using var trouble = new Trouble();
        var mongo = trouble.Mongo;
        mongo.Insert("victim", Trouble.Numbered(5000, size: 1000));
        mongo.BackUp();
        var before = Workplace.Describe(mongo.Store);
        using var cancel = new CancellationTokenSource();
        using var gate = new ManualResetEventSlim();
        trouble.Once("getMore", "victim", () =>
        {
            cancel.Cancel();
            return new SandboxFault(SandboxFaultKind.Delay, Gate: gate);
        });
        var session = mongo.Session();
        var steps = Engine.Backups.BackupPlanner.Plan(session, new Engine.Backups.BackupRequest { Components = [Engine.Components.Component.MongoDb] }, _ => { }, default);

        var watch = Stopwatch.StartNew();
        try
        {
            var events = Engine.Backups.BackupRunner.Run(session, steps, cancel.Token).ToBlockingEnumerable(CancellationToken.None).ToList();
            Assert.Empty(events.OfType<Made>());
        }
        catch (OperationCanceledException)
        {
            // That is as good an end.
        }

        // The server never answers: only the closed connection ends the wait.
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), watch.Elapsed.ToString());
        gate.Set();
        Assert.Equal(before, Workplace.Describe(mongo.Store));
        Assert.Empty(OpenSpills(mongo));
    }

    [Fact]
    public void Five_thousand_collections_are_all_there()
    {
        using var mongo = new MongoPlatform();
        for (var number = 0; number < 5000; number++)
            mongo.Insert($"c{number:D4}", [new BsonBuilder().Append("_id", number).ToBson()]);
        var backup = mongo.BackUp();

        Assert.Equal((5000, 5000L), (backup.Manifest!.MongoDb!.Collections, backup.Manifest.MongoDb.Documents));
    }

    /// <summary>Nothing with the name of a backup, and no open file without a name.</summary>
    internal static void NothingKept(MongoPlatform mongo)
    {
        Assert.DoesNotContain(Workplace.Describe(mongo.Store), one => one.Contains(".tar", StringComparison.Ordinal) || one.Contains("spill", StringComparison.Ordinal) || one.Contains("partial", StringComparison.Ordinal));
        Assert.Empty(OpenSpills(mongo));
    }

    internal static IEnumerable<string> OpenSpills(MongoPlatform mongo)
    {
        if (!OperatingSystem.IsLinux())
            return [];
        return Directory.EnumerateFileSystemEntries("/proc/self/fd").Select(one => new FileInfo(one).LinkTarget ?? "").Where(target => target.StartsWith(mongo.Folder, StringComparison.Ordinal) && target.EndsWith("(deleted)", StringComparison.Ordinal));
    }

    internal static void Compare(Trouble trouble, Engine.Catalog.BotBackup backup, BackupSession session)
    {
        trouble.Always(null);
        var mongo = trouble.Mongo;
        var other = mongo.NewDatabase("compared");
        Workplace.Item<BotBackupRestore>(MongoPlatform.RunRestore(session, backup, new RestoreRequest { Server = SecretUri.WithPassword(mongo.UriOf(other)) }));
        var names = mongo.Collections();
        Assert.Equal(names, mongo.Collections(other).Where(name => !name.StartsWith("__bot_", StringComparison.Ordinal)), StringComparer.Ordinal);
        Assert.All(names, name =>
        {
            Assert.Equal(mongo.SetOf(name).ToString(), mongo.SetOf(name, other).ToString());
            Assert.Equal(trouble.Indexes(name), trouble.Indexes(name, other));
        });
    }

    private static void Do(Trouble trouble, string act)
    {
        var mongo = trouble.Mongo;
        switch (act)
        {
            case "drop":
                trouble.Drop("victim");
                break;
            case "rename":
                trouble.Rename("victim", "elsewhere");
                break;
            case "swap":
                trouble.Rename("victim", "meanwhile");
                trouble.Rename("other", "victim");
                trouble.Rename("meanwhile", "other");
                break;
            case "create":
                mongo.Insert("late", Trouble.Numbered(200, "late"));
                trouble.Index("late", "text");
                break;
            case "recreate":
                trouble.Drop("victim");
                mongo.Insert("victim", Trouble.Numbered(150, "new"));
                trouble.Index("victim", "other");
                break;
            case "replace":
                trouble.Rename("victim", "old");
                mongo.Insert("victim", Trouble.Numbered(150, "new"));
                break;
            case "index":
                trouble.Index("victim", "more");
                mongo.Run(new BsonBuilder().Append("dropIndexes", "victim").Append("index", "by_text"));
                break;
            case "remove":
                mongo.Run(new BsonBuilder().Append("delete", "victim").BeginArray("deletes").BeginDocument("0").BeginDocument("q").BeginDocument("_id").Append("$gt", 50).End().End().Append("limit", 0).End().End());
                mongo.Insert("victim", [new BsonBuilder().Append("_id", 399).Append("text", "again").ToBson()]);
                break;
            default:
                mongo.Run(new BsonBuilder().Append("delete", "victim").BeginArray("deletes").BeginDocument("0").BeginDocument("q").End().Append("limit", 0).End().End());
                break;
        }
    }
}
