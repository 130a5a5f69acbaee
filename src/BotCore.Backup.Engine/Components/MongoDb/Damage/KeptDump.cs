using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Components.MongoDb.Replay;

namespace BotCore.Backup.Engine.Components.MongoDb.Damage;

/// <summary>
/// A dump whose oplog goes to the end of a mass delete, without its deletes: every victim is in it as it was when it was deleted, also one that was inserted or changed after
/// the last good moment. One thread.
/// </summary>
internal sealed class KeptDump : IDumpSource
{
    private readonly IDumpSource _source;
    private readonly VictimScan _victims;
    private readonly OperationCut _cut;

    public KeptDump(IDumpSource source, BotOplogEvent damage, VictimScan victims)
    {
        (_source, _victims) = (source, victims);
        var last = OplogEventFinder.Parse(damage.Last);
        // An entry that is cut is one of the event's, whenever it was written: its operations came to be seen within it.
        _cut = new OperationCut(operation => !victims.IsVictim(OplogEntry.ParseInner(operation), last, out _));
    }

    public string Name => _source.Name;

    public long Size => _source.Size;

    public void Prove(IDumpVisitor visitor, NamespaceFilter wanted, Action<long> moved, CancellationToken token) => _source.Prove(new Keeping(this, visitor), wanted, moved, token);

    public void Read(IDumpVisitor visitor, Func<DumpNamespace, bool> documents, bool oplog, Action<long> moved, CancellationToken token) =>
        _source.Read(new Keeping(this, visitor), documents, oplog, moved, token);

    public DocumentSet? Expected(DumpNamespace name) => _source.Expected(name);

    private void Pass(ReadOnlySpan<byte> raw, IDumpVisitor visitor)
    {
        var entry = OplogEntry.Parse(raw);
        if (_victims.Mixed.Contains(entry.Timestamp))
            visitor.Oplog(_cut.Cut(raw));
        else if (!_victims.IsVictim(entry, entry.Timestamp, out _))
            visitor.Oplog(raw);
    }

    private sealed class Keeping(KeptDump dump, IDumpVisitor visitor) : IDumpVisitor
    {
        public void Versions(DumpVersions versions) => visitor.Versions(versions);

        public void Metadata(DumpNamespace collection, CollectionMetadata metadata) => visitor.Metadata(collection, metadata);

        public void Document(DumpNamespace collection, ReadOnlySpan<byte> bson) => visitor.Document(collection, bson);

        public void End(DumpNamespace collection) => visitor.End(collection);

        public void Oplog(ReadOnlySpan<byte> entry) => dump.Pass(entry, visitor);

        public void Other(string path) => visitor.Other(path);
    }
}
