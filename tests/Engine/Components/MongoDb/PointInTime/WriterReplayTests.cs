using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.PointInTime;

/// <summary>The writer and its model against the server itself, and the replay of its oplog against the model at moments in between.</summary>
public sealed class WriterReplayTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 4)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void The_server_holds_what_the_model_says(int seed)
    {
        using var mongo = new MongoPlatform();
        var writer = WriterRun.Start(mongo, seed, out var entries, steps: 600);
        Assert.True(writer.Difference() is null, $"seed {seed}: {writer.Difference()}");
        // All kinds of entries are there, or the other tests prove little.
        foreach (var kind in (string[])["i", "u", "d", "create", "drop", "renameCollection", "collMod", "createIndexes", "commitIndexBuild", "dropIndexes", "applyOps"])
            Assert.True(entries().Any(entry => string.Equals(entry.Kind, kind, StringComparison.Ordinal)), $"seed {seed} has no {kind}");
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_replay_from_nothing_gives_every_moment(int seed)
    {
        using var mongo = new MongoPlatform(new SandboxOptions { TransactionEntryBytes = 400 });
        var run = WriterRun.Start(mongo, seed, out var read, steps: 400);
        var entries = read();
        var random = new Random(seed);
        var moments = WriterRun.Moments(entries, entries[0].Time, entries[^1].Time, random, 12);
        var states = WriterLog.StatesAt(entries, moments);
        foreach (var moment in moments)
        {
            using var server = new SandboxServer(new SandboxOptions { UpsertOnApply = random.Next(2) == 0 });
            using var target = Connect(server);
            var catalogue = new IndexCatalogue();
            var options = new ReplayOptions { Lanes = 1 + random.Next(4), BatchOperations = 1 + random.Next(40), UpTo = moment, AtomicTransactions = random.Next(2) == 0 };
            Replay(target, catalogue, run.Oplog, options);
            IndexBuild.Run(target, catalogue, NamespaceMap.All, convertLegacy: false, CancellationToken.None);
            var difference = WriterPicture.Difference(states[moment], run.Picture(target));
            Assert.True(difference is null, $"seed {seed}, moment {moment}, {entries.First(entry => entry.Time == moment)}: {difference}");
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Replaying_any_end_of_the_oplog_again_changes_nothing(int seed)
    {
        using var mongo = new MongoPlatform(new SandboxOptions { TransactionEntryBytes = 400 });
        var run = WriterRun.Start(mongo, seed, out var read, steps: 400);
        run.Writer.Finish();
        var beginnings = Beginnings(read());
        var random = new Random(seed);
        using var server = new SandboxServer(new SandboxOptions { UpsertOnApply = seed % 2 == 0 });
        using var target = Connect(server);
        var catalogue = new IndexCatalogue();
        Replay(target, catalogue, run.Oplog, new ReplayOptions());
        for (var time = 0; time < 12; time++)
        {
            var from = beginnings[random.Next(beginnings.Count)];
            Replay(target, catalogue, run.Oplog.Skip(from), new ReplayOptions { Lanes = 1 + random.Next(4), BatchOperations = 1 + random.Next(30) });
            var difference = WriterPicture.Difference(WithoutIndexes(run.Writer.Model.Describe()), WithoutIndexes(run.Picture(target)));
            Assert.True(difference is null, $"seed {seed}, from entry {from} of {run.Oplog.Count}: {difference}");
        }

        IndexBuild.Run(target, catalogue, NamespaceMap.All, convertLegacy: false, CancellationToken.None);
        Assert.True(WriterPicture.Difference(run.Writer.Model.Describe(), run.Picture(target)) is null, $"seed {seed}: {WriterPicture.Difference(run.Writer.Model.Describe(), run.Picture(target))}");
    }

    private static MongoClient Connect(SandboxServer server) =>
        MongoClient.Connect(MongoConnectionString.Parse(server.ConnectionString), new MongoClientOptions { RequirePrimary = true, MaxConnections = 8 }, CancellationToken.None);

    private static void Replay(MongoClient target, IndexCatalogue catalogue, IEnumerable<RawBson> entries, ReplayOptions options)
    {
        using var replayer = new OplogReplayer(target, NamespaceMap.All, catalogue, options, CancellationToken.None);
        foreach (var entry in entries)
        {
            if (!replayer.Apply(entry.Span))
                break;
        }

        replayer.Complete();
    }

    private static IReadOnlyList<string> WithoutIndexes(IReadOnlyList<string> lines) => [.. lines.Where(line => !line.Contains(" index ", StringComparison.Ordinal))];

    // Places where no transaction is half-way: a slice that begins elsewhere is refused.
    private static List<int> Beginnings(IReadOnlyList<WriterEntry> entries)
    {
        var found = new List<int>();
        var (inChain, prepared) = (false, 0);
        for (var at = 0; at < entries.Count; at++)
        {
            if (!inChain && prepared == 0)
                found.Add(at);
            inChain = entries[at].IsPartial;
            prepared += entries[at].Kind switch { "prepare" => 1, "commitTransaction" or "abortTransaction" => -1, _ => 0 };
        }

        return found;
    }
}
