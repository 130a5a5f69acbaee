using System.Management.Automation;

namespace BotCore.Backup.Cmdlets;

/// <summary>Several wildcard patterns of PowerShell, any of which may match; none matches everything. Case does not count, as everywhere in PowerShell.</summary>
internal sealed class Wildcards
{
    private readonly WildcardPattern[] _patterns;

    private Wildcards(WildcardPattern[] patterns) => _patterns = patterns;

    public static Wildcards Of(IEnumerable<string> patterns) =>
        new([.. patterns.Select(pattern => new WildcardPattern(pattern, WildcardOptions.IgnoreCase | WildcardOptions.CultureInvariant))]);

    public bool IsMatch(string text) => _patterns.Length == 0 || Array.Exists(_patterns, pattern => pattern.IsMatch(text));
}
