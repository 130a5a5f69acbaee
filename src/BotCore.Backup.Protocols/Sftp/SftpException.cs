namespace BotCore.Backup.Protocols.Sftp;

/// <summary>What kind of thing went wrong between this client and an SFTP server.</summary>
public enum SftpError
{
    /// <summary>Never set.</summary>
    Unknown,

    /// <summary>The options, or a file that they name, cannot be used by ssh.</summary>
    InvalidOptions,

    /// <summary>There is no ssh program.</summary>
    NoSshProgram,

    /// <summary>The server did not answer: its name did not resolve, its port refused, or the connection broke off before the login was through.</summary>
    Unreachable,

    /// <summary>The server's host key is in no known_hosts file.</summary>
    HostKeyUnknown,

    /// <summary>The server's host key is not the one that known_hosts has, or is revoked.</summary>
    HostKeyChanged,

    /// <summary>The server took none of the keys, or a key file could not be read.</summary>
    LoginRefused,

    /// <summary>The server has no SFTP for this user, or no cipher or key type that ssh accepts.</summary>
    NotOffered,

    /// <summary>The bytes that came are not the protocol's.</summary>
    Protocol,

    /// <summary>A connection that stood broke off. Whether the server did what was asked is not known.</summary>
    ConnectionLost,

    /// <summary>Nothing came for too long, and the connection was given up. Whether the server did what was asked is not known.</summary>
    TimedOut,

    /// <summary>SSH_FX_NO_SUCH_FILE.</summary>
    NoSuchFile,

    /// <summary>SSH_FX_PERMISSION_DENIED.</summary>
    PermissionDenied,

    /// <summary>The server said that there is no room, which servers of version 3 rarely do.</summary>
    NoSpace,

    /// <summary>SSH_FX_OP_UNSUPPORTED.</summary>
    Unsupported,

    /// <summary>SSH_FX_FAILURE and the rest: the server refused, mostly without a reason.</summary>
    Failed,
}

/// <summary>A failure of the SFTP client. The text holds no secret; what ssh or the server said is in it, shortened.</summary>
public sealed class SftpException : Exception
{
    /// <summary>Makes one.</summary>
    public SftpException(SftpError error, string message, Exception? cause = null)
        : base(message, cause) => Error = error;

    /// <summary>The kind.</summary>
    public SftpError Error { get; }

    /// <summary>What ssh said last, or the server's text to a status; empty where nothing was said.</summary>
    public string Words { get; init; } = "";

    /// <summary>Whether another connection may come through where this one did not.</summary>
    public bool IsPassing => Error is SftpError.Unreachable or SftpError.ConnectionLost or SftpError.TimedOut;
}
