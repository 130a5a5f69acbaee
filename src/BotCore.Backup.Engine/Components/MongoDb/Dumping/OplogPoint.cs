using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumping;

/// <summary>Where in the oplog a dump begins and ends. See MONGODB.md, "Consistent full".</summary>
internal static class OplogPoint
{
    private static readonly TimeSpan MostWait = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// The place from which replaying makes any later reading consistent: where the oldest transaction under way began, else the newest entry that a majority has.
    /// </summary>
    public static BsonTimestamp Start(MongoClient client, CancellationToken token)
    {
        var majority = Majority(client.Refresh(token));
        var find = new BsonBuilder().Append("find", "transactions")
            .BeginDocument("filter").BeginDocument("state").BeginArray("$in").Append("0", "prepared").Append("1", "inProgress").End().End().End();
        using var cursor = client.Open("config", find, new CursorOptions(), token);
        while (cursor.Next() == CursorStep.Document)
        {
            var began = new RawBson(cursor.Current.ToArray()).FindDocument("startOpTime"u8)?.FindTimestamp("ts"u8);
            if (began is { } earlier && earlier < majority)
                majority = earlier;
        }

        return majority;
    }

    /// <summary>The newest entry that a majority has, once that reaches all that was written before this call.</summary>
    public static BsonTimestamp End(MongoClient client, CancellationToken token)
    {
        var server = client.Refresh(token);
        var written = server.LastWrite ?? Majority(server);
        var until = Environment.TickCount64 + (long)MostWait.TotalMilliseconds;
        while (Majority(server) < written)
        {
            if (Environment.TickCount64 > until)
                throw new MongoException(MongoError.NoSuitableServer, $"the majority of the replica set has not followed for {MostWait.TotalSeconds:0} seconds");
            token.WaitHandle.WaitOne(Pause);
            token.ThrowIfCancellationRequested();
            server = client.Refresh(token);
        }

        return Majority(server);
    }

    private static BsonTimestamp Majority(MongoServer server) =>
        server.MajorityWrite ?? throw new MongoException(MongoError.NoSuitableServer, "the server does not say what a majority has written");
}
