using System.Diagnostics;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Protocols.MongoDb.Wire;
using Xunit;

namespace BotCore.Backup.Protocols.Tests.MongoDb;

public class CursorTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void All_documents_come_in_their_order(bool exhaust)
    {
        var getMores = 0;
        using var peer = new ScriptedPeer((session, message, name) =>
        {
            if (name is "find")
            {
                session.Reply(message, ScriptedPeer.Batch("firstBatch", 77, 0, 2));
                return;
            }

            Assert.Equal((77L, 2L), (message.Body.FindInt64("getMore"u8), message.Body.FindInt64("batchSize"u8)));
            Assert.Equal(("c", "db"), (message.Body.FindString("collection"u8), message.Body.FindString("$db"u8)));
            if (!message.Flags.HasFlag(OpMsgFlags.ExhaustAllowed))
            {
                var batch = Interlocked.Increment(ref getMores);
                session.Reply(message, ScriptedPeer.Batch("nextBatch", batch == 4 ? 0 : 77, batch * 2, 2));
                return;
            }

            var last = session.Reply(message, ScriptedPeer.Batch("nextBatch", 77, 2, 2), OpMsgFlags.MoreToCome);
            last = session.Reply(last, ScriptedPeer.Batch("nextBatch", 77, 4, 2), OpMsgFlags.MoreToCome);
            last = session.Reply(last, ScriptedPeer.Batch("nextBatch", 77, 6, 0), OpMsgFlags.MoreToCome);
            session.Reply(last, ScriptedPeer.Batch("nextBatch", 0, 6, 4));
        });
        using var client = ClientTests.Connect(peer);
        using var cursor = Open(client, new CursorOptions { Exhaust = exhaust, BatchSize = 2 });
        Assert.Equal(Enumerable.Range(0, 10).Select(number => (long)number), ReadAll(cursor));
        Assert.Equal(CursorStep.End, cursor.Next());
        Assert.Equal(new BsonTimestamp(7, 1), cursor.OperationTime);
        Assert.Equal(exhaust ? 1 : 4, peer.Commands.Count(name => name is "getMore"));
        client.Refresh(default);
        Assert.Equal(2, peer.Connections);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_connection_lost_on_the_way_is_never_the_end(bool exhaust)
    {
        using var peer = new ScriptedPeer((session, message, name) =>
        {
            if (name is "find")
                session.Reply(message, ScriptedPeer.Batch("firstBatch", 77, 0, 2));
            else if (exhaust)
                session.Reply(message, ScriptedPeer.Batch("nextBatch", 77, 2, 1), OpMsgFlags.MoreToCome);
            if (name is not "find")
                session.Close();
        });
        using var client = ClientTests.Connect(peer);
        using var cursor = Open(client, new CursorOptions { Exhaust = exhaust });
        Assert.Equal(MongoError.ConnectionLost, Assert.Throws<MongoException>(() => ReadAll(cursor)).Error);
        Assert.Equal(MongoError.ConnectionLost, Assert.Throws<MongoException>(() => cursor.Next()).Error);
        Assert.Equal(1, peer.Commands.Count(name => name is "getMore"));
    }

    [Fact]
    public void A_cursor_that_the_server_lost_is_told()
    {
        using var peer = new ScriptedPeer((session, message, name) =>
            session.Reply(message, name is "find" ? ScriptedPeer.Batch("firstBatch", 77, 0, 2) : ScriptedPeer.Error(43, "cursor id 77 not found")));
        using var client = ClientTests.Connect(peer);
        using var cursor = Open(client, new CursorOptions());
        var exception = Assert.Throws<MongoException>(() => ReadAll(cursor));
        Assert.Equal((MongoError.CursorLost, 43), (exception.Error, exception.Code!.Value));
        Assert.Equal(MongoError.CursorLost, Assert.Throws<MongoException>(() => cursor.Next()).Error);
    }

    [Fact]
    public void A_find_is_opened_again_once_on_a_new_connection()
    {
        var calls = 0;
        using var peer = new ScriptedPeer((session, message, _) =>
        {
            if (Interlocked.Increment(ref calls) == 1)
                session.Close();
            else
                session.Reply(message, ScriptedPeer.Batch("firstBatch", 0, 0, 3));
        });
        using var client = ClientTests.Connect(peer);
        using var cursor = Open(client, new CursorOptions());
        Assert.Equal([0L, 1L, 2L], ReadAll(cursor));
    }

    [Fact]
    public void An_open_cursor_is_killed_and_an_exhaust_one_closes_its_connection()
    {
        using var peer = new ScriptedPeer((session, message, name) =>
        {
            if (name is "getMore")
                session.Reply(message, ScriptedPeer.Batch("nextBatch", 77, 2, 1), OpMsgFlags.MoreToCome);
            else
                session.Reply(message, name is "find" ? ScriptedPeer.Batch("firstBatch", 77, 0, 2) : ScriptedPeer.Ok());
        });
        using var client = ClientTests.Connect(peer);
        Open(client, new CursorOptions()).Dispose();
        Assert.Equal(1, peer.Commands.Count(name => name is "killCursors"));
        var connections = peer.Connections;
        using (var cursor = Open(client, new CursorOptions { Exhaust = true }))
        {
            for (var index = 0; index < 3; index++)
                Assert.Equal(CursorStep.Document, cursor.Next());
        }

        client.Refresh(default);
        Assert.Equal(1, peer.Commands.Count(name => name is "killCursors"));
        Assert.Equal(connections + 1, peer.Connections);
    }

    [Fact]
    public void A_tailable_cursor_tells_each_empty_batch()
    {
        var calls = 0;
        using var peer = new ScriptedPeer((session, message, name) =>
        {
            if (name is not "getMore")
            {
                session.Reply(message, name is "find" ? ScriptedPeer.Batch("firstBatch", 77, 0, 1) : ScriptedPeer.Ok());
                return;
            }

            Assert.Equal(250, message.Body.FindInt64("maxTimeMS"u8));
            session.Reply(message, ScriptedPeer.Batch("nextBatch", 77, 1, Interlocked.Increment(ref calls) == 2 ? 1 : 0));
        });
        using var client = ClientTests.Connect(peer);
        using var cursor = Open(client, new CursorOptions { Tailable = true, MaxAwait = TimeSpan.FromMilliseconds(250) });
        Assert.Equal(
            [CursorStep.Document, CursorStep.EmptyBatch, CursorStep.Document, CursorStep.EmptyBatch, CursorStep.EmptyBatch], Enumerable.Range(0, 5).Select(_ => cursor.Next()));
    }

    [Fact]
    public void Cancelling_ends_a_cursor_that_hangs()
    {
        using var peer = new ScriptedPeer((session, message, name) =>
        {
            if (name is "find")
                session.Reply(message, ScriptedPeer.Batch("firstBatch", 77, 0, 1));
        });
        using var client = ClientTests.Connect(peer);
        using var source = new CancellationTokenSource();
        var cursor = client.Open("db", new BsonBuilder().Append("find", "c"), new CursorOptions(), source.Token);
        Assert.Equal(CursorStep.Document, cursor.Next());
        source.CancelAfter(100);
        var watch = Stopwatch.StartNew();
        Assert.ThrowsAny<OperationCanceledException>(() => cursor.Next());
        cursor.Dispose();
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(4));
    }

    [Fact]
    public void Answers_that_make_no_sense_are_refused()
    {
        BsonBuilder[] answers =
        [
            ScriptedPeer.Ok(),
            ScriptedPeer.Batch("firstBatch", 77, 0, 1),
            ScriptedPeer.Batch("nextBatch", 78, 0, 1),
            new BsonBuilder().BeginDocument("cursor").BeginArray("nextBatch").Append("0", 1).End().Append("id", 77L).End().Append("ok", 1),
            new BsonBuilder().BeginDocument("cursor").BeginArray("nextBatch").AppendDocument("0", [200, 0, 0, 0, 0]).End().Append("id", 77L).End().Append("ok", 1),
        ];
        foreach (var answer in answers)
        {
            using var peer = new ScriptedPeer((session, message, name) => session.Reply(message, name is "find" ? ScriptedPeer.Batch("firstBatch", 77, 0, 1) : answer));
            using var client = ClientTests.Connect(peer);
            using var cursor = Open(client, new CursorOptions());
            var exception = Assert.ThrowsAny<Exception>(() => ReadAll(cursor));
            Assert.True(exception is MongoException { Error: MongoError.Protocol } or BsonException, exception.ToString());
        }
    }

    private static MongoCursor Open(MongoClient client, CursorOptions options) => client.Open("db", new BsonBuilder().Append("find", "c"), options, default);

    private static List<long> ReadAll(MongoCursor cursor)
    {
        var numbers = new List<long>();
        while (numbers.Count < 100 && cursor.Next() == CursorStep.Document)
            numbers.Add(new RawBson(cursor.Current.ToArray()).FindInt64("n"u8)!.Value);
        return numbers;
    }
}
