using System.Globalization;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Components.Files;
using BotCore.Backup.Engine.Compression;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Measurements;

/// <summary>Measures the codecs on samples of what backups hold: each codec at each level becomes a <see cref="Made"/> with its <see cref="BotCodecMeasurement"/>.</summary>
public static class MeasureRunner
{
    // What a plan of a backup may take: a second each of the fast ones, and of the slow ones a block.
    private const int SampleOfPlan = 8 << 20;
    private const int LargeSample = 32 << 20;

    // A sample costs about as much as a sixteenth of the data would; little data is measured whole.
    private const int LeastSample = 1 << 20;
    private const int ShareOfData = 16;

    private static readonly TimeSpan BudgetOfPlan = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongBudget = TimeSpan.FromSeconds(4);

    /// <summary>Measures what <paramref name="request"/> means, archive by archive.</summary>
    public static IAsyncEnumerable<BackupEvent> Run(BackupSession session, BackupRequest request, CancellationToken token) =>
        EventRun.Start("measure", (tell, stop) => Measure(session, request, tell, stop), token);

    /// <summary>Measures the files below <paramref name="paths"/>, each for itself.</summary>
    public static IAsyncEnumerable<BackupEvent> Run(BackupSession session, IReadOnlyList<string> paths, CancellationToken token) =>
        EventRun.Start("measure", (tell, stop) => Measure(session, paths, tell, stop), token);

    /// <summary>The choice of COMPRESSION=auto for data of <paramref name="plainSize"/> bytes, and its text for the plan.</summary>
    internal static CodecChoice Choose(BackupSession session, long plainSize, Func<int, byte[]> sample, CancellationToken token)
    {
        var size = (int)Math.Min(SampleOfPlan, Math.Max(LeastSample, plainSize / ShareOfData));
        var choices = CodecAdvice.ToMeasure(session);
        var meter = new CodecMeter(sample(size), plainSize, session.Threads, BudgetOfPlan);
        var measured = new List<BotCodecMeasurement>();
        foreach (var choice in choices)
        {
            measured.Add(meter.Measure(choice, token));
            if (IsEnough(measured, session))
                break;
        }

        var (place, reason) = CodecAdvice.Choose(measured, session.Configuration.CompressionTarget);
        return choices[place] with { Reason = CodecAdvice.Describe(measured[place], reason) };
    }

    // Candidates come by falling speed, so once the target is reached, or the window left behind, what follows is measured for nothing.
    private static bool IsEnough(List<BotCodecMeasurement> measured, BackupSession session)
    {
        var target = session.Configuration.CompressionTarget;
        if (target is null)
            return measured.Exists(one => one is { Codec: "gzip", Level: 6 });
        if (target.Ratio is { } ratio && measured.Exists(one => one.Ratio >= ratio && (target.Window is not { } limit || one.PredictedDuration <= limit)))
            return true;
        return target.Window is { } window && measured.TakeLast(3).Count(one => one.PredictedDuration > 2 * window) == 3;
    }

    private static void Measure(BackupSession session, BackupRequest request, Action<BackupEvent> tell, CancellationToken token)
    {
        foreach (var job in BackupPlanner.Plan(session, request with { OnlyMeasures = true, Stores = [session.Local.Name] }, failure => tell(new Failed(failure)), token).Select(step => step.Job).DistinctBy(job => (job.Component, job.Name)))
            Measure(session, job.Component, job.Name, job.PlainBytes, job.Sample!, tell, token);
    }

    private static void Measure(BackupSession session, IReadOnlyList<string> paths, Action<BackupEvent> tell, CancellationToken token)
    {
        foreach (var path in paths)
        {
            try
            {
                var scope = ScopeOf(path);
                var estimate = FileTreeEstimate.Measure(scope, token);
                Measure(session, Component.Unknown, path, estimate.Bytes, (size, stop) => DataSample.OfFiles(scope, estimate, size, stop), tell, token);
            }
            catch (BackupException wrong)
            {
                tell(new Failed(wrong.Failure));
            }
        }
    }

    private static FileTreeScope ScopeOf(string path)
    {
        if (Directory.Exists(path))
            return new FileTreeScope(new EntryPath(path));
        return File.Exists(path)
            ? new FileTreeScope(new EntryPath(Path.GetDirectoryName(path)!)) { Selections = [new EntryPath(Path.GetFileName(path))], Exact = true }
            : throw new BackupException(FailureKind.BackupNotFound, $"There is nothing at {path}.", "Give the path of a folder or a file.", path);
    }

    private static void Measure(BackupSession session, Component component, string name, long plainSize, Func<int, CancellationToken, byte[]> sample, Action<BackupEvent> tell, CancellationToken token)
    {
        var data = sample(LargeSample, token);
        if (data.Length == 0)
        {
            tell(new Warned($"There is nothing in {name} to measure."));
            return;
        }

        tell(new Said(string.Create(CultureInfo.InvariantCulture, $"A sample of {data.Length:N0} bytes was taken of {name}.")));
        var choices = CodecAdvice.ToMeasure(session, session.MeasuresCodecs ? null : session.Compression);
        var meter = new CodecMeter(data, plainSize, session.Threads, LongBudget);
        using var progress = new RunProgress($"Measuring {name}", choices.Count, tell);
        var measured = new List<BotCodecMeasurement>();
        foreach (var choice in choices)
        {
            progress.Move(measured.Count, () => $"{choice.Codec.Name} {choice.Level}");
            measured.Add(meter.Measure(choice, token));
        }

        var (place, reason) = CodecAdvice.Choose(measured, session.Configuration.CompressionTarget);
        for (var at = 0; at < measured.Count; at++)
            tell(new Made(measured[at] with { Component = component, Name = name, Chosen = at == place, Reason = at == place ? reason : "" }));
    }
}
