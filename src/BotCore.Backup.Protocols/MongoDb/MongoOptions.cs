namespace BotCore.Backup.Protocols.MongoDb;

/// <summary>What the caller of <c>MongoClient.Connect</c> wants, beside the connection string.</summary>
public sealed record MongoClientOptions
{
    /// <summary>Whether only a server that takes writes will do, whatever readPreference says.</summary>
    public bool RequirePrimary { get; init; }

    /// <summary>The name that the server writes into its log, where the connection string has no appName.</summary>
    public string AppName { get; init; } = "BotCore.Backup";

    /// <summary>The most connections at a time; maxPoolSize of the connection string may lower it.</summary>
    public int MaxConnections { get; init; } = 32;
}

/// <summary>How a cursor reads.</summary>
public sealed record CursorOptions
{
    /// <summary>Whether the server may send batch after batch unasked, where it can.</summary>
    public bool Exhaust { get; init; }

    /// <summary>Documents a getMore asks for; null leaves it to the server (16 MiB). The first batch is the command's own batchSize.</summary>
    public int? BatchSize { get; init; }

    /// <summary>Whether an empty batch is told as <see cref="CursorStep.EmptyBatch"/>. The command itself says tailable and awaitData.</summary>
    public bool Tailable { get; init; }

    /// <summary>How long the server waits in a getMore for a document of a tailable cursor (maxTimeMS).</summary>
    public TimeSpan? MaxAwait { get; init; }
}

/// <summary>What <c>MongoCursor.Next</c> came to.</summary>
public enum CursorStep
{
    /// <summary>Nothing: the cursor was not moved yet.</summary>
    Unknown,

    /// <summary>A document stands in <c>MongoCursor.Current</c>.</summary>
    Document,

    /// <summary>A tailable cursor waited in vain; it stays open.</summary>
    EmptyBatch,

    /// <summary>The server said that there are no more.</summary>
    End,
}
