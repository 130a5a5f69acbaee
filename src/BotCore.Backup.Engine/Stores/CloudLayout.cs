using System.Text.RegularExpressions;

namespace BotCore.Backup.Engine.Stores;

/// <summary>
/// Where the platform has the archives of a database in the cloud: <c>mongodb/YYYY/MM/mongodb_full_…</c> of a store is <c>mongodb_full/YYYY/MM/mongodb_full_…</c> there, and increments and the notes of gaps stand below
/// <c>mongodb_incremental/</c>. What stands beside an archive goes with it; everything else keeps its name. The two names change places, so that no two keys have one name: an object that somebody put under the name of a
/// store is seen under the one of the cloud.
/// </summary>
internal static partial class CloudLayout
{
    /// <summary>The folder of a store.</summary>
    public const string Logical = "mongodb/";

    /// <summary>The folders of the cloud.</summary>
    public static readonly string[] Physical = ["mongodb_full/", "mongodb_incremental/"];

    /// <summary>The name in the cloud of a key, and the key of a name in the cloud: it is one mapping, its own inverse.</summary>
    public static string Map(string key)
    {
        var match = Moved().Match(key);
        if (!match.Success)
            return key;
        var tree = match.Groups["full"].Success ? Physical[0] : Physical[1];
        var rest = match.Groups["rest"].Value;
        return match.Groups["tree"].Value switch
        {
            Logical => tree + rest,
            var other when string.Equals(other, tree, StringComparison.Ordinal) => Logical + rest,
            _ => key,
        };
    }

    /// <summary>Whether Map moves <paramref name="key"/>.</summary>
    public static bool IsMoved(string key) => !string.Equals(Map(key), key, StringComparison.Ordinal);

    /// <summary>The pairs of folders between which keys move, both ways.</summary>
    public static IEnumerable<(string From, string To)> Moves() => Physical.SelectMany(tree => new[] { (Logical, tree), (tree, Logical) });

    [GeneratedRegex(
        @"\A(?<tree>mongodb(_full|_incremental)?/)(?<rest>[0-9]{4}/[0-9]{2}/((?<full>mongodb_full_[^/]+)|mongodb_incremental_[^/]+|mongodb_gap_[^/]*\.json))\z",
        RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant | RegexOptions.Singleline,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex Moved();
}
