using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Components.MongoDb.Damage;

/// <summary>What to look for in stored oplogs.</summary>
public sealed record OplogEventRequest
{
    /// <summary>Databases and collections, with * and ?, as -Include of a restore takes them; none means all.</summary>
    public IReadOnlyList<string> Collections { get; init; } = [];

    /// <summary>Kinds; none means all.</summary>
    public IReadOnlyList<OplogEventKind> Kinds { get; init; } = [];

    /// <summary>Events that were still going on at this moment or later.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Events that began before this moment.</summary>
    public DateTimeOffset? Before { get; init; }

    /// <summary>Look into the oplog of the server at DATABASE_URL, too.</summary>
    public bool Live { get; init; }

    /// <summary>The store to look into; null means the local one.</summary>
    public string? Store { get; init; }

    /// <summary>Documents that make a mass of deletes or updates.</summary>
    public long MinimumCount { get; init; } = 100;
}

/// <summary>Looks for events in the oplogs of a store: each becomes a <see cref="Made"/> with its BotOplogEvent, history by history, by its first entry. What hides events is warned of.</summary>
public static class OplogEventRunner
{
    /// <summary>Looks for what <paramref name="request"/> asks for. Nothing is changed anywhere.</summary>
    public static IAsyncEnumerable<BackupEvent> Run(BackupSession session, OplogEventRequest request, CancellationToken token) =>
        EventRun.Start("events", (tell, stop) =>
        {
            Directory.CreateDirectory(session.SpillFolder);
            new OplogEventSearch(session, request, tell, stop).Run();
        }, token);
}
