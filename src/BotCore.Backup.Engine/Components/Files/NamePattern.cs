namespace BotCore.Backup.Engine.Components.Files;

/// <summary>One component of a selection: a name, or a glob that names match. Works on bytes; immutable.</summary>
internal sealed class NamePattern
{
    private readonly byte[] _pattern;

    /// <summary>Reads a component.</summary>
    /// <param name="text">The component.</param>
    /// <param name="literal">Whether it is a name as it stands, whatever characters are in it.</param>
    public NamePattern(ReadOnlySpan<byte> text, bool literal = false)
    {
        _pattern = text.ToArray();
        IsAnyDepth = !literal && text.SequenceEqual("**"u8);
        IsGlob = !literal && text.IndexOfAny("*?["u8) >= 0;
    }

    /// <summary>Whether it is <c>**</c>: any number of folders.</summary>
    public bool IsAnyDepth { get; }

    /// <summary>Whether it must be matched; otherwise it is <see cref="Literal"/>.</summary>
    public bool IsGlob { get; }

    /// <summary>The name that is meant, where this is no glob.</summary>
    public ReadOnlySpan<byte> Literal => _pattern;

    /// <summary>Whether <paramref name="name"/> is meant.</summary>
    public bool Matches(ReadOnlySpan<byte> name)
    {
        if (!IsGlob)
            return name.SequenceEqual(_pattern);
        // As in bash: what begins with a dot is matched only by what begins with one.
        if (name is [(byte)'.', ..] && _pattern[0] != (byte)'.' && _pattern is not [(byte)'\\', (byte)'.', ..])
            return false;
        return Matches(_pattern, name);
    }

    /// <summary>Walks both once and goes back to the last star only, so no pattern takes exponential time.</summary>
    private static bool Matches(ReadOnlySpan<byte> pattern, ReadOnlySpan<byte> name)
    {
        var (at, inName, star, starName) = (0, 0, -1, 0);
        while (inName < name.Length)
        {
            if (at < pattern.Length && pattern[at] == (byte)'*')
            {
                (star, starName) = (at++, inName);
            }
            else if (at < pattern.Length && MatchesOne(pattern[at..], name[inName], out var taken))
            {
                at += taken;
                inName++;
            }
            else if (star >= 0)
            {
                at = star + 1;
                inName = ++starName;
            }
            else
            {
                return false;
            }
        }

        return pattern[at..].IndexOfAnyExcept((byte)'*') < 0;
    }

    private static bool MatchesOne(ReadOnlySpan<byte> pattern, byte value, out int taken)
    {
        taken = 1;
        switch (pattern[0])
        {
            case (byte)'?':
                return true;
            case (byte)'\\' when pattern.Length > 1:
                taken = 2;
                return pattern[1] == value;
            case (byte)'[' when ClassLength(pattern) is > 0 and var length:
                taken = length;
                return MatchesClass(pattern[1..(length - 1)], value);
            default:
                return pattern[0] == value;
        }
    }

    /// <summary>Length of the bracket expression at the front, brackets included; 0 where none is closed and the bracket stands for itself.</summary>
    private static int ClassLength(ReadOnlySpan<byte> pattern)
    {
        // A closing bracket that comes first, also after the negation, is one of the characters.
        var first = pattern is [_, (byte)'!' or (byte)'^', ..] ? 3 : 2;
        if (pattern.Length <= first)
            return 0;
        var end = pattern[first..].IndexOf((byte)']');
        return end < 0 ? 0 : first + end + 1;
    }

    private static bool MatchesClass(ReadOnlySpan<byte> set, byte value)
    {
        var negated = set[0] is (byte)'!' or (byte)'^';
        if (negated)
            set = set[1..];
        for (var i = 0; i < set.Length; i++)
        {
            var isRange = i + 2 < set.Length && set[i + 1] == (byte)'-';
            if (isRange ? value >= set[i] && value <= set[i + 2] : value == set[i])
                return !negated;
            if (isRange)
                i += 2;
        }

        return negated;
    }
}
