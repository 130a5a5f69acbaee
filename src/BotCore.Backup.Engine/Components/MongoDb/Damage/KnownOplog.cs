using System.Globalization;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Damage;

/// <summary>
/// The oplog that tells of an event's documents. Of a mass delete it goes on behind the event: as far as the store's chain leads, and then with the server's own oplog where that goes on
/// from there. What cannot be seen: what is behind a gap of the chain, what the server's oplog has dropped, what is written once it has been read, and, where documents go
/// under another name or into another server, what happens there. One thread.
/// </summary>
internal sealed class KnownOplog : IDisposable
{
    private readonly BackupSession _session;
    private readonly RestoreChain _chain;
    private readonly LiveOplog? _live;
    private readonly CancellationToken _token;

    public KnownOplog(BackupSession session, DocumentRepairStep step, Action<BackupEvent> tell, CancellationToken token)
    {
        var goesOn = step.Event.Kind == OplogEventKind.MassDelete && step.Mapping.IsNone;
        (_session, _chain, _token) = (session, goesOn ? step.Known : step.Until, token);
        if (!goesOn)
            return;
        _live = Join(step);
        if (_live is null)
            tell(new Warned(string.Create(CultureInfo.InvariantCulture, $"The oplog of {step.Server.Name} does not go on where the store ends, at {_chain.UpTo} ({_chain.UpTo.Time:u}): a document that was inserted again and deleted again after that is not told from one that the event deleted.")));
    }

    /// <summary>Gives all entries, those of the archives proven.</summary>
    public void Read(IDumpVisitor visitor)
    {
        DocumentRepairPlanner.Open(_session, _chain).Prove(visitor, OplogEntries.NoCollection, _ => { }, _token);
        _live?.Read(_chain.UpTo, entry =>
        {
            if (RawBson.TryFind(entry, "ts"u8, out var ts) && ts.Type == BsonType.Timestamp && ts.AsTimestamp() > _chain.UpTo)
                visitor.Oplog(entry);
        });
    }

    public void Dispose() => _live?.Dispose();

    // A server without an oplog, or one that shows it to nobody, is no reason to put nothing back.
    private LiveOplog? Join(DocumentRepairStep step)
    {
        LiveOplog? live = null;
        try
        {
            live = new LiveOplog(step.Server, _token);
            if (live.Holds(_chain.Backups.Last()))
                return live;
        }
        catch (BackupException)
        {
            // It is told by the caller, as every other reason.
        }

        live?.Dispose();
        return null;
    }
}
