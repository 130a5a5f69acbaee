using System.Globalization;
using System.Text.RegularExpressions;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Metrics;
using BotCore.Backup.Engine.Schedules;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Engine.Health;

/// <summary>The questions that this machine answers: stores, keys, disk, logs, metrics, schedule.</summary>
internal sealed partial class MachineProbes(BackupSession session, HealthOptions options, IReadOnlyList<StoreView> stores, CancellationToken token)
{
    private const string HealthLog = "health-check-";

    private readonly DateTimeOffset _now = session.Clock.GetUtcNow();

    /// <summary>A table of cron in place of those of this machine.</summary>
    internal string? ScheduleAt { get; init; }

    /// <summary>One for each store that is enabled.</summary>
    public IEnumerable<BotBackupProbe> Store()
    {
        foreach (var store in StoreProbe.List(session, _ => true, probe: true, token))
        {
            var flaws = stores.FirstOrDefault(view => string.Equals(view.Name, store.Name, StringComparison.OrdinalIgnoreCase))?.Flaws ?? [];
            yield return store switch
            {
                // Who works there now shows that it can be worked with, and no more.
                { Failure.Kind: FailureKind.Locked } => new(ProbeNames.Store, store.Name, HealthState.Inconclusive, $"{store.Name} could not be tried: {store.Failure.Message}"),
                { Failure: { } failure } => new(ProbeNames.Store, store.Name, HealthState.Unhealthy, $"{store.Name}: {failure.Message}"),
                { Outcome: Outcome.Succeeded } when flaws.Count > 0 => new(ProbeNames.Store, store.Name, HealthState.Unhealthy, string.Create(CultureInfo.InvariantCulture, $"In {store.Name} {flaws.Count} archives are no backups any more. {flaws[0].Message}")),
                { Outcome: Outcome.Succeeded } => new(ProbeNames.Store, store.Name, HealthState.Healthy, $"{store.Name} took an object, listed it, gave it back and removed it."),
                _ => new(ProbeNames.Store, store.Name, HealthState.Inconclusive, $"{store.Name} was not tried."),
            };
        }
    }

    public IEnumerable<BotBackupProbe> FreeSpace()
    {
        long? free = null;
        var why = "its disk does not say";
        try
        {
            free = session.StoreNamed(session.Local.Name).FreeSpace;
        }
        catch (BackupException wrong)
        {
            why = wrong.Failure.Message;
        }

        yield return free is not { } bytes
            ? new(ProbeNames.FreeSpace, session.Local.Name, HealthState.Inconclusive, $"What is free in {session.Local.Location} is not known: {why}")
            : new(
                ProbeNames.FreeSpace,
                session.Local.Name,
                bytes >= options.MinimumFreeSpace ? HealthState.Healthy : HealthState.Unhealthy,
                $"{new ByteSize(bytes)} are free in {session.Local.Location}{(bytes >= options.MinimumFreeSpace ? "" : $", less than {new ByteSize(options.MinimumFreeSpace)}")}.");
    }

    /// <summary>On the newest encrypted archive that can be read. No key is no question where nothing is encrypted.</summary>
    public IEnumerable<BotBackupProbe> Key()
    {
        var newest = stores.SelectMany(store => store.Backups ?? []).Where(backup => backup is { PlainDump: null, IsDamaged: false } && backup.Encryption is Encryption.Passphrase or Encryption.Recipients)
            .MaxBy(backup => backup.Taken);
        if (newest is not null)
            yield return Open(newest);
        else if (session.Configuration.EncryptionEnabled)
            yield return new(ProbeNames.Key, "", HealthState.Inconclusive, "There is no encrypted backup to try the key on.");
    }

    /// <summary>In the logs of today, or of yesterday where today has none yet. What a health check itself wrote is no error of a run.</summary>
    public IEnumerable<BotBackupProbe> Errors()
    {
        var folder = session.Configuration.LogDirectory;
        BotBackupProbe answer;
        try
        {
            answer = Errors(folder, _now) ?? Errors(folder, _now.AddDays(-1)) ?? new(ProbeNames.Errors, folder, HealthState.Inconclusive, $"There is no log of today or yesterday in {folder}.");
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            answer = new(ProbeNames.Errors, folder, HealthState.Inconclusive, $"The logs in {folder} cannot be read: {unreadable.Message}");
        }

        yield return answer;
    }

    /// <summary>Where METRICS_FILE is set.</summary>
    public IEnumerable<BotBackupProbe> Metrics()
    {
        if (session.Configuration.MetricsFile is not { } path)
            yield break;
        BotBackupProbe answer;
        try
        {
            var samples = File.Exists(path) ? MetricsFile.Read(path) : [];
            var newest = samples?.Where(sample => string.Equals(sample.Name, MetricFamilies.RunTime, StringComparison.Ordinal)).Select(sample => sample.Value).DefaultIfEmpty().Max();
            var age = newest is > 0 ? _now - DateTimeOffset.FromUnixTimeSeconds((long)newest) : (TimeSpan?)null;
            answer = samples is null ? new(ProbeNames.Metrics, path, HealthState.Inconclusive, $"{path} is not a file of metrics of ours.")
                : age is null ? new(ProbeNames.Metrics, path, HealthState.Unhealthy, $"No run wrote metrics to {path} yet.")
                : age > options.MaximumAge ? new(ProbeNames.Metrics, path, HealthState.Unhealthy, $"The last run that wrote metrics to {path} was {Age.Text(age.Value)} ago.")
                : new(ProbeNames.Metrics, path, HealthState.Healthy, $"A run wrote metrics to {path} {Age.Text(age.Value)} ago.");
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            answer = new(ProbeNames.Metrics, path, HealthState.Inconclusive, $"{path} cannot be read: {unreadable.Message}");
        }

        yield return answer;
    }

    public IEnumerable<BotBackupProbe> Schedule()
    {
        var unknown = new List<string>();
        var tasks = ScheduleRegistrar.List(ScheduleAt, unknown.Add, token);
        yield return tasks switch
        {
            [] when unknown.Count > 0 => new(ProbeNames.Schedule, "", HealthState.Inconclusive, $"What is scheduled is not known: {string.Join(", ", unknown)} cannot be read."),
            [] => new(ProbeNames.Schedule, "", HealthState.Unhealthy, "Nothing is scheduled on this machine. Register-BotBackupSchedule does it."),
            _ when tasks.FirstOrDefault(task => task.Missing.Count > 0) is { } broken => new(ProbeNames.Schedule, broken.Location, HealthState.Unhealthy, $"The task {broken.Name} in {broken.Location} cannot begin: {broken.Missing[0]} is not there."),
            _ when !tasks.Any(task => task.Name is "full" or "system") => new(ProbeNames.Schedule, tasks[0].Location, HealthState.Unhealthy, $"No backup is scheduled in {tasks[0].Location}, only {string.Join(", ", tasks.Select(task => task.Name))}."),
            _ => new(ProbeNames.Schedule, tasks[0].Location, HealthState.Healthy, $"Scheduled in {tasks[0].Location}: {string.Join(", ", tasks.Select(task => task.Name))}."),
        };
    }

    private BotBackupProbe Open(BotBackup backup)
    {
        try
        {
            using var raw = backup.Source.OpenRead(backup.Key, 0, token);
            if (backup.Encryption == Encryption.Recipients)
            {
                var (_, compressed) = session.Keys.Decrypt(raw, backup.Location);
                using (compressed)
                    compressed.ReadExactly(new byte[1]);
            }
            else if (session.Keys.Probe(raw) is null)
            {
                return new(ProbeNames.Key, backup.Store, HealthState.Unhealthy, $"The passphrase does not open {backup.Location}.");
            }

            return new(ProbeNames.Key, backup.Store, HealthState.Healthy, $"The key opens the newest backup, {backup.Location}.");
        }
        catch (BackupException wrong) when (wrong.Failure.Kind is FailureKind.WrongPassphrase or FailureKind.PassphraseMissing or FailureKind.PassphraseTooOpen && backup.Encryption == Encryption.Passphrase)
        {
            return new(ProbeNames.Key, backup.Store, HealthState.Unhealthy, wrong.Failure.Message);
        }
        catch (Exception unreadable) when (unreadable is BackupException or InvalidDataException or EndOfStreamException)
        {
            // To public keys a machine may write what it cannot read, on purpose.
            return new(ProbeNames.Key, backup.Store, HealthState.Inconclusive, $"{backup.Location} could not be tried: {unreadable.Message}");
        }
    }

    // Null where there is no log of that day. Ours are dated in UTC; a line counts once, though a component's log repeats what its run's says.
    private static BotBackupProbe? Errors(string folder, DateTimeOffset day)
    {
        var date = day.UtcDateTime.ToString("yyyyMMdd", CultureInfo.InvariantCulture);
        var logs = Directory.EnumerateFiles(folder, $"*{date}*.log").Where(path => !Path.GetFileName(path).StartsWith(HealthLog, StringComparison.Ordinal)).ToList();
        if (logs.Count == 0)
            return Directory.EnumerateFiles(folder, $"{HealthLog}{date}.log").Any() ? new(ProbeNames.Errors, folder, HealthState.Inconclusive, $"Nothing but health checks was logged in {folder} on {date}.") : null;
        var errors = logs.SelectMany(File.ReadLines).Where(line => ErrorLine().IsMatch(line)).Distinct(StringComparer.Ordinal).ToList();
        return errors.Count == 0
            ? new(ProbeNames.Errors, folder, HealthState.Healthy, $"The logs of {date} in {folder} tell of no error.")
            : new(ProbeNames.Errors, folder, HealthState.Unhealthy, string.Create(CultureInfo.InvariantCulture, $"{errors.Count} errors stand in the logs of {date} in {folder}. The last: {errors[^1]}"));
    }

    // With a run's id, as we write it, or without, as the old scripts did.
    [GeneratedRegex(@"^\[[0-9: -]+\] \[ERROR\] ", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex ErrorLine();
}
