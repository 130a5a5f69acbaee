namespace BotCore.Backup.TestServers.GoogleStorage;

/// <summary>What a <see cref="GoogleStorageServer"/> does instead of what was asked.</summary>
public enum GoogleFaultKind
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Answers with a status and does nothing else.</summary>
    Answer,

    /// <summary>Ends the connection before any work.</summary>
    Drop,

    /// <summary>Ends the connection after so many bytes of the request's body; of an upload it keeps what came, in whole granules.</summary>
    DropBody,

    /// <summary>Never answers.</summary>
    Stall,

    /// <summary>Takes no more than so many bytes of the request's body, and keeps the connection open.</summary>
    StallBody,

    /// <summary>Keeps only so many bytes of a part of an upload, and says so.</summary>
    PersistOnly,

    /// <summary>Does the work and ends the connection without an answer.</summary>
    LoseAnswer,

    /// <summary>Stores the object with another checksum than its bytes have.</summary>
    WrongChecksum,

    /// <summary>Ends the connection after so many bytes of a download.</summary>
    Truncate,

    /// <summary>Sends so many bytes of a download and then nothing more.</summary>
    StallDownload,

    /// <summary>Forgets the upload that is asked for.</summary>
    ForgetSession,
}

/// <summary>A fault that waits for its request.</summary>
/// <param name="Kind">What happens.</param>
/// <param name="Method">The method of the request; null for any.</param>
/// <param name="Contains">What its target contains.</param>
public sealed record GoogleFault(GoogleFaultKind Kind, string? Method = null, string Contains = "")
{
    /// <summary>Requests of the kind that pass before.</summary>
    public int After { get; set; }

    /// <summary>Requests that it strikes.</summary>
    public int Times { get; set; } = 1;

    /// <summary>Bytes, where the kind has some.</summary>
    public int Bytes { get; init; }

    /// <summary>The status of an answer.</summary>
    public int Status { get; init; } = 503;

    /// <summary>The API's word for it.</summary>
    public string Reason { get; init; } = "backendError";

    /// <summary>The API's text for it.</summary>
    public string Message { get; init; } = "Backend Error";

    /// <summary>Seconds that the client is asked to wait.</summary>
    public int? RetryAfter { get; init; }

    internal bool Strikes(string method, string target)
    {
        if (Times == 0 || (Method is not null && !string.Equals(Method, method, StringComparison.Ordinal)) || !target.Contains(Contains, StringComparison.Ordinal))
            return false;
        if (After-- > 0)
            return false;
        After = 0;
        Times--;
        return true;
    }
}
