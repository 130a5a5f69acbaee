using System.Diagnostics;
using System.IO.Compression;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Dumps;

/// <summary>What the stock tools wrote, unpacked into a folder of one test.</summary>
internal sealed class Unpacked : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("dump-");

    /// <summary>Unpacks <c>name.tar.xz</c> with tar.</summary>
    public Unpacked(string name) => Run("tar", "-xJf", Fixture(name + ".tar.xz"), "-C", _root.FullName);

    /// <summary>An empty folder.</summary>
    public Unpacked()
    {
    }

    public string Root => _root.FullName;

    public static string Folder { get; } = Find();

    public static string Fixture(string name) => Path.Combine(Folder, name);

    public static byte[] Gunzip(string name)
    {
        using var gzip = new GZipStream(File.OpenRead(Fixture(name)), CompressionMode.Decompress);
        using var memory = new MemoryStream();
        gzip.CopyTo(memory);
        return memory.ToArray();
    }

    public void Dispose() => _root.Delete(recursive: true);

    private static void Run(string tool, params string[] arguments)
    {
        using var process = Process.Start(tool, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Directory.Packages.props")))
            folder = folder.Parent;
        return Path.Combine(folder!.FullName, "tests", "Engine", "Fixtures", "mongodump");
    }
}
