using System.Runtime.ExceptionServices;
using Amazon.S3;
using Amazon.S3.Model;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Adapters.AmazonS3;

/// <summary>An object that is sent in parts. It has no key before it is complete, and is gone when it is disposed before. One thread, and those of its parts.</summary>
internal sealed class MultipartUpload : IDisposable
{
    // Putting an object of 10,000 parts together takes a server minutes, in which it may say nothing.
    private const int PatienceToComplete = 5;

    // Lists and headers say whole seconds.
    private static readonly TimeSpan ClockSteps = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestAbort = TimeSpan.FromSeconds(30);

    private readonly S3Connection _connection;
    private readonly string _key;
    private readonly string _id;
    private readonly ObjectFacts _facts;
    private readonly CancellationToken _token;
    private readonly CancellationTokenSource _failed;
    private readonly SemaphoreSlim _slots;
    private readonly List<Task<(PartETag Tag, PartDigest Digest)>> _sent = [];
    private Exception? _failure;
    private bool _isComplete;

    private MultipartUpload(S3Connection connection, string key, string id, ObjectFacts facts, CancellationToken token)
    {
        (_connection, _key, _id, _facts, _token) = (connection, key, id, facts, token);
        _failed = CancellationTokenSource.CreateLinkedTokenSource(token);
        _slots = new SemaphoreSlim(connection.Options.Uploads);
    }

    /// <summary>Cancelled with the whole, and when a part has failed for good.</summary>
    public CancellationToken Failed => _failed.Token;

    public static MultipartUpload Begin(S3Connection connection, string key, ObjectFacts facts, CancellationToken token)
    {
        // Also so that the server's time is known.
        if (connection.Head(key, token) is not null)
            throw Taken(connection, key);
        var began = connection.ServerNow - ClockSteps;
        var request = new InitiateMultipartUploadRequest { BucketName = connection.Options.Bucket, Key = connection.Keys.Full(key), ContentType = "application/octet-stream" };
        if (connection.SendsChecksums)
            request.ChecksumAlgorithm = ChecksumAlgorithm.CRC32C;
        facts.Put(request);
        string? id = null;
        try
        {
            id = connection.Call(key, (client, waits) => client.InitiateMultipartUploadAsync(request, waits.Token), token).UploadId;
            return new MultipartUpload(connection, key, id, facts, token);
        }
        finally
        {
            // One whose answer was lost has no owner: nobody would ever end it. And .NET asks again by itself where a kept connection breaks, and says nothing of it.
            AbortOthers(connection, key, id, began);
        }
    }

    public static BackupException Taken(S3Connection connection, string key) => new(
        FailureKind.DestinationNotEmpty, $"There is a '{key}' in {connection.Keys.Location} already.", "Nothing is ever overwritten: remove it first, or run again for another name.", connection.Keys.Location);

    /// <summary>Sends a part on a thread of its own, and owns it from now on. Waits while too many are on their way.</summary>
    public void Send(Part part)
    {
        try
        {
            _slots.Wait(Failed);
        }
        catch (OperationCanceledException)
        {
            part.Dispose();
            ThrowIfFailed();
            throw;
        }

        _sent.Add(Task.Factory.StartNew(() => Upload(part), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default));
    }

    public void ThrowIfFailed()
    {
        if (Volatile.Read(ref _failure) is { } failure)
            ExceptionDispatchInfo.Throw(failure);
    }

    /// <summary>Waits for all parts, and says what the whole will be known by.</summary>
    public string Wait()
    {
        // A part that fails ends the others.
        WaitForAll();
        _token.ThrowIfCancellationRequested();
        ThrowIfFailed();
        return PartDigest.EtagOf([.. _sent.Select(part => part.Result.Digest)]);
    }

    /// <summary>Gives the object its key, once: an answer that was lost is found out.</summary>
    public void Complete(S3Conditions conditions, long length)
    {
        conditions.OnCommit(condition => _connection.Retry.Run(() => CompleteOnce(condition, length), _token));
        _isComplete = true;
    }

    /// <summary>Ends what is not complete, whatever is on its way; never throws what the store says to that, since the next run sweeps.</summary>
    public void Dispose()
    {
        if (!_isComplete)
        {
            _failed.Cancel();
            WaitForAll();
            using var patience = new CancellationTokenSource(LongestAbort);
            Abort(_connection, _key, _id, patience.Token);
        }

        _failed.Dispose();
        _slots.Dispose();
    }

    private static void AbortOthers(S3Connection connection, string key, string? mine, DateTime began)
    {
        using var patience = new CancellationTokenSource(LongestAbort);
        try
        {
            foreach (var upload in S3Uploads.Below(connection, connection.Keys.Full(key), patience.Token).ToList())
            {
                if (string.Equals(upload.Key, connection.Keys.Full(key), StringComparison.Ordinal) && upload.Initiated?.ToUniversalTime() >= began && !string.Equals(upload.UploadId, mine, StringComparison.Ordinal))
                    Abort(connection, key, upload.UploadId, patience.Token);
            }
        }
        catch (Exception unheard) when (unheard is BackupException or OperationCanceledException)
        {
            // The next run sweeps.
        }
    }

    private static void Abort(S3Connection connection, string key, string id, CancellationToken token)
    {
        try
        {
            S3Uploads.Abort(connection, connection.Keys.Full(key), id, token);
        }
        catch (Exception unheard) when (unheard is BackupException or OperationCanceledException)
        {
            // The next run sweeps.
        }
    }

    private CompleteMultipartUploadResponse? CompleteOnce(bool conditional, long length)
    {
        var request = new CompleteMultipartUploadRequest
        {
            BucketName = _connection.Options.Bucket,
            Key = _connection.Keys.Full(_key),
            UploadId = _id,
            PartETags = [.. _sent.Select(part => part.Result.Tag).OrderBy(tag => tag.PartNumber)],
        };
        if (conditional)
            request.IfNoneMatch = "*";
        try
        {
            var answer = _connection.Once(_key, (client, waits) => client.CompleteMultipartUploadAsync(request, waits.Token), _token, PatienceToComplete);
            var expected = PartDigest.CrcOf([.. _sent.Select(part => part.Result.Digest)]);
            if (expected is not null && answer.ChecksumCRC32C is { } crc && !string.Equals(crc, expected, StringComparison.Ordinal))
                throw new BackupException(FailureKind.ChecksumMismatch, $"What {_connection.Keys.Location} put together of '{_key}' is not what was sent.", "Look at the server, and run again.", _connection.Keys.Location);
            return answer;
        }
        catch (BackupException wrong) when (wrong.Failure.Kind == FailureKind.StoreUnreachable || S3Failures.IsPrecondition(wrong) || S3Failures.Is(wrong, "NoSuchUpload"))
        {
            if (_connection.Head(_key, _token) is { } there && _facts.IsMine(there, length))
                return null;
            throw;
        }
    }

    private (PartETag, PartDigest) Upload(Part part)
    {
        try
        {
            var digest = PartDigest.Of(part, _connection.SendsChecksums, Failed);
            var answer = _connection.Call(_key, (client, waits) => client.UploadPartAsync(Request(part, digest, waits), waits.Token), Failed);
            if (!digest.Matches(answer.ETag, answer.ChecksumCRC32C))
            {
                throw new BackupException(
                    FailureKind.ChecksumMismatch, $"What {_connection.Keys.Location} has of part {part.Number} of '{_key}' is not what was sent.",
                    "Something on the way or on the server changes bytes: look there, and run again.", _connection.Keys.Location);
            }

            return (new PartETag { PartNumber = part.Number, ETag = answer.ETag, ChecksumCRC32C = digest.Crc32CText }, digest);
        }
        catch (Exception wrong)
        {
            if (wrong is not OperationCanceledException)
                Interlocked.CompareExchange(ref _failure, wrong, null);
            _failed.Cancel();
            throw;
        }
        finally
        {
            part.Dispose();
            _slots.Release();
        }
    }

    private UploadPartRequest Request(Part part, PartDigest digest, Patience waits)
    {
        var request = new UploadPartRequest
        {
            BucketName = _connection.Options.Bucket,
            Key = _connection.Keys.Full(_key),
            UploadId = _id,
            PartNumber = part.Number,
            PartSize = part.Length,
            InputStream = new PartStream(part, waits),
            MD5Digest = digest.Md5Text,
            UseChunkEncoding = false,
            DisablePayloadSigning = _connection.IsSecure,
        };
        if (digest.Crc32CText is { } crc)
            request.ChecksumCRC32C = crc;
        return request;
    }

    private void WaitForAll()
    {
        try
        {
            Task.WaitAll([.. _sent], CancellationToken.None);
        }
        catch (AggregateException)
        {
            // The first failure was kept.
        }
    }
}
