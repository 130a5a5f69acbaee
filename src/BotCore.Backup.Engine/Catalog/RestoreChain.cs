using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Catalog;

/// <summary>A full backup and the increments that bring it to a moment, in order, each beginning with the last entry of the one before. Immutable.</summary>
/// <param name="Base">The full backup.</param>
/// <param name="Slices">Increments; none where the base's own oplog ends there. The first holds the base's last entry, wherever in it that stands.</param>
/// <param name="UpTo">The last entry that is wanted, inclusive.</param>
internal sealed record RestoreChain(BotBackup Base, IReadOnlyList<BotBackup> Slices, BsonTimestamp UpTo)
{
    /// <summary>All archives in it.</summary>
    public IEnumerable<BotBackup> Backups => [Base, .. Slices];

    /// <summary>
    /// The moment that it gives, <c>seconds:ordinal</c>, where <paramref name="last"/> is the last entry that was read up to <see cref="UpTo"/>: that entry; where nothing of what
    /// is kept comes after the base, the entry that was asked for, and of a whole second, which names no entry, the base's last one.
    /// </summary>
    public BsonTimestamp MomentOf(BsonTimestamp? last)
    {
        var end = OplogTimeline.EndOf(Base);
        if (last > end)
            return last.Value;
        return UpTo.Ordinal == uint.MaxValue ? end : UpTo;
    }
}
