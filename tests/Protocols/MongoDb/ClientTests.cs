using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Authentication;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Protocols.MongoDb.Wire;
using Xunit;

namespace BotCore.Backup.Protocols.Tests.MongoDb;

public class ClientTests
{
    private static readonly MongoClientOptions Options = new();

    [Fact]
    public void A_command_gets_its_answer()
    {
        RawBson? seen = null;
        using var peer = new ScriptedPeer((session, message, _) =>
        {
            seen = message.Body.Copy();
            session.Reply(message, ScriptedPeer.Ok().Append("n", 5));
        });
        peer.Hello = hello => hello.Append("setName", "rs").Append("isWritablePrimary", true).BeginDocument("lastWrite").BeginDocument("opTime").Append("ts", new BsonTimestamp(9, 1)).End()
            .BeginDocument("majorityOpTime").Append("ts", new BsonTimestamp(8, 1)).Append("t", 3L).End().End();
        using var client = MongoClient.Connect(MongoConnectionString.Parse(peer.Uri + "&w=majority&readConcernLevel=majority"), Options, default);
        Assert.Equal(5, client.Run("db", new BsonBuilder().Append("insert", "c"), default).FindInt64("n"u8));
        Assert.Equal("majority", seen!.Value.FindDocument("writeConcern"u8)!.Value.FindString("w"u8));
        Assert.Equal("db", seen.Value.FindString("$db"u8));
        client.Run("db", new BsonBuilder().Append("find", "c"), default);
        Assert.Equal("majority", seen!.Value.FindDocument("readConcern"u8)!.Value.FindString("level"u8));
        Assert.False(seen.Value.Has("writeConcern"u8) || seen.Value.Has("$readPreference"u8));
        var server = client.Server;
        Assert.Equal(("7.0.1", "rs", true, false, false), (server.Version, server.SetName, server.IsPrimary, server.IsSharded, server.IsStandalone));
        Assert.Equal((new BsonTimestamp(9, 1), new BsonTimestamp(8, 1), 3L), (server.LastWrite!.Value, server.MajorityWrite!.Value, server.MajorityTerm!.Value));
    }

    [Theory]
    [InlineData(13, MongoError.AccessDenied)]
    [InlineData(18, MongoError.LoginFailed)]
    [InlineData(59, MongoError.CommandFailed)]
    [InlineData(43, MongoError.CommandFailed)]
    public void An_error_says_its_code(int code, MongoError error)
    {
        using var peer = new ScriptedPeer((session, message, _) => session.Reply(message, ScriptedPeer.Error(code, "because")));
        using var client = Connect(peer);
        var exception = Assert.Throws<MongoException>(() => client.Run("db", new BsonBuilder().Append("x", 1), default));
        Assert.Equal((error, code, "Name" + code), (exception.Error, exception.Code!.Value, exception.CodeName));
        Assert.Contains("because", exception.Message, StringComparison.Ordinal);
        Assert.Equal(1, peer.Connections - 1);
    }

    [Fact]
    public void A_write_concern_that_was_not_met_is_thrown_and_write_errors_are_not()
    {
        using var peer = new ScriptedPeer((session, message, name) => session.Reply(message, name is "insert"
            ? ScriptedPeer.Ok().BeginArray("writeErrors").End().BeginDocument("writeConcernError").Append("code", 64).End()
            : ScriptedPeer.Ok().BeginDocument("writeConcernError").Append("code", 64).Append("errmsg", "waited").End()));
        using var client = Connect(peer);
        Assert.True(client.Run("db", new BsonBuilder().Append("insert", 1), default).Has("writeErrors"u8));
        Assert.Equal(64, Assert.Throws<MongoException>(() => client.Run("db", new BsonBuilder().Append("drop", 1), default)).Code);
    }

    [Theory]
    [InlineData("find", false, true)]
    [InlineData("insert", false, false)]
    [InlineData("insert", true, true)]
    public void A_lost_connection_is_tried_again_where_it_is_safe(string command, bool retry, bool comesBack)
    {
        var calls = 0;
        using var peer = new ScriptedPeer((session, message, _) =>
        {
            if (Interlocked.Increment(ref calls) == 1)
                session.Close();
            else
                session.Reply(message, ScriptedPeer.Ok());
        });
        using var client = Connect(peer);
        if (comesBack)
            client.Run("db", new BsonBuilder().Append(command, "c"), default, retry);
        else
            Assert.Equal(MongoError.ConnectionLost, Assert.Throws<MongoException>(() => client.Run("db", new BsonBuilder().Append(command, "c"), default, retry)).Error);
        Assert.Equal(comesBack ? 2 : 1, calls);
    }

    [Fact]
    public void An_aggregation_that_writes_is_not_tried_again()
    {
        using var peer = new ScriptedPeer((session, _, _) => session.Close());
        using var client = Connect(peer);
        var command = new BsonBuilder().Append("aggregate", "c").BeginArray("pipeline").BeginDocument("0").Append("$out", "x").End().End();
        Assert.Equal(MongoError.ConnectionLost, Assert.Throws<MongoException>(() => client.Run("db", command, default)).Error);
        Assert.Equal(1, peer.Commands.Count(name => name is "aggregate"));
    }

    [Fact]
    public void A_pooled_connection_that_died_is_replaced()
    {
        using var closed = new ManualResetEventSlim();
        using var peer = new ScriptedPeer((session, message, _) =>
        {
            session.Reply(message, ScriptedPeer.Ok());
            session.Close();
            closed.Set();
        });
        using var client = Connect(peer);
        client.Run("db", new BsonBuilder().Append("insert", 1), default);
        Assert.True(closed.Wait(5000));
        client.Run("db", new BsonBuilder().Append("insert", 1), default);
        Assert.Equal(2, peer.Commands.Count(name => name is "insert"));
    }

    [Fact]
    public void Cancelling_ends_a_call_that_hangs()
    {
        using var peer = new ScriptedPeer((_, _, _) => { });
        using var client = Connect(peer);
        using var source = new CancellationTokenSource(100);
        var watch = Stopwatch.StartNew();
        Assert.ThrowsAny<OperationCanceledException>(() => client.Run("db", new BsonBuilder().Append("find", 1), source.Token));
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5));
        client.Refresh(default);
    }

    [Fact]
    public void A_socket_timeout_ends_a_call_that_hangs()
    {
        using var peer = new ScriptedPeer((_, _, _) => { });
        using var client = MongoClient.Connect(MongoConnectionString.Parse(peer.Uri + "&socketTimeoutMS=150"), Options, default);
        var exception = Assert.Throws<MongoException>(() => client.Run("db", new BsonBuilder().Append("insert", 1), default));
        Assert.Equal(MongoError.ConnectionLost, exception.Error);
        Assert.Contains("socketTimeoutMS", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Connecting_to_a_server_that_says_nothing_ends()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var uri = $"mongodb://{listener.LocalEndPoint}/?serverSelectionTimeoutMS=";
        using var source = new CancellationTokenSource(100);
        Assert.ThrowsAny<OperationCanceledException>(() => MongoClient.Connect(MongoConnectionString.Parse(uri + "30000"), Options, source.Token));
        Assert.Equal(MongoError.Unreachable, Fails(uri + "200").Error);
        Assert.Equal(MongoError.Unreachable, Fails(uri + "200&tls=true").Error);
        listener.Dispose();
        Assert.Contains("refused", Fails(uri + "200").Message, StringComparison.Ordinal);
        Assert.Contains("nowhere.invalid", Fails("mongodb://nowhere.invalid/?serverSelectionTimeoutMS=1500").Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Answers_and_commands_are_compressed_but_never_passwords()
    {
        var credentials = ScramCredentials.Create(ScramMechanism.ScramSha256, "u", "pw", 4096);
        ScramServer? scram = null;
        var compressed = new List<(string Name, WireCompressor Compressor)>();
        using var peer = new ScriptedPeer((session, message, name) =>
        {
            compressed.Add((name, message.Compressor));
            Scram(session, message, name, credentials, ref scram);
        });
        peer.Hello = hello => hello.BeginArray("saslSupportedMechs").Append("0", "SCRAM-SHA-256").End();
        using var client = MongoClient.Connect(MongoConnectionString.Parse(peer.Uri.Replace("//", "//u:pw@", StringComparison.Ordinal) + "&compressors=snappy,zlib"), Options, default);
        client.Run("db", new BsonBuilder().Append("insert", new string('x', 10000)), default);
        client.Run("db", new BsonBuilder().Append("createUser", "x"), default);
        Assert.Equal(
            [("saslStart", WireCompressor.None), ("saslContinue", WireCompressor.None), ("insert", WireCompressor.Zlib), ("createUser", WireCompressor.None)], compressed);
    }

    [Theory]
    [InlineData("u:wrong", true)]
    [InlineData("u:pw", false)]
    public void A_login_must_fit_on_both_sides(string login, bool serverIsTrue)
    {
        var credentials = ScramCredentials.Create(ScramMechanism.ScramSha1, "u", "pw", 4096);
        ScramServer? scram = null;
        using var peer = new ScriptedPeer((session, message, name) => Scram(session, message, name, credentials, ref scram, serverIsTrue));
        var exception = Fails(peer.Uri.Replace("//", $"//{login}@", StringComparison.Ordinal));
        Assert.Equal(MongoError.LoginFailed, exception.Error);
        Assert.DoesNotContain("wrong", exception.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_server_that_skips_the_proof_is_refused()
    {
        using var peer = new ScriptedPeer((session, message, _) => session.Reply(message, ScriptedPeer.Ok().Append("conversationId", 1).Append("done", true).AppendBinary("payload", [])));
        Assert.Equal(MongoError.LoginFailed, Fails(peer.Uri.Replace("//", "//u:pw@", StringComparison.Ordinal)).Error);
    }

    [Fact]
    public void An_old_server_and_a_wrong_answer_are_told()
    {
        using var old = new ScriptedPeer((_, _, _) => { }) { MaxWireVersion = 7 };
        Assert.Equal(MongoError.Unsupported, Fails(old.Uri).Error);
        using var wrong = new ScriptedPeer((session, message, _) => session.Reply(message.RequestId + 1, ScriptedPeer.Ok()));
        using var client = Connect(wrong);
        Assert.Equal(MongoError.Protocol, Assert.Throws<MongoException>(() => client.Run("db", new BsonBuilder().Append("find", 1), default)).Error);
    }

    internal static MongoClient Connect(ScriptedPeer peer) => MongoClient.Connect(MongoConnectionString.Parse(peer.Uri), Options, default);

    internal static MongoException Fails(string uri) => Assert.Throws<MongoException>(() => MongoClient.Connect(MongoConnectionString.Parse(uri), Options, default));

    private static void Scram(ScriptedPeer.Session session, OpMsg message, string name, ScramCredentials credentials, ref ScramServer? scram, bool isTrue = true)
    {
        switch (name)
        {
            case "saslStart":
                message.Body.TryFind("payload"u8, out var first);
                scram = new ScramServer(_ => credentials);
                session.Reply(message, ScriptedPeer.Ok().Append("conversationId", 1).Append("done", false).AppendBinary("payload", scram.First(first.AsBinary(out _))));
                break;
            case "saslContinue":
                message.Body.TryFind("payload"u8, out var final);
                if (!scram!.TryFinish(final.AsBinary(out _), out var answer))
                {
                    session.Reply(message, ScriptedPeer.Error(18, "Authentication failed."));
                    break;
                }

                answer[^3] ^= isTrue ? (byte)0 : (byte)2;
                session.Reply(message, ScriptedPeer.Ok().Append("conversationId", 1).Append("done", true).AppendBinary("payload", answer));
                break;
            default:
                session.Reply(message, ScriptedPeer.Ok(), compressor: message.Compressor);
                break;
        }
    }
}
