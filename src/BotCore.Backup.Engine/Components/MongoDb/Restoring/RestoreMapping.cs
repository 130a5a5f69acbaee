using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Components.MongoDb.Restoring;

/// <summary>What collections of a dump are called at the target: a database for another, or one collection for another, which wins. Immutable and thread-safe.</summary>
internal sealed class RestoreMapping
{
    private readonly IReadOnlyDictionary<string, string> _renames;

    public RestoreMapping(IReadOnlyDictionary<string, string> renames)
    {
        foreach (var (from, to) in renames)
        {
            if (from.Length == 0 || to.Length == 0 || from.Contains('.', StringComparison.Ordinal) != to.Contains('.', StringComparison.Ordinal))
            {
                throw new BackupException(
                    FailureKind.ConfigurationInvalid, $"'{from}' to '{to}' renames neither a database nor a collection.", "Give 'database' = 'database' or 'database.collection' = 'database.collection'.", from);
            }
        }

        _renames = renames;
    }

    /// <summary>Everything under its own name.</summary>
    public static RestoreMapping None { get; } = new(new Dictionary<string, string>(StringComparer.Ordinal));

    public bool IsNone => _renames.Count == 0;

    /// <summary>The same text for the same names.</summary>
    public string Key => string.Join('\n', _renames.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}\0{pair.Value}"));

    /// <summary>The same, with one database under another name, unless it has one already.</summary>
    public RestoreMapping With(string from, string to)
    {
        var renames = new Dictionary<string, string>(_renames, StringComparer.Ordinal);
        renames.TryAdd(from, to);
        return new RestoreMapping(renames);
    }

    public DumpNamespace Target(DumpNamespace name)
    {
        var bucket = name.Collection.StartsWith(CollectionRules.BucketPrefix, StringComparison.Ordinal);
        var own = bucket ? name with { Collection = name.Collection[CollectionRules.BucketPrefix.Length..] } : name;
        var target = own with { Database = _renames.GetValueOrDefault(own.Database, own.Database) };
        if (_renames.TryGetValue(own.ToString(), out var renamed))
        {
            var dot = renamed.IndexOf('.', StringComparison.Ordinal);
            target = new DumpNamespace(renamed[..dot], renamed[(dot + 1)..]);
        }

        return bucket ? target with { Collection = CollectionRules.BucketPrefix + target.Collection } : target;
    }
}
