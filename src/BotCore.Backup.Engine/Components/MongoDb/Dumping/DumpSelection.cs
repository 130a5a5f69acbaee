using BotCore.Backup.Engine.Components.MongoDb.Dumps;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumping;

/// <summary>What of a server is dumped: all of it, one database, or some collections (before a restore overwrites them). Immutable.</summary>
/// <param name="Database">The one database; null for all.</param>
/// <param name="Only">The collections; null for all.</param>
internal sealed record DumpSelection(string? Database, IReadOnlySet<DumpNamespace>? Only = null)
{
    /// <summary>The databases by name, in order; null for all.</summary>
    public IReadOnlyList<string>? Databases => Only is not null
        ? [.. Only.Select(name => name.Database).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)]
        : Database is null ? null : [Database];

    public bool IsEverything => Database is null && Only is null;

    public bool WantsDatabase(string database) => Databases is not { } some || some.Contains(database, StringComparer.Ordinal);

    public bool Wants(DumpNamespace name)
    {
        if (Only is null)
            return WantsDatabase(name.Database);
        return Only.Contains(name)
            || (name.Collection.StartsWith(CollectionRules.BucketPrefix, StringComparison.Ordinal) && Only.Contains(name with { Collection = name.Collection[CollectionRules.BucketPrefix.Length..] }));
    }
}
