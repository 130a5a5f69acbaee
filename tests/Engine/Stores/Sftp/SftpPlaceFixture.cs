using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Stores.Leases;
using BotCore.Backup.Engine.Stores.Sftp;
using BotCore.Backup.Protocols.Sftp;
using BotCore.Backup.TestServers;

namespace BotCore.Backup.Engine.Tests.Stores.Sftp;

/// <summary>One sshd for the tests of a class, started by the first that asks.</summary>
public sealed class SftpPlaceFixture : IDisposable
{
    private readonly Lazy<SshServer> _server = new(() => new SshServer());
    private int _folders;

    public SshServer Server => _server.Value;

    /// <summary>A folder of the server that nobody had; it is not made.</summary>
    public string NewFolder() => Path.Combine(Server.Files, $"{Interlocked.Increment(ref _folders)}", "store");

    /// <summary>How to reach the server; through another port where one is given.</summary>
    public SftpOptions Options(int? port = null) => new()
    {
        Host = "127.0.0.1",
        Port = port ?? Server.Port,
        User = SshServer.User,
        KeyFile = Server.KeyFile,
        Arguments = Server.Arguments,
    };

    /// <summary>A store in a folder; pauses are short.</summary>
    public SftpStore Open(string folder, int? port = null, TimeSpan? stall = null, LeaseTimes? lease = null, int attempts = 5) => new(
        new SftpStoreOptions(Options(port) with { StallTimeout = stall ?? TimeSpan.FromSeconds(60) }, folder) { Lease = lease },
        new StoreRetry { Attempts = attempts, FirstPause = TimeSpan.FromMilliseconds(50), LongestPause = TimeSpan.FromMilliseconds(400) });

    public void Dispose()
    {
        if (_server.IsValueCreated)
            _server.Value.Dispose();
    }
}
