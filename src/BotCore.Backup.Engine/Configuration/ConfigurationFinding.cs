namespace BotCore.Backup.Engine.Configuration;

/// <summary>How much a <see cref="ConfigurationFinding"/> matters.</summary>
public enum FindingSeverity
{
    /// <summary>Worth knowing; nothing need be done.</summary>
    Information = 0,

    /// <summary>It works, and a person should look at it.</summary>
    Warning,

    /// <summary>Something that was asked for cannot work.</summary>
    Error,
}

/// <summary>Something that was found about a setting. Holds no secret and no value that was not proven harmless.</summary>
/// <param name="Key">The setting; empty where it is about the file as a whole.</param>
/// <param name="Severity">How much it matters.</param>
/// <param name="Message">A full sentence that says what is.</param>
/// <param name="Advice">A full sentence that says what to do.</param>
public sealed record ConfigurationFinding(string Key, FindingSeverity Severity, string Message, string Advice)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Severity}: {(Key.Length == 0 ? string.Empty : Key + ": ")}{Message} {Advice}";
}

/// <summary>Where the value of a setting came from. A later one wins over an earlier one.</summary>
public enum Origin
{
    /// <summary>Nobody said anything.</summary>
    Default = 0,

    /// <summary>The .env file.</summary>
    File,

    /// <summary>The environment of the process.</summary>
    Environment,

    /// <summary>A parameter of the command.</summary>
    Parameter,
}

/// <summary>One setting as it stands, for display.</summary>
/// <param name="Key">Its name in the .env file.</param>
/// <param name="Value">Its value as text; secrets are masked. Empty where there is none.</param>
/// <param name="Origin">Where it came from.</param>
public sealed record ConfigurationSetting(string Key, string Value, Origin Origin)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Key}={Value} ({Origin})";
}

/// <summary>A folder that is backed up as a volume.</summary>
/// <param name="Name">What its archives are called: letters, digits, <c>. _ -</c>.</param>
/// <param name="Path">Absolute path of the folder.</param>
public sealed record NamedDirectory(string Name, string Path);
