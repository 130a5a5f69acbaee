using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Stores.Leases;

/// <summary>How long a lease on a lock object lives.</summary>
public sealed record LeaseTimes
{
    /// <summary>From one sign of life to the next.</summary>
    public TimeSpan Beat { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Without a sign of life for so long, by the server's clock, a lease may be taken over; its holder gives up a beat before that.</summary>
    public TimeSpan Stale { get; init; } = TimeSpan.FromMinutes(5);
}

/// <summary>
/// A lease that is an object in a store: made where there is none, written again at every beat, taken over when it has not been for too long or when its holder is known to be dead.
/// <see cref="Demand"/> writes it once more, which only its holder can: that is the fence.
/// </summary>
public sealed class LockObjectLease : StoreLease
{
    private const int MostAttempts = 5;

    // Giving back must not hold up the end of a run on a line that is dead: what is not given back goes stale.
    private static readonly TimeSpan LongestFarewell = TimeSpan.FromSeconds(30);

    private readonly ILockObjects _objects;
    private readonly string _key;
    private readonly string _location;
    private readonly LeaseHolder _holder;
    private readonly LeaseTimes _times;
    private readonly TimeProvider _clock;
    private readonly Lock _gate = new();
    private readonly ITimer _timer;
    private readonly CancellationTokenSource _stop = new();
    private string _tag;
    private long _lastBeat;
    private bool _isLost;
    private bool _isOver;

    private LockObjectLease(ILockObjects objects, string key, string location, LeaseHolder holder, string tag, LeaseTimes times, TimeProvider clock)
    {
        (_objects, _key, _location, _holder, _tag, _times, _clock) = (objects, key, location, holder, tag, times, clock);
        _lastBeat = clock.GetTimestamp();
        _timer = clock.CreateTimer(_ => BeatInPassing(), null, times.Beat, times.Beat);
    }

    /// <summary>Takes the lease that the object <paramref name="key"/> is, or throws Locked.</summary>
    /// <param name="objects">The store's small objects.</param>
    /// <param name="key">The lock object.</param>
    /// <param name="location">The store for people, without secrets.</param>
    /// <param name="token">Cancels.</param>
    /// <param name="times">How long it lives.</param>
    /// <param name="clock">Beats by it.</param>
    public static LockObjectLease Acquire(ILockObjects objects, string key, string location, CancellationToken token, LeaseTimes? times = null, TimeProvider? clock = null)
    {
        var lives = times ?? new LeaseTimes();
        var time = clock ?? TimeProvider.System;
        var mine = LeaseHolder.New(time.GetUtcNow());
        for (var attempt = 1; ; attempt++)
        {
            if (objects.TryCreate(key, mine.ToJson(), token) is { } made)
                return new LockObjectLease(objects, key, location, mine, made, lives, time);
            if (objects.Read(key, token) is not { } there)
            {
                // It was given back in between.
                if (attempt < MostAttempts)
                    continue;
                throw Locked(location, key, "; it changes hands all the time", null);
            }

            var holder = LeaseHolder.Parse(there.Content);
            // An answer of the store that was lost on its way: it is our own.
            if (mine.IsSame(holder))
                return new LockObjectLease(objects, key, location, mine, there.Tag, lives, time);
            if (there.Age <= lives.Stale && holder?.IsGone() != true)
                throw Locked(location, key, holder is null ? "" : $": {holder}", null);
            if (objects.TryReplace(key, mine.ToJson(), there.Tag, token) is { } taken)
                return new LockObjectLease(objects, key, location, mine, taken, lives, time);
            if (attempt >= MostAttempts)
                throw Locked(location, key, "; it changes hands all the time", null);
        }
    }

    /// <inheritdoc/>
    public override void Demand(CancellationToken token)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isOver, this);
            if (!_isLost)
                Beat(token);
            if (!_isLost)
                return;
        }

        throw new BackupException(
            FailureKind.Locked,
            $"This run no longer holds the lease '{_key}' in {_location}: it gave no sign of life for too long, and another run may have taken over.",
            "Nothing of it was published; run again.",
            _location);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (!disposing)
            return;
        _timer.Dispose();
        _stop.Cancel();
        lock (_gate)
        {
            if (_isOver)
                return;
            _isOver = true;
            if (_isLost)
                return;
            using var limited = new CancellationTokenSource(LongestFarewell);
            try
            {
                _objects.TryDelete(_key, _tag, limited.Token);
            }
            catch (Exception kept) when (kept is BackupException or OperationCanceledException)
            {
                // It goes stale by itself.
            }
        }
    }

    private void BeatInPassing()
    {
        // A beat that takes longer than the time to the next is one and not two.
        if (!_gate.TryEnter())
            return;
        try
        {
            if (!_isOver && !_isLost)
                Beat(_stop.Token);
        }
        catch (OperationCanceledException)
        {
            // The lease is being given back.
        }
        catch (BackupException)
        {
            // The next beat may come through; who cannot be heard for too long must stop.
            _isLost = _clock.GetElapsedTime(_lastBeat) > _times.Stale - _times.Beat;
        }
        finally
        {
            _gate.Exit();
        }
    }

    private void Beat(CancellationToken token)
    {
        var began = _clock.GetTimestamp();
        if (_objects.TryReplace(_key, _holder.ToJson(), _tag, token) is { } next)
        {
            (_tag, _lastBeat) = (next, began);
            return;
        }

        // The answer to an earlier beat may have been lost on its way.
        if (_objects.Read(_key, token) is { } there && _holder.IsSame(LeaseHolder.Parse(there.Content)))
            (_tag, _lastBeat) = (there.Tag, began);
        else
            _isLost = true;
    }

    private static BackupException Locked(string location, string key, string holder, Exception? cause) => new(
        FailureKind.Locked, $"Another run is at work on '{key[(key.LastIndexOf('/') + 1)..].Replace(".lease", "", StringComparison.Ordinal)}' in {location}{holder}.", "Wait until it has ended, then run again.", location, cause);
}
