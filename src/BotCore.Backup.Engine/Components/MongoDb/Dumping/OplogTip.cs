using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumping;

/// <summary>What an increment goes on from. Immutable.</summary>
/// <param name="Timeline">The history that it belongs to.</param>
/// <param name="Backup">The id of the backup that ends there; empty while that is still being sealed.</param>
/// <param name="At">Its last entry.</param>
/// <param name="Sha256">SHA-256 of that entry's bytes.</param>
internal sealed record OplogTip(string Timeline, string Backup, BsonTimestamp At, string Sha256)
{
    /// <summary>The end of <paramref name="backup"/>.</summary>
    public static OplogTip Of(OplogTimeline timeline, BotBackup backup) => new(timeline.Id, backup.Id, OplogTimeline.EndOf(backup), backup.Oplog!.EndSha256);

    /// <summary>Whether both name the same entry of the same history.</summary>
    public bool IsEntryOf(OplogTip other) =>
        At == other.At && string.Equals(Timeline, other.Timeline, StringComparison.Ordinal) && string.Equals(Sha256, other.Sha256, StringComparison.Ordinal);
}

/// <summary>A hole in a history. Immutable.</summary>
/// <param name="Timeline">That history.</param>
/// <param name="From">The last entry that is stored.</param>
/// <param name="To">The first entry that can be stored again; null where nobody can tell.</param>
/// <param name="Reason">Why.</param>
internal sealed record OplogHole(string Timeline, BsonTimestamp From, BsonTimestamp? To, OplogGapReason Reason);
