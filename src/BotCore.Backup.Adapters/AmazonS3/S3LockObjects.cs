using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Amazon.S3.Model;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores.Leases;

namespace BotCore.Backup.Adapters.AmazonS3;

/// <summary>
/// Lock objects by conditional requests, each one step for everybody. An ETag is the MD5 of a content, so each writing ends in a line that was never there before: else a holder's sign of life would leave the tag as it
/// was, and another run could take over what it had read as stale.
/// </summary>
internal sealed class S3LockObjects(S3Connection connection, S3Conditions conditions, ConditionForm form) : ILockObjects
{
    private const int LastLine = 33;

    // What stands behind tags in a bucket that keeps versions: each beat would leave one.
    private readonly ConcurrentDictionary<string, string> _versions = new(StringComparer.Ordinal);

    public string? TryCreate(string key, byte[] content, CancellationToken token) => Noted(conditions.Put(key, Body(content), null, ifNone: true, token));

    public LockObject? Read(string key, CancellationToken token) => Read(connection, key, token);

    public string? TryReplace(string key, byte[] content, string tag, CancellationToken token)
    {
        var next = Noted(conditions.Put(key, Body(content), S3Conditions.Tag(tag, form), ifNone: false, token));
        if (next is not null)
            Forget(key, tag);
        return next;
    }

    // Not every server heeds conditions of a removal. An empty one in its place is nobody's, and nobody takes that over before it is stale.
    public bool TryDelete(string key, string tag, CancellationToken token)
    {
        if (TryReplace(key, [], tag, token) is not { } empty)
            return false;
        S3Store.Remove(connection, key, token);
        Forget(key, empty);
        return true;
    }

    internal static byte[] Body(byte[] content) => [.. content, (byte)'\n', .. Encoding.ASCII.GetBytes(RandomNumberGenerator.GetHexString(LastLine - 1, lowercase: true))];

    internal static LockObject? Read(S3Connection connection, string key, CancellationToken token)
    {
        try
        {
            return connection.Call(key, async (client, waits) =>
            {
                using var answer = await client.GetObjectAsync(new GetObjectRequest { BucketName = connection.Options.Bucket, Key = connection.Keys.Full(key) }, waits.Token);
                using var content = new MemoryStream();
                await answer.ResponseStream.CopyToAsync(content, waits.Token);
                var age = connection.ServerNow - (answer.LastModified ?? connection.ServerNow).ToUniversalTime();
                return new LockObject(content.ToArray()[..^Math.Min(LastLine, (int)content.Length)], answer.ETag.Trim('"'), age < TimeSpan.Zero ? TimeSpan.Zero : age);
            }, token);
        }
        catch (BackupException none) when (none.Failure.Kind == FailureKind.BackupNotFound)
        {
            return null;
        }
    }

    private string? Noted(PutObjectResponse? answer)
    {
        if (answer is null)
            return null;
        var tag = answer.ETag.Trim('"');
        if (answer.VersionId is { Length: > 0 } version)
            _versions[tag] = version;
        return tag;
    }

    private void Forget(string key, string tag)
    {
        if (!_versions.TryRemove(tag, out var version))
            return;
        try
        {
            connection.Once(key, (client, waits) => client.DeleteObjectAsync(
                new DeleteObjectRequest { BucketName = connection.Options.Bucket, Key = connection.Keys.Full(key), VersionId = version }, waits.Token), CancellationToken.None);
        }
        catch (BackupException)
        {
            // It may be locked by the bucket's own rule, or not be allowed: an old version harms nobody.
        }
    }
}
