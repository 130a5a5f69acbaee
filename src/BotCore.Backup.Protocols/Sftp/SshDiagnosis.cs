namespace BotCore.Backup.Protocols.Sftp;

/// <summary>Reads from what ssh printed why it ended. ssh has one exit code for all of its own failures, so its words are all there is.</summary>
internal static class SshDiagnosis
{
    private const int LongestWords = 300;

    // In the order in which they are looked for: the particular before the general.
    private static readonly (string Words, SftpError Error)[] Signs =
    [
        ("REMOTE HOST IDENTIFICATION HAS CHANGED", SftpError.HostKeyChanged),
        ("REVOKED HOST KEY DETECTED", SftpError.HostKeyChanged),
        ("host key is known for", SftpError.HostKeyUnknown),
        ("Host key verification failed", SftpError.HostKeyUnknown),
        ("Bad configuration option", SftpError.InvalidOptions),
        ("unsupported option", SftpError.InvalidOptions),
        ("terminating, ", SftpError.InvalidOptions),
        ("Can't open user config file", SftpError.InvalidOptions),
        ("Bad owner or permissions on", SftpError.InvalidOptions),
        ("keyword ", SftpError.InvalidOptions),
        ("unknown option", SftpError.InvalidOptions),
        ("Bad port", SftpError.InvalidOptions),
        ("hostname contains invalid characters", SftpError.InvalidOptions),
        ("Permission denied (", SftpError.LoginRefused),
        ("Too many authentication failures", SftpError.LoginRefused),
        ("No more authentication methods", SftpError.LoginRefused),
        ("Unable to negotiate with", SftpError.NotOffered),
        ("no matching host key type", SftpError.NotOffered),
        ("subsystem request failed", SftpError.NotOffered),
        ("This service allows sftp connections only", SftpError.NotOffered),
        ("Protocol major versions differ", SftpError.NotOffered),
    ];

    // What is told beside the reason, or in place of it.
    private static readonly string[] Noise = ["Warning: Permanently added", "debug1:", "@@@@", "@ ", "IT IS POSSIBLE", "Someone could", "It is also possible", "Please contact", "Offending", "  remove with", "Add correct host key"];

    /// <summary>The failure of a connection that is over.</summary>
    /// <param name="host">The host that was to be reached.</param>
    /// <param name="lines">What ssh printed, in order.</param>
    /// <param name="exitCode">ssh's, where it is known.</param>
    /// <param name="wasEstablished">Whether the server had answered: then what is over is a connection, not the making of one.</param>
    /// <param name="cause">What the pipe said.</param>
    public static SftpException Of(string host, IReadOnlyList<string> lines, int? exitCode, bool wasEstablished, Exception? cause)
    {
        var words = Words(lines);
        if (wasEstablished)
            return new SftpException(SftpError.ConnectionLost, $"The connection to {host} was lost: {Sentence(words, exitCode)}", cause) { Words = words };
        // ssh's own failures are 255; what is less comes from the other side: the login was through, and no SFTP was there.
        var error = exitCode is >= 0 and < 128 ? SftpError.NotOffered : SftpError.Unreachable;
        foreach (var (sign, kind) in Signs)
        {
            if (!lines.Any(line => line.Contains(sign, StringComparison.Ordinal)))
                continue;
            error = kind;
            break;
        }

        // Whatever a failed login says last, a key that could not be read says more.
        if (error == SftpError.LoginRefused && lines.FirstOrDefault(line => line.StartsWith("Load key", StringComparison.Ordinal) || line.Contains("not accessible", StringComparison.Ordinal)) is { } key)
            words = Shorten($"{key}; {words}");
        return new SftpException(error, $"ssh did not reach {host}: {Sentence(words, exitCode)}", cause) { Words = words };
    }

    private static string Words(IReadOnlyList<string> lines)
    {
        var telling = lines.Select(line => line.Trim()).Where(line => !Noise.Any(noise => line.StartsWith(noise.Trim(), StringComparison.Ordinal))).TakeLast(2).ToArray();
        return Shorten(string.Join("; ", telling));
    }

    public static string Shorten(string text) => text.Length > LongestWords ? text[..LongestWords] : text;

    private static string Sentence(string words, int? exitCode)
    {
        if (words.Length == 0)
            return exitCode is { } code ? FormattableString.Invariant($"it ended with exit code {code} and said nothing.") : "it ended and said nothing.";
        return words.EndsWith('.') ? words : words + ".";
    }
}
