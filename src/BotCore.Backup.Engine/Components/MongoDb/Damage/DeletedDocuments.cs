using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Damage;

/// <summary>
/// Inserts deleted documents again, batch by batch, and reads each batch back. An insert never replaces anything, so an _id that lives again is safe whatever happens meanwhile.
/// One thread.
/// </summary>
internal sealed class DeletedDocuments(LiveCollection live, RepairLedger ledger)
{
    private readonly DocumentSequence _batch = new();
    private readonly List<RawBson> _ids = [];
    private readonly DocumentSequence _unsent = new();
    private readonly List<RawBson> _unsentIds = [];
    private readonly Dictionary<int, string> _reasons = [];

    /// <summary>Puts a document back. One that an insert would change is not sent, and is a conflict where it does not stand there: people must decide.</summary>
    public void Add(ReadOnlySpan<byte> document)
    {
        if (LiveCollection.HasEmptyTimestamp(document))
        {
            Look(document, "It was not sent: it holds an empty timestamp, and an insert would change that into the server's own time.");
            return;
        }

        if (!_batch.TryAdd(document, LiveCollection.BatchBytes, LiveCollection.BatchDocuments))
        {
            Send();
            _batch.TryAdd(document, LiveCollection.BatchBytes, LiveCollection.BatchDocuments);
        }

        _ids.Add(LiveCollection.IdOf(document));
    }

    /// <summary>Only looks whether a document stands there as it was; where it does not, <paramref name="reason"/> says why it is not put back.</summary>
    public void Look(ReadOnlySpan<byte> document, string reason)
    {
        if (!_unsent.TryAdd(document, LiveCollection.BatchBytes, LiveCollection.BatchDocuments))
        {
            LookAll();
            _unsent.TryAdd(document, LiveCollection.BatchBytes, LiveCollection.BatchDocuments);
        }

        _reasons[_unsentIds.Count] = reason;
        _unsentIds.Add(LiveCollection.IdOf(document));
    }

    /// <summary>Writes what is left.</summary>
    public void Complete()
    {
        Send();
        LookAll();
    }

    private void LookAll()
    {
        if (_unsent.Count == 0)
            return;
        Compare(_unsent, _unsentIds, _reasons, isSent: false);
        _unsent.Clear();
        _unsentIds.Clear();
        _reasons.Clear();
    }

    private void Send()
    {
        if (_batch.Count == 0)
            return;
        var (written, refused) = live.Write("insert", "documents", _batch);
        if (written + refused.Count != _batch.Count)
            throw new MongoException(MongoError.CommandFailed, $"of {_batch.Count} documents {written} were inserted and {refused.Count} refused, and nothing is said of the others");
        Compare(_batch, _ids, refused, isSent: true);
        _batch.Clear();
        _ids.Clear();
    }

    private void Compare(DocumentSequence documents, List<RawBson> ids, Dictionary<int, string> reasons, bool isSent)
    {
        var places = new Dictionary<UInt128, int>();
        for (var at = 0; at < documents.Count; at++)
            places[VictimIds.KeyOf(documents[at])] = at;
        var states = new State[documents.Count];
        live.Find(ids, document =>
        {
            if (places.TryGetValue(VictimIds.KeyOf(document), out var at))
                states[at] = document.SequenceEqual(documents[at]) ? State.Equal : State.Other;
        });
        for (var at = 0; at < documents.Count; at++)
            Judge(ids[at], states[at], reasons.GetValueOrDefault(at), isSent);
    }

    private void Judge(RawBson id, State state, string? reason, bool isSent)
    {
        id.TryFind("_id"u8, out var value);
        switch (state, reason)
        {
            case (State.Equal, null):
                ledger.Repaired();
                break;
            case (State.Equal, _):
                ledger.Same();
                break;
            case (_, null):
                ledger.Unproven();
                break;
            case (State.Other, _):
                ledger.Conflict(value, "Another document with this _id was written since.");
                break;
            default:
                ledger.Conflict(value, isSent ? $"The server refused it: {reason.TrimEnd('.')}." : reason);
                break;
        }
    }

    private enum State
    {
        Missing = 0,
        Equal,
        Other,
    }
}
