using System.Globalization;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Configuration;

/// <summary>
/// Reads settings as what they are, notes each for display with its origin, and notes what is wrong with it. A wrong value gives the default and
/// a finding that names the setting and the place, never the value: it may be a secret in the wrong line.
/// </summary>
internal sealed class SettingReader
{
    private readonly string _fileFolder;
    private readonly Dictionary<string, ConfigurationSetting> _settings = new(StringComparer.Ordinal);

    internal SettingReader(ConfigurationSources sources, string fileFolder)
    {
        Sources = sources;
        Root = _fileFolder = fileFolder;
    }

    internal List<ConfigurationFinding> Findings { get; } = [];

    internal ConfigurationSources Sources { get; }

    /// <summary>The folder that relative paths start from; set once PROJECT_ROOT is known.</summary>
    internal string Root { get; set; }

    /// <summary>All settings in the order of the template.</summary>
    internal IReadOnlyList<ConfigurationSetting> Settings() =>
        [.. ConfigurationKeys.All.Select(key => _settings.GetValueOrDefault(key.Name) ?? new ConfigurationSetting(key.Name, string.Empty, Origin.Default))];

    internal void Note(string key, string value, Origin origin) => _settings[key] = new ConfigurationSetting(key, value, origin);

    internal void Error(string key, string message, string advice) => Findings.Add(new ConfigurationFinding(key, FindingSeverity.Error, message, advice));

    /// <summary>The value that is set and not empty; an empty one in the layer that wins stands for the default.</summary>
    internal FoundValue? Find(string key) => Sources.Find(key) is { Value.Length: > 0 } found ? found : null;

    internal string? Text(string key, string? fallback = null)
    {
        var found = Find(key);
        var value = found?.Value ?? fallback;
        Note(key, value ?? string.Empty, found?.Origin ?? Origin.Default);
        return value;
    }

    /// <summary>A value parsed by <paramref name="parse"/>, which gives null for what is wrong.</summary>
    internal T Parsed<T>(string key, T fallback, string must, Func<string, T?> parse, Func<T, string> show)
        where T : class
    {
        var found = Find(key);
        var value = found is null ? fallback : parse(found.Value);
        if (value is null)
            Refuse(found!, must);
        Note(key, show(value ?? fallback), found?.Origin ?? Origin.Default);
        return value ?? fallback;
    }

    internal bool Flag(string key, bool fallback)
    {
        var value = Parsed(key, fallback ? "true" : "false", "true or false (also yes, no, on, off, 1, 0)", ParseFlag, text => text);
        return value is "true";
    }

    internal int Number(string key, int lowest, int highest, int? usual = null)
    {
        var fallback = usual?.ToString(CultureInfo.InvariantCulture) ?? ConfigurationKeys.Get(key).Default;
        var text = Parsed(
            key,
            fallback,
            string.Create(CultureInfo.InvariantCulture, $"a whole number from {lowest} to {highest}"),
            value => int.TryParse(value.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= lowest && number <= highest
                ? number.ToString(CultureInfo.InvariantCulture)
                : null,
            value => value);
        return int.Parse(text, CultureInfo.InvariantCulture);
    }

    internal IReadOnlyList<string> List(string key, bool blanksSeparate = true, string fallback = "") => Parsed(
        key,
        ListSyntax.Split(fallback, blanksSeparate)!,
        "a list with closed quotes, separated by commas, lines or spaces",
        text => ListSyntax.Split(text, blanksSeparate),
        list => string.Join(", ", list));

    /// <summary>A path below PROJECT_ROOT, or, for key files, beside the .env file.</summary>
    internal string? Path(string key, string? fallback = null, bool besideFile = false)
    {
        var found = Find(key);
        var value = Absolute(key, found?.Value ?? fallback, besideFile ? _fileFolder : Root);
        Note(key, value ?? string.Empty, found?.Origin ?? Origin.Default);
        return value;
    }

    internal string? Absolute(string key, string? path, string folder)
    {
        if (string.IsNullOrEmpty(path))
            return null;
        if (path.Contains('\0', StringComparison.Ordinal))
        {
            Error(key, $"{key} holds a zero character, which no path can.", "Correct the path.");
            return null;
        }

        if (path is "~" || path.StartsWith("~/", StringComparison.Ordinal))
            path = System.IO.Path.Join(Sources.Home(), path[1..]);
        var absolute = System.IO.Path.GetFullPath(path, folder);
        return absolute.Length > 1 ? System.IO.Path.TrimEndingDirectorySeparator(absolute) : absolute;
    }

    /// <summary>An endpoint that carries no login.</summary>
    internal Uri? Endpoint(string key, params string[] schemes)
    {
        var found = Find(key);
        var fallback = ConfigurationKeys.Get(key).Default;
        var text = found?.Value.Trim() ?? fallback;
        Uri? uri = null;
        if (text.Length > 0 && (!Uri.TryCreate(text, UriKind.Absolute, out uri) || !schemes.Contains(uri.Scheme, StringComparer.Ordinal) || uri.UserInfo.Contains(':', StringComparison.Ordinal)))
        {
            Refuse(found!, $"a URL that starts with {string.Join("://, ", schemes)}:// and holds no password");
            uri = null;
        }

        Note(key, uri is null ? string.Empty : SecretUri.Redact(uri.OriginalString), found?.Origin ?? Origin.Default);
        return uri;
    }

    internal Secret? Hidden(string key)
    {
        var found = FindSecret(key);
        Note(key, found is null ? string.Empty : Secret.Mask, found?.Origin ?? Origin.Default);
        return found is null ? null : new Secret(found.Value);
    }

    internal SecretUri? HiddenUri(string key, Func<string, SecretUri> hide, params string[] schemes)
    {
        var found = FindSecret(key);
        var text = found?.Value.Trim();
        if (text is not null && !IsUri(text, schemes))
        {
            Refuse(found!, $"a URL that starts with {string.Join("://, ", schemes)}://");
            text = null;
        }

        var uri = text is null ? null : hide(text);
        Note(key, uri?.Redacted ?? string.Empty, found?.Origin ?? Origin.Default);
        return uri;
    }

    internal void Refuse(FoundValue found, string must) => Error(found.Key, $"{found.Key} in {found.Place} must be {must}.", "Correct the value.");

    private static bool IsUri(string text, string[] schemes) =>
        Array.Exists(schemes, scheme => text.StartsWith(scheme + "://", StringComparison.OrdinalIgnoreCase) && text.Length > scheme.Length + 3)
        && !text.Any(c => char.IsControl(c) || char.IsWhiteSpace(c))
        // A connection string may name several hosts, which System.Uri does not know.
        && (schemes.Contains("mongodb", StringComparer.Ordinal) || Uri.TryCreate(text, UriKind.Absolute, out _));

    private static string? ParseFlag(string text) => text.Trim().ToUpperInvariant() switch
    {
        "TRUE" or "1" or "YES" or "ON" => "true",
        "FALSE" or "0" or "NO" or "OFF" => "false",
        _ => null,
    };

    /// <summary>NAME or NAME_FILE, whichever stands in the layer that wins; both in one layer contradict each other.</summary>
    private FoundValue? FindSecret(string key)
    {
        foreach (var origin in (ReadOnlySpan<Origin>)[Origin.Parameter, Origin.Environment, Origin.File])
        {
            var plain = Sources.Find(key, origin);
            var file = Sources.Find(key + ConfigurationKey.FileSuffix, origin);
            if (plain is null && file is null)
                continue;
            if (plain is { Value.Length: > 0 } && file is { Value.Length: > 0 })
                Error(key, $"{plain.Key} and {file.Key} are both set in {plain.Place}.", "Keep one of them.");
            if (plain is { Value.Length: > 0 })
                return plain;
            return file is { Value.Length: > 0 } ? ReadSecret(file) : null;
        }

        return null;
    }

    private FoundValue? ReadSecret(FoundValue file)
    {
        var path = Absolute(file.Key, file.Value, _fileFolder);
        if (path is null)
            return null;
        try
        {
            var text = SecretFile.ReadFirstLine(path);
            var mode = SecretFile.ReadableByOthers(path);
            if (mode is not null)
                Findings.Add(new ConfigurationFinding(file.Key, FindingSeverity.Warning, $"{path} can be read by group or others (mode {mode}).", $"Run: chmod 600 {path}"));
            if (text.Length > 0)
                return new FoundValue(file.Key, text, file.Origin, path);
            Error(file.Key, $"{path} is empty or starts with an empty line.", "Write the secret into the first line of the file.");
        }
        catch (BackupException failure)
        {
            Error(file.Key, $"{failure.Failure.Message}", failure.Failure.Advice);
        }

        return null;
    }
}
