using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumping;

/// <summary>Where a dump begins.</summary>
/// <param name="At">The entry that its slice begins with.</param>
/// <param name="Settled">The newest entry that a majority had: every document is read after it.</param>
internal readonly record struct DumpStart(BsonTimestamp At, BsonTimestamp Settled);

/// <summary>Where in the oplog a dump begins and ends. See MONGODB.md, "Consistent full".</summary>
internal static class OplogPoint
{
    /// <summary>How long a server may lag behind.</summary>
    public static readonly TimeSpan MostWait = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// The place from which replaying makes any later reading consistent: where the oldest transaction under way began, else the newest entry that a majority has.
    /// </summary>
    public static DumpStart Start(MongoClient client, CancellationToken token)
    {
        var settled = Majority(client.Refresh(token));
        var start = settled;
        var find = new BsonBuilder().Append("find", "transactions")
            .BeginDocument("filter").BeginDocument("state").BeginArray("$in").Append("0", "prepared").Append("1", "inProgress").End().End().End();
        using var cursor = client.Open("config", find, new CursorOptions(), token);
        while (cursor.Next() == CursorStep.Document)
        {
            var began = new RawBson(cursor.Current.ToArray()).FindDocument("startOpTime"u8)?.FindTimestamp("ts"u8);
            if (began is { } earlier && earlier < start)
                start = earlier;
        }

        return new DumpStart(start, settled);
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

    /// <summary>
    /// The newest entry that a majority has, once that reaches <paramref name="at"/>, where it can be expected to: on a member that follows another one, or that has it and waits for others.
    /// </summary>
    public static BsonTimestamp Reach(MongoClient client, BsonTimestamp at, TimeSpan mostWait, CancellationToken token)
    {
        var server = client.Refresh(token);
        var until = Environment.TickCount64 + (long)mostWait.TotalMilliseconds;
        while (Majority(server) < at && (server.IsSecondary || server.LastWrite >= at) && Environment.TickCount64 < until)
        {
            token.WaitHandle.WaitOne(Pause);
            token.ThrowIfCancellationRequested();
            server = client.Refresh(token);
        }

        return Majority(server);
    }

    /// <summary>As <see cref="Reach"/>, and demands that the member has <paramref name="at"/> where it can be expected to.</summary>
    /// <exception cref="BackupException">SourceUnreachable: it is behind.</exception>
    public static void Demand(MongoTarget target, MongoClient client, BsonTimestamp at, TimeSpan mostWait, CancellationToken token)
    {
        var majority = target.Guard("reading the oplog", () => Reach(client, at, mostWait, token));
        if (majority < at && client.Server is var server && (server.IsSecondary || server.LastWrite >= at))
        {
            throw new BackupException(
                FailureKind.SourceUnreachable,
                $"{target.Name} is at {majority}, behind the chain's end {at}, and has not caught up in {mostWait.TotalSeconds:0} seconds.",
                "See with rs.status() why it lags, or read from another member (readPreference in DATABASE_URL).",
                target.Name);
        }
    }

    private static BsonTimestamp Majority(MongoServer server) =>
        server.MajorityWrite ?? throw new MongoException(MongoError.NoSuitableServer, "the server does not say what a majority has written");
}
