using System.Globalization;
using System.Security.Cryptography;

namespace BotCore.Backup.Examples.QuickStart;

/// <summary>
/// What a folder holds, down to the last bit: kind, mode, time and SHA-256 of everything in it. Made with .NET's own file calls, so that the comparison does not rest
/// on the engine that is on trial.
/// </summary>
internal sealed class TreeRecord
{
    private readonly SortedDictionary<string, string> _items = new(StringComparer.Ordinal);

    private TreeRecord()
    {
    }

    public int Count => _items.Count;

    public int Files { get; private set; }

    public long Bytes { get; private set; }

    public static TreeRecord Of(string root)
    {
        var record = new TreeRecord();
        foreach (var item in new DirectoryInfo(root).EnumerateFileSystemInfos("*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None }))
            record._items.Add(Path.GetRelativePath(root, item.FullName), record.Describe(item));
        return record;
    }

    /// <summary>Names of what differs; empty where both are the same.</summary>
    public IReadOnlyList<string> DifferencesTo(TreeRecord other) =>
        [.. _items.Keys.Union(other._items.Keys, StringComparer.Ordinal).Where(name => !string.Equals(_items.GetValueOrDefault(name), other._items.GetValueOrDefault(name), StringComparison.Ordinal))];

    private string Describe(FileSystemInfo item)
    {
        var always = string.Create(CultureInfo.InvariantCulture, $"{item.UnixFileMode} {item.LastWriteTimeUtc.Ticks}");
        if (item.LinkTarget is { } target)
            return $"link to {target}, {always}";
        if (item is not FileInfo file)
            return $"folder, {always}";
        Files++;
        Bytes += file.Length;
        using var content = file.OpenRead();
        return $"file {Convert.ToHexStringLower(SHA256.HashData(content))}, {always}";
    }
}
