using System.Text.Json;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Drills;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Metrics;
using BotCore.Backup.Engine.Notices;

namespace BotCore.Backup.Engine.Journal;

/// <summary>
/// Hears all that a run tells, writes it to the logs while it goes, and at the end makes one record of it, which goes to the logs, the metrics and the notices. Nothing here ends a run or spoils its outcome: what cannot
/// be written or sent is given back as a warning. One thread.
/// </summary>
public sealed class RunJournal
{
    private readonly BotBackupConfiguration _settings;
    private readonly RunHead _head;
    private readonly TimeProvider _clock;
    private readonly LogFolder? _log;
    private readonly INoticeTeller? _notices;
    private readonly List<RunSubject> _expected = [];
    private readonly List<(RunSubject Subject, Failure Failure)> _lost = [];
    private readonly List<RunResult> _results = [];
    private readonly List<BotBackupDrill> _drills = [];
    private readonly List<string> _warnings = [];
    private readonly List<Failure> _failures = [];
    private DateTimeOffset _started;
    private bool _isOpen;
    private bool _nothing;

    /// <summary>Nothing is written before the first word.</summary>
    public RunJournal(BackupSession session, RunHead head)
        : this(session.Configuration, session.RunId, head, session.Clock, NoticeSender.From(session.Configuration, session.Clock))
    {
    }

    internal RunJournal(BotBackupConfiguration settings, string runId, RunHead head, TimeProvider clock, INoticeTeller? notices)
    {
        _settings = settings;
        _head = head;
        _clock = clock;
        _notices = notices;
        _log = settings.LogsAreKept ? new LogFolder(settings.LogDirectory, new SecretMask(settings)) : null;
        _started = clock.GetUtcNow();
        RunId = runId;
    }

    /// <summary>The run's id, the same in manifests, logs, metrics and notices.</summary>
    public string RunId { get; }

    /// <summary>Whether anything was said since it was last closed.</summary>
    public bool IsOpen => _isOpen;

    /// <summary>Whether somebody sees what the command says.</summary>
    public bool IsAttended { get; init; }

    /// <summary>The record of what was closed last; null before.</summary>
    public BotBackupRun? Last { get; private set; }

    /// <summary>Says what the run is to do: what ends without a word about it has failed.</summary>
    public void Expect(RunSubject subject)
    {
        Open();
        _expected.Add(subject);
    }

    /// <summary>Says that nothing came of something, and why.</summary>
    public void Lose(RunSubject subject, Failure failure)
    {
        Open();
        _lost.Add((subject, failure));
    }

    /// <summary>Says that the run looked and found nothing to do, which is a good end where nothing else is said.</summary>
    public void NoteNothingToDo()
    {
        Open();
        _nothing = true;
    }

    /// <summary>Takes one event of the run.</summary>
    public void Hear(BackupEvent happened)
    {
        Open();
        switch (happened)
        {
            case Said said:
                Write(LogLevel.Info, said.Text);
                break;
            case Warned warned:
                _warnings.Add(warned.Text);
                Write(LogLevel.Warn, warned.Text);
                break;
            case Failed failed:
                if (failed.About is { } about)
                    _lost.Add((about, failed.Failure));
                Hear(failed.Failure);
                break;
            case Made made:
                if (made.Item is BotBackupDrill drill)
                    _drills.Add(drill);
                foreach (var result in RunResults.Of(made.Item))
                    Hear(result);
                break;
        }
    }

    /// <summary>Tells everybody what was done since it was opened, and begins anew: what could not be written or sent, in full sentences.</summary>
    /// <param name="interrupted">Whether the run was stopped before its end.</param>
    /// <param name="token">Cuts the sending of notices short.</param>
    public IReadOnlyList<string> Close(bool interrupted, CancellationToken token)
    {
        if (!_isOpen)
            return [];
        _isOpen = false;
        AddLost(interrupted);
        var run = new BotBackupRun
        {
            RunId = RunId,
            Command = _head.Command,
            Kind = _head.Kind,
            Host = Environment.MachineName,
            Started = _started,
            Ended = _clock.GetUtcNow(),
            Results = [.. _results],
            Drills = [.. _drills],
            Warnings = [.. _warnings],
            Failures = [.. _failures],
            Interrupted = interrupted,
            FoundNothingToDo = _nothing,
        };
        _nothing = false;
        Last = run;
        foreach (var list in new System.Collections.IList[] { _expected, _lost, _results, _drills, _warnings, _failures })
            list.Clear();
        return Tell(run, token);
    }

    private IReadOnlyList<string> Tell(BotBackupRun run, CancellationToken token)
    {
        var problems = new List<string>();
        // A slip of who sits before the screen is told there. What watches over backups waits for the end of each.
        var isSlip = IsAttended && run.Results.Count == 0 && run.Kind != RunKind.Backup;
        var tellings = isSlip ? [] : _notices?.Tell(run, token) ?? [];
        foreach (var failure in tellings.Select(telling => telling.Failure).OfType<Failure>())
            Problem(failure);
        if (_settings.MetricsFile is { } file)
        {
            try
            {
                MetricsFile.Update(file, book => Apply(book, run, tellings), token);
            }
            catch (BackupException wrong)
            {
                Problem(wrong.Failure);
            }
            catch (OperationCanceledException) when (token.IsCancellationRequested)
            {
                problems.Add("The metrics were not written, since the run was stopped.");
            }
        }

        Write(run.IsGood ? LogLevel.Success : LogLevel.Error, RunText.Summary(run));
        _log?.Append(LogFiles.Events(run.Started), RunJson.Of(run, tellings) + "\n");
        if (_log?.Problem is { } unwritten)
            problems.Add($"{unwritten.Message} {unwritten.Advice}");
        return problems;

        void Problem(Failure failure)
        {
            problems.Add($"{failure.Message} {failure.Advice}");
            Write(LogLevel.Warn, $"{failure.Message} {failure.Advice}");
        }
    }

    private static void Apply(MetricBook book, BotBackupRun run, IReadOnlyList<RunTelling> tellings)
    {
        RunMetrics.Apply(book, run);
        foreach (var telling in tellings)
            RunMetrics.ApplyNotice(book, telling.Channel, telling.Failure is null);
    }

    private void Open()
    {
        if (_isOpen)
            return;
        _isOpen = true;
        _started = _clock.GetUtcNow();
        if (_log is { } log && !log.Has(LogFiles.Events(_started)))
            log.Tidy(_started);
        Write(LogLevel.Info, $"{_head.Command} begins on {Environment.MachineName}.");
        _notices?.Begin(RunId, _head.Kind);
    }

    private void Hear(Failure failure)
    {
        // The failure of a store that is in the object, too, is one.
        if (_failures.Exists(known => ReferenceEquals(known, failure) || (known.Kind == failure.Kind && string.Equals(known.Message, failure.Message, StringComparison.Ordinal))))
            return;
        _failures.Add(failure);
        Write(LogLevel.Error, $"{failure.Kind}: {failure.Message} {failure.Advice}");
    }

    private void Hear(RunResult result)
    {
        _results.Add(result);
        var level = result.IsGood ? LogLevel.Success : result.Outcome is Outcome.Skipped or Outcome.Unknown ? LogLevel.Warn : LogLevel.Error;
        Write(level, RunText.Of(result), result.Component);
        if (result.Failure is { } failure)
            Hear(failure);
    }

    // What was to be done, and nobody spoke of, was not done.
    private void AddLost(bool interrupted)
    {
        foreach (var subject in _expected.Concat(_lost.Select(lost => lost.Subject)).DistinctBy(subject => (subject.Component, subject.Name, subject.Type)).ToList())
        {
            var reason = _lost.Find(lost => lost.Subject.Component == subject.Component && string.Equals(lost.Subject.Name, subject.Name, StringComparison.Ordinal)).Failure;
            reason ??= interrupted ? new Failure(FailureKind.Cancelled, "The run was stopped before this was done.", "Run it again.") : null;
            foreach (var result in subject.Failed(reason).Where(result => !_results.Exists(known => IsOf(known, subject) && (known.Type != BackupType.Incremental || known.Type == subject.Type) && string.Equals(known.Store, result.Store, StringComparison.OrdinalIgnoreCase))).ToList())
                Hear(result);
        }
    }

    // An increment that had to become a full backup is what was asked for.
    private static bool IsOf(RunResult result, RunSubject subject) =>
        result.Component == subject.Component && (subject.Name.Length == 0 || string.Equals(result.Name, subject.Name, StringComparison.Ordinal));

    private void Write(LogLevel level, string text, Component component = Component.Unknown)
    {
        if (_log is null)
            return;
        var now = _clock.GetUtcNow();
        var line = LogLine.Of(now, level, RunId, text);
        var file = LogFiles.Of(_head.Kind, _head.Components, _started);
        _log.Append(file, line);
        if (_head.Kind == RunKind.Backup && component != Component.Unknown && LogFiles.Of(component, _started) is var own && !string.Equals(own, file, StringComparison.Ordinal))
            _log.Append(own, line);
        _log.Append(LogFiles.Events(_started), JsonSerializer.Serialize(new EventLine(now.UtcDateTime, LogLine.Word(level), RunId, _head.Command, LogLine.OneLine(text)), RunJson.Options) + "\n");
    }

    private sealed record EventLine(DateTime Time, string Level, string Run, string Command, string Message);
}

/// <summary>What is known of a run before it begins. Immutable.</summary>
/// <param name="Command">The cmdlet, such as <c>Invoke-BotBackup</c>.</param>
/// <param name="Kind">What it is for.</param>
/// <param name="Components">The components that were asked for; none means all.</param>
public sealed record RunHead(string Command, RunKind Kind, IReadOnlyList<Component> Components);
