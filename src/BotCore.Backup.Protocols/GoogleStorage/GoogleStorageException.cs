using System.Net;

namespace BotCore.Backup.Protocols.GoogleStorage;

/// <summary>What kind of thing went wrong between this client and Google Cloud Storage.</summary>
public enum GoogleStorageError
{
    /// <summary>Never set.</summary>
    Unknown = 0,

    /// <summary>No answer: a name did not resolve, a port refused, the connection broke or nothing moved for too long. Whether the server did what was asked is not known.</summary>
    Unreachable,

    /// <summary>The server asks to be tried again later: 408, 429, 5xx, or a quota of requests.</summary>
    Busy,

    /// <summary>The server refused the credentials.</summary>
    LoginFailed,

    /// <summary>There are no credentials: no key file, no login of gcloud, no metadata server.</summary>
    CredentialsMissing,

    /// <summary>A file of credentials is not there or cannot be read as one.</summary>
    CredentialsInvalid,

    /// <summary>The server refused the login because the clocks are too far apart.</summary>
    ClockSkewed,

    /// <summary>The account may not do this.</summary>
    AccessDenied,

    /// <summary>The project or its billing account is closed.</summary>
    AccountDisabled,

    /// <summary>A retention policy or a hold keeps the object.</summary>
    Retained,

    /// <summary>There is no such object, or version of it.</summary>
    NotFound,

    /// <summary>There is no such bucket.</summary>
    BucketNotFound,

    /// <summary>The object is not in the generation that was asked for: with 0, it is there already.</summary>
    PreconditionFailed,

    /// <summary>The range begins at or behind the end of the object.</summary>
    RangeNotSatisfiable,

    /// <summary>The server does not know the upload session (any more).</summary>
    SessionGone,

    /// <summary>The server received other bytes than were sent.</summary>
    ChecksumRejected,

    /// <summary>The server's certificate is not trusted.</summary>
    CertificateRejected,

    /// <summary>The server refused the request for a reason that is none of the others.</summary>
    Refused,

    /// <summary>The answer is not what the API describes.</summary>
    Protocol,
}

/// <summary>A failure of the Google Cloud Storage client. The text holds no key, no token and no address of an upload session; the server's own message is in it where it sent one.</summary>
public sealed class GoogleStorageException : Exception
{
    /// <summary>Makes one.</summary>
    public GoogleStorageException(GoogleStorageError error, string message, Exception? cause = null)
        : base(message, cause) => Error = error;

    /// <summary>The kind.</summary>
    public GoogleStorageError Error { get; }

    /// <summary>The server's status, where it answered.</summary>
    public HttpStatusCode? Status { get; init; }

    /// <summary>The server's word for why, such as <c>rateLimitExceeded</c>, where it sent one.</summary>
    public string? Reason { get; init; }

    /// <summary>How long the server asked to be left alone; zero where it did not say.</summary>
    public TimeSpan RetryAfter { get; init; }

    /// <summary>Whether the same request may come through later.</summary>
    public bool IsPassing => Error is GoogleStorageError.Unreachable or GoogleStorageError.Busy;
}
