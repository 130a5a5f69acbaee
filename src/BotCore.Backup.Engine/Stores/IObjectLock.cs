namespace BotCore.Backup.Engine.Stores;

/// <summary>What is known of a store's lock on its objects.</summary>
public enum ObjectLockState
{
    /// <summary>Nobody looked.</summary>
    Unknown = 0,

    /// <summary>The settings ask for none.</summary>
    NotConfigured,

    /// <summary>A locked object was put there, and the store refused to delete it.</summary>
    Proven,

    /// <summary>A locked object was put there, and the store deleted it: its lock protects nothing.</summary>
    Broken,
}

/// <summary>What a probe of the lock on objects saw.</summary>
/// <param name="State">The one word for it.</param>
/// <param name="Detail">A sentence for people.</param>
public sealed record ObjectLockProof(ObjectLockState State, string Detail);

/// <summary>A store that can keep objects from being deleted before a day, by whoever has its keys.</summary>
public interface IObjectLock
{
    /// <summary>Puts a small object with a short lock, and tries to delete it. Failures are those of <see cref="IStore"/>, and ConfigurationInvalid where locks are asked for of a bucket that has none.</summary>
    ObjectLockProof ProveLock(CancellationToken token);
}
