using System.Security.Cryptography;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.GoogleStorage;

namespace BotCore.Backup.Engine.Stores.Gcs;

/// <summary>
/// A new object of a <see cref="GcsStore"/>. What fits into one chunk goes in one request; anything longer through a resumable upload, a chunk at a time, going on where the server says it is. The chunk is all that is held in
/// memory, and it is held until the server keeps it.
/// </summary>
internal sealed class GcsStoreWriter : StoreWriter
{
    private const int FirstBuffer = 64 * 1024;

    // Unlike that of any other writer: what stands under the key after an answer was lost is told from what somebody else put there.
    private const string MarkMetadata = "botbackup-upload";

    private static readonly TimeSpan CleaningUp = TimeSpan.FromSeconds(10);

    private readonly GcsBucket _bucket;
    private readonly StoreRetry _retry;
    private readonly string _key;
    private readonly string _name;
    private readonly int _chunk;
    private readonly string _mark = RandomNumberGenerator.GetHexString(32, lowercase: true);
    private readonly Dictionary<string, string> _metadata;
    private readonly CancellationToken _token;
    private byte[] _buffer = [];
    private int _filled;
    private long _kept;
    private Crc32C _sum;
    private GoogleUpload? _upload;
    private bool _isBroken;
    private bool _isOver;
    private bool _mayStand;

    public GcsStoreWriter(GcsBucket bucket, GcsOptions options, string key, string? runId, CancellationToken token)
    {
        (_bucket, _retry, _key, _token) = (bucket, options.Retry, key, token);
        _name = bucket.ObjectOf(key);
        _chunk = Math.Max(1, (options.ChunkSize + GoogleUpload.Granule - 1) / GoogleUpload.Granule) * GoogleUpload.Granule;
        _metadata = new Dictionary<string, string>(StringComparer.Ordinal) { [MarkMetadata] = _mark };
        if (runId is not null)
            _metadata[GcsStore.RunMetadata] = runId;
    }

    private long Total => _kept + _filled;

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_isOver, this);
        _sum.Append(buffer);
        while (!buffer.IsEmpty)
        {
            if (_filled == _chunk)
                Guard(() => SendChunk());
            Grow(buffer.Length);
            var taken = Math.Min(buffer.Length, _buffer.Length - _filled);
            buffer[..taken].CopyTo(_buffer.AsSpan(_filled));
            _filled += taken;
            buffer = buffer[taken..];
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
        // A part of a chunk cannot be sent before the end.
    }

    public override void Commit()
    {
        ObjectDisposedException.ThrowIf(_isOver, this);
        if (_isBroken)
            throw new InvalidOperationException($"The upload of '{_key}' failed before and cannot be committed.");
        Guard(() =>
        {
            var whole = _upload is null ? SendWhole() : SendRest();
            _mayStand = true;
            Prove(whole);
            (_isOver, _mayStand) = (true, false);
        });
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_isOver)
        {
            _isOver = true;
            CleanUp();
        }

        base.Dispose(disposing);
    }

    // A writer that failed once has lost bytes of its caller.
    private void Guard(Action action)
    {
        try
        {
            _token.ThrowIfCancellationRequested();
            action();
        }
        catch (GoogleStorageException gone) when (gone.Error == GoogleStorageError.NotFound)
        {
            _isBroken = true;
            throw _bucket.ToFailure(_key, new GoogleStorageException(GoogleStorageError.BucketNotFound, gone.Message, gone));
        }
        catch (GoogleStorageException wrong)
        {
            _isBroken = true;
            throw _bucket.ToFailure(_key, wrong);
        }
        catch
        {
            _isBroken = true;
            throw;
        }
    }

    private void Grow(int coming)
    {
        if (_filled < _buffer.Length)
            return;
        var wanted = Math.Max(Math.Max(FirstBuffer, 2L * _buffer.Length), Math.Min((long)_filled + coming, _chunk));
        Array.Resize(ref _buffer, (int)Math.Min(wanted, _chunk));
    }

    private GoogleUpload Start() => Again(() => _bucket.Client.StartUpload(_bucket.Name, _name, _metadata, 0, _token), _token);

    private void SendChunk()
    {
        _upload ??= Start();
        if (Advance(null) is not null)
            throw new GoogleStorageException(GoogleStorageError.Protocol, "The server ended an upload whose end it was not told.");
    }

    private GoogleObject SendRest()
    {
        _mayStand = true;
        try
        {
            return Advance(Total) ?? throw new InvalidOperationException("The last part was taken for another.");
        }
        catch (GoogleStorageException over) when (over.Error is GoogleStorageError.SessionGone or GoogleStorageError.PreconditionFailed)
        {
            // The answer to the last part may have been lost, and the server have forgotten the upload because it is done.
            if (Standing(_token) is { } ours)
                return ours;
            throw;
        }
    }

    private GoogleObject SendWhole()
    {
        try
        {
            return Again(() =>
            {
                _mayStand = true;
                return _bucket.Client.Upload(_bucket.Name, _name, _buffer.AsMemory(0, _filled), _metadata, 0, _token);
            }, _token);
        }
        catch (GoogleStorageException taken) when (taken.Error == GoogleStorageError.PreconditionFailed)
        {
            if (Standing(_token) is { } ours)
                return ours;
            throw;
        }
    }

    /// <summary>Sends what is held until the server keeps some of it, or, with a total, until the object is complete; which is then returned.</summary>
    private GoogleObject? Advance(long? total)
    {
        var isUnsure = false;
        for (var failures = 0; ;)
        {
            try
            {
                var state = isUnsure ? _upload!.Query(total, _token) : Send(total);
                if (state.Object is { } whole)
                    return whole;
                if (Keep(state.Persisted))
                {
                    (failures, isUnsure) = (0, false);
                    if (total is null)
                        return null;
                }
                else if (isUnsure)
                {
                    isUnsure = false;
                }
                else if (++failures >= _retry.Attempts)
                {
                    throw new GoogleStorageException(GoogleStorageError.Busy, "The server takes the parts of an upload and keeps none of them.");
                }
                else
                {
                    _retry.Pause(failures, _token);
                }
            }
            catch (GoogleStorageException passing) when (passing.IsPassing && ++failures < _retry.Attempts)
            {
                isUnsure = true;
                _retry.Pause(failures, _token, passing.RetryAfter);
            }
            catch (GoogleStorageException gone) when (gone.Error == GoogleStorageError.SessionGone && _kept == 0 && ++failures < _retry.Attempts && Standing(_token) is null)
            {
                // Everything is still here: once more from the start.
                isUnsure = false;
                _upload = Start();
            }
        }
    }

    private GoogleUploadState Send(long? total)
    {
        var count = total is null ? _filled - (_filled % GoogleUpload.Granule) : _filled;
        return _upload!.Send(_buffer.AsMemory(0, count), _kept, total, total is null ? null : _sum.ToString(), _token);
    }

    /// <summary>Lets go of what the server keeps. Whether that was anything.</summary>
    private bool Keep(long persisted)
    {
        var more = persisted - _kept;
        if (more < 0 || more > _filled)
        {
            throw new GoogleStorageException(
                GoogleStorageError.SessionGone, $"The server keeps {persisted} bytes of the upload, after it was sent {Total} and said to keep {_kept}.");
        }

        _buffer.AsSpan((int)more, _filled - (int)more).CopyTo(_buffer);
        _filled -= (int)more;
        _kept = persisted;
        return more > 0;
    }

    private T Again<T>(Func<T> action, CancellationToken token)
    {
        for (var failures = 0; ;)
        {
            try
            {
                return action();
            }
            catch (GoogleStorageException passing) when (passing.IsPassing && ++failures < _retry.Attempts)
            {
                _retry.Pause(failures, token, passing.RetryAfter);
            }
        }
    }

    private void Prove(GoogleObject whole)
    {
        if (string.Equals(whole.Crc32C, _sum.ToString(), StringComparison.Ordinal) && whole.Size == Total)
            return;
        Remove(whole, _token);
        _mayStand = false;
        throw new BackupException(
            FailureKind.ChecksumMismatch,
            $"What {_bucket.Location} holds of '{_key}' is not what was sent: {whole.Size} bytes with CRC-32C {whole.Crc32C ?? "(none)"}, not {Total} with {_sum}. It was removed again.",
            "Run again; where it comes again, check this machine's memory and what stands between it and Google.",
            _bucket.Location);
    }

    /// <summary>The object under the key, where this writer put it there.</summary>
    private GoogleObject? Standing(CancellationToken token)
    {
        try
        {
            var there = Again(() => _bucket.Client.Get(_bucket.Name, _name, token), token);
            return string.Equals(there.Metadata.GetValueOrDefault(MarkMetadata), _mark, StringComparison.Ordinal) ? there : null;
        }
        catch (GoogleStorageException gone) when (gone.Error == GoogleStorageError.NotFound)
        {
            return null;
        }
    }

    private void Remove(GoogleObject whole, CancellationToken token)
    {
        try
        {
            Again(() => _bucket.Client.Delete(_bucket.Name, _name, whole.Generation, token), token);
        }
        catch (GoogleStorageException changed) when (changed.Error == GoogleStorageError.PreconditionFailed)
        {
            // It is not ours any more.
        }
    }

    // Whatever is left over is unseen and expires; a caller that was cancelled does not wait long for a network that may be dead.
    private void CleanUp()
    {
        if (_upload is null && !_mayStand)
            return;
        using var limit = new CancellationTokenSource(CleaningUp);
        try
        {
            _upload?.Cancel(limit.Token);
        }
        catch (Exception wrong) when (wrong is GoogleStorageException or OperationCanceledException)
        {
            // It expires by itself.
        }

        try
        {
            if (_mayStand && Standing(limit.Token) is { } ours)
                Remove(ours, limit.Token);
        }
        catch (Exception wrong) when (wrong is GoogleStorageException or OperationCanceledException)
        {
            // A whole object without its manifest: the next run removes it by its intent.
        }
    }
}
