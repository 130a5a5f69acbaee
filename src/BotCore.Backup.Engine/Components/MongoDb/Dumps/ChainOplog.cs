using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumps;

/// <summary>
/// Joins the oplogs of a chain's archives while they are read one after the other: what an archive before has given is compared and left out, what comes after the chain's last
/// moment is left out. One thread.
/// </summary>
internal sealed class ChainOplog(RestoreChain chain, IDumpVisitor visitor)
{
    private ChainLink? _before;
    private ChainLink _link = new(chain.Base, null, chain.Slices.Count > 0 ? chain.Slices[0] : null);
    private int _next;

    /// <summary>Takes all of the base.</summary>
    public IDumpVisitor Documents() => new Joining(this, documents: true);

    /// <summary>Goes on to the next slice.</summary>
    public IDumpVisitor Next()
    {
        _before = _link;
        _link = new ChainLink(chain.Slices[_next], _before, _next + 1 < chain.Slices.Count ? chain.Slices[_next + 1] : null);
        _next++;
        return new Joining(this, documents: false);
    }

    /// <summary>The archive was read to its end.</summary>
    public void Complete() => _link.Complete();

    /// <summary>Two archives that do not fit together.</summary>
    public static BackupException Broken(BotBackup before, BotBackup next, string how) => new(
        FailureKind.ChainBroken,
        $"{next.Location} does not go on where {before.Location} ends: {how}.",
        "Restore to a moment before that, or from a later full backup; see what can be reached with Get-BotRecoveryWindow.",
        next);

    private void Take(ReadOnlySpan<byte> entry)
    {
        if (_link.Take(entry, out var at) && at <= chain.UpTo)
            visitor.Oplog(entry);
    }

    private sealed class Joining(ChainOplog oplog, bool documents) : IDumpVisitor
    {
        private readonly IDumpVisitor _visitor = oplog.Visitor;

        public void Versions(DumpVersions versions)
        {
            if (documents)
                _visitor.Versions(versions);
        }

        public void Metadata(DumpNamespace collection, CollectionMetadata metadata) => Demand(collection).Metadata(collection, metadata);

        public void Document(DumpNamespace collection, ReadOnlySpan<byte> bson) => Demand(collection).Document(collection, bson);

        public void End(DumpNamespace collection) => Demand(collection).End(collection);

        public void Oplog(ReadOnlySpan<byte> entry) => oplog.Take(entry);

        public void Other(string path)
        {
            if (documents)
                _visitor.Other(path);
        }

        // What an increment held beside its oplog would be lost without a word.
        private IDumpVisitor Demand(DumpNamespace collection) =>
            documents ? _visitor : throw DumpCorruption.Of(oplog._link.Backup.Location, $"it is an increment, and holds the collection {collection}");
    }

    private IDumpVisitor Visitor => visitor;
}
