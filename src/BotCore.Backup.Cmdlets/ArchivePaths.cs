using System.Management.Automation;
using BotCore.Backup.Engine.Catalog;

namespace BotCore.Backup.Cmdlets;

/// <summary>Archives by path with wildcards, as PowerShell resolves them.</summary>
internal static class ArchivePaths
{
    /// <summary>The files that <paramref name="path"/> means. A wildcard that matches nothing is silent, and matches no file that only stands beside an archive.</summary>
    public static IEnumerable<string> Resolve(SessionState session, string path, Func<string, string> fullPath)
    {
        if (!WildcardPattern.ContainsWildcardCharacters(path))
            return [fullPath(path)];
        var found = session.Path.GetResolvedProviderPathFromPSPath(path, out var provider);
        return string.Equals(provider.Name, "FileSystem", StringComparison.Ordinal) ? found.Where(file => File.Exists(file) && !BackupFiles.IsCompanion(file)) : [];
    }
}
