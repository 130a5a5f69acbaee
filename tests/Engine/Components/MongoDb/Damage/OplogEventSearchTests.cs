using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components.MongoDb.Damage;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Damage;

/// <summary>Events in the archives of a store, and in the oplog of the server.</summary>
public sealed class OplogEventSearchTests : IDisposable
{
    private readonly MongoPlatform _platform = new();
    private readonly BackupSession _session;

    public OplogEventSearchTests()
    {
        _session = _platform.Session();
        _platform.Insert("trades", Documents(0, 300));
    }

    [Fact]
    public void A_run_over_two_slices_is_one_event()
    {
        var chain = new ChainMaker(_platform, _session, _platform.BackUp(_session));
        Delete(0, 80);
        var first = chain.Cut();
        Delete(80, 150);
        chain.Cut();
        var one = Assert.Single(Find(new OplogEventRequest { Kinds = [OplogEventKind.MassDelete] }));
        Assert.Equal(($"{_platform.Database}.trades", 150, first.Location, first.Timeline), (one.Namespace, one.Count, one.Location, one.Timeline));
    }

    [Fact]
    public void The_last_good_moment_is_an_entry_that_a_full_backup_of_that_moment_has()
    {
        var full = _platform.BackUp(_session);
        var chain = new ChainMaker(_platform, _session, full);
        _platform.Run(new BsonBuilder().Append("drop", "trades"));
        chain.Cut();
        var one = Assert.Single(Find(new OplogEventRequest { Kinds = [OplogEventKind.Drop] }));
        Assert.Equal(full.Oplog!.End, one.LastGood);
    }

    [Fact]
    public void A_missing_slice_is_warned_of_and_what_comes_after_it_is_found()
    {
        var chain = new ChainMaker(_platform, _session, _platform.BackUp(_session));
        Delete(0, 120);
        chain.Cut(keep: false);
        _platform.Run(new BsonBuilder().Append("drop", "trades"));
        chain.Cut();
        var events = Run(new OplogEventRequest());
        Assert.Contains(events, happened => happened is Warned { Text: var text } && text.Contains("nothing of the oplog between", StringComparison.Ordinal));
        Assert.Equal([OplogEventKind.Drop], events.OfType<Made>().Select(made => ((BotOplogEvent)made.Item).Kind));
    }

    [Fact]
    public void A_damaged_slice_is_told_and_counts_as_a_gap()
    {
        var chain = new ChainMaker(_platform, _session, _platform.BackUp(_session));
        Delete(0, 120);
        var damaged = chain.Cut();
        _platform.Run(new BsonBuilder().Append("drop", "trades"));
        chain.Cut();
        var bytes = File.ReadAllBytes(damaged.Location);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(damaged.Location, bytes);
        var events = Run(new OplogEventRequest());
        Assert.Single(events.OfType<Failed>());
        Assert.Single(events.OfType<Warned>());
        Assert.Equal([OplogEventKind.Drop], events.OfType<Made>().Select(made => ((BotOplogEvent)made.Item).Kind));
    }

    [Fact]
    public void Since_reads_as_far_back_as_an_event_goes()
    {
        // The second slice begins in a later second, and its part of the run is none by itself.
        var clock = new FixedClock();
        using var platform = new MongoPlatform(new SandboxOptions { Time = clock });
        var session = platform.Session();
        platform.Insert("trades", Documents(0, 300));
        clock.Now = clock.Now.AddSeconds(10);
        var chain = new ChainMaker(platform, session, platform.BackUp(session));
        Delete(0, 80, platform);
        chain.Cut();
        clock.Now = clock.Now.AddSeconds(1);
        Delete(80, 150, platform);
        var last = chain.Cut();
        var end = OplogTimeline.EndOf(last).Time;
        var whole = Assert.Single(Find(new OplogEventRequest { Kinds = [OplogEventKind.MassDelete], Since = end }, session));
        Assert.Equal((150, end.AddSeconds(-1)), (whole.Count, whole.Time));
        Assert.Empty(Find(new OplogEventRequest { Since = end.AddSeconds(5) }, session));
        Assert.Empty(Find(new OplogEventRequest { Kinds = [OplogEventKind.MassDelete], Before = whole.Time }, session));
        Assert.Equal(150, Assert.Single(Find(new OplogEventRequest { Kinds = [OplogEventKind.MassDelete], Before = whole.Time.AddSeconds(1) }, session)).Count);
    }

    [Fact]
    public void The_live_oplog_goes_on_where_the_store_ends()
    {
        var full = _platform.BackUp(_session);
        var chain = new ChainMaker(_platform, _session, full);
        Delete(0, 80);
        chain.Cut();
        Delete(80, 150);
        _platform.Run(new BsonBuilder().Append("drop", "trades"));
        Assert.Empty(Find(new OplogEventRequest()));
        var found = Find(new OplogEventRequest { Live = true });
        Assert.Equal([OplogEventKind.MassDelete, OplogEventKind.Drop], found.Select(one => one.Kind));
        Assert.Equal(150, found[0].Count);
        Assert.NotNull(found[0].Location);
        Assert.Equal((null, full.Timeline, found[0].Last), (found[1].Location, found[1].Timeline, found[1].LastGood));
        // Its history is known, and not yet stored up to there.
        var early = Assert.Throws<BackupException>(() => RestorePlanner.PlanBefore(_session, [found[1]], new RestoreRequest(), _session.Local, default)).Failure;
        Assert.Equal(FailureKind.BackupNotFound, early.Kind);
        Assert.Contains("-Type Incremental", early.Advice, StringComparison.Ordinal);
        chain.Cut();
        Assert.NotNull(Assert.Single(RestorePlanner.PlanBefore(_session, [found[1]], new RestoreRequest(), _session.Local, default)).PointInTime);
    }

    [Fact]
    public void Without_a_backup_the_whole_live_oplog_is_read()
    {
        Delete(0, 130);
        Assert.Empty(Find(new OplogEventRequest()));
        Assert.Contains(Find(new OplogEventRequest { Live = true, Collections = [_platform.Database + ".*"] }), one => one is { Kind: OplogEventKind.MassDelete, Count: 130, Timeline: null });
    }

    [Fact]
    public void What_the_store_has_is_found_though_the_server_is_gone()
    {
        var chain = new ChainMaker(_platform, _session, _platform.BackUp(_session));
        _platform.Run(new BsonBuilder().Append("drop", "trades"));
        chain.Cut();
        var events = Run(new OplogEventRequest { Live = true }, _platform.Session("mongodb://127.0.0.1:1/bot?directConnection=true&serverSelectionTimeoutMS=300&connectTimeoutMS=300"));
        Assert.Equal(FailureKind.SourceUnreachable, Assert.Single(events.OfType<Failed>()).Failure.Kind);
        Assert.Single(events.OfType<Made>());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_the_store_has_is_found_though_the_server_has_no_oplog_or_does_not_show_it(bool standalone)
    {
        var chain = new ChainMaker(_platform, _session, _platform.BackUp(_session));
        _platform.Run(new BsonBuilder().Append("drop", "trades"));
        chain.Cut();
        using var other = new MongoPlatform(new SandboxOptions
        {
            Standalone = standalone,
            Fault = (command, space, _) => command is "find" && space.StartsWith("local", StringComparison.Ordinal) ? new SandboxFault(SandboxFaultKind.Error, Code: 13) : null,
        });

        var events = Run(new OplogEventRequest { Live = true }, _platform.Session(other.Uri));

        Assert.Equal(standalone ? FailureKind.OplogUnavailable : FailureKind.AccessDenied, Assert.Single(events.OfType<Failed>()).Failure.Kind);
        Assert.Single(events.OfType<Made>());
    }

    [Fact]
    public void A_manifest_that_cannot_be_read_is_named()
    {
        var chain = new ChainMaker(_platform, _session, _platform.BackUp(_session));
        _platform.Run(new BsonBuilder().Append("drop", "trades"));
        File.WriteAllText(chain.Cut().Location + ".manifest.json", "{");

        Assert.Contains("manifest", Assert.Single(Run(new OplogEventRequest()).OfType<Failed>()).Failure.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _platform.Dispose();

    private static IEnumerable<RawBson> Documents(int from, int to) => Enumerable.Range(from, to - from).Select(id => new BsonBuilder().Append("_id", id).Append("note", $"trade {id}").ToBson());

    private void Delete(int from, int to, MongoPlatform? platform = null) => (platform ?? _platform).Run(new BsonBuilder().Append("delete", "trades").BeginArray("deletes").BeginDocument("0")
        .BeginDocument("q").BeginDocument("_id").Append("$gte", from).Append("$lt", to).End().End().Append("limit", 0).End().End());

    private List<BackupEvent> Run(OplogEventRequest request, BackupSession? session = null) => [.. OplogEventRunner.Run(session ?? _session, request, MongoPlatform.None).ToBlockingEnumerable()];

    private List<BotOplogEvent> Find(OplogEventRequest request, BackupSession? session = null)
    {
        var events = Run(request, session);
        Assert.Empty(events.OfType<Failed>());
        return [.. events.OfType<Made>().Select(made => (BotOplogEvent)made.Item)];
    }
}
