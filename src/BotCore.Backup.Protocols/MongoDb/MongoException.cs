using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Protocols.MongoDb;

/// <summary>What kind of thing went wrong between this client and a server.</summary>
public enum MongoError
{
    /// <summary>Never set.</summary>
    Unknown,

    /// <summary>The connection string, or a file that it names, cannot be used.</summary>
    InvalidConnectionString,

    /// <summary>No host answered: a name did not resolve, a port refused, or time ran out.</summary>
    Unreachable,

    /// <summary>A connection that stood broke off. Whether the server did what was asked is not known.</summary>
    ConnectionLost,

    /// <summary>User, password or certificate were not accepted, or the server could not prove that it knows the password.</summary>
    LoginFailed,

    /// <summary>The user may not do this (code 13).</summary>
    AccessDenied,

    /// <summary>The server's certificate was not accepted.</summary>
    CertificateRejected,

    /// <summary>The server is too old, or lacks what is needed.</summary>
    Unsupported,

    /// <summary>Servers answered, but none fits what was asked for, such as a primary.</summary>
    NoSuitableServer,

    /// <summary>The server answered a command with an error.</summary>
    CommandFailed,

    /// <summary>The server no longer knows the cursor: documents are missing.</summary>
    CursorLost,

    /// <summary>The bytes that came are not the protocol's.</summary>
    Protocol,
}

/// <summary>A failure of the MongoDB client. The text never holds a password; a server's own message is in it where the server sent one.</summary>
public sealed class MongoException : Exception
{
    /// <summary>Makes one.</summary>
    public MongoException(MongoError error, string message, Exception? cause = null)
        : base(message, cause) => Error = error;

    internal MongoException(MongoError error, string message, int? code, string? codeName, RawBson reply)
        : base(message)
    {
        Error = error;
        Code = code;
        CodeName = codeName;
        Reply = reply;
    }

    /// <summary>The kind.</summary>
    public MongoError Error { get; }

    /// <summary>The server's error code, where the server answered.</summary>
    public int? Code { get; }

    /// <summary>The server's name of the code, where it sent one.</summary>
    public string? CodeName { get; }

    /// <summary>The server's whole answer, owning its bytes.</summary>
    public RawBson? Reply { get; }
}
