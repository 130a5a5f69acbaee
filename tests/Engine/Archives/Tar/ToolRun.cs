using System.Diagnostics;
using System.Text;

namespace BotCore.Backup.Engine.Tests.Archives.Tar;

/// <summary>What a program said; output as bytes, because names are bytes.</summary>
internal sealed record ToolRun(int ExitCode, byte[] Output, string Error)
{
    internal string Text => Encoding.UTF8.GetString(Output);

    /// <summary>Runs a program in <paramref name="folder"/>; the environment says UTC and a UTF-8 locale.</summary>
    internal static ToolRun Start(string folder, string tool, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(tool, arguments)
        {
            WorkingDirectory = folder,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["LC_ALL"] = "C.UTF-8";
        start.Environment["TZ"] = "UTC";
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        using var output = new MemoryStream();
        process.StandardOutput.BaseStream.CopyTo(output);
        process.WaitForExit();
        return new ToolRun(process.ExitCode, output.ToArray(), error.GetAwaiter().GetResult());
    }

    /// <summary>Runs a program that must succeed and must not complain.</summary>
    internal static ToolRun Silent(string folder, string tool, params IEnumerable<string> arguments)
    {
        var run = Start(folder, tool, arguments);
        Xunit.Assert.Equal("", run.Error);
        Xunit.Assert.Equal(0, run.ExitCode);
        return run;
    }
}

/// <summary>A folder of one test, gone with it.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    internal string Path { get; } = Directory.CreateTempSubdirectory("botbackup-tar-").FullName;

    internal string Sub(string name) => Directory.CreateDirectory(System.IO.Path.Combine(Path, name)).FullName;

    // Names in it need not be UTF-8, which .NET cannot delete.
    public void Dispose() => ToolRun.Start("/", "rm", "-rf", Path);
}
