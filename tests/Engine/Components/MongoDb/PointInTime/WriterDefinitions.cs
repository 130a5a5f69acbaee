namespace BotCore.Backup.Engine.Tests.Components.MongoDb.PointInTime;

/// <summary>Collections, indexes, views and time-series: made, changed, renamed and dropped.</summary>
internal sealed partial class Writer
{
    private void Define()
    {
        var ns = AnyPlain();
        var stands = Model.Collections.ContainsKey(ns);
        switch (_random.Next(20))
        {
            case < 3 when !stands:
                Create(DatabaseOf(ns), CollectionOf(ns), _random.Next(2) == 0 ? new WriterDocument() : new WriterDocument([("validator", new WriterDocument([("u", new WriterDocument([("$gte", 0)]))])), ("validationLevel", "moderate")]));
                break;
            case < 3:
                Drop(ns);
                break;
            case < 6 when stands:
                Rename(ns, AnyPlain());
                break;
            case < 11 when stands:
                CreateSomeIndexes(ns);
                break;
            case < 13 when stands:
                DropIndexes(ns);
                break;
            case < 16 when stands:
                Change(ns);
                break;
            case < 18:
                StepView();
                break;
            case 18 when _random.Next(4) == 0:
                DropScratch();
                break;
            case 19 when _random.Next(3) == 0:
                DropSeries();
                break;
            default:
                break;
        }
    }

    private void Create(string database, string name, WriterDocument options)
    {
        Send(database, [("create", name), .. options.Fields]);
        var ns = $"{database}.{name}";
        DoCommand(ns, "create", model => model.Collections.Add(ns, new WriterCollection(options)));
    }

    private void Drop(string ns)
    {
        Send(DatabaseOf(ns), ("drop", CollectionOf(ns)));
        DoCommand(ns, "drop", model => model.Collections.Remove(ns));
    }

    private void Rename(string from, string to)
    {
        if (string.Equals(from, to, StringComparison.Ordinal) || !string.Equals(DatabaseOf(from), DatabaseOf(to), StringComparison.Ordinal))
            return;
        Send("admin", ("renameCollection", from), ("to", to), ("dropTarget", Model.Collections.ContainsKey(to)));
        DoCommand(from, "renameCollection", model => model.Rename(from, to), argument: from);
    }

    private void CreateSomeIndexes(string ns)
    {
        var indexes = new List<WriterDocument>();
        foreach (var kind in Enumerable.Range(0, 7).Where(_ => _random.Next(3) == 0))
        {
            var index = kind switch
            {
                0 => new WriterDocument([("v", 2), ("key", new WriterDocument([("u", 1)])), ("name", "u_unique"), ("unique", true)]),
                1 => new WriterDocument([("v", 2), ("key", new WriterDocument([("at", 1)])), ("name", "at_ttl"), ("expireAfterSeconds", 2_000_000_000)]),
                2 => new WriterDocument([("v", 2), ("key", new WriterDocument([("n", -1), ("ratio", 1)])), ("name", "n_ratio"), ("sparse", true)]),
                3 => new WriterDocument([("v", 2), ("key", new WriterDocument([("in.x", 1)])), ("name", "nested")]),
                4 => new WriterDocument([("v", 2), ("key", new WriterDocument([("text", 1)])), ("name", "some"), ("partialFilterExpression", new WriterDocument([("n", new WriterDocument([("$gt", 5)]))]))]),
                _ => new WriterDocument([("v", 2), ("key", new WriterDocument([("n", 1)])), ("name", "n_1")]),
            };
            if (!Model[ns].Indexes.ContainsKey((string)index["name"]!) && !indexes.Exists(other => Equals(other["name"], index["name"])))
                indexes.Add(index);
        }

        if (indexes.Count > 0)
            CreateIndexes(ns, indexes);
    }

    private void CreateIndexes(string ns, IReadOnlyList<WriterDocument> indexes)
    {
        Send(DatabaseOf(ns), ("createIndexes", CollectionOf(ns)), ("indexes", new List<object?>(indexes)));
        if (Model[ns].Documents.Count == 0)
        {
            foreach (var index in indexes)
                DoCommand(ns, "createIndexes", model => model[ns].Indexes.Add((string)index["name"]!, index));
            return;
        }

        DoCommand(ns, "startIndexBuild", null);
        DoCommand(ns, "commitIndexBuild", model =>
        {
            foreach (var index in indexes)
                model[ns].Indexes.Add((string)index["name"]!, index);
        });
    }

    private void DropIndexes(string ns)
    {
        var names = Model[ns].Indexes.Keys.ToList();
        if (names.Count == 0)
            return;
        var all = _random.Next(3) == 0;
        if (!all)
            names = [names[_random.Next(names.Count)]];
        Send(DatabaseOf(ns), ("dropIndexes", CollectionOf(ns)), ("index", all ? "*" : names[0]));
        foreach (var name in names)
            DoCommand(ns, "dropIndexes", model => model[ns].Indexes.Remove(name));
    }

    private void Change(string ns)
    {
        if (_random.Next(2) == 0)
        {
            var validator = new WriterDocument([("u", new WriterDocument([("$gte", -_random.Next(9))]))]);
            Send(DatabaseOf(ns), ("collMod", CollectionOf(ns)), ("validator", validator), ("validationLevel", "moderate"));
            DoCommand(ns, "collMod", model => model[ns].Options = model[ns].Options.Copy().Set("validator", validator).Set("validationLevel", "moderate"));
            return;
        }

        if (Model[ns].Indexes.Count == 0)
            return;
        var (name, old) = Model[ns].Indexes.GetAt(_random.Next(Model[ns].Indexes.Count));
        var expires = old.Has("expireAfterSeconds");
        var changed = old.Copy();
        var change = new WriterDocument([("name", name)]);
        if (expires)
            (changed, change) = (changed.Set("expireAfterSeconds", 2_000_000_000 + _next), change.Set("expireAfterSeconds", 2_000_000_000 + _next++));
        else if (changed.Remove("hidden"))
            change.Set("hidden", false);
        else
            (changed, change) = (changed.Set("hidden", true), change.Set("hidden", true));
        Send(DatabaseOf(ns), ("collMod", CollectionOf(ns)), ("index", change));
        DoCommand(ns, "collMod", model => model[ns].Indexes[name] = changed);
    }

    private void DropScratch()
    {
        var spaces = Model.Collections.Keys.Where(ns => string.Equals(DatabaseOf(ns), _scratch, StringComparison.Ordinal)).ToList();
        if (spaces.Count == 0)
            return;
        Send(_scratch, ("dropDatabase", 1));
        _group++;
        foreach (var ns in spaces)
            DoCommand(ns, "drop", model => model.Collections.Remove(ns), _group);
        Do(new WriterPart("c", _scratch + ".$cmd", "dropDatabase"));
    }

    private void StepView()
    {
        var name = "view" + _random.Next(3);
        var ns = $"{_main}.{name}";
        if (!Model.Views.ContainsKey(ns))
        {
            CreateView(name, "orders", _random.Next(9));
            return;
        }

        if (_random.Next(2) == 0)
        {
            Send(_main, ("drop", name));
            Do(new WriterPart("d", $"{_main}.system.views", Change: model => model.Views.Remove(ns)));
            return;
        }

        var options = ViewOptions("trades", _next++);
        Send(_main, [("collMod", name), .. options.Fields]);
        Do(new WriterPart("u", $"{_main}.system.views", Change: model => model.Views[ns] = options));
    }

    private void CreateView(string name, string on, int number)
    {
        var options = ViewOptions(on, number);
        Send(_main, [("create", name), .. options.Fields]);
        DemandViews();
        Do(new WriterPart("i", $"{_main}.system.views", Change: model => model.Views.Add($"{_main}.{name}", options)));
    }

    private static WriterDocument ViewOptions(string on, int number) =>
        new([("viewOn", on), ("pipeline", new List<object?> { new WriterDocument([("$match", new WriterDocument([("n", number)]))]) })]);

    private void DemandViews(bool settled = true)
    {
        if (Model.ViewDatabases.Contains(_main))
            return;
        Do(new WriterPart("c", $"{_main}.$cmd", "create", "system.views", model => model.ViewDatabases.Add(_main)) { IsSettled = settled });
    }

    private void CreateSeries()
    {
        var options = new WriterDocument([("timeseries", new WriterDocument([("timeField", "at"), ("metaField", "m"), ("granularity", "hours"), ("bucketMaxSpanSeconds", 2_592_000)]))]);
        Send(_main, [("create", "prices"), .. options.Fields]);
        var buckets = $"{_main}.system.buckets.prices";
        Do(new WriterPart("c", $"{_main}.$cmd", "create", "system.buckets.prices", model => model.Collections.Add(buckets, new WriterCollection(new WriterDocument()))) { IsSettled = false });
        DemandViews(settled: false);
        Do(new WriterPart("i", $"{_main}.system.views", Change: model => model.Views.Add($"{_main}.prices", options)));
    }

    private void DropSeries()
    {
        var buckets = $"{_main}.system.buckets.prices";
        if (!Model.Collections.ContainsKey(buckets))
            return;
        Send(_main, ("drop", "prices"));
        Do(new WriterPart("d", $"{_main}.system.views", Change: model => model.Views.Remove($"{_main}.prices")) { IsSettled = false });
        DoCommand(buckets, "drop", model => model.Collections.Remove(buckets));
    }
}
