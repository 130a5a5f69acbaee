using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Stores;

public sealed class StoreProbeTests
{
    [Fact]
    public void A_probe_writes_reads_compares_and_leaves_nothing()
    {
        using var place = new Workplace();
        var store = Assert.Single(StoreProbe.List(place.Session, _ => true, probe: true, Workplace.None));

        Assert.Equal(("local", place.Store, Outcome.Succeeded), (store.Name, store.Location, store.Outcome));
        Assert.True(store.FreeSpace!.Value.Bytes > 0 && store.Duration > TimeSpan.Zero);
        Assert.Contains(Engine.Components.Component.Config, store.Components);
        Assert.Empty(Workplace.Describe(place.Store));
    }

    [Fact]
    public void Nothing_is_said_to_be_good_that_was_not_tried()
    {
        using var place = new Workplace();
        Assert.Equal(Outcome.Unknown, Assert.Single(StoreProbe.List(place.Session, _ => true, probe: false, Workplace.None)).Outcome);
        Assert.False(Directory.Exists(place.Store));
        Assert.Empty(StoreProbe.List(place.Session, name => name is "s3", probe: true, Workplace.None));
    }

    [Fact]
    public void A_store_that_refuses_is_a_result_that_says_so()
    {
        using var place = new Workplace();
        var session = place.NewSession(stores: new Dictionary<string, IStore>(StringComparer.Ordinal) { ["local"] = new FailingStore(place.Local, _ => true, FailureKind.StoreFull) });
        var store = Assert.Single(StoreProbe.List(session, _ => true, probe: true, Workplace.None));

        Assert.Equal((Outcome.Failed, FailureKind.StoreFull), (store.Outcome, store.Failure!.Kind));
        Assert.Empty(Workplace.Describe(place.Store));
    }
}
