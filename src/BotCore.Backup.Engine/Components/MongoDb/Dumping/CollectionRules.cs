namespace BotCore.Backup.Engine.Components.MongoDb.Dumping;

/// <summary>Which databases and collections belong into a dump: the rules of the stock tools (mongodump), and our own working names.</summary>
internal static class CollectionRules
{
    /// <summary>What the data of a time-series collection is called.</summary>
    public const string BucketPrefix = "system.buckets.";

    /// <summary>What restores of ours stage and keep for an undo; never anybody's data.</summary>
    public const string OwnPrefix = "__bot_";

    private static readonly HashSet<string> Config = new(StringComparer.Ordinal) { "chunks", "collections", "databases", "settings", "shards", "tags", "version" };

    private static readonly HashSet<string> Admin = new(StringComparer.Ordinal) { "system.users", "system.roles", "system.version" };

    public static bool WantsDatabase(string database) =>
        !IsOwnDatabase(database) && !string.Equals(database, "local", StringComparison.Ordinal) && !database.StartsWith("__mdb_internal", StringComparison.Ordinal);

    /// <summary>Whether a database is a working place of ours: of a rehearsal, or of a probe.</summary>
    public static bool IsOwnDatabase(string database) => database.StartsWith(OwnPrefix, StringComparison.Ordinal) || database.StartsWith("bot_scratch_", StringComparison.Ordinal);

    /// <summary>The same, of what begins with the database's name.</summary>
    public static bool IsOwnDatabase(ReadOnlySpan<byte> database) => database.StartsWith("__bot_"u8) || database.StartsWith("bot_scratch_"u8);

    /// <summary>Whether what listCollections lists goes into a dump. Buckets do not: they come with their time-series collection.</summary>
    public static bool WantsCollection(string database, string collection)
    {
        if (collection.StartsWith(OwnPrefix, StringComparison.Ordinal))
            return false;
        return database switch
        {
            "config" => Config.Contains(collection),
            "admin" when Admin.Contains(collection) => true,
            _ => !collection.StartsWith("system.", StringComparison.Ordinal) || string.Equals(collection, "system.js", StringComparison.Ordinal),
        };
    }
}
