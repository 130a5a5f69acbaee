namespace BotCore.Backup.Engine.Outside.Gnupg;

/// <summary>One line that gpg wrote for programs (<c>--status-fd</c>; GnuPG's doc/DETAILS).</summary>
/// <param name="Keyword">For example <c>INV_RECP</c>.</param>
/// <param name="Arguments">What follows, split at blanks.</param>
internal sealed record GpgStatus(string Keyword, IReadOnlyList<string> Arguments)
{
    private const string Prefix = "[GNUPG:] ";

    /// <summary>Null where the line was written for people.</summary>
    internal static GpgStatus? Parse(string line)
    {
        if (!line.StartsWith(Prefix, StringComparison.Ordinal))
            return null;
        var words = line[Prefix.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return words.Length == 0 ? null : new GpgStatus(words[0], words[1..]);
    }
}

/// <summary>What a gpg that has ended told.</summary>
/// <param name="ExitCode">0 where all went well.</param>
/// <param name="Statuses">Its status lines in order.</param>
/// <param name="LastWords">The last lines for people, without noise.</param>
internal sealed record GpgReport(int ExitCode, IReadOnlyList<GpgStatus> Statuses, IReadOnlyList<string> LastWords)
{
    internal GpgStatus? Find(string keyword) => Statuses.FirstOrDefault(status => string.Equals(status.Keyword, keyword, StringComparison.Ordinal));

    internal bool Has(string keyword) => Find(keyword) is not null;

    /// <summary>One sentence of what it said.</summary>
    internal string Said() => LastWords.Count == 0 ? $"gpg ended with code {ExitCode} and said nothing." : $"gpg said: {string.Join("; ", LastWords).TrimEnd('.')}.";
}
