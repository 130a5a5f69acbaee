using System.Diagnostics;

namespace BotCore.Backup.Engine.Tests.Outside;

/// <summary>Runs a stock tool, whose word is the measure in many tests.</summary>
internal static class Shell
{
    /// <summary>What the tool printed, trimmed; an exception with its errors when it failed.</summary>
    public static string Run(string tool, params string[] arguments)
    {
        var start = new ProcessStartInfo(tool, arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["LC_ALL"] = "C";
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output.Trim() : throw new InvalidOperationException($"{tool} failed: {errors.Result}{output}");
    }
}
