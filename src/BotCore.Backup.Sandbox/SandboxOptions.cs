using System.Security.Cryptography.X509Certificates;

namespace BotCore.Backup.Sandbox;

/// <summary>A user beside the main one.</summary>
/// <param name="Name">Login name, in the database <c>admin</c>.</param>
/// <param name="Password">Password.</param>
/// <param name="ReadOnly">The databases that he may read; he may do nothing else.</param>
public sealed record SandboxUser(string Name, string Password, IReadOnlyList<string> ReadOnly)
{
    /// <summary>Name only: a password is never shown.</summary>
    public override string ToString() => $"SandboxUser {Name}";
}

/// <summary>What kind of server to play. Immutable.</summary>
public sealed record SandboxOptions
{
    /// <summary>Name of the one-member replica set.</summary>
    public string SetName { get; init; } = "sandbox";

    /// <summary>Main user, with all rights; null lets everybody in.</summary>
    public string? UserName { get; init; }

    /// <summary>His password.</summary>
    public string? Password { get; init; }

    /// <summary>More users, with fewer rights. They count only where <see cref="UserName"/> is set.</summary>
    public IReadOnlyList<SandboxUser> Users { get; init; } = [];

    /// <summary>With it the server speaks TLS. It stays the caller's.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>Bytes of oplog entries that are kept; older ones fall off.</summary>
    public long OplogCap { get; init; } = 256L << 20;

    /// <summary>Bytes of documents that are taken in all; a write beyond them fails with OutOfDiskSpace (14031).</summary>
    public long MemoryCap { get; init; } = 8L << 30;

    /// <summary>Play a standalone server: no set name, no oplog.</summary>
    public bool Standalone { get; init; }

    /// <summary>Play a router of a sharded cluster: hello says <c>isdbgrid</c>, and there is no oplog.</summary>
    public bool Sharded { get; init; }

    /// <summary>Whether <c>applyOps</c> turns an update of a missing document into an insert where the command does not say (servers before 7.0 did).</summary>
    public bool UpsertOnApply { get; init; }

    /// <summary>Bytes of operations that one oplog entry of a transaction may hold; beyond them the transaction is split into a chain of entries.</summary>
    public int TransactionEntryBytes { get; init; } = 16 << 20;

    /// <summary>When set, a no-op is written to the oplog that often, as an idle server does.</summary>
    public TimeSpan? NoOpEvery { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Asked before each command, on the connection's thread: command, namespace or database, and how many times this command came before. Null is no fault.</summary>
    public Func<string, string, int, SandboxFault?>? Fault { get; init; }

    /// <summary>Passwords and certificates are never shown.</summary>
    public override string ToString() => $"SandboxOptions {SetName}";
}

/// <summary>What is to go wrong.</summary>
public enum SandboxFaultKind
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>The connection is closed.</summary>
    CloseConnection,

    /// <summary>The command fails with a code, and does nothing.</summary>
    Error,

    /// <summary>The answer waits for a gate; the command has been carried out.</summary>
    Delay,
}

/// <summary>When it is to go wrong.</summary>
public enum SandboxFaultMoment
{
    /// <summary>Before the command does anything.</summary>
    BeforeCommand = 0,

    /// <summary>After the command was carried out, and before the first byte of the answer.</summary>
    BeforeReply,

    /// <summary>After half of the answer's bytes.</summary>
    WithinReply,
}

/// <summary>A fault that a test asks for.</summary>
/// <param name="Kind">What happens.</param>
/// <param name="Moment">When; an Error is always before the command.</param>
/// <param name="Code">The code of an Error.</param>
/// <param name="Gate">What a Delay waits for.</param>
public sealed record SandboxFault(SandboxFaultKind Kind, SandboxFaultMoment Moment = SandboxFaultMoment.BeforeCommand, int Code = 0, ManualResetEventSlim? Gate = null);
