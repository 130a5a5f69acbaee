using BotCore.Backup.Protocols.MongoDb.Bson;
using Xunit;

namespace BotCore.Backup.Sandbox.Tests;

public sealed class HandshakeTests
{
    [Fact]
    public void Hello_says_a_replica_set_of_one()
    {
        using var server = new SandboxServer();
        using var client = new WireClient(server);
        var hello = client.Run("admin", new BsonBuilder().Append("hello", 1));
        Assert.Equal("sandbox", hello.FindString("setName"u8));
        Assert.True(hello.IsTrue("isWritablePrimary"u8));
        Assert.Equal(21, hello.FindInt64("maxWireVersion"u8));
        Assert.Equal(server.NewestEntry, hello.FindDocument("lastWrite"u8)!.Value.FindDocument("opTime"u8)!.Value.FindTimestamp("ts"u8));
    }

    [Fact]
    public void The_old_handshake_is_answered_in_kind()
    {
        using var server = new SandboxServer();
        using var client = new WireClient(server);
        var hello = client.Query(new BsonBuilder().Append("isMaster", 1));
        Assert.True(hello.IsTrue("ismaster"u8));
        Assert.True(hello.IsTrue("ok"u8));
    }

    [Fact]
    public void A_standalone_has_no_set_name_and_a_router_says_so()
    {
        using var standalone = new SandboxServer(new SandboxOptions { Standalone = true });
        using var client = new WireClient(standalone);
        Assert.False(client.Run("admin", new BsonBuilder().Append("hello", 1)).Has("setName"u8));
        using var router = new SandboxServer(new SandboxOptions { Sharded = true });
        using var other = new WireClient(router);
        Assert.Equal("isdbgrid", other.Run("admin", new BsonBuilder().Append("hello", 1)).FindString("msg"u8));
    }

    [Fact]
    public void What_is_not_known_is_refused()
    {
        using var server = new SandboxServer();
        using var client = new WireClient(server);
        var command = client.Ask("admin", new BsonBuilder().Append("replSetGetStatus", 1));
        Assert.Equal(59, command.FindInt64("code"u8));
        Assert.Equal("CommandNotFound", command.FindString("codeName"u8));
        Assert.False(command.IsTrue("ok"u8));
        var option = client.Ask("shop", new BsonBuilder().Append("find", "trades").Append("let", RawBson.Empty));
        Assert.Equal(40415, option.FindInt64("code"u8));
        var filter = client.Ask("shop", new BsonBuilder().Append("find", "trades").BeginDocument("filter").BeginDocument("a").Append("$near", 1).End().End());
        Assert.Equal(2, filter.FindInt64("code"u8));
    }
}
