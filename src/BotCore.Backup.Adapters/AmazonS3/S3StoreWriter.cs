using Amazon.S3.Model;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Adapters.AmazonS3;

/// <summary>A new object. What fits into the first part goes in one piece; what does not goes in parts, several at a time, while the next is filled.</summary>
internal sealed class S3StoreWriter : StoreWriter
{
    private static readonly TimeSpan LongestGoodbye = TimeSpan.FromSeconds(30);

    private readonly S3Connection _connection;
    private readonly S3Conditions _conditions;
    private readonly string _key;
    private readonly ObjectFacts _facts;
    private readonly CancellationToken _token;
    private readonly PartMemory _memory;
    private Part _part;
    private MultipartUpload? _upload;
    private long _length;
    private bool _isOver;
    private bool _isUncertain;

    public S3StoreWriter(S3Connection connection, S3Conditions conditions, string key, string? runId, CancellationToken token)
    {
        (_connection, _conditions, _key, _token) = (connection, conditions, key, token);
        _facts = new ObjectFacts(connection.Options, runId);
        _memory = new PartMemory(connection.Options.PartMemory, connection.Options.FirstPartSize);
        _part = NewPart(1);
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_isOver, this);
        while (buffer.Length > 0)
        {
            _token.ThrowIfCancellationRequested();
            _upload?.ThrowIfFailed();
            if (_part.IsFull)
                Send();
            var taken = Append(buffer);
            buffer = buffer[taken..];
            _length += taken;
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
        // A part goes when it is full.
    }

    public override void Commit()
    {
        ObjectDisposedException.ThrowIf(_isOver, this);
        _token.ThrowIfCancellationRequested();
        if (_upload is null)
            PutWhole();
        else
            PutParts(_upload);
        _isUncertain = false;
        _isOver = true;
        if (_connection.Options.ObjectLockDays is not null)
            Lock();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _isOver = true;
            _upload?.Dispose();
            _upload = null;
            if (_isUncertain)
                RemoveMine();
            _part.Dispose();
            _memory.Dispose();
        }

        base.Dispose(disposing);
    }

    // Not every server locks what was put together of parts.
    private void Lock()
    {
        if (_connection.Head(_key, _token) is { } there && _facts.IsLocked(there))
            return;
        var request = new PutObjectRetentionRequest { BucketName = _connection.Options.Bucket, Key = _connection.Keys.Full(_key), Retention = _facts.Lock };
        _connection.Call(_key, (client, waits) => client.PutObjectRetentionAsync(request, waits.Token), _token);
        if (_connection.Head(_key, _token) is not { } now || !_facts.IsLocked(now))
        {
            throw new BackupException(
                FailureKind.ServerUnsupported, $"'{_key}' is in {_connection.Keys.Location}, and the server did not lock it.", "Use a server with Object Lock, or ask for no lock.", _connection.Keys.Location);
        }
    }

    private int Append(ReadOnlySpan<byte> buffer)
    {
        if (_upload is null)
            return _part.Append(buffer, _token);
        try
        {
            return _part.Append(buffer, _upload.Failed);
        }
        catch (OperationCanceledException)
        {
            _upload.ThrowIfFailed();
            throw;
        }
    }

    private void Send()
    {
        if (_part.Number == PartSizes.Most)
        {
            throw new BackupException(
                FailureKind.StoreFull, $"'{_key}' has more than {_length} bytes, which no object of S3 can hold.", "Split what is backed up into smaller backups.", _connection.Keys.Location);
        }

        _upload ??= MultipartUpload.Begin(_connection, _key, _facts, _token);
        var number = _part.Number + 1;
        _upload.Send(_part);
        _part = NewPart(number);
    }

    private Part NewPart(int number) => new(number, PartSizes.Of(number, _connection.Options.FirstPartSize), _memory);

    private void PutWhole()
    {
        var digest = PartDigest.Of(_part, _connection.SendsChecksums, _token);
        DemandFree();
        _isUncertain = true;
        try
        {
            var answer = _conditions.OnCommit(condition => _connection.Call(_key, (client, waits) => client.PutObjectAsync(Request(digest, waits, condition), waits.Token), _token));
            if (digest.Matches(answer.ETag, answer.ChecksumCRC32C))
                return;
        }
        catch (BackupException taken) when (S3Failures.IsPrecondition(taken))
        {
            // The answer to an earlier try may have been lost.
            if (_connection.Head(_key, _token) is { } there && _facts.IsMine(there, _length) && digest.Matches(there.ETag, null))
                return;
            throw;
        }

        throw Changed();
    }

    private PutObjectRequest Request(PartDigest digest, Patience waits, bool conditional)
    {
        var request = new PutObjectRequest
        {
            BucketName = _connection.Options.Bucket,
            Key = _connection.Keys.Full(_key),
            InputStream = new PartStream(_part, waits),
            MD5Digest = digest.Md5Text,
            UseChunkEncoding = false,
            DisablePayloadSigning = _connection.IsSecure,
            ContentType = "application/octet-stream",
        };
        if (digest.Crc32CText is { } crc)
            request.ChecksumCRC32C = crc;
        if (conditional)
            request.IfNoneMatch = "*";
        _facts.Put(request);
        return request;
    }

    private void PutParts(MultipartUpload upload)
    {
        upload.Send(_part);
        var etag = upload.Wait();
        DemandFree();
        _isUncertain = true;
        upload.Complete(_conditions, _length);
        // Not every server says in its answer what it made.
        if (_connection.Head(_key, _token) is not { } there || !_facts.IsMine(there, _length) || (IsOfParts(there.ETag) && !string.Equals(there.ETag.Trim('"'), etag, StringComparison.Ordinal)))
            throw Changed();
    }

    // An MD5 and a count; another form is no digest.
    private static bool IsOfParts(string? etag) => etag?.Trim('"') is { Length: > 33 } text && text[32] == '-' && text[..32].All(char.IsAsciiHexDigit);

    private void DemandFree()
    {
        if (_connection.Head(_key, _token) is not null)
            throw MultipartUpload.Taken(_connection, _key);
    }

    // It may have been given its key although nobody heard so, or hold what was not sent: it must not stay there.
    private void RemoveMine()
    {
        using var patience = new CancellationTokenSource(LongestGoodbye);
        try
        {
            if (_connection.Head(_key, patience.Token) is { } there && _facts.IsMine(there, there.ContentLength))
                S3Store.Remove(_connection, _key, patience.Token);
        }
        catch (Exception unheard) when (unheard is BackupException or OperationCanceledException)
        {
            // Without a manifest it is no backup, and the next run removes what its intent names.
        }
    }

    private BackupException Changed() => new(
        FailureKind.ChecksumMismatch, $"What {_connection.Keys.Location} has of '{_key}' is not what was sent.", "Something on the way or on the server changes bytes: look there, and run again.", _connection.Keys.Location);
}
