using System.Text;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Schedules;

/// <summary>What is to be scheduled. Immutable.</summary>
public sealed record ScheduleRequest
{
    /// <summary>The scheduler; Unknown means the one that this machine has.</summary>
    public Scheduler Scheduler { get; init; }

    /// <summary>A table of cron, or a folder for units or XML; null means the usual place. What is written elsewhere is not started by this.</summary>
    public string? Path { get; init; }

    /// <summary>Whether a task of the timetable is wanted, by its word.</summary>
    public Func<string, bool> IsWanted { get; init; } = _ => true;

    /// <summary>From one increment to the next.</summary>
    public TimeSpan Interval { get; init; } = Timetable.DefaultInterval;

    /// <summary>What is started; null to take away what is there.</summary>
    public TaskCommand? Command { get; init; }
}

/// <summary>One file or table that would be changed; its action holds the whole text.</summary>
public sealed record ScheduleStep : Step
{
    internal ScheduleStep(ISchedule schedule, string target, string action, IReadOnlyList<BotBackupSchedule> tasks)
        : base(target, action) => (Schedule, Tasks) = (schedule, tasks);

    /// <summary>The tasks that it has then, or that are taken away.</summary>
    public IReadOnlyList<BotBackupSchedule> Tasks { get; }

    internal ISchedule Schedule { get; }
}

/// <summary>A place in which one scheduler keeps what it starts.</summary>
internal interface ISchedule
{
    /// <summary>What would be done, and the whole text of it; null where nothing has to be.</summary>
    ScheduleStep? Plan(IReadOnlyList<ScheduledTask> tasks, TaskCommand? command, CancellationToken token);

    /// <summary>Does it, and proves it by reading it back. What a person has to do beside is told.</summary>
    void Write(IReadOnlyList<ScheduledTask> tasks, TaskCommand? command, Action<BackupEvent> tell, CancellationToken token);

    /// <summary>The tasks of ours that stand there; null where nobody can know.</summary>
    IReadOnlyList<BotBackupSchedule>? Read(CancellationToken token);
}

/// <summary>Puts the platform's timetable into cron, systemd or the Task Scheduler, and takes it out. Each task that stands there afterwards is a <see cref="Made"/>. Doing it twice is doing it once.</summary>
public static class ScheduleRegistrar
{
    /// <summary>What would be changed; none where it stands as it should. Throws <see cref="BackupException"/> for a path that cannot be used.</summary>
    public static IReadOnlyList<ScheduleStep> Plan(ScheduleRequest request, CancellationToken token)
    {
        request.Command?.Demand();
        return Place(request).Plan(Tasks(request), request.Command, token) is { } step ? [step] : [];
    }

    /// <summary>Does <paramref name="steps"/>.</summary>
    public static IAsyncEnumerable<BackupEvent> Run(ScheduleRequest request, IReadOnlyList<ScheduleStep> steps, CancellationToken token) =>
        EventRun.Start("schedule", (tell, stop) =>
        {
            foreach (var step in steps)
            {
                if (request.Command is { } command)
                    MakeFolder(command.LogFolder);
                step.Schedule.Write(Tasks(request), request.Command, tell, stop);
                foreach (var task in step.Tasks)
                    tell(new Made(task));
            }
        }, token);

    /// <summary>Every task of ours that a scheduler of this machine has, or that stands at <paramref name="path"/>.</summary>
    /// <param name="path">A table or folder; null means the usual places.</param>
    /// <param name="unknown">Gets each place that could not be read.</param>
    /// <param name="token">Stops it.</param>
    public static IReadOnlyList<BotBackupSchedule> List(string? path, Action<string> unknown, CancellationToken token)
    {
        var found = new List<BotBackupSchedule>();
        foreach (var (name, place) in Places(path))
        {
            if (place.Read(token) is { } tasks)
                found.AddRange(tasks);
            else
                unknown(name);
        }

        return found;
    }

    /// <summary>The user's own table, /etc/cron.d, and systemd's folders.</summary>
    private static IEnumerable<(string Name, ISchedule Place)> Places(string? path)
    {
        if (path is not null)
        {
            if (Directory.Exists(path))
                return [(path, new SystemdSchedule(path)), (path, new TaskFolder(path))];
            return [(path, new CrontabFile(path))];
        }

        var places = new List<(string, ISchedule)>();
        if (!OperatingSystem.IsWindows())
            places.Add(("crontab -l", new UserCrontab()));
        if (Directory.Exists(CrontabFile.SystemFolder))
            places.AddRange(Directory.EnumerateFiles(CrontabFile.SystemFolder).Order(StringComparer.Ordinal).Select(file => (file, (ISchedule)new CrontabFile(file))));
        places.AddRange(new[] { SystemdSchedule.SystemFolder, SystemdSchedule.UserFolder }.Where(Directory.Exists).Select(folder => (folder, (ISchedule)new SystemdSchedule(folder))));
        return places;
    }

    private static ISchedule Place(ScheduleRequest request) => (request.Scheduler == Scheduler.Unknown ? Usual(request.Path) : request.Scheduler) switch
    {
        Scheduler.Systemd => new SystemdSchedule(request.Path ?? SystemdSchedule.UsualFolder, starts: request.Path is null),
        Scheduler.TaskScheduler => new TaskFolder(request.Path ?? throw new BackupException(FailureKind.ConfigurationInvalid, "There is no usual place for the Task Scheduler's files.", "Give -Path a folder.", nameof(request.Path))),
        _ => request.Path is { } file ? new CrontabFile(file) : new UserCrontab(),
    };

    private static Scheduler Usual(string? path)
    {
        if (OperatingSystem.IsWindows())
            return Scheduler.TaskScheduler;
        if (path is not null)
            return Directory.Exists(path) ? Scheduler.Systemd : Scheduler.Cron;
        return UserCrontab.IsThere || !SystemdSchedule.IsRunning ? Scheduler.Cron : Scheduler.Systemd;
    }

    private static List<ScheduledTask> Tasks(ScheduleRequest request) => [.. Timetable.Of(request.Interval).Where(task => request.IsWanted(task.Name))];

    // A shell that cannot open the file for its output never starts the command.
    private static void MakeFolder(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(FailureKind.AccessDenied, $"{folder} cannot be made, and without it no task would begin: {wrong.Message}", "Set LOG_DIR to a folder that this user can write to.", folder, wrong);
        }
    }

    /// <summary>Puts <paramref name="text"/> at <paramref name="path"/>, whole or not at all, and reads it back.</summary>
    internal static void Replace(string path, string text)
    {
        var partial = $"{path}.{Environment.ProcessId}.tmp";
        try
        {
            if (Path.GetDirectoryName(path) is { Length: > 0 } folder)
                Directory.CreateDirectory(folder);
            File.Delete(partial);
            NewFile.Write(partial, Encoding.UTF8.GetBytes(text), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
            File.Move(partial, path, overwrite: true);
            if (!string.Equals(File.ReadAllText(path), text, StringComparison.Ordinal))
                throw new BackupException(FailureKind.ChecksumMismatch, $"{path} reads back other than it was written.", "Look at that disk, then schedule again.", path);
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            File.Delete(partial);
            throw new BackupException(FailureKind.AccessDenied, $"{path} cannot be written: {wrong.Message}", "Be another user, or give -Path.", path, wrong);
        }
    }
}
