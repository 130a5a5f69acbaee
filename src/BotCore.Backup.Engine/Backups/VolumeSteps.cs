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
using BotCore.Backup.Protocols.DockerEngine;

namespace BotCore.Backup.Engine.Backups;

/// <summary>Plans the backups of volumes: which there are, which way each is read, and who is made quiet. Changes nothing.</summary>
internal static class VolumeSteps
{
    private const string Label = "botcore.backup";
    private const int AnonymousLength = 64;

    /// <summary>Plans each volume that is asked for; <paramref name="add"/> takes its job and the text of the plan.</summary>
    public static void Plan(BackupSession session, BackupRequest request, Action<ArchiveJob, string> add, Action<Failure> failed, CancellationToken token)
    {
        var settings = session.Configuration;
        if (settings.Volumes.Count > 0 ? !settings.Volumes.Any(name => IsPattern(name) || request.IsWanted(name)) : !LooksForLabels(settings))
            return;
        using var engine = VolumeEngine.Of(settings);
        IReadOnlyList<EngineVolume> there;
        try
        {
            there = engine.Do("listing volumes", client => client.Volumes(token));
        }
        catch (BackupException wrong) when (settings.Volumes.Count == 0 && !IsNamed(settings) && !request.Components.Contains(Component.Volume) && wrong.Failure.Kind is FailureKind.AccessDenied or FailureKind.SourceUnreachable)
        {
            // Nothing of the settings or the request speaks of volumes, so this is a machine that has an engine and no more.
            return;
        }

        foreach (var name in Names(settings, there, engine, request, failed))
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
    }

    private static void AddVolume(BackupSession session, BackupRequest request, VolumeEngine engine, EngineVolume volume, Action<ArchiveJob, string> add, CancellationToken token)
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
        if (way.Mountpoint is { } folder)
        {
            var scope = new FileTreeScope(new EntryPath(folder));
            var estimate = FileTreeEstimate.Measure(scope, token);
            byte[] Sample(int size, CancellationToken stop) => DataSample.OfFiles(scope, estimate, size, stop);
            var compression = BackupPlanner.Choose(session, request, estimate.Bytes, size => Sample(size, token), token);
            text += string.Create(CultureInfo.InvariantCulture, $": {estimate.Entries:N0} entries, {new ByteSize(estimate.Bytes)}{BackupPlanner.By(compression)}");
            job = job with { PlainBytes = estimate.Bytes, Compression = compression, Sample = Sample };
        }

        add(job, text);
    }

    private static List<string> Names(BotBackupConfiguration settings, IReadOnlyList<EngineVolume> there, VolumeEngine engine, BackupRequest request, Action<Failure> failed)
    {
        var names = new List<string>();
        if (settings.Volumes.Count == 0)
            names.AddRange(there.Where(one => one.Labels.TryGetValue(Label, out var label) && string.Equals(label, "true", StringComparison.OrdinalIgnoreCase)).Select(one => one.Name));
        foreach (var asked in settings.Volumes)
        {
            if (IsPattern(asked))
                names.AddRange(there.Select(one => one.Name).Where(name => FileSystemName.MatchesSimpleExpression(asked, name, ignoreCase: false) && !IsAnonymous(name)));
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

    private static bool IsNamed(BotBackupConfiguration settings) =>
        !string.Equals(settings.DockerHost.OriginalString, ConfigurationKeys.Get(ConfigurationKeys.DockerHost).Default, StringComparison.Ordinal) && settings.DockerHost.Scheme is not "npipe";

    private static bool LooksForLabels(BotBackupConfiguration settings) => IsNamed(settings) || (settings.DockerHost.Scheme is "unix" && File.Exists(settings.DockerHost.LocalPath));
}
