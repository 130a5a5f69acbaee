namespace BotCore.Backup.Engine.Tests.Components.MongoDb.PointInTime;

/// <summary>Updates of all forms, what rolls over, what expires, and buckets.</summary>
internal sealed partial class Writer
{
    private int _expires;

    private void UpdateSome(string ns)
    {
        if (AnyDocument(ns) is not { } document)
            return;
        var query = new WriterDocument([("_id", document["_id"])]);
        switch (_random.Next(12))
        {
            case 0:
                Replace(ns, document);
                break;
            case 1:
                UpdateMany(ns, document["n"]);
                break;
            case 2:
                Upsert(ns);
                break;
            case 3:
                // Matches nothing, changes nothing, and leaves no entry.
                Update(ns, new WriterDocument([("_id", "nobody")]), AnyUpdate().ToDocument());
                Update(ns, query, new WriterDocument([("$set", new WriterDocument([("u", document["u"])]))]));
                break;
            default:
                var update = AnyUpdate();
                if (update.Apply(document) is { } changed)
                {
                    Update(ns, query, update.ToDocument());
                    DoUpdate(ns, document, changed);
                }

                break;
        }
    }

    private WriterUpdate AnyUpdate()
    {
        var number = _random.Next(50);
        return _random.Next(23) switch
        {
            0 => new(("$set", "n", number)),
            1 or 20 => new(("$set", "in.x", number), ("$set", "in.y.z", "deeper " + number)),
            2 or 22 => new(("$set", $"in.list.{number % 3}.q", number)),
            3 or 21 => new(("$set", "in", number % 2 == 0 ? "no document" : new WriterDocument([("x", number), ("y", new WriterDocument([("z", 1), ("pad", _text)])), ("list", new List<object?>())]))),
            4 => new(("$unset", "in.y.z", "")),
            5 => new(("$unset", number % 2 == 0 ? "text" : "tags", "")),
            6 => new(("$inc", "n", 1), ("$set", "text", "after " + number + _text)),
            7 => new(("$inc", "ratio", 0.5)),
            8 => new(("$inc", "fresh." + number % 3, (long)number)),
            9 => new(("$inc", "n", int.MaxValue - 3)),
            10 => new(("$push", "tags", number)),
            11 => new(("$push", "tags", new WriterDocument([("$each", new List<object?> { number, 1, 2 }), ("$slice", number % 2 == 0 ? -5 : 5)]))),
            12 => new(("$push", "tags", new WriterDocument([("$each", new List<object?> { number }), ("$position", 1)]))),
            13 => new(("$push", "in.list", new WriterDocument([("q", number), ("pad", _text)]))),
            14 => new(("$pull", "tags", number % 9)),
            15 => new(("$pop", "tags", number % 2 == 0 ? 1 : -1)),
            16 => new(("$addToSet", "tags", number % 9)),
            17 => new(("$set", "tags." + number % 8, number)),
            18 => new(("$rename", "none", "note" + _next++)),
            _ => new(("$max", "n", number)),
        };
    }

    private void Update(string ns, WriterDocument query, WriterDocument update, bool multi = false, bool upsert = false) => Send(
        DatabaseOf(ns), ("update", CollectionOf(ns)), ("updates", new List<object?> { new WriterDocument([("q", query), ("u", update), ("multi", multi), ("upsert", upsert)]) }));

    private void DoUpdate(string ns, WriterDocument old, WriterDocument changed)
    {
        // Nothing changed: the server writes no entry.
        if (old.ToBson().Span.SequenceEqual(changed.ToBson().Span))
            return;
        Do(new WriterPart("u", ns, Change: model => model.Put(ns, changed)));
    }

    private void Replace(string ns, WriterDocument old)
    {
        var fresh = NewDocument(old["_id"]!);
        if (_random.Next(2) == 0)
            fresh = new WriterDocument([("_id", old["_id"]), ("u", (long)++_next), ("n", _random.Next(20)), ("short", true)]);
        var given = fresh.Copy();
        given.Remove("_id");
        Update(ns, new WriterDocument([("_id", old["_id"])]), given);
        DoUpdate(ns, old, fresh);
    }

    private void UpdateMany(string ns, object? n)
    {
        var update = new WriterUpdate(("$inc", "hits", 1));
        Update(ns, new WriterDocument([("n", n)]), update.ToDocument(), multi: true);
        foreach (var document in Model[ns].Documents.Values.Where(document => Equals(document["n"], n)).ToArray())
            DoUpdate(ns, document, update.Apply(document)!);
    }

    private void Upsert(string ns)
    {
        var id = NewId();
        var u = (long)++_next;
        Update(ns, new WriterDocument([("_id", id)]), new WriterDocument([("$set", new WriterDocument([("n", 3), ("text", _text), ("u", u)]))]), upsert: true);
        DoInsert(ns, new WriterDocument([("_id", id), ("n", 3), ("text", _text), ("u", u)]));
    }

    private void WriteCapped()
    {
        var ns = $"{_main}.{(_random.Next(2) == 0 ? "log" : "sizes")}";
        if (_random.Next(5) == 0 && AnyDocument(ns) is { } old)
        {
            // Of the same size, as old servers demand.
            var update = new WriterUpdate(("$inc", "n", 1));
            Update(ns, new WriterDocument([("_id", old["_id"])]), update.ToDocument());
            DoUpdate(ns, old, update.Apply(old)!);
            return;
        }

        var documents = Enumerable.Range(0, _random.Next(1, 4)).Select(_ => new WriterDocument([("_id", ++_next), ("n", 1), ("pad", new string('p', _random.Next(400)))]));
        Insert(ns, [.. documents]);
    }

    // The server's own monitor would delete what is older than the index says; here the writer does, by the same condition.
    private void StepExpiry()
    {
        var ns = $"{_main}.sessions";
        if (_random.Next(3) > 0)
        {
            Insert(ns, [new WriterDocument([("_id", ++_next), ("at", new WriterDate(4_000_000_000_000 + ++_expires))]), new WriterDocument([("_id", ++_next), ("at", "never")])]);
            return;
        }

        var before = 4_000_000_000_000 + _expires - _random.Next(3);
        Delete(ns, new WriterDocument([("at", new WriterDocument([("$lt", new WriterDate(before))]))]), document => document["at"] is WriterDate at && at.Milliseconds < before);
    }

    private void WriteBuckets()
    {
        var ns = $"{_main}.system.buckets.prices";
        if (!Model.Collections.ContainsKey(ns))
        {
            CreateSeries();
            return;
        }

        var old = AnyDocument(ns);
        if (old is null || _random.Next(3) > 0)
        {
            Insert(ns, [new WriterDocument([("_id", ++_next), ("control", new WriterDocument([("version", 1), ("min", new WriterDocument([("p", 1)]))])), ("meta", "EURUSD"), ("data", new WriterDocument([("at", new WriterDocument()), ("pad", _text)]))])]);
            return;
        }

        if (_random.Next(3) == 0)
        {
            Delete(ns, new WriterDocument([("_id", old["_id"])]), document => ReferenceEquals(document, old));
            return;
        }

        var update = new WriterUpdate(("$set", "control.min.p", _next++), ("$set", "data.at." + _random.Next(9), new WriterDate(_next)));
        Update(ns, new WriterDocument([("_id", old["_id"])]), update.ToDocument());
        DoUpdate(ns, old, update.Apply(old)!);
    }
}
