using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Replay;

/// <summary>
/// Collections that the oplog changes but that do not stand at the target: they were dropped before the dump came to them. Their drop must follow; what is left here at the
/// end was lost. One thread.
/// </summary>
internal sealed class GoneCollections
{
    private readonly Dictionary<Guid, (string Name, BsonTimestamp Since)> _byUuid = [];
    private readonly Dictionary<string, BsonTimestamp> _byName = new(StringComparer.Ordinal);

    public IReadOnlyList<(string Name, BsonTimestamp Since)> Left =>
        [.. _byUuid.Values.Concat(_byName.Select(pair => (pair.Key, pair.Value))).OrderBy(left => left.Item1, StringComparer.Ordinal)];

    public void Add(string ns, Guid? uuid, BsonTimestamp at)
    {
        if (uuid is { } identity)
            _byUuid.TryAdd(identity, (ns, at));
        else
            _byName.TryAdd(ns, at);
    }

    public void Settle(string ns, Guid? uuid)
    {
        if (uuid is { } identity)
            _byUuid.Remove(identity);
        else
            _byName.Remove(ns);
    }

    public void SettleDatabase(string database)
    {
        foreach (var (uuid, gone) in _byUuid.ToArray())
        {
            if (string.Equals(NamespaceMap.DatabaseOf(gone.Name), database, StringComparison.Ordinal))
                _byUuid.Remove(uuid);
        }

        foreach (var name in _byName.Keys.Where(name => string.Equals(NamespaceMap.DatabaseOf(name), database, StringComparison.Ordinal)).ToArray())
            _byName.Remove(name);
    }

    public void Rename(string from, string to, Guid? uuid, BsonTimestamp at)
    {
        Settle(from, uuid);
        Add(to, uuid, at);
    }
}
