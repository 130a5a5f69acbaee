using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using BotCore.Backup.Engine.Archives;

namespace BotCore.Backup.Engine.Tests.Archives.Tar;

/// <summary>A tree as one line a path, from the file system (by find and sha256sum) or from what was read from a tar, to be compared.</summary>
internal static class TreeDescription
{
    internal static SortedDictionary<string, string> OfFolder(string folder, bool nanoseconds = true)
    {
        var sums = Sums(folder);
        var lines = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var found = ToolRun.Silent(folder, "find", ".", "-printf", @"%y\t%m\t%U:%G\t%T@\t%s\t%l\t%P\0").Output;
        foreach (var record in Encoding.Latin1.GetString(found).Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            var fields = record.Split('\t');
            var path = fields[6].Length == 0 ? "." : fields[6];
            var time = fields[3].Split('.');
            var fraction = nanoseconds ? time[1][..9] : "000000000";
            var content = fields[0] is "f" ? $"{fields[4]} {sums[path]}" : "";
            lines.Add(path, $"{fields[0]} {fields[1]} {fields[2]} {time[0]}.{fraction} {fields[5]} {content}");
        }

        return lines;
    }

    internal static SortedDictionary<string, string> OfArchive(IEnumerable<TarSample> samples)
    {
        var lines = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var sample in samples)
        {
            var entry = sample.Entry;
            var path = Latin1(entry.Path);
            lines.Add(path, entry.Kind == EntryKind.HardLink ? lines[Latin1(entry.LinkTarget)] : Line(sample));
        }

        return lines;
    }

    /// <summary>Compares, and shows only what differs.</summary>
    internal static void AssertSame(SortedDictionary<string, string> expected, SortedDictionary<string, string> actual)
        => Xunit.Assert.Equal(Missing(expected, actual), Missing(actual, expected));

    private static string Missing(SortedDictionary<string, string> tree, SortedDictionary<string, string> other)
        => string.Join('\n', Lines(tree).Except(Lines(other), StringComparer.Ordinal));

    private static IEnumerable<string> Lines(SortedDictionary<string, string> tree) => tree.Select(line => $"{line.Key}: {line.Value}");

    private static string Line(TarSample sample)
    {
        var entry = sample.Entry;
        var content = entry.Kind == EntryKind.File ? $"{entry.Size} {Convert.ToHexStringLower(SHA256.HashData(sample.Unfold()))}" : "";
        var kind = entry.Kind switch
        {
            EntryKind.File => 'f',
            EntryKind.Directory => 'd',
            EntryKind.SymbolicLink => 'l',
            EntryKind.Fifo => 'p',
            _ => '?',
        };
        // As find prints it, also where that is wrong: -4.75 is kept, and printed, as -5 and .25.
        var time = $"{entry.Modified.Seconds}.{entry.Modified.Nanoseconds.ToString("D9", CultureInfo.InvariantCulture)}";
        return $"{kind} {Convert.ToString(entry.Mode, 8)} {entry.UserId}:{entry.GroupId} {time} {Latin1(entry.LinkTarget)} {content}";
    }

    private static Dictionary<string, string> Sums(string folder)
    {
        var output = ToolRun.Silent(folder, "find", ".", "-type", "f", "-exec", "sha256sum", "-z", "{}", "+").Output;
        return Encoding.Latin1.GetString(output).Split('\0', StringSplitOptions.RemoveEmptyEntries)
            .ToDictionary(line => line[68..], line => line[..64], StringComparer.Ordinal);
    }

    private static string Latin1(EntryPath path) => Encoding.Latin1.GetString(path.Bytes);
}
