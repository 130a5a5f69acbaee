using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.PointInTime;

/// <summary>A writer on a server, with the entries that it caused.</summary>
internal sealed class WriterRun
{
    private readonly MongoPlatform _mongo;
    private readonly BsonTimestamp _from;

    public WriterRun(MongoPlatform mongo, int seed, bool prepares)
    {
        _mongo = mongo;
        _from = Newest();
        Databases = [mongo.Database, mongo.NewDatabase("scratch")];
        Writer = new Writer(mongo.Client, seed, Databases[0], Databases[1], prepares);
    }

    public Writer Writer { get; }

    public IReadOnlyList<string> Databases { get; }

    /// <summary>The oplog as it was when the entries were read last.</summary>
    public IReadOnlyList<RawBson> Oplog { get; private set; } = [];

    /// <summary>A writer that has done its steps; <paramref name="entries"/> reads what they left in the oplog.</summary>
    public static WriterRun Start(MongoPlatform mongo, int seed, out Func<IReadOnlyList<WriterEntry>> entries, int steps)
    {
        var run = new WriterRun(mongo, seed, prepares: mongo.IsSandbox);
        for (var step = 0; step < steps; step++)
            run.Writer.Step();
        entries = run.Entries;
        return run;
    }

    /// <summary>All entries since the writer began, each with its part.</summary>
    public IReadOnlyList<WriterEntry> Entries()
    {
        Oplog = Read(_mongo.Client, "local", new BsonBuilder().Append("find", "oplog.rs").BeginDocument("filter").BeginDocument("ts").Append("$gt", _from).End().End());
        var entries = Oplog.Select(WriterEntry.Of).ToList();
        Writer.Log.Align(entries);
        return entries;
    }

    /// <summary>Moments at random: one of each kind of entry, and more of any.</summary>
    public static IReadOnlyList<BsonTimestamp> Moments(IReadOnlyList<WriterEntry> entries, BsonTimestamp from, BsonTimestamp to, Random random, int count)
    {
        var usable = entries.Where(entry => entry.Time >= from && entry.Time <= to && entry.Part?.IsSettled != false).ToList();
        var shuffled = usable.OrderBy(_ => random.Next()).ToList();
        var kinds = shuffled.DistinctBy(entry => entry.Kind, StringComparer.Ordinal).Select(entry => entry.Time);
        return [.. kinds.Concat(shuffled.Select(entry => entry.Time)).Distinct().Take(count)];
    }

    /// <summary>What the server holds otherwise than the model says; null where nothing.</summary>
    public string? Difference() => WriterPicture.Difference(Writer.Model.Describe(), Picture(_mongo.Client));

    public IReadOnlyList<string> Picture(MongoClient client) => WriterPicture.Of((database, command) => Read(client, database, command), Databases);

    private BsonTimestamp Newest()
    {
        var newest = Read(_mongo.Client, "local", new BsonBuilder().Append("find", "oplog.rs").BeginDocument("sort").Append("$natural", -1).End().Append("limit", 1));
        return newest[0].FindTimestamp("ts"u8)!.Value;
    }

    private static List<RawBson> Read(MongoClient client, string database, BsonBuilder command)
    {
        var found = new List<RawBson>();
        using var cursor = client.Open(database, command, new CursorOptions(), CancellationToken.None);
        for (var step = cursor.Next(); step != CursorStep.End; step = cursor.Next())
        {
            if (step == CursorStep.Document)
                found.Add(new RawBson(cursor.Current.ToArray()));
        }

        return found;
    }
}
