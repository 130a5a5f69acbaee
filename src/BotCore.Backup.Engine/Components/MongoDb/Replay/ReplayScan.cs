using System.Runtime.InteropServices;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Replay;

/// <summary>An entry that cannot be replayed.</summary>
/// <param name="Timestamp">Its time.</param>
/// <param name="LastGood">The time of the entry before it, up to which a restore can go; null where it is the first.</param>
/// <param name="Namespace">What it is about.</param>
/// <param name="Command">The command or operation that is not known or not possible.</param>
public sealed record ReplayObstacle(BsonTimestamp Timestamp, BsonTimestamp? LastGood, string Namespace, string Command);

/// <summary>
/// Reads a slice of an oplog once while a restore is planned: what is in it, whether it is in order, and what in it cannot be replayed. One thread. Memory grows with the
/// number of namespaces only, and with at most <see cref="MostObstacles"/> obstacles.
/// </summary>
/// <param name="map">What the restore wants; an obstacle in a namespace that is not wanted is none.</param>
public sealed class ReplayScan(NamespaceMap map)
{
    /// <summary>Obstacles kept; the first ones are those that matter.</summary>
    public const int MostObstacles = 100;

    private readonly Dictionary<OplogKind, long> _kinds = [];
    private readonly Dictionary<string, long> _namespaces = new(StringComparer.Ordinal);
    private readonly List<ReplayObstacle> _obstacles = [];

    /// <summary>Entries read.</summary>
    public long Entries { get; private set; }

    /// <summary>Time of the first entry.</summary>
    public BsonTimestamp? First { get; private set; }

    /// <summary>Time of the last entry.</summary>
    public BsonTimestamp? Last { get; private set; }

    /// <summary>The highest term seen.</summary>
    public long? Term { get; private set; }

    /// <summary>Entries by kind; operations inside of transactions and <c>applyOps</c> are counted beside the entry that holds them.</summary>
    public IReadOnlyDictionary<OplogKind, long> Kinds => _kinds;

    /// <summary>Changes of documents by namespace, wanted or not.</summary>
    public IReadOnlyDictionary<string, long> Namespaces => _namespaces;

    /// <summary>What cannot be replayed, in order.</summary>
    public IReadOnlyList<ReplayObstacle> Obstacles => _obstacles;

    /// <summary>Reads the next entry.</summary>
    /// <exception cref="BackupException">ArchiveCorrupt: it cannot be read, or is not later than the one before it.</exception>
    public void Add(ReadOnlySpan<byte> raw)
    {
        var entry = OplogEntry.Parse(raw);
        if (Last is { } last && entry.Timestamp <= last)
            throw OplogEntry.Corrupt($"The oplog is not in order: {entry.Timestamp} comes after {last}.");
        Entries++;
        First ??= entry.Timestamp;
        if (entry.Term is { } term && (Term is null || term > Term))
            Term = term;
        Note(entry, entry.Timestamp);
        Last = entry.Timestamp;
    }

    internal void Note(in OplogEntry entry, BsonTimestamp at)
    {
        CollectionsMarshal.GetValueRefOrAddDefault(_kinds, entry.Kind, out _)++;
        switch (entry.Kind)
        {
            case OplogKind.Insert or OplogKind.Update or OplogKind.Delete:
                CollectionsMarshal.GetValueRefOrAddDefault(_namespaces, entry.NamespaceText, out _)++;
                break;
            case OplogKind.Transaction or OplogKind.ApplyOps:
                foreach (var inner in new InnerOperations(entry.Object))
                    Note(OplogEntry.ParseInner(inner), at);
                break;
            case OplogKind.Unknown or OplogKind.NotReplayable:
                AddObstacle(entry, at);
                break;
            default:
                break;
        }
    }

    private void AddObstacle(in OplogEntry entry, BsonTimestamp at)
    {
        var isCommand = !entry.Command.IsEmpty;
        var ns = isCommand && entry.Argument(entry.Command).Length > 0 ? entry.CommandNamespace() : entry.NamespaceText;
        // A command that is not known may name its collection in a way of its own: only its database can be judged then.
        var matters = ns.EndsWith(".$cmd", StringComparison.Ordinal) || ns.Length == 0 ? NamespaceMap.DatabaseOf(ns) is not ("local" or "config") : map.IsWanted(ns);
        if (matters && _obstacles.Count < MostObstacles)
            _obstacles.Add(new ReplayObstacle(at, Last, ns, System.Text.Encoding.UTF8.GetString(isCommand ? entry.Command : entry.Operation)));
    }
}
