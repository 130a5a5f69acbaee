using System.Buffers;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Outside.Programs;

namespace BotCore.Backup.Engine.Schedules;

/// <summary>A table of cron, wherever it is kept.</summary>
internal abstract class Crontab : ISchedule
{
    protected abstract string Name { get; }

    /// <summary>The user's column; null where the table has none.</summary>
    protected virtual string? User => null;

    public ScheduleStep? Plan(IReadOnlyList<ScheduledTask> tasks, TaskCommand? command, CancellationToken token)
    {
        var table = Load(token) ?? throw Unknown();
        var block = BlockOf(tasks, command);
        var changed = CrontabText.With(table, block);
        if (string.Equals(changed, table, StringComparison.Ordinal))
            return null;
        var action = block.Count > 0 ? $"Write into it:\n{string.Join('\n', block)}\n" : "Take the block of BotCore.Backup out of it";
        return new ScheduleStep(this, Name, action, Parse(block.Count > 0 ? changed : table));
    }

    public void Write(IReadOnlyList<ScheduledTask> tasks, TaskCommand? command, Action<BackupEvent> tell, CancellationToken token)
    {
        // Read again: somebody may have edited it since it was planned.
        var table = CrontabText.With(Load(token) ?? throw Unknown(), BlockOf(tasks, command));
        Save(table, token);
        if (!string.Equals(Load(token), table, StringComparison.Ordinal))
            throw new BackupException(FailureKind.ChecksumMismatch, $"{Name} reads back other than it was written.", "Look at it by hand: crontab -l.", Name);
    }

    public IReadOnlyList<BotBackupSchedule>? Read(CancellationToken token) => Load(token) is { } table ? Parse(table) : null;

    /// <summary>Its text; empty where there is none, null where nobody can know.</summary>
    protected abstract string? Load(CancellationToken token);

    protected abstract void Save(string table, CancellationToken token);

    private IReadOnlyList<string> BlockOf(IReadOnlyList<ScheduledTask> tasks, TaskCommand? command) => command is null || tasks.Count == 0 ? [] : CrontabText.Block(tasks, command, User);

    private List<BotBackupSchedule> Parse(string table) =>
    [
        .. CrontabText.Entries(table, User is not null).Select(entry => new BotBackupSchedule
        {
            Name = NameOf(entry.Command),
            When = entry.Cron,
            Scheduler = Scheduler.Cron,
            Location = Name,
            Command = entry.Command,
            Missing = CommandWords.Missing(entry.Command),
        }),
    ];

    private static string NameOf(string command)
    {
        const string Task = " -Task ";
        var at = command.LastIndexOf(Task, StringComparison.Ordinal);
        return at < 0 ? command : command[(at + Task.Length)..].Split(' ')[0];
    }

    private BackupException Unknown() => new(FailureKind.ToolMissing, $"{Name} cannot be read.", "Install the package cron, or use -Scheduler Systemd; see 'crontab -l' for what it says.", Name);
}

/// <summary>The table of the user who runs this.</summary>
internal sealed class UserCrontab : Crontab
{
    private const string Program = "crontab";

    public static bool IsThere => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Join(folder, Program)));

    protected override string Name => $"the crontab of {Environment.UserName}";

    protected override string? Load(CancellationToken token)
    {
        if (ProgramRun.TryRun(Program, ["-l"], "", token) is not { } answer)
            return null;
        if (answer.ExitCode == 0)
            return answer.Output;
        // A user who has none yet.
        return answer.Errors.Contains("no crontab for", StringComparison.OrdinalIgnoreCase) ? "" : null;
    }

    protected override void Save(string table, CancellationToken token)
    {
        var answer = table.Length == 0 ? ProgramRun.TryRun(Program, ["-r"], "", token) : ProgramRun.TryRun(Program, ["-"], table, token);
        if (answer is not { ExitCode: 0 })
            throw new BackupException(FailureKind.AccessDenied, $"crontab did not take the table: {answer?.Errors.Trim() ?? "it is not installed"}.", "Look at /etc/cron.allow and /etc/cron.deny, or give -Path.", Name);
    }
}

/// <summary>A table that is a file. One of the system's names the user of each line.</summary>
internal sealed class CrontabFile(string path) : Crontab
{
    public const string SystemFolder = "/etc/cron.d";

    private static readonly SearchValues<char> Letters = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

    protected override string Name => path;

    protected override string? User => string.Equals(Path.GetDirectoryName(path), SystemFolder, StringComparison.Ordinal) || string.Equals(path, "/etc/crontab", StringComparison.Ordinal) ? Environment.UserName : null;

    protected override string? Load(CancellationToken token)
    {
        try
        {
            return File.Exists(path) ? File.ReadAllText(path) : "";
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    protected override void Save(string table, CancellationToken token)
    {
        // cron passes over such names without a word.
        if (User is not null && Path.GetFileName(path).AsSpan().ContainsAnyExcept(Letters))
            throw new BackupException(FailureKind.ConfigurationInvalid, $"cron does not read {path}: names in {SystemFolder} have letters, digits, - and _ only.", $"Call it {SystemFolder}/botbackup.", path);
        ScheduleRegistrar.Replace(path, table);
    }
}
