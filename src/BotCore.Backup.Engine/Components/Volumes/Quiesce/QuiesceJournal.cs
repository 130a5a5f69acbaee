using System.Text.Json;
using System.Text.Json.Serialization;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Outside.Posix;
using BotCore.Backup.Engine.Stores.Leases;

namespace BotCore.Backup.Engine.Components.Volumes.Quiesce;

/// <summary>A container that was made quiet.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">Its name.</param>
/// <param name="Mode">What was done.</param>
internal sealed record QuietContainer(string Id, string Name, QuiesceMode Mode);

/// <summary>
/// The file that says which containers a run has made quiet: written to the disk before each is, and removed when all go on. Whoever finds one whose process is gone lets them go on. It lies in BACKUP_DIR, in
/// <c>.botbackup/quiesced</c>. See docs/decisions/0027. One thread.
/// </summary>
internal sealed class QuiesceJournal(BotBackupConfiguration settings)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter() } };

    private readonly LeaseHolder _holder = LeaseHolder.New(DateTimeOffset.UtcNow);
    private readonly List<QuietContainer> _containers = [];
    private AliveMark? _mark;

    private string File => Path.Combine(Folder(settings), _holder.Token + ".json");

    /// <summary>Says that a container is about to be made quiet. On the disk when this returns.</summary>
    public void Add(QuietContainer container)
    {
        _mark ??= new AliveMark(settings, _holder.Token);
        _containers.Add(container);
        Write();
    }

    /// <summary>Ends it. Where not all go on the next command that finds it tries again.</summary>
    public void End(bool all)
    {
        if (_mark is null)
            return;
        if (all)
            Remove();
        _mark.Dispose();
        _mark = null;
    }

    private void Remove()
    {
        System.IO.File.Delete(File);
        if (Syscalls.Supported)
            DurableFile.FsyncDirectory(Folder(settings));
    }

    /// <summary>Lets containers go on that a run has left quiet which is no more, and says so.</summary>
    public static void Repair(BotBackupConfiguration settings, Action<BackupEvent> tell, CancellationToken token)
    {
        if (!Directory.Exists(Folder(settings)))
            return;
        foreach (var file in Directory.EnumerateFiles(Folder(settings), "*.json").ToList())
        {
            token.ThrowIfCancellationRequested();
            if (Read(file, tell) is not { } record || AliveMark.IsDead(settings, record.Holder.Token) == false)
                continue;
            try
            {
                using var engine = VolumeEngine.At(settings, new Uri(record.Engine));
                foreach (var container in Enumerable.Reverse(record.Containers))
                {
                    if (QuietContainers.GoOn(engine, container, token) is { } state)
                        tell(new Warned($"A run that was killed ({record.Holder}) had left container '{container.Name}' {(container.Mode == QuiesceMode.Pause ? "paused" : "stopped")}; it {state}."));
                }

                System.IO.File.Delete(file);
                AliveMark.Remove(settings, record.Holder.Token);
            }
            catch (BackupException wrong)
            {
                tell(new Failed(wrong.Failure with
                {
                    Message = $"A run that was killed ({record.Holder}) may have left {string.Join(", ", record.Containers.Select(one => one.Name))} paused or stopped, and they could not be let go on: {wrong.Message}",
                    Advice = $"Look at them with docker ps -a. {wrong.Failure.Advice} {file} is tried again by the next run.",
                }));
            }
        }
    }

    private static string Folder(BotBackupConfiguration settings) => Path.Combine(settings.BackupDirectory, ".botbackup", "quiesced");

    private static Record? Read(string file, Action<BackupEvent> tell)
    {
        try
        {
            return JsonSerializer.Deserialize<Record>(System.IO.File.ReadAllBytes(file), Json) is { Holder: not null, Engine: not null, Containers: not null } record ? record : null;
        }
        catch (JsonException)
        {
            tell(new Warned($"{file} says which containers a run had made quiet, and cannot be read. Look with docker ps -a whether some are paused, and remove it."));
            return null;
        }
        catch (IOException)
        {
            // Its run has just ended.
            return null;
        }
    }

    private void Write()
    {
        var folder = Folder(settings);
        var temporary = File + ".tmp";
        try
        {
            Directory.CreateDirectory(folder);
            using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
            {
                stream.Write(JsonSerializer.SerializeToUtf8Bytes(new Record(_holder, settings.DockerHost.OriginalString, _containers), Json));
                if (Syscalls.Supported)
                    DurableFile.Fsync(stream.SafeFileHandle, temporary);
            }

            System.IO.File.Move(temporary, File, overwrite: true);
            if (Syscalls.Supported)
                DurableFile.FsyncDirectory(folder);
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(
                FailureKind.StoreFull, $"{folder} cannot be written, and without a note there no container is paused or stopped: nobody would let it go on if this run were killed.", "Look at that folder and the space on its disk.", folder, wrong);
        }
    }

    private sealed record Record(LeaseHolder Holder, string Engine, IReadOnlyList<QuietContainer> Containers);
}
