using System.Diagnostics;
using System.Globalization;

namespace BotCore.Backup.Bench;

/// <summary>One contender: a command, how long it took each time, and its peak memory.</summary>
internal sealed class Turn(string name, string[] command, long bytes)
{
    private readonly List<double> _seconds = [];
    private long _peak;

    /// <summary>What its standard input gets.</summary>
    public string Input { get; init; } = "";

    private double Median => _seconds.Order().ElementAt(_seconds.Count / 2);

    /// <summary>Runs all in turns, each time another one first, after one to warm up.</summary>
    public static void Take(int runs, params Turn[] contenders)
    {
        foreach (var contender in contenders)
            contender.Once(counts: false);
        for (var run = 0; run < runs; run++)
        {
            for (var at = 0; at < contenders.Length; at++)
                contenders[(run + at) % contenders.Length].Once(counts: true);
        }
    }

    /// <summary>Runs a command that must succeed, and gives its errors' last line: the peak of its memory where GNU time was asked for it.</summary>
    public static string Run(string program, IEnumerable<string> arguments, string input = "")
    {
        var start = new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardError = true, RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync();
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? errors.Result.TrimEnd().Split('\n')[^1] : throw new InvalidOperationException($"{program} failed: {errors.Result}");
    }

    /// <summary>A line of the table; the ratio is by the median of <paramref name="ours"/>.</summary>
    public string Row(Turn ours) => string.Create(
        CultureInfo.InvariantCulture,
        $"| {name} | {_seconds.Min():N2} / {Median:N2} / {_seconds.Max():N2} | {bytes / 1048576.0 / Median:N0} | {_peak / 1024:N0} | {Median / ours.Median:N2} x |");

    private void Once(bool counts)
    {
        var clock = Stopwatch.StartNew();
        var peak = long.Parse(Run("/usr/bin/time", ["-f", "%M", .. command], Input), CultureInfo.InvariantCulture);
        if (!counts)
            return;
        _seconds.Add(clock.Elapsed.TotalSeconds);
        _peak = Math.Max(_peak, peak);
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: {clock.Elapsed.TotalSeconds:N2} s"));
    }
}
