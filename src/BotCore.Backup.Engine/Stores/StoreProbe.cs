using System.Diagnostics;
using System.Security.Cryptography;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Stores;

/// <summary>Tries a store with everything that a backup needs of it: lease, write, commit, look, read, remove. Leaves nothing.</summary>
public static class StoreProbe
{
    // More than one packet, and nothing that is worth waiting for.
    private const int Length = 200_000;

    /// <summary>The stores that the settings enable, in the order of the settings; probed where <paramref name="probe"/> asks for it. A store that fails is a result that says so.</summary>
    public static IEnumerable<BotBackupStore> List(BackupSession session, Func<string, bool> isWanted, bool probe, CancellationToken token)
    {
        foreach (var name in session.Configuration.EnabledStores.Where(isWanted))
        {
            token.ThrowIfCancellationRequested();
            var found = new BotBackupStore { Name = name, Location = "", Components = ComponentsOf(session.Configuration, name) };
            IStore store;
            try
            {
                store = session.StoreNamed(name);
            }
            catch (BackupException wrong)
            {
                found = found with { Outcome = Outcome.Failed, Failure = wrong.Failure };
                store = null!;
            }

            yield return store is null ? found : probe ? Probe(store, found with { Location = store.Location }, token) : found with { Location = store.Location };
        }
    }

    private static BotBackupStore Probe(IStore store, BotBackupStore found, CancellationToken token)
    {
        var watch = Stopwatch.StartNew();
        try
        {
            using (var lease = store.AcquireLease("probe", token))
            {
                lease.Demand(token);
                RoundTrip(store, token);
            }

            var locked = LockOf(store)?.ProveLock(token);
            if (locked is { State: ObjectLockState.Broken })
                throw Untrue(store, locked.Detail.TrimEnd('.'));
            if (locked is { State: ObjectLockState.Proven })
                found = found with { Remarks = [locked.Detail] };
            return found with { Outcome = Outcome.Succeeded, Duration = watch.Elapsed, FreeSpace = store.FreeSpace is { } free ? new ByteSize(free) : null };
        }
        catch (BackupException wrong)
        {
            return found with { Outcome = Outcome.Failed, Duration = watch.Elapsed, Failure = wrong.Failure };
        }
    }

    private static void RoundTrip(IStore store, CancellationToken token)
    {
        var key = $".botbackup/probe.{RandomNumberGenerator.GetHexString(16, lowercase: true)}";
        var content = RandomNumberGenerator.GetBytes(Length);
        try
        {
            using (var writer = store.Create(key, token, "probe"))
            {
                writer.Write(content);
                writer.Commit();
            }

            if (store.Find(key, token)?.Length != Length)
                throw Untrue(store, "it does not show an object that was just written, or with another length");
            foreach (var offset in new[] { 0, Length / 3 })
            {
                var read = new byte[Length - offset];
                using var stream = store.OpenRead(key, offset, token);
                if (stream.ReadAtLeast(read, read.Length, throwOnEndOfStream: false) != read.Length || !read.AsSpan().SequenceEqual(content.AsSpan(offset)))
                    throw Untrue(store, "it gives back other bytes than were written");
            }
        }
        finally
        {
            store.Delete(key, CancellationToken.None);
        }

        if (store.Find(key, token) is not null)
            throw Untrue(store, "it still shows an object that was removed");
    }

    private static IObjectLock? LockOf(IStore store) => store switch
    {
        IObjectLock locking => locking,
        CloudLayoutStore cloud => LockOf(cloud.Inner),
        LimitedStore limited => LockOf(limited.Inner),
        _ => null,
    };

    private static BackupException Untrue(IStore store, string what) => new(
        FailureKind.StoreUnreachable, $"{store.Location} cannot be used: {what}.", "Look at that store with its own tools; no backup can be trusted to it.", store.Location);

    private static List<Component> ComponentsOf(BotBackupConfiguration settings, string store) =>
        [.. new[] { Component.MongoDb, Component.Volume, Component.Config, Component.Model }.Where(component => settings.StoresOf(component).Contains(store, StringComparer.OrdinalIgnoreCase))];
}
