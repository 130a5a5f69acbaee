using BotCore.Backup.Sandbox.Queries;
using BotCore.Backup.Sandbox.Storage;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Sessions;

/// <summary>A cursor: a lazy walk, and one document that did not fit into the last batch. Used by one command at a time, under the server's lock for readers.</summary>
internal sealed class ServerCursor : IDisposable
{
    private readonly IEnumerator<ReadOnlyMemory<byte>>? _walk;
    private readonly StoredCollection? _collection;
    private readonly Predicate<ReadOnlyMemory<byte>>? _wanted;
    private ReadOnlyMemory<byte> _pending;
    private int _position;

    public ServerCursor(string ns, StoredCollection? collection, IEnumerable<ReadOnlyMemory<byte>> walk)
    {
        Namespace = ns;
        _collection = collection;
        _walk = walk.GetEnumerator();
    }

    /// <summary>A cursor over a capped collection that stays open at its end.</summary>
    public ServerCursor(StoredCollection collection, Filter filter, Predicate<ReadOnlyMemory<byte>>? limit)
    {
        Namespace = collection.Namespace.ToString();
        _collection = collection;
        _position = Scan.Start(collection, filter);
        _wanted = filter.Matches;
        Limit = limit;
        IsTailable = true;
    }

    public string Namespace { get; }

    public long Id { get; set; }

    public bool IsTailable { get; }

    public bool Awaits { get; init; }

    public int? BatchSize { get; set; }

    /// <summary>Who opened it; nobody else may go on with it.</summary>
    public string? Owner { get; init; }

    public Projection? Projection { get; init; }

    /// <summary>Where a tailable cursor must stop for now, such as at the majority point.</summary>
    public Predicate<ReadOnlyMemory<byte>>? Limit { get; }

    /// <summary>The next document, or false where there is none now. A tailable cursor may have one later.</summary>
    public bool TryNext(out ReadOnlyMemory<byte> document)
    {
        if (!_pending.IsEmpty)
        {
            document = _pending;
            _pending = default;
            return true;
        }

        if (_collection is { IsDropped: true })
            throw new ServerException(175, $"collection dropped between getMore calls: {Namespace}");
        if (!(IsTailable ? TryFollow(out document) : TryWalk(out document)))
            return false;
        if (Projection is not null)
            document = Projection.Apply(document);
        return true;
    }

    /// <summary>Gives back a document that does not fit.</summary>
    public void Return(ReadOnlyMemory<byte> document) => _pending = document;

    public void Dispose() => _walk?.Dispose();

    private bool TryWalk(out ReadOnlyMemory<byte> document)
    {
        if (_walk!.MoveNext())
        {
            document = _walk.Current;
            return true;
        }

        document = default;
        return false;
    }

    private bool TryFollow(out ReadOnlyMemory<byte> document)
    {
        var records = _collection!.Records;
        if (_position < records.First)
            throw new ServerException(136, "CollectionScan died due to position in capped collection being deleted.");
        for (; _position < records.Next; _position++)
        {
            document = records[_position];
            if (document.IsEmpty)
                continue;
            if (Limit is not null && !Limit(document))
                break;
            if (!_wanted!(document))
                continue;
            _position++;
            return true;
        }

        document = default;
        return false;
    }
}
