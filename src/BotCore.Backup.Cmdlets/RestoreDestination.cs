using BotCore.Backup.Engine.Configuration;

namespace BotCore.Backup.Cmdlets;

/// <summary>
/// What -Destination of a restore takes: a folder, a Docker volume as <c>volume:NAME</c>, or a MongoDB server by its URI. A constructor for each, so that PowerShell converts by itself; whoever prints a bound parameter
/// (an error's BoundParameters, a trace) sees the URI without its password.
/// </summary>
public sealed class RestoreDestination
{
    /// <summary>A folder, a volume that begins <c>volume:</c>, or a URI that begins <c>mongodb:</c> or <c>mongodb+srv:</c>.</summary>
    public RestoreDestination(string text)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        if (text.StartsWith("mongodb:", StringComparison.OrdinalIgnoreCase) || text.StartsWith("mongodb+srv:", StringComparison.OrdinalIgnoreCase))
            Server = SecretUri.WithPassword(text);
        else if (text.StartsWith("volume:", StringComparison.Ordinal))
            Volume = text["volume:".Length..];
        else
            Folder = text;
    }

    /// <summary>A folder.</summary>
    public RestoreDestination(FileSystemInfo folder) => Folder = folder.FullName;

    /// <summary>The volume; null where it is none.</summary>
    public string? Volume { get; }

    /// <summary>The folder, as it was given; null for a server or a volume.</summary>
    public string? Folder { get; }

    /// <summary>The server, whose password is not shown; null for a folder or a volume.</summary>
    public SecretUri? Server { get; }

    /// <inheritdoc/>
    public override string ToString() => Server?.Redacted ?? Folder ?? "volume:" + Volume;
}
