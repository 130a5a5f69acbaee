namespace BotCore.Backup.Engine.Configuration;

/// <summary>How many characters two names are apart (Levenshtein), to guess what a misspelt setting meant.</summary>
internal static class EditDistance
{
    internal static int Between(string left, string right)
    {
        var previous = new int[right.Length + 1];
        var current = new int[right.Length + 1];
        for (var column = 0; column <= right.Length; column++)
            previous[column] = column;
        for (var row = 1; row <= left.Length; row++)
        {
            current[0] = row;
            for (var column = 1; column <= right.Length; column++)
            {
                var replaced = previous[column - 1] + (left[row - 1] == right[column - 1] ? 0 : 1);
                current[column] = Math.Min(replaced, Math.Min(previous[column], current[column - 1]) + 1);
            }

            (previous, current) = (current, previous);
        }

        return previous[right.Length];
    }

    /// <summary>The nearest of <paramref name="names"/>, or null where none is near enough to be meant.</summary>
    internal static string? Nearest(string name, IEnumerable<string> names)
    {
        // A long name is no misspelling of any of ours, and the comparison is quadratic.
        if (name.Length > 64)
            return null;
        var upper = name.ToUpperInvariant();
        var allowed = Math.Max(1, name.Length / 5);
        var best = names.Select(known => (known, distance: Between(upper, known)))
            .OrderBy(pair => pair.distance).ThenBy(pair => pair.known, StringComparer.Ordinal).FirstOrDefault();
        if (best.known is not null && best.distance <= allowed)
            return best.known;
        // GPG_PASSPHRASE for GPG_PASSPHRASE_FILE, RETENTION_DAILY_DAYS for RETENTION_DAILY.
        return upper.Length < 6 ? null : names.Where(known => known.StartsWith(upper + "_", StringComparison.Ordinal) || upper.StartsWith(known + "_", StringComparison.Ordinal))
            .OrderByDescending(known => known.Length).FirstOrDefault();
    }
}
