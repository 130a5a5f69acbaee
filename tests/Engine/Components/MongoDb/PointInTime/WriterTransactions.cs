namespace BotCore.Backup.Engine.Tests.Components.MongoDb.PointInTime;

/// <summary>Transactions over two collections, two of them open at a time: committed, aborted, and prepared before that.</summary>
internal sealed partial class Writer
{
    private readonly Dictionary<int, Transaction> _open = [];
    private long _number;

    private void StepTransaction()
    {
        var session = _random.Next(2);
        if (!_open.TryGetValue(session, out var transaction))
        {
            _open.Add(session, transaction = new Transaction(new Guid(0x5e551011, (short)session, 0, new byte[8]), ++_number));
            Extend(transaction);
            // The other one holds all that it could change: it never began.
            if (!transaction.HasStarted)
                _open.Remove(session);
            return;
        }

        switch (_random.Next(10))
        {
            case < 5 when !transaction.IsPrepared:
                Extend(transaction);
                break;
            case < 6 when !transaction.IsPrepared && _prepares:
                Send("admin", Within(transaction, ("prepareTransaction", 1)));
                Do(new WriterPart("c", "admin.$cmd", "applyOps"));
                transaction.IsPrepared = true;
                break;
            case < 8:
                Commit(transaction);
                break;
            default:
                Send("admin", Within(transaction, ("abortTransaction", 1)));
                if (transaction.IsPrepared)
                    Do(new WriterPart("c", "admin.$cmd", "abortTransaction"));
                Close(transaction);
                break;
        }
    }

    // Documents that one transaction touches are left alone by the other: a conflict would end one of them, and says nothing about backups.
    private void Extend(Transaction transaction)
    {
        var accounts = $"{_main}.accounts";
        var free = Model[accounts].Documents.Where(pair => !IsHeld(pair.Key)).ToList();
        if (free.Count < 2)
            return;
        var amount = _random.Next(1, 9);
        var first = _random.Next(free.Count - 1);
        foreach (var ((key, account), change) in ((KeyValuePair<string, WriterDocument>, long)[])[(free[first], -amount), (free[first + 1], amount)])
        {
            var update = new WriterUpdate(("$inc", "balance", change));
            Send(_main, Within(transaction, ("update", "accounts"), ("updates", new List<object?> { new WriterDocument([("q", new WriterDocument([("_id", account["_id"])])), ("u", update.ToDocument())]) })));
            var changed = update.Apply(account)!;
            transaction.Held.Add(key);
            transaction.Changes.Add(model => model.Put(accounts, changed));
        }

        var ledger = $"{_main}.ledger";
        var line = new WriterDocument([("_id", ++_next), ("amount", amount), ("pad", _text[_random.Next(100)..])]);
        Send(_main, Within(transaction, ("insert", "ledger"), ("documents", new List<object?> { line })));
        transaction.Changes.Add(model => model.Insert(ledger, line));
        var old = Model[ledger].Documents.FirstOrDefault(pair => !IsHeld(pair.Key));
        if (old.Key is null || _random.Next(2) == 0)
            return;
        Send(_main, Within(transaction, ("delete", "ledger"), ("deletes", new List<object?> { new WriterDocument([("q", new WriterDocument([("_id", old.Value["_id"])])), ("limit", 1)]) })));
        transaction.Held.Add(old.Key);
        transaction.Changes.Add(model => model.Delete(ledger, old.Key));
    }

    private void Commit(Transaction transaction)
    {
        Send("admin", Within(transaction, ("commitTransaction", 1)));
        if (transaction.Changes.Count > 0 || transaction.IsPrepared)
        {
            var changes = transaction.Changes.ToList();
            // Visible with the last entry, all of it at once.
            Do(new WriterPart("c", "admin.$cmd", transaction.IsPrepared ? "commitTransaction" : "applyOps", Change: model => changes.ForEach(change => change(model))));
        }

        Close(transaction);
    }

    private void Close(Transaction transaction) => _open.Remove(_open.Single(pair => pair.Value == transaction).Key);

    private bool IsHeld(string key) => _open.Values.Any(transaction => transaction.Held.Contains(key));

    private static (string Name, object? Value)[] Within(Transaction transaction, params (string Name, object? Value)[] command)
    {
        var starts = !transaction.HasStarted;
        transaction.HasStarted = true;
        return
        [
            .. command, ("lsid", new WriterDocument([("id", transaction.Session)])), ("txnNumber", transaction.Number), ("autocommit", false),
            .. starts ? [("startTransaction", true)] : Array.Empty<(string, object?)>(),
        ];
    }

    private sealed class Transaction(Guid session, long number)
    {
        public Guid Session { get; } = session;

        public long Number { get; } = number;

        public bool HasStarted { get; set; }

        public bool IsPrepared { get; set; }

        public HashSet<string> Held { get; } = new(StringComparer.Ordinal);

        public List<Action<WriterModel>> Changes { get; } = [];
    }
}
