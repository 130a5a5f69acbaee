namespace BotCore.Backup.Protocols.Sftp;

/// <summary>
/// How to reach a server. Whatever is not given here is ssh's own affair: ssh_config, agents, known_hosts, ProxyJump. There is no password: keys only. Immutable.
/// </summary>
public sealed record SftpOptions
{
    /// <summary>Name, address, or a Host of ssh_config.</summary>
    public required string Host { get; init; }

    /// <summary>Null for ssh's choice.</summary>
    public int? Port { get; init; }

    /// <summary>Null for ssh's choice.</summary>
    public string? User { get; init; }

    /// <summary>The one private key to log in with (or its .pub, where an agent holds it); null for ssh's choice.</summary>
    public string? KeyFile { get; init; }

    /// <summary>The ssh program: a full path, or a name on PATH.</summary>
    public string Program { get; init; } = "ssh";

    /// <summary>More of ssh's arguments, such as <c>-F file</c> or <c>-oUserKnownHostsFile=file</c>. They come behind those of this client, and ssh takes the first: host keys stay strictly checked.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>For the connection, and again for the login and the server's first answer.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Without a byte from the server while it owes an answer, the connection is given up after so long.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The same while the server brings a file to its disk (fsync), which may take long; ssh notices a dead network by its own signs of life meanwhile.</summary>
    public TimeSpan FsyncTimeout { get; init; } = TimeSpan.FromMinutes(10);
}
