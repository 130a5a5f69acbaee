using System.Text.RegularExpressions;
using BotCore.Backup.Engine.Archives;

namespace BotCore.Backup.Engine.Components.Volumes;

/// <summary>How a volume is named where a folder could stand: <c>volume:NAME</c>. So it stands as the root in the index of its archives, and so a destination may name it.</summary>
internal static partial class VolumeName
{
    private const string Prefix = "volume:";

    /// <summary>The root of its archives.</summary>
    public static EntryPath RootOf(string name) => new(Prefix + name);

    /// <summary>For people and plans.</summary>
    public static string Show(string name) => Prefix + name;

    /// <summary>The name in <c>volume:NAME</c>; null where it is none.</summary>
    public static string? Parse(string? text) => text is not null && text.StartsWith(Prefix, StringComparison.Ordinal) && IsOne(text[Prefix.Length..]) ? text[Prefix.Length..] : null;

    /// <summary>Whether engines take it for a name.</summary>
    public static bool IsOne(string text) => Pattern().IsMatch(text);

    [GeneratedRegex("^[a-zA-Z0-9][a-zA-Z0-9_.-]+$", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Pattern();
}
