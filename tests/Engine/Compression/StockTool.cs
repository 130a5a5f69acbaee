using System.Diagnostics;

namespace BotCore.Backup.Engine.Tests.Compression;

/// <summary>Runs a stock tool as a filter.</summary>
internal static class StockTool
{
    /// <summary>What the tool made of <paramref name="input"/>; an exception with its errors where it failed.</summary>
    public static byte[] Run(string[] command, byte[] input)
    {
        using var process = Process.Start(new ProcessStartInfo(command[0], command[1..])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var errors = process.StandardError.ReadToEndAsync();
        var feeder = Task.Run(() => Feed(process.StandardInput.BaseStream, input));
        var output = Samples.ReadAll(process.StandardOutput.BaseStream);
        process.WaitForExit();
        feeder.GetAwaiter().GetResult();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{string.Join(' ', command)} failed: {errors.GetAwaiter().GetResult()}");
    }

    private static void Feed(Stream target, byte[] input)
    {
        try
        {
            target.Write(input);
            target.Dispose();
        }
        catch (IOException)
        {
            // The tool has seen enough and ended; its exit code tells.
        }
    }
}
