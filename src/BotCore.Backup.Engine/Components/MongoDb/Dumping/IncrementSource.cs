using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumping;

/// <summary>What increments are made of. Immutable.</summary>
/// <param name="Target">The server.</param>
/// <param name="Selection">What of it.</param>
/// <param name="Options">How its slice waits on its way.</param>
internal sealed record IncrementPlan(MongoTarget Target, DumpSelection Selection, DumpOptions Options);

/// <summary>
/// One slice of the oplog as the entries of an archive: from the end of a chain to what a majority has now, under one root folder that is named as the archive. What it goes on
/// from is found when it is read, under the lease. See MONGODB.md, "Increments".
/// </summary>
internal sealed class IncrementSource(IncrementPlan plan, ArchiveName name, Func<OplogChains> chains, Action<OplogHole> note, Action<BackupEvent> tell) : IEntrySource
{
    private readonly UnixTime _time = new(name.Taken.ToUnixTimeSeconds(), 0);
    private DumpFacts? _facts;
    private OplogTip? _tip;

    /// <summary>What has been copying for a while already; used where the chain still ends where it began. It stays the caller's.</summary>
    public OplogTail? Ready { get; init; }

    /// <summary>Told where the slice ends, as soon as that is settled, so that copying can go on from there; not where a restore ended it.</summary>
    public Action<OplogTip>? Cut { get; init; }

    /// <summary>Where the slice ends before a swap: the hole after it, to be noted once the slice is published; null where it does not.</summary>
    public OplogHole? EndsBefore { get; private set; }

    /// <summary>Why a full backup must come before the next increment; null where none must.</summary>
    public Failure? NeedsFull { get; private set; }

    public IEnumerable<SourceItem> Read(CancellationToken token)
    {
        // An iterator cannot catch around its yields: what the client throws is put into words at the seams.
        using var steps = ReadAll(token).GetEnumerator();
        while (plan.Target.Guard("reading the oplog", steps.MoveNext))
            yield return steps.Current;
    }

    public Manifest Describe(Manifest manifest) => manifest with { MongoDb = _facts, Chain = new ChainFacts(_tip!.Timeline, _tip.Backup) };

    private IEnumerable<SourceItem> ReadAll(CancellationToken token)
    {
        using var client = plan.Target.Connect(requirePrimary: false, token);
        if (client.Server.IsStandalone)
        {
            throw new BackupException(
                FailureKind.OplogUnavailable,
                $"{plan.Target.Name} is a standalone server: it writes no oplog, so there is nothing that an increment could be made of.",
                "Make it a replica set of one: replSetName in mongod.conf, restart, then rs.initiate() in mongosh; then make a full backup.",
                plan.Target.Name);
        }

        // A slicer that failed has proven nothing: it may have lost what it needs.
        var finder = new TipFinder(plan.Target, client, plan.Selection, plan.Options.MostLag, tell, token) { Proven = Ready is { Slicer.IsWrong: false } ? Ready.Tip : null };
        _tip = Find(finder);
        using var own = Ready is { } ready && ready.Tip.IsEntryOf(_tip) && ready.Slicer is { IsWrong: false, IsEnded: false } ? null : OplogTail.Open(plan.Target, plan.Selection, plan.Options, _tip, token);
        var slicer = (own ?? Ready!).Slicer;
        var slice = Finish(slicer, client, token);
        if (slice.Swapped is null)
            Cut?.Invoke(_tip with { Backup = "", At = slice.End, Sha256 = slice.EndSha256 });
        else
            EndBeforeSwap(finder, slice);

        yield return new BufferedEntry(new ArchiveEntry { Path = new EntryPath(name.Stem), Kind = EntryKind.Directory, Mode = 0x1C0, Modified = _time }, ReadOnlyMemory<byte>.Empty);
        yield return slicer.ToEntry(Named(DumpFileName.Oplog));
        _facts = new DumpFacts(client.Server.Version, Consistent: true, 0, 0, plan.Selection.Databases is [var one] ? one : null, slice.ToSpan());
        yield return new BufferedEntry(Named(DumpFileName.Prelude), BackupMetadata.Prelude(client.Server.Version, ToolName.Value));
        yield return new BufferedEntry(Named(DumpFileName.BackupMetadata), BackupMetadata.Write(name, _facts, slicer.Bytes, [], ToolName.Value));
    }

    private OplogTip Find(TipFinder finder)
    {
        // What goes wrong here is the store's, and says nothing of a tip.
        var known = chains();
        try
        {
            return finder.Find(known, note);
        }
        catch (BackupException none) when (none.Failure.Kind is FailureKind.BackupNotFound or FailureKind.OplogGap or FailureKind.ChainBroken)
        {
            NeedsFull = none.Failure;
            throw;
        }
    }

    private SliceFacts Finish(OplogSlicer slicer, MongoClient client, CancellationToken token)
    {
        try
        {
            // What a majority does not have yet, the next one brings: an increment waits for nobody.
            return slicer.FinishAt(OplogPoint.Reach(client, _tip!.At, TimeSpan.Zero, token));
        }
        catch (BackupException gap) when (gap.Failure.Kind == FailureKind.OplogGap)
        {
            // Whether the chain's end is lost, or only what was copied since, the server tells.
            Find(new TipFinder(plan.Target, client, plan.Selection, plan.Options.MostLag, tell, token));
            throw;
        }
    }

    private void EndBeforeSwap(TipFinder finder, SliceFacts slice)
    {
        var hole = new OplogHole(_tip!.Timeline, slice.End, null, OplogGapReason.Restored);
        NeedsFull = finder.ToFailure(hole);
        if (slice.Start == slice.End)
        {
            // Before the swap there was nothing new: a slice would only repeat the end of the chain.
            note(hole);
            throw new BackupException(NeedsFull);
        }

        EndsBefore = hole;
    }

    private ArchiveEntry Named(string path) => MongoDumpSource.File($"{name.Stem}/{path}") with { Modified = _time };
}
