using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Components.Files;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Restores;

/// <summary>
/// Which entries are asked for. A pattern with a slash is matched from the archive's root; one without is matched by any name at any depth, as in .gitignore. A folder
/// that matches brings everything in it. <c>*</c>, <c>?</c> and <c>[a-z]</c> stay within a name, <c>**</c> is any number of folders. No pattern asks for everything.
/// Immutable and thread-safe.
/// </summary>
public sealed class EntryFilter
{
    private readonly NamePattern[][] _include;
    private readonly NamePattern[][] _exclude;

    /// <summary>Reads the patterns; one that can match nothing is ConfigurationInvalid.</summary>
    public EntryFilter(IReadOnlyList<string> include, IReadOnlyList<string> exclude)
    {
        _include = [.. include.Select(Parse)];
        _exclude = [.. exclude.Select(Parse)];
    }

    /// <summary>Whether everything is asked for.</summary>
    public bool IsEverything => _include.Length == 0 && _exclude.Length == 0;

    /// <summary>Whether the entry at <paramref name="path"/> is asked for.</summary>
    public bool Wants(EntryPath path)
    {
        if (IsEverything)
            return true;
        var names = Split(path);
        return (_include.Length == 0 || _include.Any(pattern => MatchesOrHolds(pattern, names))) && !_exclude.Any(pattern => MatchesOrHolds(pattern, names));
    }

    private static NamePattern[] Parse(string text)
    {
        var parts = text.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(part => part is not ".").ToArray();
        if (parts.Length == 0 || parts.Contains("..", StringComparer.Ordinal))
            throw new BackupException(FailureKind.ConfigurationInvalid, $"The pattern '{text}' matches no entry of an archive.", "Give paths as they stand in the archive, such as 'config/*.env'.", text);
        var patterns = parts.Select(part => new NamePattern(new EntryPath(part).Bytes));
        return text.TrimEnd('/').Contains('/', StringComparison.Ordinal) ? [.. patterns] : [new NamePattern("**"u8), .. patterns];
    }

    private static EntryPath[] Split(EntryPath path)
    {
        var names = new List<EntryPath>();
        foreach (var range in path.Bytes.Split((byte)'/'))
            names.Add(new EntryPath(path.Bytes[range].ToArray()));
        return [.. names];
    }

    // What the pattern matches may be the entry itself or any folder above it.
    private static bool MatchesOrHolds(ReadOnlySpan<NamePattern> pattern, ReadOnlySpan<EntryPath> names)
    {
        if (pattern.IsEmpty)
            return true;
        if (pattern[0].IsAnyDepth)
        {
            for (var skip = 0; skip <= names.Length; skip++)
            {
                if (MatchesOrHolds(pattern[1..], names[skip..]))
                    return true;
            }

            return false;
        }

        return !names.IsEmpty && pattern[0].Matches(names[0].Bytes) && MatchesOrHolds(pattern[1..], names[1..]);
    }
}
