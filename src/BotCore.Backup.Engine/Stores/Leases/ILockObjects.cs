namespace BotCore.Backup.Engine.Stores.Leases;

/// <summary>A lock object as it stands in a store.</summary>
/// <param name="Content">What its holder wrote.</param>
/// <param name="Tag">What this very version of it is known by: an ETag, a generation.</param>
/// <param name="Age">Since it was last written, by the server's clock alone: the clocks of two machines never meet.</param>
public sealed record LockObject(byte[] Content, string Tag, TimeSpan Age);

/// <summary>
/// The few operations on small objects that a lease is made of. Each is one step for everybody who looks at the store, as far as the store can do that; where it cannot, the implementation says how near it comes.
/// Failures are those of <see cref="IStore"/>. Thread-safe.
/// </summary>
public interface ILockObjects
{
    /// <summary>Makes the object where there is none. Its tag, or null where one is there.</summary>
    string? TryCreate(string key, byte[] content, CancellationToken token);

    /// <summary>The object, or null where there is none.</summary>
    LockObject? Read(string key, CancellationToken token);

    /// <summary>Puts <paramref name="content"/> in place of the version <paramref name="tag"/>. The new tag, or null where that version does not stand there any more.</summary>
    string? TryReplace(string key, byte[] content, string tag, CancellationToken token);

    /// <summary>Removes the object where it is still the version <paramref name="tag"/>. False where it is not.</summary>
    bool TryDelete(string key, string tag, CancellationToken token);
}
