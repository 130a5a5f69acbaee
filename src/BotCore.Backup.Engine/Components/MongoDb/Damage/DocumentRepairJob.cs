using System.Diagnostics;
using System.Globalization;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Components.MongoDb.Restoring;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Damage;

/// <summary>
/// Puts the victims of one event back: the collection is restored beside the living one, and only its victims are taken from there. Of a drop all documents are victims, as they
/// were at the last good moment. Of a delete each is taken as it was when it was deleted. Of an update the state before is that of the last good moment, and what the event left is
/// a second restored copy, since only a server's own replay says what bytes an update leaves. Memory: about 80 bytes a document that was written while the event went on, 500,000 at a time, and
/// about 30 bytes for each transaction that did a part of it. One thread.
/// </summary>
internal sealed class DocumentRepairJob(BackupSession session, DocumentRepairStep step, Action<BackupEvent> tell)
{
    private const string WrittenAgain = "It was inserted again after the event had deleted it, and does not stand there now: somebody deleted it since.";

    private readonly RepairLedger _ledger = new();

    public BotDocumentRepair Run(CancellationToken token)
    {
        var clock = Stopwatch.StartNew();
        DocumentRepairPlanner.DemandStanding(step, token);
        PutBack(token);
        var repair = _ledger.Close(step.Event, step.Live, step.Server.Name, clock.Elapsed);
        tell(new Said(repair.ToString() + "."));
        return repair;
    }

    private void PutBack(CancellationToken token)
    {
        using var progress = new RunProgress($"Putting back documents of {step.Live}", 0, tell);
        using var client = step.Server.Connect(requirePrimary: true, token);
        RestoreLeftovers.Tell(client, [step.Live.Database], ownId: "", tell);
        var until = DocumentRepairPlanner.Open(session, step.Until);
        using var copy = Copy(client, step.Event.Kind == OplogEventKind.MassDelete ? new KeptDump(until, step.Event, step.Victims) : DocumentRepairPlanner.Open(session, step.Before), progress, token);
        using var after = step.Event.Kind == OplogEventKind.MassUpdate ? Copy(client, DocumentRepairPlanner.Open(session, step.Until), progress, token) : null;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(token, copy.Lost, after?.Lost ?? CancellationToken.None);
        try
        {
            PutBack(new LiveCollection(client, step.Live, stop.Token), copy, after, progress, stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested && !token.IsCancellationRequested)
        {
            throw new BackupException(
                FailureKind.Locked, $"The copy of {step.Live} was taken over by another process, or undone, while documents were put back from it.", "Run this again: what was put back already counts as such.", step.Event);
        }
    }

    private void PutBack(LiveCollection live, StagedCopy copy, StagedCopy? after, RunProgress progress, CancellationToken token)
    {
        switch (step.Event.Kind)
        {
            case OplogEventKind.Drop:
                PutBackAll(live, copy);
                break;
            case OplogEventKind.MassDelete:
                var deleted = new DeletedDocuments(live, _ledger);
                TakeVictims(live, copy, deleted.Add, document => deleted.Look(document, WrittenAgain), progress, token);
                deleted.Complete();
                break;
            default:
                var updated = new UpdatedDocuments(live, after!.Name, _ledger);
                TakeVictims(live, copy, updated.Add, updated.Look, progress, token);
                updated.Complete();
                break;
        }
    }

    private void PutBackAll(LiveCollection live, StagedCopy copy)
    {
        if (copy.Name is not { } all)
        {
            throw new BackupException(
                FailureKind.RestoreFailed,
                $"What the {step.Event} dropped was no collection whose documents can be put back one by one, but a view or a time-series collection, or it was not there at {step.Event.LastGood}.",
                "Bring it back whole: pipe the event into Restore-BotBackup -Before.",
                step.Event);
        }

        var dropped = new DeletedDocuments(live, _ledger);
        var found = 0L;
        live.FindAll(all, document =>
        {
            dropped.Add(document);
            found++;
        });
        dropped.Complete();
        if (found >= step.Event.Count || step.Event.Count <= 1)
            return;
        var counted = string.Create(CultureInfo.InvariantCulture, $"The server wrote down {step.Event.Count:N0} documents when {step.Event.Namespace} was dropped, and the backups have {found:N0} at {step.Event.LastGood}.");
        if (found == 0)
            throw new BackupException(FailureKind.RestoreFailed, counted, "Look for the documents in another store, or in an older backup.", step.Event);
        // The server's number is kept beside the documents and may be wrong after a crash; what the backups have was proven.
        tell(new Warned($"{counted} A server's own count may be wrong after it crashed; if it did not, look for the others in another store."));
    }

    private StagedCopy Copy(MongoClient client, IDumpSource source, RunProgress progress, CancellationToken token) => StagedCopy.Make(
        client,
        source,
        step.Live,
        new MongoRestoreOptions
        {
            Wanted = new NamespaceFilter([.. step.Victims.Origins()], []),
            Mapping = step.Mapping,
            Threads = session.DumpThreads,
            SpillFolder = session.SpillFolder,
            Users = false,
            Moved = (doing, bytes) => progress.Move(bytes, () => doing),
        },
        tell,
        token);

    private void TakeVictims(LiveCollection live, StagedCopy copy, LiveCollection.Take take, LiveCollection.Take look, RunProgress progress, CancellationToken token)
    {
        using var oplog = new KnownOplog(session, step, tell, token);
        for (var part = 0; part < step.Victims.Parts; part++)
        {
            var victims = step.Victims.Read(part, oplog.Read);
            for (var from = 0; from < victims.Victims.Count; from += LiveCollection.BatchDocuments)
            {
                var page = victims.Victims.Page(from, LiveCollection.BatchDocuments);
                TakePage(live, copy, page, victims, take, look);
                progress.Move(from + page.Count, () => string.Create(CultureInfo.InvariantCulture, $"{from + page.Count:N0} documents"));
            }
        }
    }

    private void TakePage(LiveCollection live, StagedCopy copy, IReadOnlyList<RawBson> page, VictimPart victims, LiveCollection.Take take, LiveCollection.Take look)
    {
        var found = new HashSet<UInt128>();
        if (copy.Name is { } name)
        {
            live.Find(name, page, document =>
            {
                var key = VictimIds.KeyOf(document);
                found.Add(key);
                (victims.Written.Contains(key) ? look : take)(document);
            });
        }

        foreach (var one in page)
        {
            var key = VictimIds.KeyOf(one.Span);
            if (found.Contains(key))
                continue;
            one.TryFind("_id"u8, out var id);
            if (victims.Born.Contains(key))
                _ledger.Conflict(id, "It was inserted after the last good moment, so there is no state before the event to put back.");
            else if (victims.Written.Contains(key))
                _ledger.Conflict(id, step.Event.Kind == OplogEventKind.MassDelete ? WrittenAgain : UpdatedDocuments.WrittenTwice);
            else
                _ledger.Lost(id);
        }
    }
}
