using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Damage;

/// <summary>
/// Puts back documents that were updated, where they are still what the event left. First they are read and compared byte for byte; then each is replaced by a statement that
/// matches only as long as the server still has equal values in the same order, so a write in between is not overwritten. The server compares numbers by value: one that turns 1 into 1.0 in
/// that moment is. Strings it compares byte by byte, as the statement asks for, whatever the collection's collation is. One thread.
/// </summary>
/// <param name="live">The collection.</param>
/// <param name="after">The collection as the event left it.</param>
/// <param name="ledger">Gets what became of each.</param>
internal sealed class UpdatedDocuments(LiveCollection live, DumpNamespace? after, RepairLedger ledger)
{
    public const string WrittenTwice = "It was written more than once while the event went on, so its state before is not that of one write.";

    private readonly Dictionary<UInt128, Victim> _batch = [];
    private int _bytes;

    /// <summary>Takes a document as it was before the event.</summary>
    public void Add(ReadOnlySpan<byte> before) => Add(before, isOnce: true);

    /// <summary>Takes one that something else wrote while the event went on: it is only looked at.</summary>
    public void Look(ReadOnlySpan<byte> before) => Add(before, isOnce: false);

    private void Add(ReadOnlySpan<byte> before, bool isOnce)
    {
        if (_batch.Count > 0 && (_batch.Count >= LiveCollection.BatchDocuments || _bytes + before.Length > LiveCollection.BatchBytes))
            Complete();
        _batch[VictimIds.KeyOf(before)] = new Victim(LiveCollection.IdOf(before), before.ToArray(), isOnce);
        _bytes += before.Length;
    }

    /// <summary>Writes what is left.</summary>
    public void Complete()
    {
        if (_batch.Count == 0)
            return;
        var ids = _batch.Values.Select(victim => victim.Id).ToList();
        if (after is { } left)
            live.Find(left, ids, document => With(document, static (victim, bytes) => victim.After = bytes.ToArray()));
        live.Find(ids, document => With(document, static (victim, bytes) => victim.See(bytes)));
        Write([.. _batch.Values.Where(IsUntouched)]);
        _batch.Clear();
        _bytes = 0;
    }

    private void With(ReadOnlySpan<byte> document, Glance glance)
    {
        if (_batch.TryGetValue(VictimIds.KeyOf(document), out var victim))
            glance(victim, document);
    }

    // Judges all but those that are as the event left them.
    private bool IsUntouched(Victim victim)
    {
        victim.Id.TryFind("_id"u8, out var id);
        if (victim.IsBefore)
            ledger.Same();
        else if (!victim.Lives)
            ledger.Conflict(id, "It was deleted since.");
        else if (!victim.IsOnce)
            ledger.Conflict(id, WrittenTwice);
        else if (!victim.IsAfter)
            ledger.Conflict(id, "It was written since.");
        else if (LiveCollection.HasEmptyTimestamp(victim.Before))
            ledger.Conflict(id, "It held an empty timestamp, which the server replaces by its own time in every write.");
        else if (victim.Before.Length + victim.After!.Length > LiveCollection.MostStatementBytes - 1024)
            ledger.Conflict(id, "It is too large to be compared and replaced in one statement.");
        else
            return true;
        return false;
    }

    private void Write(List<Victim> untouched)
    {
        var from = 0;
        var statements = new DocumentSequence();
        for (var at = 0; at < untouched.Count; at++)
        {
            var statement = StatementOf(untouched[at]);
            if (statements.TryAdd(statement.Span, 2 * LiveCollection.BatchBytes, LiveCollection.BatchDocuments))
                continue;
            Send(statements, untouched[from..at]);
            statements.Clear();
            statements.TryAdd(statement.Span, 2 * LiveCollection.BatchBytes, LiveCollection.BatchDocuments);
            from = at;
        }

        if (statements.Count > 0)
            Send(statements, untouched[from..]);
    }

    private static RawBson StatementOf(Victim victim)
    {
        victim.Id.TryFind("_id"u8, out var id);
        return new BsonBuilder(victim.Before.Length + victim.After!.Length + 256)
            .BeginDocument("q").Append(id)
            .BeginDocument("$expr").BeginArray("$eq").Append("0", "$$ROOT").BeginDocument("1").AppendDocument("$literal", victim.After).End().End().End().End()
            .AppendDocument("u", victim.Before).Append("multi", value: false).Append("upsert", value: false)
            .BeginDocument("collation").Append("locale", "simple").End()
            .ToBson();
    }

    private void Send(DocumentSequence statements, List<Victim> sent)
    {
        var (matched, refused) = live.Write("update", "updates", statements);
        sent.ForEach(victim => victim.Forget());
        live.Find(sent.Select(victim => victim.Id), document => With(document, static (victim, bytes) => victim.See(bytes)));
        var left = new List<Victim>();
        for (var at = 0; at < sent.Count; at++)
        {
            sent[at].Id.TryFind("_id"u8, out var id);
            if (sent[at].IsBefore)
                ledger.Repaired();
            else if (refused.TryGetValue(at, out var reason))
                ledger.Conflict(id, $"The server refused it: {reason.TrimEnd('.')}.");
            else if (sent[at].IsAfter || matched == sent.Count - refused.Count)
                ledger.Unproven();
            else
                left.Add(sent[at]);
        }

        // The reply counts what matched, and does not say which. As many as did not match were written before, and lose nothing; of the others nothing was proven.
        var unmatched = sent.Count - refused.Count - matched;
        foreach (var victim in left)
        {
            victim.Id.TryFind("_id"u8, out var id);
            if (left.Count <= unmatched)
                ledger.Conflict(id, "It was written while it was to be put back.");
            else
                ledger.Unproven();
        }
    }

    private delegate void Glance(Victim victim, ReadOnlySpan<byte> document);

    private sealed class Victim(RawBson id, byte[] before, bool isOnce)
    {
        public bool IsOnce => isOnce;

        public RawBson Id => id;

        public byte[] Before => before;

        public byte[]? After { get; set; }

        public bool Lives { get; private set; }

        public bool IsBefore { get; private set; }

        public bool IsAfter { get; private set; }

        public void Forget() => Lives = IsBefore = IsAfter = false;

        public void See(ReadOnlySpan<byte> now) => (Lives, IsBefore, IsAfter) = (true, now.SequenceEqual(before), After is { } left && now.SequenceEqual(left));
    }
}
