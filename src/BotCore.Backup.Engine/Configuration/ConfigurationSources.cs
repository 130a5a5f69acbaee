using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Configuration;

/// <summary>A value that was found, and where. No record: it may be a secret.</summary>
internal sealed class FoundValue(string key, string value, Origin origin, string place)
{
    internal string Key { get; } = key;

    internal string Value { get; } = value;

    internal Origin Origin { get; } = origin;

    /// <summary>For people: "line 3 of /x/.env", "the environment", "a parameter".</summary>
    internal string Place { get; } = place;
}

/// <summary>The layers that settings come from: parameters win over the environment, the environment wins over the file.</summary>
internal sealed class ConfigurationSources
{
    private readonly IReadOnlyDictionary<string, string> _overrides;
    private readonly IReadOnlyDictionary<string, string> _environment;
    private readonly Dictionary<string, EnvEntry> _file;

    internal ConfigurationSources(EnvFile? file, IReadOnlyDictionary<string, string> environment, IReadOnlyDictionary<string, string>? overrides)
    {
        File = file;
        _environment = environment;
        _overrides = overrides ?? new Dictionary<string, string>(StringComparer.Ordinal);
        _file = new Dictionary<string, EnvEntry>(StringComparer.Ordinal);
        // As in a shell, the last assignment holds.
        foreach (var entry in file?.Entries ?? [])
            _file[entry.Key] = entry;
        foreach (var key in _overrides.Keys.Where(key => !ConfigurationKeys.IsKnown(key)))
        {
            var nearest = EditDistance.Nearest(key, ConfigurationKeys.Names);
            throw new BackupException(
                FailureKind.ConfigurationInvalid,
                $"There is no setting named {key}.",
                nearest is null ? "Name a setting that the template of New-BotBackupConfiguration lists." : $"Did you mean {nearest}?",
                key);
        }
    }

    internal EnvFile? File { get; }

    /// <summary>The value in the layer that wins, also an empty one; null where no layer has it.</summary>
    internal FoundValue? Find(string key) => Find(key, Origin.Parameter) ?? Find(key, Origin.Environment) ?? Find(key, Origin.File);

    /// <summary>The value in one layer.</summary>
    internal FoundValue? Find(string key, Origin origin) => origin switch
    {
        Origin.Parameter when _overrides.TryGetValue(key, out var value) => new FoundValue(key, value, origin, "a parameter"),
        Origin.Environment when _environment.TryGetValue(key, out var value) => new FoundValue(key, value, origin, "the environment"),
        Origin.File when _file.TryGetValue(key, out var entry) => new FoundValue(key, entry.Value, origin, $"line {entry.Line} of {File!.Name}"),
        _ => null,
    };

    /// <summary>The home folder, for paths that start with <c>~/</c>.</summary>
    internal string Home() =>
        _environment.TryGetValue("HOME", out var home) && home.Length > 0 ? home : Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);

    /// <summary>One warning for all names in the file that are not ours, with what the near ones may have meant.</summary>
    internal ConfigurationFinding? UnknownKeys()
    {
        var unknown = _file.Keys.Where(key => !ConfigurationKeys.IsKnown(key))
            .Select(key => (key, meant: EditDistance.Nearest(key, ConfigurationKeys.Names)))
            .OrderBy(pair => pair.meant is null).ThenBy(pair => pair.key, StringComparer.Ordinal).ToList();
        if (unknown.Count == 0)
            return null;
        var names = string.Join(", ", unknown.Select(pair => pair.meant is null ? pair.key : $"{pair.key} (did you mean {pair.meant}?)"));
        return new ConfigurationFinding(
            string.Empty, FindingSeverity.Warning, $"{File!.Name} holds settings that are not known here: {names}.", "Correct misspelt names; settings of other programs are ignored.");
    }
}
