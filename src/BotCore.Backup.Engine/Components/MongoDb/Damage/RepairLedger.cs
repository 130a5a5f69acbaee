using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Damage;

/// <summary>What became of each victim. One thread.</summary>
internal sealed class RepairLedger
{
    private readonly List<DocumentConflict> _conflicts = [];
    private readonly List<string> _lost = [];
    private long _repaired;
    private long _same;
    private long _conflictCount;
    private long _lostCount;
    private long _unproven;

    public void Repaired() => _repaired++;

    public void Same() => _same++;

    /// <summary>It was written, and is not what was written.</summary>
    public void Unproven() => _unproven++;

    public void Conflict(BsonElement id, string reason)
    {
        _conflictCount++;
        if (_conflicts.Count < BotDocumentRepair.MostNamed)
            _conflicts.Add(new DocumentConflict(TextOf(id), reason));
    }

    public void Lost(BsonElement id)
    {
        _lostCount++;
        if (_lost.Count < BotDocumentRepair.MostNamed)
            _lost.Add(TextOf(id));
    }

    public BotDocumentRepair Close(BotOplogEvent damage, DumpNamespace live, string destination, TimeSpan duration) => new()
    {
        Event = damage,
        Namespace = live.ToString(),
        Destination = destination,
        Victims = _repaired + _same + _conflictCount + _lostCount + _unproven,
        Repaired = _repaired,
        Same = _same,
        Conflicts = _conflicts,
        ConflictCount = _conflictCount,
        Lost = _lost,
        LostCount = _lostCount,
        Unproven = _unproven,
        Duration = duration,
        Outcome = _lostCount == 0 && _unproven == 0 ? Outcome.Succeeded : Outcome.Failed,
    };

    private static string TextOf(BsonElement id)
    {
        var text = ExtendedJson.ToText(new BsonBuilder().Append("_id", id).ToBson());
        return text[(text.IndexOf(':', StringComparison.Ordinal) + 1)..text.LastIndexOf('}')].Trim();
    }
}
