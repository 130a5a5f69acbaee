using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;
using Xunit;

namespace BotCore.Backup.Protocols.Tests.MongoDb;

public sealed class SelectionTests : IDisposable
{
    private readonly ScriptedPeer _primary = Peer();
    private readonly ScriptedPeer _secondary;
    private readonly ScriptedPeer _stale = Peer();
    private RawBson? _seen;

    public SelectionTests()
    {
        _secondary = Peer(command => _seen = command);
        Speak(_primary, "rs", isPrimary: true, "east", 1_000_000);
        Speak(_secondary, "rs", isPrimary: false, "west", 1_000_000);
        Speak(_stale, "rs", isPrimary: false, "north", 500_000);
    }

    public void Dispose()
    {
        _primary.Dispose();
        _secondary.Dispose();
        _stale.Dispose();
    }

    [Theory]
    [InlineData("", "primary")]
    [InlineData("&replicaSet=rs", "primary")]
    [InlineData("&readPreference=primaryPreferred", "primary")]
    [InlineData("&readPreference=secondary&maxStalenessSeconds=90", "secondary")]
    [InlineData("&readPreference=secondary&readPreferenceTags=dc:south&readPreferenceTags=dc:north", "stale")]
    [InlineData("&readPreference=secondary&readPreferenceTags=dc:west", "secondary")]
    [InlineData("&readPreference=secondaryPreferred&readPreferenceTags=dc:south", "primary")]
    [InlineData("&readPreference=nearest&readPreferenceTags=dc:east", "primary")]
    [InlineData("&directConnection=true", "secondary")]
    [InlineData("&readPreference=secondary&readPreferenceTags=dc:west&readPreferenceTags=", "secondary")]
    public void The_member_that_fits_is_found_from_any_other(string options, string wanted)
    {
        using var client = Connect(_secondary, options);
        var port = wanted switch
        {
            "primary" => _primary.Port,
            "secondary" => _secondary.Port,
            _ => _stale.Port,
        };
        Assert.Equal(port, client.Server.Address.Port);
    }

    [Fact]
    public void A_primary_is_found_when_it_is_demanded()
    {
        using var client = Connect(_secondary, "&readPreference=secondary", requirePrimary: true);
        Assert.Equal(_primary.Port, client.Server.Address.Port);
        Assert.Equal(MongoError.NoSuitableServer, Assert.Throws<MongoException>(() => Connect(_secondary, "&directConnection=true", requirePrimary: true)).Error);
    }

    [Theory]
    [InlineData("&replicaSet=other", false)]
    [InlineData("&readPreference=secondary&readPreferenceTags=dc:south", false)]
    [InlineData("&directConnection=true&replicaSet=other", false)]
    public void Where_none_fits_it_is_said_what_there_is(string options, bool requirePrimary)
    {
        var exception = Assert.Throws<MongoException>(() => Connect(_secondary, options, requirePrimary));
        Assert.Equal(MongoError.NoSuitableServer, exception.Error);
        Assert.Contains("a secondary of 'rs'", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_host_that_is_down_does_not_hide_the_others()
    {
        _stale.Dispose();
        using var client = MongoClient.Connect(
            MongoConnectionString.Parse($"mongodb://{_stale.Address},nowhere.invalid,{_secondary.Address}/?serverSelectionTimeoutMS=5000"), new MongoClientOptions(), default);
        Assert.Equal(_primary.Port, client.Server.Address.Port);
    }

    [Fact]
    public void A_secondary_is_told_that_it_may_answer()
    {
        using (var direct = Connect(_secondary, "&directConnection=true"))
            direct.Run("db", new BsonBuilder().Append("find", "c"), default);
        Assert.Equal("primaryPreferred", _seen!.Value.FindDocument("$readPreference"u8)!.Value.FindString("mode"u8));
        using var client = Connect(_secondary, "&readPreference=secondary&readPreferenceTags=dc:west&maxStalenessSeconds=120");
        client.Run("db", new BsonBuilder().Append("find", "c"), default);
        var preference = _seen!.Value.FindDocument("$readPreference"u8)!.Value;
        Assert.Equal(("secondary", 120L), (preference.FindString("mode"u8), preference.FindInt64("maxStalenessSeconds"u8)));
        Assert.Equal("west", preference.FindDocument("tags"u8)!.Value.FindDocument("0"u8)!.Value.FindString("dc"u8));
    }

    [Fact]
    public void Routers_and_single_servers_are_what_they_are()
    {
        using var router = Peer();
        router.Hello = hello => hello.Append("msg", "isdbgrid").Append("ismaster", true);
        using (var client = Connect(router, "", requirePrimary: true))
            Assert.True(client.Server.IsSharded && !client.Server.IsStandalone && !client.Server.IsPrimary);
        using var single = Peer();
        single.Hello = hello => hello.Append("isWritablePrimary", true);
        using (var client = Connect(single, ""))
            Assert.True(client.Server.IsStandalone && !client.Server.IsSharded && !client.Server.IsPrimary);
        Assert.Equal(MongoError.NoSuitableServer, Assert.Throws<MongoException>(() => Connect(single, "&replicaSet=rs")).Error);
    }

    [Fact]
    public void A_new_connection_to_what_is_no_longer_primary_is_refused()
    {
        using var client = Connect(_primary, "", requirePrimary: true);
        Speak(_primary, "rs", isPrimary: false, "east", 1);
        using var first = client.Open("db", new BsonBuilder().Append("find", "c"), new CursorOptions(), default);
        Assert.Equal(MongoError.NoSuitableServer, Assert.Throws<MongoException>(() => client.Run("db", new BsonBuilder().Append("insert", "c"), default)).Error);
    }

    [Fact]
    public void The_pool_is_bounded()
    {
        using var client = Connect(_primary, "&maxPoolSize=1&waitQueueTimeoutMS=100");
        using (client.Open("db", new BsonBuilder().Append("find", "c"), new CursorOptions(), default))
            Assert.Contains("waitQueueTimeoutMS", Assert.Throws<MongoException>(() => client.Refresh(default)).Message, StringComparison.Ordinal);
        client.Refresh(default);
    }

    private static ScriptedPeer Peer(Action<RawBson>? see = null) => new((session, message, name) =>
    {
        see?.Invoke(message.Body.Copy());
        session.Reply(message, name is "find" ? ScriptedPeer.Batch("firstBatch", 77, 0, 1) : ScriptedPeer.Ok());
    });

    private static MongoClient Connect(ScriptedPeer peer, string options, bool requirePrimary = false) => MongoClient.Connect(
        MongoConnectionString.Parse($"mongodb://{peer.Address}/?serverSelectionTimeoutMS=20000&serverSelectionTryOnce=true{options}"), new MongoClientOptions { RequirePrimary = requirePrimary }, default);

    private void Speak(ScriptedPeer peer, string set, bool isPrimary, string dc, long lastWrite) => peer.Hello = hello => hello
        .Append("setName", set).Append("isWritablePrimary", isPrimary).Append("secondary", !isPrimary)
        .BeginArray("hosts").Append("0", _primary.Address).Append("1", _secondary.Address).End()
        .BeginArray("passives").Append("0", _stale.Address).End()
        .BeginDocument("tags").Append("dc", dc).End()
        .BeginDocument("lastWrite").AppendDateTime("lastWriteDate", lastWrite).End();
}
