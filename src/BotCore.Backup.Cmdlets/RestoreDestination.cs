using BotCore.Backup.Engine.Configuration;

namespace BotCore.Backup.Cmdlets;

/// <summary>
/// What -Destination of a restore takes: a folder, or a MongoDB server by its URI. A constructor for each, so that PowerShell converts by itself; whoever prints a bound parameter
/// (an error's BoundParameters, a trace) sees the URI without its password.
/// </summary>
public sealed class RestoreDestination
{
    /// <summary>A folder, or a URI that begins <c>mongodb:</c> or <c>mongodb+srv:</c>.</summary>
    public RestoreDestination(string text)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        if (text.StartsWith("mongodb:", StringComparison.OrdinalIgnoreCase) || text.StartsWith("mongodb+srv:", StringComparison.OrdinalIgnoreCase))
            Server = SecretUri.WithPassword(text);
        else
            Folder = text;
    }

    /// <summary>A folder.</summary>
    public RestoreDestination(FileSystemInfo folder) => Folder = folder.FullName;

    /// <summary>The folder, as it was given; null for a server.</summary>
    public string? Folder { get; }

    /// <summary>The server, whose password is not shown; null for a folder.</summary>
    public SecretUri? Server { get; }

    /// <inheritdoc/>
    public override string ToString() => Server?.Redacted ?? Folder!;
}
