using System.Text.RegularExpressions;

namespace BotCore.Backup.Engine.Configuration;

/// <summary>The last line before a text is written where others read it: takes out every secret of the settings, and the password of any URI. No message is meant to hold one. Immutable and thread-safe.</summary>
internal sealed partial class SecretMask
{
    // A shorter one would hide words that are none.
    private const int Shortest = 4;

    private readonly string[] _secrets;

    public SecretMask(BotBackupConfiguration settings) => _secrets =
    [
        .. settings.Secrets().SelectMany(secret => new[] { secret, Uri.UnescapeDataString(secret) })
            .Where(secret => secret.Length >= Shortest).Distinct(StringComparer.Ordinal).OrderByDescending(secret => secret.Length),
    ];

    public string Of(string text)
    {
        foreach (var secret in _secrets)
            text = text.Replace(secret, Secret.Mask, StringComparison.Ordinal);
        return text.Contains("://", StringComparison.Ordinal) ? UserInformation().Replace(text, "${scheme}" + Secret.Mask + "@") : text;
    }

    [GeneratedRegex("(?<scheme>[a-zA-Z][a-zA-Z0-9+.-]*://[^\\s:/@]*:)[^\\s@]+@", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex UserInformation();
}
