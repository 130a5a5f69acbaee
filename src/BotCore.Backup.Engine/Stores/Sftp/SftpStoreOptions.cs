using BotCore.Backup.Engine.Stores.Leases;
using BotCore.Backup.Protocols.Sftp;

namespace BotCore.Backup.Engine.Stores.Sftp;

/// <summary>Where an <see cref="SftpStore"/> is. Immutable.</summary>
/// <param name="Server">How to reach the server.</param>
/// <param name="Folder">The store's folder there: absolute, or relative to the login folder (a leading <c>~/</c> says the same). Made when the first object is written.</param>
public sealed record SftpStoreOptions(SftpOptions Server, string Folder)
{
    /// <summary>How long leases live; null for the usual.</summary>
    public LeaseTimes? Lease { get; init; }
}
