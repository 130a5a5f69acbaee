using BotCore.Backup.Engine.Configuration;

namespace BotCore.Backup.Engine.Verification;

/// <summary>How backups are to be proven.</summary>
public sealed record VerificationOptions
{
    /// <summary>How deep.</summary>
    public Depth Depth { get; init; } = Depth.Checksum;

    /// <summary>For <see cref="Depth.Restore"/> of a database: the server that gets a scratch database; null starts the Sandbox, and the result says so.</summary>
    public SecretUri? Server { get; init; }

    /// <summary>For <see cref="Depth.Restore"/> of files: the folder that gets a scratch folder; null takes BACKUP_DIR.</summary>
    public string? Folder { get; init; }
}
