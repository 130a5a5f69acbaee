using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Outside.Programs;

namespace BotCore.Backup.Engine.Schedules;

/// <summary>A folder in which each task has a file of its own. Files of others under our names are never replaced.</summary>
internal abstract class ScheduleFolder(string folder) : ISchedule
{
    protected string Folder => folder;

    protected abstract Scheduler Scheduler { get; }

    public ScheduleStep? Plan(IReadOnlyList<ScheduledTask> tasks, TaskCommand? command, CancellationToken token)
    {
        var (write, remove) = Changes(tasks, command);
        if (write.Count + remove.Count == 0)
            return null;
        var action = string.Join('\n', remove.Select(name => $"Remove {name}").Concat(write.Select(file => $"Write {file.Name}:\n{file.Text}")));
        return new ScheduleStep(this, folder, action, command is null ? Read(token) ?? [] : Tasks(tasks, command));
    }

    public void Write(IReadOnlyList<ScheduledTask> tasks, TaskCommand? command, Action<BackupEvent> tell, CancellationToken token)
    {
        var (write, remove) = Changes(tasks, command);
        Stopping(remove, tell, token);
        foreach (var name in remove)
            File.Delete(Path.Combine(folder, name));
        foreach (var (name, text) in write)
            ScheduleRegistrar.Replace(Path.Combine(folder, name), text);
        Written([.. tasks.Where(_ => command is not null)], tell, token);
    }

    public IReadOnlyList<BotBackupSchedule>? Read(CancellationToken token)
    {
        try
        {
            return [.. OurFiles().Select(file => Parse(file.Name, file.Text)).OfType<BotBackupSchedule>()];
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    protected abstract IReadOnlyList<(string Name, string Text)> Files(IReadOnlyList<ScheduledTask> tasks, TaskCommand command);

    protected abstract string Pattern { get; }

    protected abstract bool IsOurs(string text);

    protected abstract BotBackupSchedule? Parse(string name, string text);

    protected abstract List<BotBackupSchedule> Tasks(IReadOnlyList<ScheduledTask> tasks, TaskCommand command);

    /// <summary>Files are about to be removed.</summary>
    protected virtual void Stopping(IReadOnlyList<string> names, Action<BackupEvent> tell, CancellationToken token)
    {
    }

    /// <summary>All is written; none where all was taken away.</summary>
    protected virtual void Written(IReadOnlyList<ScheduledTask> tasks, Action<BackupEvent> tell, CancellationToken token)
    {
    }

    protected IEnumerable<(string Name, string Text)> OurFiles() => !Directory.Exists(folder) ? [] : Directory.EnumerateFiles(folder, Pattern).Order(StringComparer.Ordinal)
        .Select(path => (Path.GetFileName(path), File.ReadAllText(path))).Where(file => IsOurs(file.Item2));

    private (IReadOnlyList<(string Name, string Text)> Write, IReadOnlyList<string> Remove) Changes(IReadOnlyList<ScheduledTask> tasks, TaskCommand? command)
    {
        try
        {
            var wanted = command is null ? [] : Files(tasks, command);
            var there = OurFiles().ToDictionary(file => file.Name, file => file.Text, StringComparer.Ordinal);
            if (wanted.Select(file => file.Name).FirstOrDefault(name => !there.ContainsKey(name) && File.Exists(Path.Combine(folder, name))) is { } foreign)
            {
                throw new BackupException(
                    FailureKind.DestinationNotEmpty, $"{Path.Combine(folder, foreign)} was not written by Register-BotBackupSchedule.", "Move it away, or give -Path another folder.", Path.Combine(folder, foreign));
            }

            return (
                [.. wanted.Where(file => !there.TryGetValue(file.Name, out var text) || !string.Equals(text, file.Text, StringComparison.Ordinal))],
                [.. there.Keys.Where(name => !wanted.Any(file => string.Equals(file.Name, name, StringComparison.Ordinal)))]);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(FailureKind.AccessDenied, $"{folder} cannot be read: {unreadable.Message}", "Be another user, or give -Path.", folder, unreadable);
        }
    }
}

/// <summary>Timers of systemd. In the usual folder they are started, too.</summary>
internal sealed class SystemdSchedule(string folder, bool starts = false) : ScheduleFolder(folder)
{
    public const string SystemFolder = "/etc/systemd/system";

    public static string UserFolder => Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".config/systemd/user");

    public static string UsualFolder => Environment.IsPrivilegedProcess ? SystemFolder : UserFolder;

    public static bool IsRunning => Directory.Exists("/run/systemd/system");

    protected override Scheduler Scheduler => Scheduler.Systemd;

    protected override string Pattern => SystemdUnits.Prefix + "*";

    protected override bool IsOurs(string text) => text.StartsWith(SystemdUnits.Mark, StringComparison.Ordinal);

    protected override IReadOnlyList<(string Name, string Text)> Files(IReadOnlyList<ScheduledTask> tasks, TaskCommand command) => SystemdUnits.Of(tasks, command);

    protected override List<BotBackupSchedule> Tasks(IReadOnlyList<ScheduledTask> tasks, TaskCommand command) =>
        [.. SystemdUnits.Of(tasks, command).Select(file => Parse(file.Name, file.Text, string.Join(' ', command.Words("%i")))).OfType<BotBackupSchedule>()];

    protected override BotBackupSchedule? Parse(string name, string text)
    {
        var service = Path.Combine(Folder, SystemdUnits.Service);
        const string Start = "ExecStart=";
        var command = File.Exists(service) ? File.ReadAllText(service).Split('\n').FirstOrDefault(line => line.StartsWith(Start, StringComparison.Ordinal))?[Start.Length..] : null;
        return Parse(name, text, command ?? "");
    }

    protected override void Stopping(IReadOnlyList<string> names, Action<BackupEvent> tell, CancellationToken token)
    {
        var timers = names.Where(name => name.EndsWith(".timer", StringComparison.Ordinal)).ToList();
        if (starts && IsRunning && timers.Count > 0)
            Control(["disable", "--now", .. timers], tell, token);
    }

    protected override void Written(IReadOnlyList<ScheduledTask> tasks, Action<BackupEvent> tell, CancellationToken token)
    {
        if (!starts)
        {
            tell(new Said($"The units in {Folder} are not started: that is systemctl's, once they lie where systemd looks for them."));
            return;
        }

        if (!IsRunning)
        {
            tell(new Warned($"systemd does not run here, so the timers in {Folder} are not started. Where it does: systemctl daemon-reload && systemctl enable --now '{SystemdUnits.Prefix}-*.timer'."));
            return;
        }

        Control(["daemon-reload"], tell, token);
        if (tasks.Count > 0)
            Control(["enable", "--now", .. tasks.Select(task => SystemdUnits.TimerOf(task.Name))], tell, token);
    }

    private BotBackupSchedule? Parse(string name, string text, string command) => SystemdUnits.CalendarOf(text) is not { } calendar ? null : new BotBackupSchedule
    {
        Name = name[(SystemdUnits.Prefix.Length + 1)..^".timer".Length],
        When = calendar,
        Scheduler = Scheduler.Systemd,
        Location = Path.Combine(Folder, name),
        Command = command.Replace("%i", name[(SystemdUnits.Prefix.Length + 1)..^".timer".Length], StringComparison.Ordinal),
        Missing = CommandWords.Missing(command.Replace("%%", "%", StringComparison.Ordinal).Replace("$$", "$", StringComparison.Ordinal)),
    };

    private void Control(IReadOnlyList<string> words, Action<BackupEvent> tell, CancellationToken token)
    {
        var isUser = string.Equals(Folder, UserFolder, StringComparison.Ordinal);
        var answer = ProgramRun.TryRun("systemctl", isUser ? ["--user", .. words] : words, "", token);
        if (answer is not { ExitCode: 0 })
            throw new BackupException(FailureKind.AccessDenied, $"systemctl {words[0]} failed: {answer?.Errors.Trim() ?? "it is not installed"}", "Run it by hand and see what it says; until then no timer is started.", Folder);
        tell(new Said($"systemctl {string.Join(' ', words)}"));
    }
}

/// <summary>Tasks for the Windows Task Scheduler, as files; on Windows they are registered, too.</summary>
internal sealed class TaskFolder(string folder) : ScheduleFolder(folder)
{
    private const string Name = "\\BotCore\\";

    protected override Scheduler Scheduler => Scheduler.TaskScheduler;

    protected override string Pattern => "botbackup-*.xml";

    protected override bool IsOurs(string text) => text.Contains("<URI>" + Name, StringComparison.Ordinal);

    protected override IReadOnlyList<(string Name, string Text)> Files(IReadOnlyList<ScheduledTask> tasks, TaskCommand command) =>
        [.. tasks.Select(task => (TaskSchedulerXml.FileOf(task.Name), TaskSchedulerXml.Of(task, command)))];

    protected override List<BotBackupSchedule> Tasks(IReadOnlyList<ScheduledTask> tasks, TaskCommand command) => [.. Files(tasks, command).Select(file => Parse(file.Name, file.Text)).OfType<BotBackupSchedule>()];

    protected override BotBackupSchedule? Parse(string name, string text)
    {
        var task = System.Xml.Linq.XDocument.Parse(text).Root!;
        string Find(string element) => task.Descendants().FirstOrDefault(one => string.Equals(one.Name.LocalName, element, StringComparison.Ordinal))?.Value ?? "";
        var command = $"{Find("Command")} {Find("Arguments")}";
        return new BotBackupSchedule
        {
            Name = name["botbackup-".Length..^".xml".Length],
            When = Find("StartBoundary")[11..] + (Find("Interval") is { Length: > 0 } every ? $", every {every}" : ""),
            Scheduler = Scheduler.TaskScheduler,
            Location = Path.Combine(Folder, name),
            Command = command,
            Missing = CommandWords.Missing(command),
        };
    }

    protected override void Stopping(IReadOnlyList<string> names, Action<BackupEvent> tell, CancellationToken token)
    {
        foreach (var name in OperatingSystem.IsWindows() ? names : [])
            Control(["/Delete", "/F", "/TN", Name + Path.GetFileNameWithoutExtension(name)], tell, token);
    }

    protected override void Written(IReadOnlyList<ScheduledTask> tasks, Action<BackupEvent> tell, CancellationToken token)
    {
        if (!OperatingSystem.IsWindows())
            tell(new Said($"The tasks in {Folder} are not registered: this is not Windows. There: schtasks /Create /XML FILE /TN NAME."));
        foreach (var file in (OperatingSystem.IsWindows() ? tasks : []).Select(task => TaskSchedulerXml.FileOf(task.Name)))
            Control(["/Create", "/F", "/XML", Path.Combine(Folder, file), "/TN", Name + Path.GetFileNameWithoutExtension(file)], tell, token);
    }

    private static void Control(IReadOnlyList<string> words, Action<BackupEvent> tell, CancellationToken token)
    {
        var answer = ProgramRun.TryRun("schtasks", words, "", token);
        if (answer is not { ExitCode: 0 })
            throw new BackupException(FailureKind.AccessDenied, $"schtasks {words[0]} failed: {answer?.Errors.Trim() ?? "it is not installed"}", "Run it by hand as an administrator and see what it says.", words[^1]);
        tell(new Said($"schtasks {string.Join(' ', words)}"));
    }
}
