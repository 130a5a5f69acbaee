using System.Globalization;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Stores.Leases;

/// <summary>
/// Tells clean-ups that a store is being read. A lease has one holder and readers are many, so there are a few leases for it: a reader holds any one of them, a clean-up holds all, and the store gives back those of the dead. A restore
/// never fails for want of one: where it may not write, or none becomes free, it reads all the same and says so. See docs/decisions/0034.
/// </summary>
internal static class ReadMark
{
    private const int Marks = 8;

    private static readonly string[] Names = [.. Enumerable.Range(0, Marks).Select(number => "reading-" + number.ToString(CultureInfo.InvariantCulture))];

    // How long a clean-up that is under way is waited for: what it removes next might be what is to be read.
    private const int MostTurns = 60;
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(1);

    /// <summary>A mark on <paramref name="store"/> until it is disposed; null where there could be none, which <paramref name="tell"/> is told.</summary>
    public static StoreLease? Leave(IStore store, Action<BackupEvent> tell, CancellationToken token)
    {
        try
        {
            for (var turn = 0; turn < MostTurns; turn++)
            {
                if (turn == 1)
                    tell(new Said($"A clean-up is at work in {store.Location}; waiting for it."));
                if (TryLeave(store, token) is { } mark)
                    return mark;
                token.WaitHandle.WaitOne(Turn);
                token.ThrowIfCancellationRequested();
            }

            tell(new Warned($"No mark on {store.Location} became free: a clean-up there could remove what is being read."));
        }
        catch (BackupException refused)
        {
            tell(new Said($"No mark could be left in {store.Location}, so a clean-up there could remove what is being read: {refused.Failure.Message}"));
        }

        return null;
    }

    /// <summary>Every mark of <paramref name="store"/>: nobody reads it then, and whoever wants to waits.</summary>
    /// <exception cref="BackupException">Locked: somebody reads it.</exception>
    public static HeldLeases Forbid(IStore store, CancellationToken token)
    {
        try
        {
            return new HeldLeases(store, Names, token);
        }
        catch (BackupException locked) when (locked.Failure.Kind == FailureKind.Locked)
        {
            throw new BackupException(
                FailureKind.Locked, $"A restore, or another clean-up, is at work in {store.Location}; nothing was removed.", "Wait until it has ended, then run again.", store.Location, locked);
        }
    }

    private static StoreLease? TryLeave(IStore store, CancellationToken token)
    {
        foreach (var name in Names)
        {
            try
            {
                return store.AcquireLease(name, token);
            }
            catch (BackupException taken) when (taken.Failure.Kind == FailureKind.Locked)
            {
                // The next one may be free.
            }
        }

        return null;
    }
}
