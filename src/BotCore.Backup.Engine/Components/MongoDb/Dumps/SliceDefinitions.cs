using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumps;

/// <summary>
/// What an oplog slice defines anew while a dump runs, beside documents: collections that it makes, time-series collections and views. A restore must know them before it
/// writes anything: they may replace what stands at the target, and the latter two cannot be staged. One thread.
/// </summary>
internal sealed class SliceDefinitions
{
    private const string SystemViews = "system.views";

    private readonly HashSet<DumpNamespace> _made = [];
    private readonly Dictionary<DumpNamespace, RawBson> _timeSeries = [];
    private readonly Dictionary<DumpNamespace, RawBson?> _views = [];

    /// <summary>Collections that it creates, or gives a name by renaming; they may be gone again at its end.</summary>
    public IReadOnlyCollection<DumpNamespace> Made => _made;

    /// <summary>Time-series collections that it creates and that stand at its end, by their own names; the options of <c>create</c>.</summary>
    public IReadOnlyDictionary<DumpNamespace, RawBson> TimeSeries => _timeSeries;

    /// <summary>Views that it changes: the options of <c>create</c> at its end, or null where the view is gone then.</summary>
    public IReadOnlyDictionary<DumpNamespace, RawBson?> Views => _views;

    /// <summary>Takes the next entry.</summary>
    public void Add(ReadOnlySpan<byte> raw) => Note(OplogEntry.Parse(raw));

    private void Note(in OplogEntry entry)
    {
        switch (entry.Kind)
        {
            case OplogKind.Transaction or OplogKind.ApplyOps:
                foreach (var inner in new InnerOperations(entry.Object))
                    Note(OplogEntry.ParseInner(inner));
                break;
            case OplogKind.Insert or OplogKind.Update or OplogKind.Delete when entry.Namespace.EndsWith(".system.views"u8):
                NoteView(entry);
                break;
            case OplogKind.Create:
                NoteCreate(Split(entry.CommandNamespace()), new RawBson(entry.Object.ToArray()));
                break;
            case OplogKind.Rename:
                _made.Add(Split(entry.Argument("to"u8)));
                break;
            case OplogKind.Drop:
                NoteDrop(Split(entry.CommandNamespace()));
                break;
            default:
                break;
        }
    }

    private void NoteCreate(DumpNamespace name, RawBson command)
    {
        if (name.Collection.StartsWith(CollectionRules.BucketPrefix, StringComparison.Ordinal))
        {
            var own = name with { Collection = name.Collection[CollectionRules.BucketPrefix.Length..] };
            _timeSeries[own] = Only(command, "timeseries", "expireAfterSeconds", "collation");
            _made.Add(own);
        }
        else if (command.Has("viewOn"u8))
        {
            _views[name] = Only(command, "viewOn", "pipeline", "collation");
        }
        else if (!name.Collection.StartsWith("system.", StringComparison.Ordinal))
        {
            _made.Add(name);
        }
    }

    private void NoteDrop(DumpNamespace name)
    {
        if (name.Collection.StartsWith(CollectionRules.BucketPrefix, StringComparison.Ordinal))
        {
            _timeSeries.Remove(name with { Collection = name.Collection[CollectionRules.BucketPrefix.Length..] });
        }
        else if (string.Equals(name.Collection, SystemViews, StringComparison.Ordinal))
        {
            foreach (var view in _views.Keys.Where(view => string.Equals(view.Database, name.Database, StringComparison.Ordinal)).ToArray())
                _views[view] = null;
        }
        else if (_views.ContainsKey(name))
        {
            _views[name] = null;
        }
    }

    // The document of a view is its whole definition, also where it is changed.
    private void NoteView(in OplogEntry entry)
    {
        var document = new RawBson(entry.Object.ToArray());
        var id = entry.Kind == OplogKind.Update ? new RawBson(entry.Object2.ToArray()).FindString("_id"u8) : document.FindString("_id"u8);
        if (id is null)
            throw OplogEntry.Corrupt($"The entry of {entry.Timestamp} changes a view without saying which.");
        if (entry.Kind == OplogKind.Delete)
        {
            _views[Split(id)] = null;
            return;
        }

        var on = document.FindString("viewOn"u8) ?? throw new BackupException(
            FailureKind.RestoreFailed, $"The oplog changes the view {id} at {entry.Timestamp} in a way that is not known.", "Restore an older backup, or leave that view out with -Exclude.", id);
        // A time-series collection shows as a view of its buckets; it is known by these. One that was dropped and made again is no view that is gone.
        if (on.StartsWith(CollectionRules.BucketPrefix, StringComparison.Ordinal))
            _views.Remove(Split(id));
        else
            _views[Split(id)] = Only(document, "viewOn", "pipeline", "collation");
    }

    private static DumpNamespace Split(string name) => new(NamespaceMap.DatabaseOf(name), NamespaceMap.CollectionOf(name));

    private static RawBson Only(RawBson from, params ReadOnlySpan<string> names)
    {
        var builder = new BsonBuilder(from.Length);
        var reader = from.Read();
        while (reader.Read())
        {
            if (names.IndexOf(reader.Current.NameText) >= 0)
                builder.Append(reader.Current);
        }

        return builder.ToBson();
    }
}
