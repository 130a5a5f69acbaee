using System.IO.Compression;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Archives.Tar;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Archives.Tar;

/// <summary>What GNU tar and bsdtar make, read by us, against what the file system says.</summary>
public sealed class TarReadsOthersTests
{
    private const string Simple = """
        umask 022
        mkdir -p data/sub
        printf hello > data/a.txt
        : > data/empty
        head -c 100000 /dev/urandom > data/sub/random
        ln data/a.txt data/hard
        ln -s ../data/a.txt data/soft
        ln -s /etc/passwd data/absolute
        chmod 4755 data/sub/random
        chmod 1777 data/sub
        printf x > "$(printf 'data/caf\351')"
        truncate -s 3M data/holes
        printf middle | dd of=data/holes bs=1 seek=1000000 conv=notrunc status=none
        truncate -s 300000 data/hollow
        for i in $(seq 0 59); do printf run$i | dd of=data/many bs=1 seek=$((i*40000)) conv=notrunc status=none; done
        touch -h -d @1763431200 data/soft data/absolute data/sub data . data/holes
        touch -d @1 data/empty
        """;

    private const string Odd = Simple + "\n" + """
        mkfifo data/pipe
        deep=data/$(printf 'd%.0s' $(seq 90))/$(printf 'e%.0s' $(seq 90))/$(printf 'f%.0s' $(seq 90))
        mkdir -p $deep
        printf deep > $deep/$(printf 'n%.0s' $(seq 200))
        printf long > "data/$(printf 'l%.0s' $(seq 180))$(printf '\351')"
        ln -s $(printf 't%.0s' $(seq 300)) data/longlink
        ln "data/$(printf 'l%.0s' $(seq 180))$(printf '\351')" data/longhard
        printf odd > "$(printf 'data/new\nline\ttab')"
        mv "$(printf 'data/new\nline\ttab')" "$(printf 'data/new\nline')"
        touch -d @1763431200.123456789 data/a.txt
        touch -d @-1000 data/sub/random
        printf held > "$deep/holes"; truncate -s 1M "$deep/holes"
        """;

    [ToolFact("tar", "bash", "find", "sha256sum")]
    public void V7() => Compare(Simple, nanoseconds: false, "--format=v7");

    [ToolFact("tar", "bash", "find", "sha256sum")]
    public void Ustar() => Compare(Simple, nanoseconds: false, "--format=ustar");

    [ToolFact("tar", "bash", "find", "sha256sum")]
    public void Old_gnu() => Compare(Odd, nanoseconds: false, "--format=oldgnu");

    [ToolFact("tar", "bash", "find", "sha256sum")]
    public void Old_gnu_sparse() => Compare(Odd, nanoseconds: false, "--format=oldgnu", "-S");

    [ToolFact("tar", "bash", "find", "sha256sum")]
    public void Gnu_sparse() => Compare(Odd, nanoseconds: false, "--format=gnu", "-S");

    [ToolFact("tar", "bash", "find", "sha256sum")]
    public void Gnu_with_a_label_and_large_numbers()
        => Compare(Simple, nanoseconds: false, "--format=gnu", "-V", "label", "--owner=nobody:4000000000", "--group=nogroup:4000000000");

    [ToolFact("tar", "bash", "find", "sha256sum")]
    public void Pax() => Compare(Odd, nanoseconds: true, "--format=pax");

    [ToolFact("tar", "bash", "find", "sha256sum")]
    public void Pax_sparse_0_0() => Compare(Odd, nanoseconds: true, "--format=pax", "-S", "--sparse-version=0.0");

    [ToolFact("tar", "bash", "find", "sha256sum")]
    public void Pax_sparse_0_1() => Compare(Odd, nanoseconds: true, "--format=pax", "-S", "--sparse-version=0.1");

    [ToolFact("tar", "bash", "find", "sha256sum")]
    public void Pax_sparse_1_0() => Compare(Odd, nanoseconds: true, "--format=pax", "-S", "--sparse-version=1.0");

    [ToolFact("tar", "bash", "find", "sha256sum")]
    public void Pax_with_global_headers() => Compare(Simple, nanoseconds: true, "--format=pax", "--pax-option=globexthdr.name=g,comment=hello,gname=ignored");

    [ToolFact("bsdtar", "bash", "find", "sha256sum")]
    public void Bsdtar_pax()
    {
        using var folder = new TemporaryFolder();
        var tree = MakeTree(folder, Odd);
        ToolRun.Start(tree, "bsdtar", "--format=pax", "-cf", "../a.tar", ".");

        CompareWithFolder(folder, nanoseconds: true);
    }

    [AttributesFact]
    public void Attributes_and_acls_of_gnu_tar()
    {
        using var folder = new TemporaryFolder();
        var tree = MakeTree(folder, """
            printf x > a; mkdir d
            setfattr -n user.x=y -v 0x00ff a; setfattr -n user.empty a
            setfacl -m u:1234:rw,g:root:x a; setfacl -d -m u:root:rwx d
            """);
        ToolRun.Silent(tree, "tar", "--format=pax", "--xattrs", "--xattrs-include=*", "--acls", "-cf", "../a.tar", "a", "d");

        var read = ReadArchive(folder, TarReaderOptions.Ours);

        Assert.Equal(KernelAttributes(tree, "a"), Attributes(read[0].Entry));
        Assert.Equal(KernelAttributes(tree, "d"), Attributes(read[1].Entry));
    }

    [AttributesFact]
    public void Attributes_and_acls_of_bsdtar()
    {
        if (new ToolFactAttribute("bsdtar").Skip is not null)
            return;
        using var folder = new TemporaryFolder();
        var tree = MakeTree(folder, "printf x > a; setfattr -n user.bytes -v 0x00ff3d0a a; setfacl -m u:1234:rw,g:root:x a");
        ToolRun.Silent(tree, "bsdtar", "--format=pax", "--xattrs", "--acls", "-cf", "../a.tar", "a");

        Assert.Equal(KernelAttributes(tree, "a"), Attributes(ReadArchive(folder, TarReaderOptions.Ours)[0].Entry));
    }

    [Theory]
    [InlineData("config_20251118_030000.tar.gz", ".env.example infrastructure infrastructure/nginx.conf")]
    [InlineData("redis_data_20251118_030000.tar.gz", ". latest data data/dump.rdb")]
    public void Archives_of_the_old_scripts(string name, string paths)
    {
        using var file = File.OpenRead(Path.Combine(FindFixtures(), name));
        using var tar = new GZipStream(file, CompressionMode.Decompress);

        var read = TarSample.Read(tar, TarReaderOptions.Foreign);

        Assert.Equal(paths, string.Join(' ', read.Select(sample => sample.Entry.Path)));
    }

    private static string FindFixtures()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "BotCore.Backup.sln")))
            folder = folder.Parent;
        return Path.Combine(folder!.FullName, "tests", "Engine", "Archives", "Tar", "Fixtures");
    }

    private static string MakeTree(TemporaryFolder folder, string script)
    {
        var tree = folder.Sub("tree");
        ToolRun.Silent(tree, "bash", "-e", "-c", script);
        return tree;
    }

    private static List<TarSample> ReadArchive(TemporaryFolder folder, TarReaderOptions options)
        => TarSample.Read(File.ReadAllBytes(Path.Combine(folder.Path, "a.tar")), options);

    private static void Compare(string script, bool nanoseconds, params string[] options)
    {
        using var folder = new TemporaryFolder();
        var tree = MakeTree(folder, script);
        ToolRun.Silent(tree, "tar", [.. options, "-cf", "../a.tar", "."]);

        var read = CompareWithFolder(folder, nanoseconds, options.FirstOrDefault(option => option.StartsWith("--owner", StringComparison.Ordinal)));

        Assert.Equal(options.Contains("-S", StringComparer.Ordinal), read.Exists(sample => sample.Entry.Sparse is { Count: 60 } or { Count: > 4 }));
    }

    private static List<TarSample> CompareWithFolder(TemporaryFolder folder, bool nanoseconds, string? owner = null)
    {
        var read = ReadArchive(folder, TarReaderOptions.Ours);
        var expected = TreeDescription.OfFolder(Path.Combine(folder.Path, "tree"), nanoseconds);
        if (owner is not null)
        {
            foreach (var (path, line) in expected.ToArray())
                expected[path] = line.Replace(" 0:0 ", " 4000000000:4000000000 ", StringComparison.Ordinal);
        }

        TreeDescription.AssertSame(expected, TreeDescription.OfArchive(read));
        return read;
    }

    private static string Attributes(ArchiveEntry entry)
    {
        var lines = entry.Attributes.Select(attribute => $"{attribute.Name}=0x{Convert.ToHexStringLower(attribute.Value)}");
        return string.Join('\n', lines.Order(StringComparer.Ordinal));
    }

    private static string KernelAttributes(string folder, string name)
    {
        var lines = ToolRun.Silent(folder, "getfattr", "-d", "-m", "-", "-e", "hex", name).Text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => !line.StartsWith('#')).Select(line => line.Replace("\\075", "=", StringComparison.Ordinal))
            .Select(line => line.EndsWith("=\"\"", StringComparison.Ordinal) ? line[..^2] + "0x" : line);
        return string.Join('\n', lines.Order(StringComparer.Ordinal));
    }
}
