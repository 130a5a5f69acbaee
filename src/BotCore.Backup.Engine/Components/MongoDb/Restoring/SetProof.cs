using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Restoring;

/// <summary>Reads written collections back from the server and compares their documents with those of the dump, byte for byte by count and hash.</summary>
internal static class SetProof
{
    private const long SplitAbove = 64 << 20;

    /// <summary>Throws RestoreMismatch at the first collection that is not what was written. Several are read at once.</summary>
    public static void Demand(MongoClient client, IReadOnlyList<(DumpNamespace Name, DocumentSetHash Expected)> collections, int threads, Action<long> moved, CancellationToken token)
    {
        long done = 0;
        try
        {
            var options = new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = token };
            var work = collections.SelectMany(one => Legs(client, one.Name, one.Expected, threads, token)).ToList();
            Parallel.ForEach(work, options, leg =>
            {
                var set = Read(client, leg.Name, leg.Filter, options.CancellationToken);
                lock (leg.Found)
                    leg.Found.Merge(set);
                moved(Interlocked.Add(ref done, set.Bytes));
            });
            foreach (var (name, expected, found) in work.Select(leg => (leg.Name, leg.Expected, leg.Found)).Distinct())
                Compare(name, expected, found);
        }
        catch (AggregateException several)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(several.InnerExceptions[0]);
        }
    }

    /// <summary>Reads the documents that <paramref name="filter"/> finds.</summary>
    public static DocumentSetHash Read(MongoClient client, DumpNamespace name, RawBson filter, CancellationToken token)
    {
        var set = new DocumentSetHash();
        var find = new BsonBuilder().Append("find", name.Collection);
        if (filter.IsEmpty)
            find.BeginDocument("hint").Append("$natural", 1).End();
        else
            find.Append("filter", filter);
        using var cursor = client.Open(name.Database, find, new CursorOptions { Exhaust = true }, token);
        while (cursor.Next() == CursorStep.Document)
            set.Add(cursor.Current);
        return set;
    }

    private static List<Leg> Legs(MongoClient client, DumpNamespace name, DocumentSetHash expected, int threads, CancellationToken token)
    {
        var filters = expected.Bytes > SplitAbove && threads > 1 ? new IdRanges(client, token).Split(name, threads) : [RawBson.Empty];
        var found = new DocumentSetHash();
        return [.. filters.Select(filter => new Leg(name, expected, found, filter))];
    }

    private static void Compare(DumpNamespace name, DocumentSetHash expected, DocumentSetHash found)
    {
        if (found.Matches(expected))
            return;
        throw new BackupException(
            FailureKind.RestoreMismatch,
            found.Count == expected.Count
                ? $"{name} was read back: it has {found.Count} documents, as the backup has, but at least one of them is not what was written."
                : $"{name} was read back: it has {found.Count} documents, and the backup has {expected.Count}.",
            "See the server's log, and restore again.",
            name.ToString());
    }

    private sealed record Leg(DumpNamespace Name, DocumentSetHash Expected, DocumentSetHash Found, RawBson Filter);
}
