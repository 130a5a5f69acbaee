using System.Globalization;
using System.IO.Enumeration;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Components.Files;
using BotCore.Backup.Engine.Components.Volumes;
using BotCore.Backup.Engine.Components.Volumes.Quiesce;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Measurements;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Protocols.DockerEngine;

namespace BotCore.Backup.Engine.Backups;

/// <summary>Plans the backups of volumes: which there are, which way each is read, and who is made quiet. Changes nothing.</summary>
internal static class VolumeSteps
{
    /// <summary>The label of volumes that are backed up where BACKUP_VOLUMES names none; its value is true.</summary>
    public const string Label = "botcore.backup";
    private const int AnonymousLength = 64;

    /// <summary>Plans each volume that is asked for, and hands it to <paramref name="add"/>.</summary>
    public static void Plan(BackupSession session, BackupRequest request, Action<PlannedVolume> add, Action<Failure> failed, CancellationToken token)
    {
        var settings = session.Configuration;
        var asks = settings.Volumes.Count > 0 ? settings.Volumes.Any(name => IsPattern(name) || request.IsWanted(name)) : LooksForLabels(settings);
        var found = 0;
        if (asks)
        {
            try
            {
                found = PlanAll(session, request, add, failed, token);
            }
            catch (BackupException wrong) when (IsOfNobody(settings, request) && wrong.Failure.Kind is FailureKind.AccessDenied or FailureKind.SourceUnreachable)
            {
                // Nothing of the settings or the request speaks of volumes; but labels might, which cannot be seen.
                (request.Warned ?? failed)(wrong.Failure with { Message = $"{wrong.Failure.Message} If volumes there have the label {Label}=true, they are not in this run." });
                return;
            }
            catch (BackupException wrong)
            {
                // The folders go on.
                failed(wrong.Failure);
                return;
            }
        }

        if (found == 0 && settings.Volumes.Count == 0 && settings.Directories.Count == 0 && (request.Components.Contains(Component.Volume) || ConfiguredComponents.IsNothingElse(settings)))
        {
            failed(new Failure(
                FailureKind.ConfigurationMissing,
                $"There is no volume to back up: neither BACKUP_VOLUMES nor BACKUP_DIRECTORIES is set, and {(asks ? $"no volume at {SecretUri.Redact(settings.DockerHost.OriginalString)} has" : "there is no engine whose volumes could have")} the label {Label}=true.",
                "Set one of them, or give volumes that label.",
                "BACKUP_VOLUMES"));
        }
    }

    /// <summary>Whether there is an engine, or ought to be, that is asked for volumes with the label.</summary>
    public static bool LooksForLabels(BotBackupConfiguration settings) =>
        settings.Volumes.Count == 0 && (IsNamed(settings) || (settings.DockerHost.Scheme is "unix" && File.Exists(settings.DockerHost.LocalPath)));

    /// <summary>Whether BACKUP_VOLUMES names the volume, be it by a pattern.</summary>
    public static bool IsNamed(BotBackupConfiguration settings, string volume) => settings.Volumes.Any(asked => IsPattern(asked) ? IsOf(asked, volume) : string.Equals(asked, volume, StringComparison.Ordinal));

    // Returns how many there are, asked for or not.
    private static int PlanAll(BackupSession session, BackupRequest request, Action<PlannedVolume> add, Action<Failure> failed, CancellationToken token)
    {
        var settings = session.Configuration;
        using var engine = VolumeEngine.Of(settings);
        var there = engine.Do("listing volumes", client => client.Volumes(token));
        var names = Names(settings, there, engine, request, failed);
        foreach (var name in names)
        {
            try
            {
                if (settings.Directories.Any(folder => string.Equals(folder.Name, name, StringComparison.Ordinal)))
                    throw new BackupException(FailureKind.ConfigurationInvalid, $"BACKUP_DIRECTORIES has the name {name}, and so has a volume.", "Write name=path for the folder.", name);
                AddVolume(session, request, engine, there.First(one => string.Equals(one.Name, name, StringComparison.Ordinal)), add, token);
            }
            catch (BackupException wrong)
            {
                failed(wrong.Failure);
            }
        }

        return settings.Volumes.Count == 0 ? there.Count(IsLabelled) : names.Count;
    }

    private static void AddVolume(BackupSession session, BackupRequest request, VolumeEngine engine, EngineVolume volume, Action<PlannedVolume> add, CancellationToken token)
    {
        var settings = session.Configuration;
        var way = VolumeWay.ToRead(engine, volume);
        var text = $"volume '{volume.Name}' {way.Describe(engine.Facts)}";
        var quiet = QuietContainers.Plan(engine, volume.Name, request.Quiesce, token);
        foreach (var mode in new[] { QuiesceMode.Pause, QuiesceMode.Stop })
        {
            if (string.Join(", ", quiet.Where(one => one.Mode == mode).Select(one => one.Container.Name)) is { Length: > 0 } names)
                text += $"; {names} {(mode == QuiesceMode.Pause ? "paused" : "stopped")} meanwhile";
        }

        var job = new ArchiveJob(
            Component.Volume, volume.Name, BackupType.Full, (_, tell) => new VolumeSource(settings, volume.Name, request.Quiesce, tell), VolumeName.RootOf(volume.Name), 0)
        {
            Sample = (size, stop) => SampleOf(settings, volume, size, stop),
        };
        var increments = request.Type == BackupType.Incremental && !request.OnlyMeasures;
        if (way.Mountpoint is null && increments)
        {
            var why = $"Volume '{volume.Name}' is read through the engine's archive endpoint, since {way.Reason}, and that does not tell what changed: there are no increments of it.";
            if (request.OnGap != GapAction.Full)
                throw new BackupException(FailureKind.ConfigurationInvalid, why, "Make a full backup of it, or add -OnGap Full.", volume.Name);
            text += "; a full backup, since increments need the folder";
        }

        FileIncrementPlan? increment = null;
        if (way.Mountpoint is { } folder)
        {
            var scope = new FileTreeScope(new EntryPath(folder)) { Setting = "BACKUP_VOLUMES" };
            var estimate = FileTreeEstimate.Measure(scope, token);
            byte[] Sample(int size, CancellationToken stop) => DataSample.OfFiles(scope, estimate, size, stop);
            var compression = BackupPlanner.Choose(session, request, estimate.Bytes, size => Sample(size, token), token);
            text += string.Create(CultureInfo.InvariantCulture, $": {estimate.Entries:N0} entries, {new ByteSize(estimate.Bytes)}{BackupPlanner.By(compression)}");
            job = job with { PlainBytes = estimate.Bytes, Compression = compression, Sample = Sample };
            if (increments)
            {
                increment = new FileIncrementPlan(Component.Volume, volume.Name, scope) { Around = (changes, tell) => new VolumeSource(settings, volume.Name, request.Quiesce, tell) { Changes = changes, Folder = folder } };
                text = $"what has changed of {text}";
            }
        }

        add(new PlannedVolume(job, text, request, increment));
    }

    private static List<string> Names(BotBackupConfiguration settings, IReadOnlyList<EngineVolume> there, VolumeEngine engine, BackupRequest request, Action<Failure> failed)
    {
        var names = new List<string>();
        if (settings.Volumes.Count == 0)
            names.AddRange(there.Where(IsLabelled).Select(one => one.Name));
        foreach (var asked in settings.Volumes)
        {
            if (IsPattern(asked))
                names.AddRange(there.Select(one => one.Name).Where(name => IsOf(asked, name)));
            else if (there.Any(one => string.Equals(one.Name, asked, StringComparison.Ordinal)))
                names.Add(asked);
            else if (request.IsWanted(asked))
                failed(engine.Missing(asked).Failure);
        }

        return [.. names.Where(request.IsWanted).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
    }

    // The first bytes that come: the engine gives a volume in one piece.
    private static byte[] SampleOf(BotBackupConfiguration settings, EngineVolume volume, int size, CancellationToken token)
    {
        using var engine = VolumeEngine.Of(settings);
        var sample = new byte[size];
        var filled = 0;
        foreach (var item in new VolumeArchiveSource(engine, volume, _ => { }).Read(token))
        {
            if (item is not SourceEntry entry)
                continue;
            for (int read; filled < size && (read = entry.Read(sample.AsSpan(filled))) > 0;)
                filled += read;
            if (filled == size)
                break;
        }

        return sample[..filled];
    }

    // Names that an engine makes up are 64 hexadecimal digits, and mean nothing the next day.
    private static bool IsAnonymous(string name) => name.Length == AnonymousLength && name.All(char.IsAsciiHexDigitLower);

    private static bool IsPattern(string name) => name.AsSpan().ContainsAny('*', '?');

    private static bool IsLabelled(EngineVolume volume) => volume.Labels.TryGetValue(Label, out var label) && string.Equals(label, "true", StringComparison.OrdinalIgnoreCase);

    private static bool IsOf(string pattern, string name) => FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false) && !IsAnonymous(name);

    private static bool IsNamed(BotBackupConfiguration settings) => settings.OriginOf(ConfigurationKeys.DockerHost) != Origin.Default;

    private static bool IsOfNobody(BotBackupConfiguration settings, BackupRequest request) =>
        settings.Volumes.Count == 0 && !IsNamed(settings) && (settings.Directories.Count > 0 || !(request.Components.Contains(Component.Volume) || ConfiguredComponents.IsNothingElse(settings)));
}

/// <summary>A volume that is planned.</summary>
/// <param name="Job">Its full backup.</param>
/// <param name="Text">What is done, in words.</param>
/// <param name="Request">What was asked for.</param>
/// <param name="Increment">Its increment; null for a full backup.</param>
internal sealed record PlannedVolume(ArchiveJob Job, string Text, BackupRequest Request, FileIncrementPlan? Increment)
{
    /// <summary>The step that brings it into <paramref name="stores"/>.</summary>
    public BackupStep ToStep(IReadOnlyList<IStore> stores) => new(_ => Job, stores, Text) { FileIncrement = Increment, OnGap = Request.OnGap, Volume = Job.Name, Quiesce = Request.Quiesce };
}
