using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Verification;

/// <summary>How deep a proof goes. Each depth includes those before it.</summary>
public enum Depth
{
    /// <summary>Nothing was proven.</summary>
    Unknown = 0,

    /// <summary>The bytes in the store are those that were sealed: lengths and SHA-256 of archive and index, and the manifest's seal where there is a key.</summary>
    Checksum,

    /// <summary>Unsealed to the end: integrity code, every member, every entry hashed and compared with the index.</summary>
    Archive,

    /// <summary>Restored into a scratch target and compared.</summary>
    Restore,
}

/// <summary>How well a backup is known to be good.</summary>
/// <param name="Depth">How deep it was proven; <see cref="Verification.Depth.Unknown"/> when never, and when it was found damaged since.</param>
/// <param name="At">When, or when it was found damaged; null when never.</param>
/// <param name="Authenticated">Whether its manifest carries an HMAC or signature, so that a change by somebody who has no key would be seen.</param>
public sealed record Proof(Depth Depth, DateTimeOffset? At, bool Authenticated)
{
    /// <summary>Whether the restore went into the Sandbox, which is no mongod: a rehearsal, never the last proof where a real server is to be had.</summary>
    public bool InSandbox { get; init; }

    /// <summary>What was found wrong with it, and was not mended since; null where nothing was.</summary>
    public FailureKind? Damage { get; init; }

    /// <summary>Nothing is known: an archive without a manifest.</summary>
    public static Proof None { get; } = new(Depth.Unknown, At: null, Authenticated: false);

    /// <summary>How deep it counts: a rehearsal in the Sandbox is no restore where there is a server that it could have been.</summary>
    public Depth DepthBeside(bool hasServer) => InSandbox && hasServer ? Depth.Archive : Depth;

    /// <summary>The same as <see cref="ToString()"/> with its age: <c>Archive, 3 d ago</c>.</summary>
    public string ToString(DateTimeOffset now)
    {
        if (At is not { } at)
            return ToString();
        var age = now - at;
        return age < TimeSpan.FromMinutes(1) ? $"{this}, now" : $"{this}, {Age.Text(age)} ago";
    }

    /// <summary>For people: <c>Unproven</c>, <c>Archive</c>, <c>Archive, Unauthenticated</c>, <c>Restore (Sandbox)</c>, <c>Damaged (ArchiveCorrupt)</c>.</summary>
    public override string ToString()
    {
        if (Damage is { } damage)
            return $"Damaged ({damage})";
        if (Depth == Depth.Unknown)
            return "Unproven";
        var depth = InSandbox ? $"{Depth} (Sandbox)" : Depth.ToString();
        return Authenticated ? depth : $"{depth}, Unauthenticated";
    }
}
