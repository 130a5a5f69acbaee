using System.Security.Cryptography;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Components.Files;
using BotCore.Backup.Engine.Tests.Outside;

namespace BotCore.Backup.Engine.Tests.Components.Files;

/// <summary>A folder for one test with a <c>src</c> and a place for <c>dst</c>, removed by <c>rm</c>, which minds no depth and no name.</summary>
internal sealed class TreeFolder : IDisposable
{
    public TreeFolder() => Directory.CreateDirectory(Source);

    public string Root { get; } = Directory.CreateTempSubdirectory("botbackup-tree-").FullName;

    public string Source => Path.Combine(Root, "src");

    public string Target => Path.Combine(Root, "dst");

    public FileTreeScope Scope => new(new EntryPath(Source));

    /// <summary>Runs a bash script in the source.</summary>
    public string Bash(string script) => Shell.Run("bash", "-c", $"set -e; cd '{Source}'; {script}");

    /// <summary>Writes a file of the source and gives its path.</summary>
    public string Write(string name, string content = "content")
    {
        var path = Path.Combine(Source, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
        return path;
    }

    /// <summary>Copies by source and writer; gives the problems.</summary>
    public List<SourceProblem> Copy(FileTreeScope? scope = null, bool allowDevices = false)
    {
        using var writer = new FileTreeWriter(new EntryPath(Target), allowDevices: allowDevices);
        var problems = new List<SourceProblem>();
        var buffer = new byte[100_000];
        foreach (var item in new FileTreeSource(scope ?? Scope).Read(CancellationToken.None))
        {
            if (item is SourceProblem problem)
                problems.Add(problem);
            else
                Restore((SourceEntry)item, writer, buffer);
        }

        writer.Finish();
        return problems;
    }

    /// <summary>The paths that a walk gives, in its order.</summary>
    public List<string> Paths(params string[] selections) =>
        [.. Items(Scope with { Selections = [.. selections.Select(text => new EntryPath(text))] }).Entries.Select(entry => entry.Path.ToString())];

    /// <summary>All that a walk gives, without content.</summary>
    public static (List<ArchiveEntry> Entries, List<SourceProblem> Problems) Items(FileTreeScope scope)
    {
        var (entries, problems) = (new List<ArchiveEntry>(), new List<SourceProblem>());
        foreach (var item in new FileTreeSource(scope).Read(CancellationToken.None))
        {
            if (item is SourceProblem problem)
                problems.Add(problem);
            else
                entries.Add(((SourceEntry)item).Entry);
        }

        return (entries, problems);
    }

    /// <summary>One line an entry: all that an archive would hold, content as a hash.</summary>
    public static List<string> Describe(string folder)
    {
        var lines = new List<string>();
        var buffer = new byte[100_000];
        foreach (var item in new FileTreeSource(new FileTreeScope(new EntryPath(folder))).Read(CancellationToken.None))
        {
            var source = (SourceEntry)item;
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            while (source.Read(buffer) is > 0 and var read)
                hash.AppendData(buffer, 0, read);
            var entry = source.Entry;
            lines.Add($"{entry with { Attributes = [], Sparse = null }} {Convert.ToHexString(hash.GetHashAndReset())} "
                + string.Join(' ', entry.Attributes.Select(attribute => attribute.Name + Convert.ToHexString(attribute.Value))));
        }

        return lines;
    }

    public void Dispose() => Shell.Run("bash", "-c", $"chmod -R u+rwx '{Root}' 2>/dev/null; rm -rf '{Root}'");

    private static void Restore(SourceEntry source, FileTreeWriter writer, byte[] buffer)
    {
        if (source.Entry.Kind != EntryKind.File)
        {
            writer.Create(source.Entry);
            return;
        }

        using var target = writer.BeginFile(source.Entry);
        while (source.Read(buffer) is > 0 and var read)
            target.Write(buffer.AsSpan(0, read));
        if (source.Finish() != EntryMark.None)
            throw new InvalidOperationException($"{source.Path} changed.");
        target.Commit();
    }
}
