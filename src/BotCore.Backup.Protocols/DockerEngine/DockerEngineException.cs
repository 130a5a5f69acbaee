using System.Net;

namespace BotCore.Backup.Protocols.DockerEngine;

/// <summary>What went wrong between this machine and an engine.</summary>
public enum DockerEngineError
{
    /// <summary>Never thrown on purpose.</summary>
    Unknown = 0,

    /// <summary>There is no socket, or nobody listens there.</summary>
    NoEngine,

    /// <summary>The operating system does not let this user open the socket.</summary>
    AccessDenied,

    /// <summary>The connection broke, or nothing moved on it for too long.</summary>
    Unreachable,

    /// <summary>The engine's certificate is not accepted, or it does not take ours.</summary>
    CertificateRejected,

    /// <summary>The engine and this client have no version of the API in common.</summary>
    VersionUnsupported,

    /// <summary>What was asked for does not exist.</summary>
    NotFound,

    /// <summary>It is in use, or there already.</summary>
    Conflict,

    /// <summary>The container is not running, so that it cannot be paused.</summary>
    NotRunning,

    /// <summary>The engine refused for a reason of its own.</summary>
    Refused,

    /// <summary>The answer is none of this API.</summary>
    Protocol,
}

/// <summary>An engine that cannot be reached, or that refused.</summary>
public sealed class DockerEngineException(DockerEngineError error, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The one word for it.</summary>
    public DockerEngineError Error { get; } = error;

    /// <summary>What the engine answered; null where it did not.</summary>
    public HttpStatusCode? Status { get; init; }
}
