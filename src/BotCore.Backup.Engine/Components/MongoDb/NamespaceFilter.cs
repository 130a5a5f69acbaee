using System.Text.RegularExpressions;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Components.MongoDb;

/// <summary>
/// Which namespaces are asked for. A pattern with a dot is matched against <c>database.collection</c>; one without is matched against the database and against the
/// collection. <c>*</c> is any text, <c>?</c> one character; everything else is itself. No pattern asks for everything. Immutable and thread-safe.
/// </summary>
internal sealed class NamespaceFilter
{
    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(5);

    private readonly (Regex Pattern, bool Whole)[] _include;
    private readonly (Regex Pattern, bool Whole)[] _exclude;
    private readonly string? _database;

    public NamespaceFilter(IReadOnlyList<string> include, IReadOnlyList<string> exclude)
    {
        _include = [.. include.Select(Parse)];
        _exclude = [.. exclude.Select(Parse)];
    }

    private NamespaceFilter((Regex Pattern, bool Whole)[] include, (Regex Pattern, bool Whole)[] exclude, string database) =>
        (_include, _exclude, _database) = (include, exclude, database);

    /// <summary>Asks for everything.</summary>
    public static NamespaceFilter Everything { get; } = new([], []);

    public bool IsEverything => _include.Length == 0 && _exclude.Length == 0 && _database is null;

    /// <summary>The same text for the same question, to be compared and not to be shown.</summary>
    public string Key => string.Join('\n', [_database ?? "*", .. _include.Select(pattern => "+" + pattern.Pattern), .. _exclude.Select(pattern => "-" + pattern.Pattern)]);

    /// <summary>The same, in one database only.</summary>
    public NamespaceFilter Within(string database) => new(_include, _exclude, database);

    /// <summary>Whether something of a database may be wanted.</summary>
    public bool WantsDatabase(string database) => _database is null || string.Equals(database, _database, StringComparison.Ordinal);

    public bool Wants(DumpNamespace name) =>
        WantsDatabase(name.Database)
        && (_include.Length == 0 || Array.Exists(_include, pattern => Matches(pattern, name))) && !Array.Exists(_exclude, pattern => Matches(pattern, name));

    private static bool Matches((Regex Pattern, bool Whole) pattern, DumpNamespace name)
    {
        var collection = name.Collection.StartsWith(Dumping.CollectionRules.BucketPrefix, StringComparison.Ordinal) ? name.Collection[Dumping.CollectionRules.BucketPrefix.Length..] : name.Collection;
        return pattern.Whole
            ? pattern.Pattern.IsMatch($"{name.Database}.{collection}")
            : pattern.Pattern.IsMatch(name.Database) || pattern.Pattern.IsMatch(collection);
    }

    private static (Regex Pattern, bool Whole) Parse(string text)
    {
        if (text.Length == 0)
            throw new BackupException(FailureKind.ConfigurationInvalid, "An empty pattern matches no collection.", "Give names such as 'bot_core.trades', 'bot_core.*' or 'trades'.", text);
        var pattern = "^" + Regex.Escape(text).Replace(@"\*", ".*", StringComparison.Ordinal).Replace(@"\?", ".", StringComparison.Ordinal) + "$";
        return (new Regex(pattern, RegexOptions.CultureInvariant | RegexOptions.Singleline | RegexOptions.NonBacktracking, MostTime), text.Contains('.', StringComparison.Ordinal));
    }
}
