using System.Collections.Concurrent;
using System.Security.Cryptography;
using BotCore.Backup.Engine.Stores.Leases;

namespace BotCore.Backup.Adapters.AmazonS3;

/// <summary>
/// Lock objects where the server heeds no conditions. Who wants one puts a candidate of a name of its own below the key and then lists them: who is alone there holds it, who is not withdraws. Of two that come at once the
/// later list shows both, so two never hold it; both may withdraw. It needs a list that shows at once what was put, and it needs all writers to be of this module.
/// </summary>
internal sealed class S3CandidateLocks(S3Connection connection, S3Conditions conditions) : ILockObjects
{
    private const int LongestPause = 250;

    private readonly ConcurrentDictionary<string, string> _versions = new(StringComparer.Ordinal);

    public string? TryCreate(string key, byte[] content, CancellationToken token) => Candidates(key, token).Count > 0 ? null : Put(key, content, null, token);

    public LockObject? Read(string key, CancellationToken token)
    {
        foreach (var name in Candidates(key, token))
        {
            if (S3LockObjects.Read(connection, $"{key}/{name}", token) is { } there)
                return there with { Tag = name };
        }

        return null;
    }

    public string? TryReplace(string key, byte[] content, string tag, CancellationToken token) =>
        Candidates(key, token).Contains(tag, StringComparer.Ordinal) ? Put(key, content, tag, token) : null;

    public bool TryDelete(string key, string tag, CancellationToken token)
    {
        if (!Candidates(key, token).Contains(tag, StringComparer.Ordinal))
            return false;
        Remove(key, tag, token);
        return true;
    }

    private string? Put(string key, byte[] content, string? instead, CancellationToken token)
    {
        var mine = RandomNumberGenerator.GetHexString(32, lowercase: true);
        if (conditions.Put($"{key}/{mine}", S3LockObjects.Body(content), null, ifNone: false, token)?.VersionId is { Length: > 0 } version)
            _versions[mine] = version;
        if (instead is not null)
            Remove(key, instead, token);
        if (Candidates(key, token) is [var one] && string.Equals(one, mine, StringComparison.Ordinal))
            return mine;
        Remove(key, mine, token);
        // So that two that met do not meet again.
        token.WaitHandle.WaitOne(Random.Shared.Next(LongestPause));
        token.ThrowIfCancellationRequested();
        return null;
    }

    // Names are never used twice, so its version can go without a marker.
    private void Remove(string key, string name, CancellationToken token) => S3Store.Remove(connection, $"{key}/{name}", token, _versions.TryRemove(name, out var version) ? version : null);

    // Oldest first.
    private List<string> Candidates(string key, CancellationToken token)
    {
        var lead = connection.Keys.Full(key) + "/";
        return [.. S3Listing.Pages(connection, lead, token).OrderBy(o => o.LastModified).ThenBy(o => o.Key, StringComparer.Ordinal).Select(o => o.Key[lead.Length..])];
    }
}
