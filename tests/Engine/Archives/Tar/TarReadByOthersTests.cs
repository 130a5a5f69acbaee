using System.Buffers;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Archives.Tar;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Archives.Tar;

/// <summary>What we write, read by GNU tar and bsdtar without a word on stderr, against what was written.</summary>
public sealed class TarReadByOthersTests
{
    private const string Binary =
        "02000000" + "01000600ffffffff" + "02000600d2040000" + "04000400ffffffff" + "0800050032000000" + "10000700ffffffff" + "20000000ffffffff";

    [ToolFact("tar", "find", "sha256sum")]
    public void Gnu_tar_unpacks_all() => Unpack("tar", Samples(), "--warning=no-timestamp");

    [ToolFact("bsdtar", "find", "sha256sum")]
    public void Bsdtar_unpacks_all() => Unpack("bsdtar", SamplesForBsdtar());

    // It says so and goes on: a PAX path should be UTF-8, and GNU tar would warn about the hdrcharset record that says otherwise.
    [ToolFact("bsdtar", "find", "sha256sum")]
    public void Bsdtar_unpacks_long_names_that_are_not_utf8_with_a_warning()
    {
        using var folder = new TemporaryFolder();
        Write(folder, Samples());
        var tree = folder.Sub("tree");

        var run = ToolRun.Start(tree, "bsdtar", "-xpf", "../a.tar", "--no-same-owner");

        Assert.Contains("Pathname can't be converted", run.Error, StringComparison.Ordinal);
        Assert.Equal(1, run.ExitCode);
        Assert.Equal(TreeDescription.OfArchive(Samples()).Keys, TreeDescription.OfFolder(tree).Keys);
    }

    [ToolFact("tar")]
    public void Gnu_tar_lists_all_kinds()
    {
        var listed = List("tar", [.. Samples(), .. Devices()]);

        Assert.Contains("4000000000/4000000001", listed, StringComparison.Ordinal);
        Assert.Contains("8,1", listed, StringComparison.Ordinal);
        Assert.Contains("9663676416", listed, StringComparison.Ordinal);
        Assert.Contains("jürgen", listed, StringComparison.Ordinal);
        Assert.Contains(new string('g', 40), listed, StringComparison.Ordinal);
    }

    [ToolFact("bsdtar")]
    public void Bsdtar_lists_all_kinds() => Assert.Contains("8,1", List("bsdtar", [.. SamplesForBsdtar(), .. Devices()]), StringComparison.Ordinal);

    [ToolFact("tar")]
    public void Gnu_tar_keeps_holes_as_holes()
    {
        using var folder = new TemporaryFolder();
        Write(folder, Samples());
        var tree = folder.Sub("tree");
        ToolRun.Silent(tree, "tar", "xf", "../a.tar", "--no-same-owner", "--warning=no-timestamp");

        Assert.InRange(int.Parse(ToolRun.Silent(tree, "stat", "-c", "%b", "data/holes").Text, System.Globalization.CultureInfo.InvariantCulture), 0, 256);
    }

    [ToolFact("tar")]
    public void Gnu_tar_restores_times_before_1970()
    {
        using var folder = new TemporaryFolder();
        Write(folder, [TarSample.File("before", "", entry => entry with { Modified = new UnixTime(-5, 250_000_000) })]);

        ToolRun.Silent(folder.Path, "tar", "xf", "a.tar", "--warning=no-timestamp", "--no-same-owner");

        Assert.Equal(DateTime.UnixEpoch.AddSeconds(-4.75), File.GetLastWriteTimeUtc(Path.Combine(folder.Path, "before")));
    }

    [AttributesFact]
    public void Gnu_tar_restores_attributes_and_acls() => RestoreAttributes("tar", "--xattrs", "--xattrs-include=*", "--acls");

    [AttributesFact]
    public void Bsdtar_restores_attributes_and_acls()
    {
        if (new ToolFactAttribute("bsdtar").Skip is null)
            RestoreAttributes("bsdtar", "--xattrs", "--acls");
    }

    private static void RestoreAttributes(string tool, params string[] options)
    {
        using var folder = new TemporaryFolder();
        var acl = new ExtendedAttribute("system.posix_acl_access", Convert.FromHexString(Binary));
        var bytes = new ExtendedAttribute("user.bytes", [0, 0xFF, (byte)'\n', (byte)'=']);
        Write(folder, [TarSample.File("a", "x", entry => entry with { Attributes = [bytes, acl] })]);
        var tree = folder.Sub("tree");

        ToolRun.Silent(tree, tool, ["-xpf", "../a.tar", .. options]);

        var kept = ToolRun.Silent(tree, "getfattr", "-d", "-m", "-", "-e", "hex", "a").Text;
        Assert.Contains("user.bytes=0x00ff0a3d", kept, StringComparison.Ordinal);
        Assert.Contains($"system.posix_acl_access=0x{Binary}", kept, StringComparison.Ordinal);
    }

    // bsdtar 3.6 reads -4.75 as -4 + .75.
    private static List<TarSample> SamplesForBsdtar()
        => Samples().FindAll(sample => (sample.Entry.Path.Length <= 100 || sample.Entry.Path.IsUtf8) && sample.Entry.Modified.Seconds >= 0);

    // GNU tar calls any time before 1970 implausible; that warning is not about the archive.
    private static void Unpack(string tool, List<TarSample> samples, params string[] options)
    {
        using var folder = new TemporaryFolder();
        Write(folder, samples);
        var tree = folder.Sub("tree");

        ToolRun.Silent(tree, tool, ["-xpf", "../a.tar", .. options]);

        var expected = TreeDescription.OfArchive(samples);
        var actual = TreeDescription.OfFolder(tree);
        if (tool is "bsdtar")
        {
            // It does not set the time of the folder that it unpacks into.
            expected.Remove(".");
            actual.Remove(".");
        }

        if (!Environment.IsPrivilegedProcess)
        {
            // Only root can give files away.
            expected = WithoutOwners(expected);
            actual = WithoutOwners(actual);
        }

        TreeDescription.AssertSame(expected, actual);
    }

    private static SortedDictionary<string, string> WithoutOwners(SortedDictionary<string, string> lines)
        => new(lines.ToDictionary(line => line.Key, WithoutOwner, StringComparer.Ordinal), StringComparer.Ordinal);

    private static string WithoutOwner(KeyValuePair<string, string> line) => string.Join(' ', line.Value.Split(' ').Where((_, at) => at != 2));

    private static string List(string tool, List<TarSample> samples)
    {
        using var folder = new TemporaryFolder();
        Write(folder, samples);
        return ToolRun.Silent(folder.Path, tool, "-tvf", "a.tar").Text;
    }

    private static void Write(TemporaryFolder folder, List<TarSample> samples)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new TarHeaderWriter();
        writer.WriteGlobalComment("botbackup 6f1c", output);
        foreach (var sample in samples)
            sample.Write(writer, output);
        TarHeaderWriter.WriteEnd(output.WrittenCount, output);
        File.WriteAllBytes(Path.Combine(folder.Path, "a.tar"), output.WrittenSpan);
    }

    private static List<TarSample> Samples()
    {
        static ArchiveEntry At(ArchiveEntry entry, long seconds, int nanoseconds) => entry with { Modified = new UnixTime(seconds, nanoseconds) };
        var deep = string.Join('/', new string('d', 90), new string('e', 90), new string('f', 90));
        // A folder and all in it stand together: GNU tar sets a folder's time when it leaves it, and not again.
        List<TarSample> samples =
        [
            TarSample.Directory(".", 0x1C0),
            TarSample.Directory("data"),
            TarSample.File("data/app.env", "A=1\n", entry => At(entry, 1763431200, 123456789) with { UserId = 1000, GroupId = 3_000_000 }),
            TarSample.Directory("data/sub", 0x3FF),
            TarSample.File("data/sub/before", "past", entry => At(entry, -5, 250_000_000)),
            TarSample.File("data/sub/setuid", "", entry => entry with { Mode = 0x9ED }),
            TarSample.Link("data/hard", EntryKind.HardLink, "data/app.env"),
            TarSample.Link("data/soft", EntryKind.SymbolicLink, "/etc/passwd"),
            TarSample.Link("data/long", EntryKind.SymbolicLink, new string('t', 300)),
            TarSample.Link("data/softhard", EntryKind.HardLink, "data/soft"),
            TarSample.File(new EntryPath([.. "data/caf"u8, 0xE9]), [1]),
            TarSample.File(new EntryPath([.. "data/"u8, .. Enumerable.Repeat((byte)0xE9, 250)]), [2]),
            TarSample.File("data/new\nline=% ü", "x"),
            TarSample.File("data/" + new string('ü', 120), "x"),
            new(new ArchiveEntry { Path = new EntryPath("data/pipe"), Kind = EntryKind.Fifo, Mode = 0x1A4 }, []),
            Sparse("data/holes", 5_000_000, new SparseRun(0, 512), new SparseRun(1_000_001, 1024), new SparseRun(4_000_000, 700)),
            Sparse("data/hollow", 3_000_000),
            Sparse("data/held", 1_000_010, new SparseRun(1_000_000, 10)),
            TarSample.Directory(deep[..90]),
            TarSample.Directory(deep[..181]),
            TarSample.Directory(deep),
            TarSample.File(deep + "/" + new string('n', 255), "deep"),
            Sparse(deep + "/sparse", 100_000, new SparseRun(5000, 10)),
        ];

        return samples.ConvertAll(sample => sample.Entry.Modified.Seconds != 0 ? sample : sample with { Entry = At(sample.Entry, 1763431200, 987654321) });
    }

    private static TarSample Sparse(string path, long size, params SparseRun[] runs)
    {
        var content = new byte[runs.Sum(run => run.Length)];
        Array.Fill(content, (byte)'s');
        return new TarSample(new ArchiveEntry { Path = new EntryPath(path), Kind = EntryKind.File, Mode = 0x1A4, Size = size, Sparse = runs }, content);
    }

    private static List<TarSample> Devices() =>
    [
        new(new ArchiveEntry { Path = new EntryPath("dev"), Kind = EntryKind.BlockDevice, DeviceMajor = 8, DeviceMinor = 1 }, []),
        new(new ArchiveEntry { Path = new EntryPath("chr"), Kind = EntryKind.CharacterDevice, DeviceMajor = 1, DeviceMinor = 3 }, []),
        TarSample.File("owned", "", entry => entry with { UserId = 4000000000, GroupId = 4000000001 }),
        TarSample.File("named", "", entry => entry with { UserName = "jürgen", GroupName = new string('g', 40) }),
        Sparse("large", 9663676416, new SparseRun(9663676400, 16)),
    ];
}
