using System.Security.Cryptography;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumps;

/// <summary>
/// The oplog of one archive of a chain while it is read: that it is what its manifest says, and that it begins with what the archive before ends with. The entries that two
/// neighbours both span are hashed on both sides, one more than needed where a full backup ends within an increment. One thread; constant memory.
/// </summary>
internal sealed class ChainLink
{
    private readonly ChainLink? _before;
    private readonly BsonTimestamp _start;
    private readonly BsonTimestamp _end;
    private readonly BsonTimestamp? _sharedWithNext;
    private readonly BsonTimestamp _sharedWithBefore;
    private readonly Shared _head = new();
    private readonly Shared _tail = new();
    private bool _isCompared;
    private BsonTimestamp? _last;
    private long _entries;

    public ChainLink(BotBackup backup, ChainLink? before, BotBackup? next)
    {
        Backup = backup;
        _before = before;
        (_start, _end) = (OplogTimeline.StartOf(backup), OplogTimeline.EndOf(backup));
        if (before is not null)
            _sharedWithBefore = Later(before._start, _start);
        if (next is not null)
            _sharedWithNext = Later(_start, OplogTimeline.StartOf(next));
    }

    public BotBackup Backup { get; }

    // Of one database only what concerns it is kept, so an entry that the manifest knows need not be there.
    private bool IsFiltered => Backup.Manifest!.MongoDb!.Database is not null;

    /// <summary>Takes the next entry; true where the archive before has not given it.</summary>
    public bool Take(ReadOnlySpan<byte> entry, out BsonTimestamp at)
    {
        at = RawBson.TryFind(entry, "ts"u8, out var ts) && ts.Type == BsonType.Timestamp ? ts.AsTimestamp() : throw Corrupt("an entry of its oplog has no time");
        if (_last is { } last && at <= last)
            throw Corrupt($"its oplog is not in order: {at} comes after {last}");
        if (at < _start || at > _end)
            throw Corrupt($"its oplog holds {at}, and its manifest says that it spans {_start} to {_end}");
        DemandHash(entry, at);
        _last = at;
        _entries++;
        if (_sharedWithNext <= at)
            _tail.Add(entry);
        if (_before is null)
            return true;
        if (at <= _before._end)
        {
            if (at >= _sharedWithBefore)
                _head.Add(entry);
            return false;
        }

        Compare();
        return true;
    }

    /// <summary>The archive was read to its end.</summary>
    public void Complete()
    {
        Compare();
        var oplog = Backup.Oplog!;
        // Since there are increments, manifests tell the count, and none is one: all that was written may have been our own.
        var isCounted = oplog.Entries > 0 || Backup.Type == BackupType.Incremental;
        if (isCounted && oplog.Entries != _entries)
            throw Corrupt($"its oplog holds {_entries} entries{(_last is { } last ? $" up to {last}" : "")}, and its manifest says {oplog.Entries} up to {_end}");
    }

    private static BsonTimestamp Later(BsonTimestamp one, BsonTimestamp other) => one > other ? one : other;

    private void DemandHash(ReadOnlySpan<byte> entry, BsonTimestamp at)
    {
        if (IsFiltered)
            return;
        Demand(entry, at, _start, Backup.Oplog!.StartSha256);
        Demand(entry, at, _end, Backup.Oplog.EndSha256);
    }

    private void Demand(ReadOnlySpan<byte> entry, BsonTimestamp at, BsonTimestamp end, string? expected)
    {
        if (at != end || expected is null)
            return;
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(entry, hash);
        if (!string.Equals(Convert.ToHexStringLower(hash), expected, StringComparison.Ordinal))
            throw Corrupt($"its entry of {at} is not the one that its manifest tells the hash of");
    }

    private void Compare()
    {
        if (_before is null || _isCompared)
            return;
        _isCompared = true;
        if (!_head.Matches(_before._tail))
            throw ChainOplog.Broken(_before.Backup, Backup, $"between {_sharedWithBefore} and {_before._end}, which both hold, they differ");
    }

    private BackupException Corrupt(string how) => new(
        FailureKind.ChainBroken, $"{Backup.Location} cannot be part of a chain: {how}.", "Restore to a moment before it, or from a later full backup; see what can be reached with Get-BotRecoveryWindow.", Backup);

    // What two neighbours both hold, as count and hash; most often it is a single entry.
    private sealed class Shared
    {
        private byte[] _hash = [];
        private long _count;

        public void Add(ReadOnlySpan<byte> entry)
        {
            var whole = new byte[2 * SHA256.HashSizeInBytes];
            _hash.CopyTo(whole, 0);
            SHA256.HashData(entry, whole.AsSpan(SHA256.HashSizeInBytes));
            _hash = SHA256.HashData(whole);
            _count++;
        }

        public bool Matches(Shared other) => _count == other._count && _hash.AsSpan().SequenceEqual(other._hash);
    }
}
