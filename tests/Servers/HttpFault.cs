namespace BotCore.Backup.TestServers;

/// <summary>A request as a <see cref="HttpFaultProxy"/> saw it.</summary>
/// <param name="Method">GET and its like.</param>
/// <param name="Target">Path and query.</param>
/// <param name="Headers">In the order they came.</param>
public sealed record SeenRequest(string Method, string Target, IReadOnlyList<KeyValuePair<string, string>> Headers)
{
    /// <summary>A header's value, or null.</summary>
    public string? this[string name] => Headers.FirstOrDefault(h => h.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;
}

/// <summary>What happens to a request. One of the members that are set strikes; <see cref="Date"/> may go with none.</summary>
public sealed record HttpFault
{
    /// <summary>Which requests.</summary>
    public required Func<SeenRequest, bool> Of { get; init; }

    /// <summary>So many of them go well before.</summary>
    public int After { get; init; }

    /// <summary>So many of them it strikes.</summary>
    public int Times { get; init; } = 1;

    /// <summary>The server never hears of it: this status is answered, with <see cref="Code"/> as an error of S3.</summary>
    public int? Status { get; init; }

    /// <summary>The code of that error; null for an empty answer.</summary>
    public string? Code { get; init; }

    /// <summary>The text of that error.</summary>
    public string Message { get; init; } = "A fault of the test.";

    /// <summary>A header of that answer, with its end of line.</summary>
    public string Header { get; init; } = "";

    /// <summary>The connections are reset when so many bytes of the body have gone to the server.</summary>
    public long? CutsBody { get; init; }

    /// <summary>The server does it all, and the connection is reset when so many bytes of its answer have come back; 0 for not even its head.</summary>
    public long? CutsAnswer { get; init; }

    /// <summary>Nothing comes back after so many bytes of the answer, and the connection stays.</summary>
    public long? StallsAnswer { get; init; }

    /// <summary>The answer's header Date.</summary>
    public DateTimeOffset? Date { get; init; }

    /// <summary>The answer's header ETag.</summary>
    public string? Etag { get; init; }
}
