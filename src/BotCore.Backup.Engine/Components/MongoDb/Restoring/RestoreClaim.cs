using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Restoring;

/// <summary>
/// This process's right to a restore, and the record of how far it is: one document of a collection in the target, <c>__bot_resume_KEY</c> in the first database that is written to,
/// where KEY comes from the fingerprint, so that the same restore finds it again and two at once meet there.
/// <para>
/// The claim is a lease. It is taken by inserting the document, or by an update that names the owner it takes it from: a server does either for one of two only. The owner gives a sign of
/// life every <see cref="BeatEvery"/>, and one that could give none for <see cref="GivesUpAfter"/> ends itself. Another takes over at once where it can see that the process is dead (the same
/// machine, start and process name space), and else only when there was no sign for <see cref="StaleAfter"/>: by then the old owner has ended itself. All times are the server's, so clocks
/// need not agree. Nothing is done about an owner that was frozen meanwhile, beyond that its next record is refused and ends it.
/// </para>
/// A checkpoint is written behind what it stands for, on the same server: a failover that loses the one loses the other, or only the checkpoint, and both are fine. So it waits for no majority.
/// Thread-safe.
/// </summary>
internal sealed class RestoreClaim : IDisposable
{
    public const string Prefix = CollectionRules.OwnPrefix + "resume_";

    private const int DuplicateKey = 11000;

    private readonly MongoClient _client;
    private readonly DumpNamespace _place;
    private readonly Func<DateTimeOffset> _now;
    private readonly Lock _gate = new();
    private readonly Timer _heart;
    private readonly CancellationTokenSource _lost = new();
    private long _lastSign = Stopwatch.GetTimestamp();
    private RestoreRecord _record;
    private bool _isEnded;

    private RestoreClaim(MongoClient client, DumpNamespace place, RestoreRecord record, RestoreRecord? found, Func<DateTimeOffset> now)
    {
        (_client, _place, _record, Found, _now) = (client, place, record, found, now);
        _heart = new Timer(_ => Beat(), null, BeatEvery, BeatEvery);
    }

    public static TimeSpan BeatEvery => TimeSpan.FromSeconds(15);

    public static TimeSpan GivesUpAfter => TimeSpan.FromSeconds(75);

    public static TimeSpan StaleAfter => TimeSpan.FromSeconds(120);

    public string Id => _record.Id;

    /// <summary>What an interrupted restore left; null where there is none.</summary>
    public RestoreRecord? Found { get; }

    public RestorePhase Phase => _record.Phase;

    /// <summary>Is cancelled when somebody else has the restore.</summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>Whether somebody is at the restore of a record, or may be.</summary>
    public static bool IsOwned(RestoreRecord record, DateTimeOffset now) => record.Owner.IsAlive() != false && now - record.Beat < StaleAfter;

    /// <summary>The server's time, from here on by a clock of this machine that nobody sets.</summary>
    public static Func<DateTimeOffset> ClockOf(MongoClient client, CancellationToken token)
    {
        var hello = client.Refresh(token).Hello;
        var at = hello.TryFind("localTime"u8, out var time) && time.Type == BsonType.DateTime ? DateTimeOffset.FromUnixTimeMilliseconds(time.AsDateTime()) : DateTimeOffset.UtcNow;
        var since = Stopwatch.GetTimestamp();
        return () => at + Stopwatch.GetElapsedTime(since);
    }

    /// <summary>The same for the same result: what is read, and what of it goes where. Random where the dump cannot be told from others, so that nothing is ever resumed from it.</summary>
    public static string FingerprintOf(IDumpSource source, MongoRestoreOptions options)
    {
        var text = source.Identity is { } identity
            ? string.Join('\u0001', RestoreRecord.CurrentFormat.ToString(CultureInfo.InvariantCulture), identity, options.Wanted.Key, options.Mapping.Key)
            : Guid.NewGuid().ToString();
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }

    /// <summary>Takes the restore of that fingerprint, new or left by a process that is dead.</summary>
    /// <exception cref="BackupException">Locked: a process is at it.</exception>
    public static RestoreClaim Take(MongoClient client, string database, string fingerprint, string source, CancellationToken token, bool isResumable = true)
    {
        var place = new DumpNamespace(database, Prefix + fingerprint[..16]);
        var owner = RestoreOwner.New();
        try
        {
            return Take(client, place, fingerprint, source, owner, isResumable, token);
        }
        catch
        {
            owner.Retire();
            throw;
        }
    }

    /// <summary>Takes a new one that nobody can take up again, only drop.</summary>
    public static RestoreClaim TakeAlone(MongoClient client, string database, string source, CancellationToken token) =>
        Take(client, database, RandomNumberGenerator.GetHexString(64, lowercase: true), source, token, isResumable: false);

    /// <summary>Throws Locked where a process is at the restore of a record, or may be.</summary>
    public static void DemandNobody(RestoreRecord found, DateTimeOffset now)
    {
        if (IsOwned(found, now))
            throw Locked(found, now);
    }

    /// <summary>Takes a restore that nobody is at, so that what it left can be dropped; false where somebody else was quicker.</summary>
    public static bool TryTakeOver(MongoClient client, DumpNamespace place, RestoreRecord found, RestoreOwner owner, CancellationToken token)
    {
        var now = ClockOf(client, token)();
        DemandNobody(found, now);
        return Replace(client, place, found with { Owner = owner, Beat = now }, found.Owner, token);
    }

    public static RestoreRecord? Read(MongoClient client, DumpNamespace place, CancellationToken token)
    {
        var command = new BsonBuilder().Append("find", place.Collection).BeginDocument("filter").Append("_id", RestoreRecord.Key).End().Append("limit", 1).Append("singleBatch", true);
        return ServerReply.FirstBatch(client.Run(place.Database, command, token)) is [var document] ? RestoreRecord.Read(document) : null;
    }

    /// <summary>Notes that a phase begins.</summary>
    public void Enter(RestorePhase phase, CancellationToken token) => Save(record => record with { Phase = phase, Applied = phase is RestorePhase.Replaying ? record.Applied : null }, token);

    /// <summary>Notes how far the replay is; where that is too much to be noted, that there is nothing to go on from.</summary>
    public void Save(ReplayCheckpoint checkpoint, CancellationToken token)
    {
        // An older checkpoint must not stay: since then commands were applied that cannot be applied twice. So whoever takes this up loads anew.
        if (RestoreRecord.Fits(checkpoint))
            Save(record => record with { Applied = checkpoint }, token);
        else
            Enter(RestorePhase.Loading, token);
    }

    /// <summary>Gives a sign of life; throws Locked where the restore is not this process's any more.</summary>
    public void Renew() => Save(record => record, CancellationToken.None);

    /// <summary>Drops the record: there is nothing any more that could be resumed.</summary>
    public void End()
    {
        lock (_gate)
        {
            _isEnded = true;
            new CollectionMaker(_client, CancellationToken.None).Drop(_place);
        }
    }

    public void Dispose()
    {
        _heart.Dispose();
        lock (_gate)
        {
            Release();
            _isEnded = true;
        }

        _record.Owner.Retire();
        _lost.Dispose();
    }

    // What is left can be taken up at once then. Where this does not reach the server, the other process sees that this one is dead, or hears nothing of it.
    private void Release()
    {
        if (_isEnded)
            return;
        try
        {
            Replace(_client, _place, _record with { Owner = _record.Owner.Released }, _record.Owner, CancellationToken.None);
        }
        catch (MongoException)
        {
            // See above.
        }
    }

    private static RestoreClaim Take(MongoClient client, DumpNamespace place, string fingerprint, string source, RestoreOwner owner, bool isResumable, CancellationToken token)
    {
        var now = ClockOf(client, token);
        var fresh = new RestoreRecord
        {
            Id = RandomNumberGenerator.GetHexString(8, lowercase: true),
            Fingerprint = fingerprint,
            Source = source,
            Phase = RestorePhase.Loading,
            Started = now(),
            Beat = now(),
            Owner = owner,
            IsResumable = isResumable,
        };
        if (TryInsert(client, place, fresh, token))
            return new RestoreClaim(client, place, fresh, found: null, now);
        if (Read(client, place, token) is not { } found || !string.Equals(found.Fingerprint, fingerprint, StringComparison.Ordinal))
        {
            throw new BackupException(
                FailureKind.Locked, $"{place} holds the record of something else than this restore, or one that this version cannot read.", $"See what wrote it, and drop {place.Collection}.", place.ToString());
        }

        // The answer to our own insert may have been lost.
        if (string.Equals(found.Owner.Token, owner.Token, StringComparison.Ordinal))
            return new RestoreClaim(client, place, fresh, found: null, now);
        var taken = found with { Owner = owner, Beat = now() };
        if (IsOwned(found, now()) || !Replace(client, place, taken, found.Owner, token))
            throw Locked(found, now());
        return new RestoreClaim(client, place, taken, found, now);
    }

    private static bool TryInsert(MongoClient client, DumpNamespace place, RestoreRecord record, CancellationToken token)
    {
        var command = new BsonBuilder().Append("insert", place.Collection).BeginArray("documents").Append("0", record.ToBson().ToBson()).End();
        var reply = client.Run(place.Database, command, token, retry: true);
        if (reply.FindDocument("writeErrors"u8) is not { } errors)
            return true;
        var first = errors.FindDocument("0"u8);
        if (first?.FindInt64("code"u8) == DuplicateKey)
            return false;
        throw new MongoException(MongoError.CommandFailed, $"the record of the restore was refused: {first?.FindString("errmsg"u8)}");
    }

    private static bool Replace(MongoClient client, DumpNamespace place, RestoreRecord record, RestoreOwner from, CancellationToken token)
    {
        var command = new BsonBuilder().Append("update", place.Collection).BeginArray("updates").BeginDocument("0")
            .BeginDocument("q").Append("_id", RestoreRecord.Key).Append("owner.token", from.Token).End().Append("u", record.ToBson().ToBson()).End().End();
        try
        {
            var reply = client.Run(place.Database, command, token, retry: from == record.Owner);
            if (reply.Has("writeErrors"u8))
                throw new MongoException(MongoError.CommandFailed, "the record of the restore was refused");
            return reply.FindInt64("n"u8) == 1;
        }
        catch (MongoException lost) when (lost.Error == MongoError.ConnectionLost && from != record.Owner)
        {
            // It may have been done, and must not be asked for twice: the second time nobody is found.
            return Read(client, place, token)?.Owner == record.Owner;
        }
    }

    private static BackupException Locked(RestoreRecord found, DateTimeOffset now)
    {
        var seen = now - found.Beat;
        return new BackupException(
            FailureKind.Locked,
            string.Create(CultureInfo.InvariantCulture, $"Process {found.Owner.Process} on {found.Owner.Host} is at this restore of {found.Source} (id {found.Id}); its last sign of life came {Math.Max(0, (int)seen.TotalSeconds)} seconds ago."),
            found.Owner.IsAlive() is null
                ? string.Create(CultureInfo.InvariantCulture, $"Wait until it has ended. Where that machine is gone, run this again in {Math.Max(1, (int)(StaleAfter - seen).TotalSeconds)} seconds: it goes on where that one stopped.")
                : "Wait until it has ended, then run this again.",
            found.Id);
    }

    private void Save(Func<RestoreRecord, RestoreRecord> change, CancellationToken token)
    {
        lock (_gate)
        {
            if (_isEnded)
                return;
            var record = change(_record) with { Beat = _now() };
            if (!Replace(_client, _place, record, record.Owner, token))
            {
                _lost.Cancel();
                throw new BackupException(
                    FailureKind.Locked, $"The restore {_record.Id} was taken over by another process, or undone, while this one was at it.", "See which of them is still at work; this one has stopped.", _record.Id);
            }

            _record = record;
            _lastSign = Stopwatch.GetTimestamp();
        }
    }

    private void Beat()
    {
        try
        {
            Save(record => record, CancellationToken.None);
        }
        catch (Exception wrong) when (wrong is BackupException or MongoException or ObjectDisposedException)
        {
            // A lost connection shows where the work is done. But who cannot be seen alive for so long must stop, or two may be at it.
            if (Stopwatch.GetElapsedTime(Interlocked.Read(ref _lastSign)) > GivesUpAfter)
                GiveUp();
        }
    }

    private void GiveUp()
    {
        try
        {
            _lost.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has ended meanwhile.
        }
    }
}
