using System.Globalization;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores.Leases;
using BotCore.Backup.Protocols.GoogleStorage;

namespace BotCore.Backup.Engine.Stores.Gcs;

/// <summary>
/// Lock objects in a bucket. Their tags are generations: the service is strongly consistent and takes a write only where the generation that was read still stands, so each step is one for everybody.
/// Google takes about one write a second of one name and answers 429 to more, which is waited out.
/// </summary>
internal sealed class GcsLockObjects(GcsBucket bucket) : ILockObjects
{
    // A holder that cannot be heard must give up in time, so an operation on a lock is not tried for long.
    private const int MostAttempts = 4;
    private const int MostChanges = 5;

    private static readonly Dictionary<string, string> NoMetadata = new(StringComparer.Ordinal);

    public string? TryCreate(string key, byte[] content, CancellationToken token) => Put(key, content, 0, token);

    public LockObject? Read(string key, CancellationToken token)
    {
        var name = bucket.ObjectOf(key);
        for (var attempt = 1; ; attempt++)
        {
            var facts = bucket.Run(key, () => bucket.Client.Get(bucket.Name, name, token), token, MostAttempts);
            if (facts is null)
                return null;
            if (bucket.Run(key, () => Content(name, facts.Generation, token), token, MostAttempts) is { } content)
                return new LockObject(content, facts.Generation.ToString(CultureInfo.InvariantCulture), Age(key, facts));
            // Its holder wrote it anew between the two questions.
            if (attempt == MostChanges)
                throw new BackupException(FailureKind.Locked, $"The lock '{key}' in {bucket.Location} changes all the time.", "Wait until the other run has ended, then run again.", bucket.Location);
        }
    }

    public string? TryReplace(string key, byte[] content, string tag, CancellationToken token) => Put(key, content, Generation(tag), token);

    public bool TryDelete(string key, string tag, CancellationToken token)
    {
        var name = bucket.ObjectOf(key);
        return bucket.Run<object>(key, () =>
        {
            try
            {
                return bucket.Client.Delete(bucket.Name, name, Generation(tag), token);
            }
            catch (GoogleStorageException other) when (other.Error == GoogleStorageError.PreconditionFailed)
            {
                return false;
            }
        }, token, MostAttempts) is true;
    }

    // A write whose answer was lost looks refused at the second try; whoever asks then reads who holds it.
    private string? Put(string key, byte[] content, long generation, CancellationToken token)
    {
        var name = bucket.ObjectOf(key);
        var written = bucket.Run(key, () =>
        {
            try
            {
                return [bucket.Client.Upload(bucket.Name, name, content, NoMetadata, generation, token)];
            }
            catch (GoogleStorageException other) when (other.Error == GoogleStorageError.PreconditionFailed)
            {
                return Array.Empty<GoogleObject>();
            }
        }, token, MostAttempts);
        return written is [var one] ? one.Generation.ToString(CultureInfo.InvariantCulture) : null;
    }

    private byte[] Content(string name, long generation, CancellationToken token)
    {
        using var download = bucket.Client.Download(bucket.Name, name, 0, generation, token);
        using var content = new MemoryStream();
        download.CopyTo(content);
        return content.ToArray();
    }

    private TimeSpan Age(string key, GoogleObject facts)
    {
        if (facts is { Answered: { } now, Updated: { } written })
            return now > written ? now - written : TimeSpan.Zero;
        throw new BackupException(FailureKind.StoreUnreachable, $"The server of {bucket.Location} does not say when '{key}' was written.", "Check GCS_ENDPOINT.", bucket.Location);
    }

    private static long Generation(string tag) => long.Parse(tag, NumberStyles.None, CultureInfo.InvariantCulture);
}
