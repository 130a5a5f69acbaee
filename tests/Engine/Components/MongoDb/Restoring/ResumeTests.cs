using BotCore.Backup.Engine.Components.MongoDb;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Engine.Components.MongoDb.Restoring;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Engine.Tests.Components.MongoDb.Replay;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Restoring;

/// <summary>A restore that dies, wherever it is, and is run again: the outcome is the same, and what was loaded is not loaded twice.</summary>
public sealed class ResumeTests
{
    private const int MostCommands = 400;

    [Fact]
    public void A_restore_that_dies_at_any_command_ends_right_when_it_is_run_again()
    {
        var expected = Expected(out var commands);
        Assert.InRange(commands, 40, MostCommands);
        var (resumed, begunAnew, takenBack) = (0, 0, 0);
        for (var at = 0; at < commands; at++)
        {
            foreach (var moment in (SandboxFaultMoment[])[SandboxFaultMoment.BeforeCommand, SandboxFaultMoment.BeforeReply])
            {
                using var place = new Place();
                place.DieAt(at, moment);
                var survived = Run(place, out _);
                place.Live();
                Assert.True(Run(place, out var after), string.Join('\n', after));
                Assert.True(string.Equals(expected, place.Mongo.Describe(), StringComparison.Ordinal), $"Command {at}, {moment}: {place.Mongo.Describe()}");
                Assert.All(place.Mongo.Leftovers(), left => Assert.StartsWith("__bot_undo_", left, StringComparison.Ordinal));
                if (survived)
                    continue;
                var text = string.Join('\n', after);
                resumed += text.Contains("It resumes at", StringComparison.Ordinal) ? 1 : 0;
                begunAnew += text.Contains("loaded anew", StringComparison.Ordinal) ? 1 : 0;
                takenBack += text.Contains("taken back", StringComparison.Ordinal) ? 1 : 0;
                if (text.Contains("It resumes at", StringComparison.Ordinal))
                    Assert.DoesNotContain("read back from the server", text, StringComparison.Ordinal);
            }
        }

        Assert.True(resumed > 40 && begunAnew > 5 && takenBack > 3, $"{commands} commands: {resumed} resumed, {begunAnew} begun anew, {takenBack} taken back");
    }

    [ToolFact("pwsh")]
    public void A_process_that_is_killed_in_the_middle_of_the_replay_is_taken_up_by_another()
    {
        var expected = Expected(out _);
        using var replaying = new ManualResetEventSlim();
        using var gate = new ManualResetEventSlim();
        var isChild = true;
        using var mongo = new MongoPlatform(new SandboxOptions
        {
            Fault = (command, ns, count) =>
            {
                if (!Volatile.Read(ref isChild) || command is not "applyOps" || count < 8)
                    return null;
                replaying.Set();
                return new SandboxFault(SandboxFaultKind.Delay, SandboxFaultMoment.BeforeCommand, Gate: gate);
            },
        });
        mongo.Insert("a", """{"_id": "old"}""");
        mongo.Insert("other", """{"_id": "stays"}""");
        var tests = typeof(ResumeChild).Assembly.Location;
        var script = $"$t = [Reflection.Assembly]::LoadFrom('{tests}').GetType('{typeof(ResumeChild).FullName}'); $t.GetMethod('Run', [Reflection.BindingFlags]'Static,NonPublic,Public').Invoke($null, @('{mongo.Uri}', '{mongo.Database}', '{mongo.Folder}'))";
        using (var child = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("pwsh", ["-NoProfile", "-NonInteractive", "-Command", script]) { UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true })!)
        {
            var output = child.StandardOutput.ReadToEndAsync();
            while (!replaying.Wait(100))
                Assert.False(child.HasExited, child.HasExited ? output.Result + child.StandardError.ReadToEnd() : "");
            Assert.Equal(FailureKind.Locked, Assert.Throws<BackupException>(() => ResumeChild.Run(mongo.Uri, mongo.Database, mongo.Folder)).Failure.Kind);
            // SIGKILL: nothing of it can be caught.
            child.Kill();
            child.WaitForExit();
        }

        Volatile.Write(ref isChild, false);
        gate.Set();
        var said = ResumeChild.Run(mongo.Uri, mongo.Database, mongo.Folder);
        Assert.Contains("It resumes at", said, StringComparison.Ordinal);
        Assert.DoesNotContain("read back from the server", said, StringComparison.Ordinal);
        Assert.Equal(expected, mongo.Describe());
        Assert.All(mongo.Leftovers(), left => Assert.StartsWith("__bot_undo_", left, StringComparison.Ordinal));
    }

    [Fact]
    public void Two_at_once_meet_and_the_second_is_refused()
    {
        using var place = new Place();
        BackupException? refused = null;
        place.Dump.Reading = () => refused ??= Assert.Throws<BackupException>(() => OverwriteTests.Job(place.Mongo, Build(new MemoryDump(), place.Mongo.Database)).Run(default));
        Assert.True(Run(place, out _));
        Assert.Equal(FailureKind.Locked, refused!.Failure.Kind);
        Assert.Contains(Environment.MachineName, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_another_restore_left_is_named_and_dropped_by_its_id()
    {
        using var place = new Place();
        place.DieAt(30, SandboxFaultMoment.BeforeCommand);
        Assert.False(Run(place, out _));
        place.Live();
        var left = place.Mongo.Leftovers();
        var id = left.First(name => name.Contains('.', StringComparison.Ordinal))["__bot_".Length..].Split('.')[0];

        var said = new List<string>();
        var other = new MemoryDump { Identity = "another" }.Add(place.Mongo.Database, "mine", null, ["""{"_id": 1}"""]);
        OverwriteTests.Job(place.Mongo, other, tell: happened => said.Add(happened is Warned warned ? warned.Text : "")).Run(default);
        Assert.Contains(said, text => text.Contains($"Undo-BotRestore -Id {id}", StringComparison.Ordinal));

        Assert.DoesNotContain([.. UndoRunner.Run(place.Mongo.Session(), id, null, default).ToBlockingEnumerable()], happened => happened is Failed);
        Assert.All(place.Mongo.Leftovers(), name => Assert.StartsWith("__bot_undo_", name, StringComparison.Ordinal));
        Assert.IsType<Failed>(UndoRunner.Run(place.Mongo.Session(), id, null, default).ToBlockingEnumerable().Last());
    }

    [Fact]
    public void A_dump_that_cannot_be_told_from_others_is_never_resumed()
    {
        using var place = new Place { Dump = { Identity = null } };
        place.DieAt(30, SandboxFaultMoment.BeforeCommand);
        Assert.False(Run(place, out _));
        place.Live();
        Assert.True(Run(place, out var said));
        Assert.DoesNotContain(said, text => text.Contains("interrupted", StringComparison.Ordinal) && text.Contains("begun", StringComparison.Ordinal));
        Assert.Contains(said, text => text.Contains("read back from the server", StringComparison.Ordinal));
    }

    [Fact]
    public void A_claim_is_taken_over_from_the_dead_and_from_nobody_else()
    {
        using var mongo = new MongoPlatform();
        var fingerprint = new string('a', 64);
        var first = RestoreClaim.Take(mongo.Client, mongo.Database, fingerprint, "it", default);
        Assert.Equal(FailureKind.Locked, Assert.Throws<BackupException>(() => RestoreClaim.Take(mongo.Client, mongo.Database, fingerprint, "it", default)).Failure.Kind);
        first.Enter(RestorePhase.Replaying, default);
        first.Save(new ReplayCheckpoint(new BsonTimestamp(5, 6), [new AwaitedDelete("a.b", UInt128.MaxValue - 5, new BsonTimestamp(5, 5))]) { Commands = 3 }, default);

        // Another machine, of which nothing is heard.
        Change(mongo, fingerprint, "owner.place", "elsewhere");
        Assert.Equal(FailureKind.Locked, Assert.Throws<BackupException>(() => RestoreClaim.Take(mongo.Client, mongo.Database, fingerprint, "it", default)).Failure.Kind);
        mongo.Run(Update(fingerprint, new BsonBuilder().AppendDateTime("beat", DateTimeOffset.UtcNow.AddMinutes(-3).ToUnixTimeMilliseconds()).ToBson()));
        using var second = RestoreClaim.Take(mongo.Client, mongo.Database, fingerprint, "it", default);
        Assert.Equal(first.Id, second.Id);
        Assert.Equal((new BsonTimestamp(5, 6), 3), (second.Found!.Applied!.AppliedTo, second.Found.Applied.Commands));
        Assert.Equal([new AwaitedDelete("a.b", UInt128.MaxValue - 5, new BsonTimestamp(5, 5))], second.Found.Applied.Awaited);

        Assert.Equal(FailureKind.Locked, Assert.Throws<BackupException>(() => first.Enter(RestorePhase.Indexing, default)).Failure.Kind);
        Assert.True(first.Lost.IsCancellationRequested);
        first.Dispose();
        second.Enter(RestorePhase.Indexing, default);
    }

    [Fact]
    public void A_restore_that_died_after_its_swap_is_not_taken_back_by_the_next_one()
    {
        var isDying = true;
        using var mongo = new MongoPlatform(new SandboxOptions
        {
            Fault = (command, ns, _) => isDying && command is "drop" && ns.Contains(RestoreClaim.Prefix, StringComparison.Ordinal) ? new SandboxFault(SandboxFaultKind.Error, Code: 8000) : null,
        });
        mongo.Insert("a", """{"_id": "old"}""");
        MemoryDump Dump() => new MemoryDump { Identity = "it" }.Add(mongo.Database, "a", null, ["""{"_id": 1}"""]);
        var before = mongo.Describe();
        var said = new List<string>();
        // What comes behind the swap is done although the record cannot be dropped.
        var first = OverwriteTests.Job(mongo, Dump(), tell: Tell).Run(default);
        Assert.Contains(said, text => text.Contains("could not be dropped", StringComparison.Ordinal));
        isDying = false;

        mongo.Insert("a", """{"_id": "written since"}""");
        var between = mongo.Describe();
        IReadOnlyList<DumpNamespace> overwritten = [];
        var second = OverwriteTests.Job(mongo, Dump(), options => options with { Overwriting = names => overwritten = names }, Tell).Run(default);
        Assert.NotEqual(first.Id, second.Id, StringComparer.Ordinal);
        Assert.Single(overwritten);
        Assert.Contains(said, text => text.Contains("begins anew", StringComparison.Ordinal) && text.Contains(first.Id, StringComparison.Ordinal));
        Assert.DoesNotContain([.. UndoRunner.Run(mongo.Session(), second.Id, null, default).ToBlockingEnumerable()], happened => happened is Failed);
        Assert.Equal(between, mongo.Describe());
        Assert.DoesNotContain([.. UndoRunner.Run(mongo.Session(), first.Id, null, default).ToBlockingEnumerable()], happened => happened is Failed);
        Assert.Equal(before, mongo.Describe());
        Assert.Empty(mongo.Leftovers());

        void Tell(BackupEvent happened) => said.Add(happened is Warned warned ? warned.Text : "");
    }

    [Theory]
    [InlineData("undo_{0}")]
    [InlineData("{0}.a")]
    [InlineData("")]
    [InlineData("ABCDEF01")]
    public void An_undo_takes_nothing_but_an_id(string pattern)
    {
        using var mongo = new MongoPlatform();
        mongo.Insert("a", """{"_id": "old"}""");
        var before = mongo.Describe();
        var id = OverwriteTests.Job(mongo, new MemoryDump().Add(mongo.Database, "a", null, ["""{"_id": 1}"""])).Run(default).Id;
        var failed = Assert.IsType<Failed>(UndoRunner.Run(mongo.Session(), string.Format(System.Globalization.CultureInfo.InvariantCulture, pattern, id), null, default).ToBlockingEnumerable().Last());
        Assert.Equal(FailureKind.ConfigurationInvalid, failed.Failure.Kind);
        Assert.DoesNotContain([.. UndoRunner.Run(mongo.Session(), id, null, default).ToBlockingEnumerable()], happened => happened is Failed);
        Assert.Equal(before, mongo.Describe());
    }

    [Fact]
    public void A_checkpoint_that_does_not_fit_voids_the_one_before()
    {
        using var mongo = new MongoPlatform();
        var fingerprint = new string('b', 64);
        using (var claim = RestoreClaim.Take(mongo.Client, mongo.Database, fingerprint, "it", default))
        {
            claim.Enter(RestorePhase.Replaying, default);
            claim.Save(new ReplayCheckpoint(new BsonTimestamp(5, 6), []), default);
            claim.Save(new ReplayCheckpoint(new BsonTimestamp(7, 8), [.. Enumerable.Repeat(new AwaitedDelete("a.b", 1, default), 50_000)]), default);
        }

        using (var next = RestoreClaim.Take(mongo.Client, mongo.Database, fingerprint, "it", default))
        {
            Assert.Equal((RestorePhase.Loading, null), (next.Found!.Phase, next.Found.Applied));
        }

        // Sixteen digits of it are the record's name, and all of them are compared.
        Assert.Equal(FailureKind.Locked, Assert.Throws<BackupException>(() => RestoreClaim.Take(mongo.Client, mongo.Database, fingerprint[..63] + "c", "it", default)).Failure.Kind);
    }

    [Fact]
    public void What_another_process_has_taken_over_is_not_dropped_by_a_failure()
    {
        using var mongo = new MongoPlatform();
        var said = new List<string>();
        var job = OverwriteTests.Job(mongo, new MemoryDump { Identity = "it" }.Add(mongo.Database, "a", null, ["""{"_id": 1}"""]), options => options with
        {
            Moved = (doing, _) =>
            {
                if (doing is not "reading back")
                    return;
                var record = mongo.Leftovers().Single(name => name.StartsWith(RestoreClaim.Prefix, StringComparison.Ordinal));
                mongo.Json("""{"update": "RECORD", "updates": [{"q": {}, "u": {"$set": {"owner.token": "another"}}}]}""".Replace("RECORD", record, StringComparison.Ordinal));
                throw new BackupException(FailureKind.RestoreFailed, "It fails.", "Try again.");
            },
        }, happened => said.Add(happened is Warned warned ? warned.Text : ""));
        Assert.Throws<BackupException>(() => job.Run(default));
        Assert.Contains(mongo.Leftovers(), name => name.EndsWith(".a", StringComparison.Ordinal));
        Assert.Contains(said, text => text.Contains("was left as it is", StringComparison.Ordinal));
    }

    private static void Change(MongoPlatform mongo, string fingerprint, string field, string value) => mongo.Run(Update(fingerprint, new BsonBuilder().Append(field, value).ToBson()));

    private static BsonBuilder Update(string fingerprint, RawBson set) => new BsonBuilder().Append("update", RestoreClaim.Prefix + fingerprint[..16])
        .BeginArray("updates").BeginDocument("0").BeginDocument("q").End().BeginDocument("u").Append("$set", set).End().End().End();

    private static string Expected(out int commands)
    {
        using var place = new Place();
        Assert.True(Run(place, out var said), string.Join('\n', said));
        commands = place.Commands;
        return place.Mongo.Describe();
    }

    private static bool Run(Place place, out List<string> said)
    {
        var told = said = [];
        try
        {
            var options = new MongoRestoreOptions { SpillFolder = place.Mongo.Folder, Threads = 2 };
            // A server that will be dead is not waited for.
            var server = MongoTarget.Of(SecretUri.WithPassword(place.Mongo.Uri + (place.WillDie ? "&serverSelectionTimeoutMS=50" : "")));
            new MongoRestoreJob(server, place.Dump, options, happened => told.Add(happened switch { Said one => one.Text, Warned one => one.Text, _ => "" })).Run(default);
            return true;
        }
        catch (BackupException wrong)
        {
            told.Add($"{wrong.Message} {wrong.Failure.Advice}");
            return false;
        }
    }

    // Documents, and an oplog with everything in it that moves collections about.
    internal static MemoryDump Build(MemoryDump dump, string database)
    {
        var (a, b, capped, made) = (Id(1), Id(2), Id(3), Id(4));
        dump.Identity = "the dump";
        dump.Add(database, "a", a, [.. Enumerable.Range(0, 20).Select(n => $$"""{"_id": {{n}}, "x": 0}""")], ["""{"v": 2, "key": {"x": 1}, "name": "x_1"}"""])
            .Add(database, "b", b, ["""{"_id": "b"}"""])
            .Add(database, "capped", capped, ["""{"_id": 1}"""], options: """{"capped": true, "size": 4096, "max": 3}""")
            .Add(database, "view", null, [], options: """{"viewOn": "a", "pipeline": []}""");
        var log = new OplogWriter();
        log.Create($"{database}.made", made);
        Write(log, $"{database}.made", made);
        log.Transaction(1, [Operation(log, $"{database}.a", a, 100), Operation(log, $"{database}.made", made, 101)], 1);
        log.Rename($"{database}.made", $"{database}.b", made, victim: b);
        Write(log, $"{database}.b", made);
        log.Command($"{database}.a", a, o => o.Append("collMod", "a").Append("validationLevel", "off"));
        log.CreateIndex($"{database}.b", made, "x");
        for (var id = 10; id < 20; id++)
            log.Insert($"{database}.capped", capped, id, id);
        log.Create($"{database}.short", Id(5));
        log.Insert($"{database}.short", Id(5), 1, 1);
        log.Drop($"{database}.short", Id(5));
        log.Create($"{database}.short", Id(6));
        log.Rename($"{database}.short", $"{database}.longer", Id(6));
        log.Create($"{database}.short", Id(7));
        log.Insert($"{database}.short", Id(7), 7, 7);
        Write(log, $"{database}.a", a);
        log.Command($"{database}.short", Id(7), o => o.Append("convertToCapped", "short").Append("size", 4096));
        log.NoOp();
        dump.Oplog.AddRange(log.Entries);
        return dump;
    }

    private static void Write(OplogWriter log, string ns, Guid uuid)
    {
        for (var id = 0; id < 6; id++)
        {
            log.Insert(ns, uuid, id, id);
            log.Set(ns, uuid, id, 10 + id);
        }

        log.Delete(ns, uuid, 3);
        log.Insert(ns, uuid, 3, 33);
        log.Delete(ns, uuid, 4);
    }

    private static RawBson Operation(OplogWriter log, string ns, Guid uuid, int id)
    {
        log.Insert(ns, uuid, id, id);
        return log.TakeOperation();
    }

    private static Guid Id(int number) => new(number, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0]);

    /// <summary>A server whose connections all break at a command, and stay broken until it lives again.</summary>
    private sealed class Place : IDisposable
    {
        private readonly Lock _gate = new();
        private SandboxFaultMoment _moment;
        private int _dieAt = int.MaxValue;
        private bool _isDead;

        public Place()
        {
            Mongo = new MongoPlatform(new SandboxOptions { Fault = (_, _, _) => Ask() });
            Build(Dump, Mongo.Database);
            // What stands there is replaced.
            Mongo.Insert("a", """{"_id": "old"}""");
            Mongo.Insert("other", """{"_id": "stays"}""");
            Commands = 0;
        }

        public MongoPlatform Mongo { get; }

        public MemoryDump Dump { get; } = new();

        public int Commands { get; private set; }

        public bool WillDie => _dieAt < int.MaxValue;

        public void DieAt(int command, SandboxFaultMoment moment)
        {
            lock (_gate)
                (Commands, _dieAt, _moment) = (0, command, moment);
        }

        public void Live()
        {
            lock (_gate)
                (_dieAt, _isDead) = (int.MaxValue, false);
        }

        public void Dispose() => Mongo.Dispose();

        private SandboxFault? Ask()
        {
            lock (_gate)
            {
                if (_isDead)
                    return new SandboxFault(SandboxFaultKind.CloseConnection);
                _isDead = Commands++ == _dieAt;
                return _isDead ? new SandboxFault(SandboxFaultKind.CloseConnection, _moment) : null;
            }
        }
    }
}

/// <summary>One restore, for a process of its own.</summary>
internal static class ResumeChild
{
    public static string Run(string uri, string database, string folder)
    {
        var said = new List<string>();
        new MongoRestoreJob(
            MongoTarget.Of(SecretUri.WithPassword(uri)),
            ResumeTests.Build(new MemoryDump(), database),
            new MongoRestoreOptions { SpillFolder = folder, Threads = 2 },
            happened => said.Add(happened switch { Said one => one.Text, Warned one => one.Text, _ => "" })).Run(default);
        return string.Join('\n', said);
    }
}
