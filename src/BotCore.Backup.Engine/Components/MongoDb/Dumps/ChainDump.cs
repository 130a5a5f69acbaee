using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumps;

/// <summary>
/// A full dump and the oplog slices that bring it to a later moment, as one dump: the documents are the base's, the oplog is that of all of them in one piece, without what two of
/// them share, up to the chain's last moment. Proves each archive, and at each joint that both sides hold the very same entries. One thread at a time.
/// </summary>
internal sealed class ChainDump : IDumpSource
{
    private readonly RestoreChain _chain;
    private readonly IDumpSource _base;
    private readonly IReadOnlyList<IDumpSource> _slices;

    /// <summary>Joins <paramref name="chain"/>, whose archives <paramref name="open"/> opens.</summary>
    /// <exception cref="BackupException">ChainBroken: its manifests say already that it does not reach the moment, or does not hang together.</exception>
    public ChainDump(RestoreChain chain, Func<BotBackup, IDumpSource> open)
    {
        _chain = chain;
        DemandReach(chain);
        _base = open(chain.Base);
        _slices = [.. chain.Slices.Select(open)];
    }

    public string Name => _slices.Count == 0 ? _base.Name : $"{_base.Name} with {_slices.Count} increments up to {_slices[^1].Name}";

    public long Size => _base.Size + _slices.Sum(slice => slice.Size);

    /// <summary>That of all its archives and of the moment.</summary>
    public string? Identity => new[] { _base }.Concat(_slices).Select(source => source.Identity).ToList() is var identities && identities.Contains(null)
        ? null
        : $"{string.Join(' ', identities)} {UpTo}";

    /// <summary>The last entry that is given, inclusive.</summary>
    public BsonTimestamp UpTo => _chain.UpTo;

    public DocumentSet? Expected(DumpNamespace name) => _base.Expected(name);

    public void Prove(IDumpVisitor visitor, NamespaceFilter wanted, Action<long> moved, CancellationToken token)
    {
        // A slice is read whole whatever is wanted, so that all of its bytes are proven.
        var oplog = new ChainOplog(_chain, visitor);
        _base.Prove(oplog.Documents(), wanted, moved, token);
        ReadSlices(oplog, (slice, part, done) => slice.Prove(part, NamespaceFilter.Everything, done, token), moved);
    }

    public void Read(IDumpVisitor visitor, Func<DumpNamespace, bool> documents, bool oplog, Action<long> moved, CancellationToken token)
    {
        if (!oplog)
        {
            _base.Read(visitor, documents, oplog: false, moved, token);
            return;
        }

        var joined = new ChainOplog(_chain, visitor);
        _base.Read(joined.Documents(), documents, oplog: true, moved, token);
        ReadSlices(joined, (slice, part, done) => slice.Read(part, _ => false, oplog: true, done, token), moved);
    }

    private void ReadSlices(ChainOplog oplog, Action<IDumpSource, IDumpVisitor, Action<long>> read, Action<long> moved)
    {
        oplog.Complete();
        var before = _base.Size;
        foreach (var slice in _slices)
        {
            var from = before;
            read(slice, oplog.Next(), done => moved(from + done));
            oplog.Complete();
            before += slice.Size;
        }
    }

    private static void DemandReach(RestoreChain chain)
    {
        var last = chain.Slices.Count > 0 ? chain.Slices[^1] : chain.Base;
        if (chain.UpTo < OplogTimeline.EndOf(chain.Base))
        {
            throw new BackupException(
                FailureKind.ChainBroken, $"{chain.Base.Location} is of {chain.Base.Oplog!.End}, which is after {PointText.Of(chain.UpTo)}.", "Take a full backup of before that moment.", chain.Base);
        }

        if (chain.UpTo > OplogTimeline.EndOf(last))
        {
            throw new BackupException(
                FailureKind.ChainBroken, $"The chain ends with {last.Location} at {last.Oplog!.End}, which is before {PointText.Of(chain.UpTo)}.", "Run Invoke-BotBackup MongoDb -Type Incremental, or restore to an earlier moment.", last);
        }

        foreach (var (before, next) in chain.Backups.Zip(chain.Slices))
        {
            var isBase = ReferenceEquals(before, chain.Base);
            var holds = OplogTimeline.StartOf(next) < OplogTimeline.EndOf(before) && OplogTimeline.EndOf(before) <= OplogTimeline.EndOf(next);
            if (!OplogTimeline.Follows(next, before) && !(isBase && holds))
                throw ChainOplog.Broken(before, next, $"the one ends at {before.Oplog!.End}, and the other begins at {next.Oplog!.Start}, or with another entry");
        }
    }
}
