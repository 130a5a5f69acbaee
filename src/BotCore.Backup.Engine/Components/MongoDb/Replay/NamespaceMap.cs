using BotCore.Backup.Engine.Components.MongoDb.Dumping;

namespace BotCore.Backup.Engine.Components.MongoDb.Replay;

/// <summary>
/// Which namespaces a restore wants, and what they are called at the target. Names are <c>database.collection</c>. Time-series collections are asked for by their own
/// name and carry their <c>system.buckets.</c> twin along. Immutable; the predicate must be free of side effects, since several threads may ask it.
/// </summary>
public sealed class NamespaceMap
{
    /// <summary>What stands before the name of a time-series collection in the name of its data.</summary>
    internal const string Buckets = "system.buckets.";

    // MONGODB.md, "Consistent full" and "Replay": of config six collections; shards and system.sessions never.
    private static readonly HashSet<string> ConfigCollections = new(["chunks", "collections", "databases", "settings", "tags", "version"], StringComparer.Ordinal);

    private readonly Func<string, bool>? _wanted;
    private readonly Func<string, string>? _target;
    private readonly Dictionary<string, string> _renames;
    private readonly bool _users;
    private readonly bool _buckets = true;

    /// <summary>Makes one.</summary>
    /// <param name="wanted">Asked with a collection's own name; null wants all.</param>
    /// <param name="renames">From <c>database</c> to <c>database</c> or <c>database.collection</c> to <c>database.collection</c>; the longer one wins.</param>
    /// <param name="users">Whether changes of users and roles are replayed.</param>
    public NamespaceMap(Func<string, bool>? wanted = null, IReadOnlyDictionary<string, string>? renames = null, bool users = false)
    {
        _wanted = wanted;
        _users = users;
        _renames = new Dictionary<string, string>(renames ?? new Dictionary<string, string>(StringComparer.Ordinal), StringComparer.Ordinal);
        foreach (var (from, to) in _renames)
        {
            if (from.Contains('.', StringComparison.Ordinal) != to.Contains('.', StringComparison.Ordinal))
                throw new ArgumentException($"'{from}' to '{to}' is neither a database to a database nor a collection to a collection.", nameof(renames));
        }
    }

    /// <summary>One whose names at the target come from a function, asked with names as the oplog has them, buckets of time-series collections included; without <paramref name="buckets"/> those are not wanted.</summary>
    internal NamespaceMap(Func<string, bool> wanted, Func<string, string> target, bool users = false, bool buckets = true)
        : this(wanted, renames: null, users) => (_target, _buckets) = (target, buckets);

    /// <summary>Everything, under its own name.</summary>
    public static NamespaceMap All { get; } = new();

    /// <summary>The database of a namespace: what stands before its first dot.</summary>
    public static string DatabaseOf(string ns) => ns.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot ? ns[..dot] : ns;

    /// <summary>The collection of a namespace: all behind its first dot.</summary>
    public static string CollectionOf(string ns) => ns.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot ? ns[(dot + 1)..] : "";

    /// <summary>Whether a restore ever writes there: not the server's own collections, and not the databases that rehearsals and probes of ours make.</summary>
    public static bool IsReplayable(string ns, bool users = false)
    {
        var collection = CollectionOf(ns);
        return DatabaseOf(ns) switch
        {
            "" or "local" => false,
            "config" => ConfigCollections.Contains(collection),
            "admin" when collection.StartsWith("system.", StringComparison.Ordinal) => users && collection is "system.users" or "system.roles",
            var database when database.StartsWith("__mdb_internal", StringComparison.Ordinal) || CollectionRules.IsOwnDatabase(database) => false,
            _ => !collection.StartsWith("system.", StringComparison.Ordinal)
                || collection is "system.js" or "system.views"
                || collection.StartsWith(Buckets, StringComparison.Ordinal),
        };
    }

    /// <summary>Whether entries of this namespace are to be replayed.</summary>
    public bool IsWanted(string ns)
    {
        if (!IsReplayable(ns, _users))
            return false;
        var own = Own(ns);
        return (_buckets || ReferenceEquals(own, ns)) && (_wanted is null || _wanted(own));
    }

    /// <summary>The name at the target; asked for wanted namespaces only, but answers for any.</summary>
    public string Target(string ns)
    {
        if (_target is not null)
            return _target(ns);
        if (_renames.Count == 0)
            return ns;
        var own = Own(ns);
        var target = _renames.TryGetValue(own, out var renamed) ? renamed : TargetDatabase(DatabaseOf(ns)) + "." + CollectionOf(own);
        return ReferenceEquals(own, ns) ? target : DatabaseOf(target) + "." + Buckets + CollectionOf(target);
    }

    /// <summary>The database's name at the target.</summary>
    public string TargetDatabase(string database) => _renames.GetValueOrDefault(database, database);

    // db.system.buckets.x -> db.x; anything else is itself, as the same object.
    private static string Own(string ns)
    {
        var collection = CollectionOf(ns);
        return collection.StartsWith(Buckets, StringComparison.Ordinal) ? DatabaseOf(ns) + "." + collection[Buckets.Length..] : ns;
    }
}
