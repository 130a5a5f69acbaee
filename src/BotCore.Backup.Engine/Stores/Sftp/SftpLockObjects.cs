using System.Globalization;
using System.Security.Cryptography;
using BotCore.Backup.Engine.Stores.Leases;
using BotCore.Backup.Protocols.Sftp;

namespace BotCore.Backup.Engine.Stores.Sftp;

/// <summary>
/// Lock objects out of what SFTP can do in one step: make a file where there is none. An object is a row of files <c>name.1</c>, <c>name.2</c> ...; the highest number is the version that stands, and
/// its tag is the number. To replace version n is to make n+1, which only one of many can. Who comes too late finds n+1 there, or, where later ones have been tidied away, a higher one when it looks
/// again: its own is removed and does not count. The last two are kept, so that no look at the folder can miss all. To delete is to put a version that says so on top; it stays, since numbers
/// must never begin anew under one who still remembers them. So near it comes: a lease has two holders only where a look at the folder takes longer than two beats.
/// </summary>
internal sealed class SftpLockObjects(SftpSession session) : ILockObjects
{
    private const int MostAttempts = 5;
    private const uint FileMode = 0b110_000_000;

    // Seconds; far longer than a try can take.
    private const uint LongestMaking = 3600;

    // A lease has its own patience: the beats go on, and a run must know soon.
    private readonly StoreRetry _retry = session.Retry with { Attempts = Math.Min(session.Retry.Attempts, 3) };

    private static ReadOnlySpan<byte> Free => "free\n"u8;

    public string? TryCreate(string key, byte[] content, CancellationToken token)
    {
        var partial = PartialOf(key);
        return Run(
            key,
            client =>
            {
                var top = Top(client, key, token);
                if (top > 0 && (client.ReadSmall(PathOf(key, top), token) is not { } there || !there.Content.AsSpan().SequenceEqual(Free)))
                    return null;
                return Add(client, key, partial, top + 1, content, token);
            },
            token);
    }

    public LockObject? Read(string key, CancellationToken token)
    {
        var partial = PartialOf(key);
        return Run(
            key,
            client =>
            {
                for (var attempt = 1; attempt <= MostAttempts; attempt++)
                {
                    var top = Top(client, key, token);
                    if (top == 0)
                        return null;
                    // Tidied away meanwhile: a higher one stands.
                    if (client.ReadSmall(PathOf(key, top), token) is not { } there)
                        continue;
                    return there.Content.AsSpan().SequenceEqual(Free)
                        ? null
                        : new LockObject(there.Content, top.ToString(CultureInfo.InvariantCulture), AgeOf(there.Attributes, client, partial, token));
                }

                return null;
            },
            token);
    }

    public string? TryReplace(string key, byte[] content, string tag, CancellationToken token)
    {
        var partial = PartialOf(key);
        return Run(key, client => Add(client, key, partial, long.Parse(tag, CultureInfo.InvariantCulture) + 1, content, token), token);
    }

    public bool TryDelete(string key, string tag, CancellationToken token) => TryReplace(key, Free.ToArray(), tag, token) is not null;

    private T Run<T>(string key, Func<SftpClient, T> action, CancellationToken token) => session.Run(
        key,
        client =>
        {
            try
            {
                return action(client);
            }
            catch (SftpException failed) when (failed.Error == SftpError.Failed)
            {
                throw session.WriteFailure(key, session.Place.PathOf(key), failed, token);
            }
        },
        token,
        _retry);

    private string? Add(SftpClient client, string key, string partial, long version, byte[] content, CancellationToken token)
    {
        var path = PathOf(key, version);
        if (!Make(client, partial, path, content, token))
            return null;
        var entries = Entries(client, key, token);
        var versions = Versions(entries, key);
        if (versions.Exists(other => other > version))
        {
            Remove(client, path, token);
            return null;
        }

        foreach (var old in versions.Where(old => old < version - 1))
            Remove(client, PathOf(key, old), token);
        Sweep(client, key, entries, token);
        return version.ToString(CultureInfo.InvariantCulture);
    }

    // With its content from the first moment on, where the server can link; else it is empty for a moment, which reads as a lease of nobody known.
    private static bool Make(SftpClient client, string partial, string path, byte[] content, CancellationToken token)
    {
        if (client.Offers("hardlink@openssh.com"))
        {
            try
            {
                Put(client, partial, SftpOpenModes.Truncate, content, token);
                try
                {
                    client.HardLink(partial, path, token);
                    return true;
                }
                finally
                {
                    if (!client.IsBroken)
                        Remove(client, partial, token);
                }
            }
            catch (SftpException refused) when (refused.Error is SftpError.Failed or SftpError.Unsupported or SftpError.PermissionDenied)
            {
                if (client.LStat(path, token) is not null)
                    return false;
            }
        }

        try
        {
            Put(client, path, SftpOpenModes.Exclusive, content, token);
            return true;
        }
        catch (SftpException refused) when (refused.Error == SftpError.Failed && client.LStat(path, token) is not null)
        {
            return false;
        }
    }

    private static void Put(SftpClient client, string path, SftpOpenModes how, byte[] content, CancellationToken token)
    {
        var handle = Open(client, path, how, token);
        client.WriteSmall(handle, content, token);
        client.Close(handle, token);
    }

    private static SftpHandle Open(SftpClient client, string path, SftpOpenModes how, CancellationToken token)
    {
        var modes = SftpOpenModes.Write | SftpOpenModes.Create | how;
        try
        {
            return client.Open(path, modes, FileMode, token);
        }
        catch (SftpException missing) when (missing.Error == SftpError.NoSuchFile)
        {
            SftpSession.MakeFolders(client, SftpPlace.Above(path)!, token);
            return client.Open(path, modes, FileMode, token);
        }
    }

    private static void Remove(SftpClient client, string path, CancellationToken token)
    {
        try
        {
            client.Remove(path, token);
        }
        catch (SftpException gone) when (gone.Error == SftpError.NoSuchFile)
        {
            // Tidied away by another.
        }
    }

    // By the server's clock alone: a file that is made now has its time.
    private static TimeSpan AgeOf(SftpAttributes attributes, SftpClient client, string partial, CancellationToken token)
    {
        var handle = Open(client, partial, SftpOpenModes.Truncate, token);
        client.WriteSmall(handle, Free, token);
        var now = client.FStat(handle, token);
        client.Forget(handle);
        Remove(client, partial, token);
        return TimeSpan.FromSeconds(Math.Max(0, (long)(now.ModifiedAt ?? 0) - (attributes.ModifiedAt ?? 0)));
    }

    // What processes left behind that died while they made a version.
    private void Sweep(SftpClient client, string key, IReadOnlyList<SftpEntry> entries, CancellationToken token)
    {
        var slash = key.LastIndexOf('/') + 1;
        var now = entries.Max(entry => entry.Attributes.ModifiedAt) ?? 0;
        foreach (var entry in entries)
        {
            if (entry.Name.StartsWith($".{key[slash..]}.", StringComparison.Ordinal) && entry.Name.EndsWith(FolderStore.PartialSuffix, StringComparison.Ordinal)
                && entry.Attributes.ModifiedAt + LongestMaking < now)
                Remove(client, session.Place.PathOf(key[..slash] + entry.Name), token);
        }
    }

    private long Top(SftpClient client, string key, CancellationToken token) => Versions(Entries(client, key, token), key).DefaultIfEmpty(0).Max();

    private IReadOnlyList<SftpEntry> Entries(SftpClient client, string key, CancellationToken token) =>
        client.List([session.Place.PathOf(key[..Math.Max(key.LastIndexOf('/'), 0)])], token).Single().Entries;

    private static List<long> Versions(IReadOnlyList<SftpEntry> entries, string key)
    {
        var name = key[(key.LastIndexOf('/') + 1)..] + ".";
        return
        [
            .. entries
                .Where(entry => entry.Name.StartsWith(name, StringComparison.Ordinal))
                .Select(entry => long.TryParse(entry.Name.AsSpan(name.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : 0)
                .Where(version => version > 0),
        ];
    }

    private string PathOf(string key, long version) => session.Place.PathOf(string.Create(CultureInfo.InvariantCulture, $"{key}.{version}"));

    private string PartialOf(string key)
    {
        var path = session.Place.PathOf(key);
        var slash = path.LastIndexOf('/') + 1;
        return $"{path[..slash]}.{path[slash..]}.{RandomNumberGenerator.GetHexString(8, lowercase: true)}{FolderStore.PartialSuffix}";
    }
}
