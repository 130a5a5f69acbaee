using System.Globalization;
using System.Security.Cryptography;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Compression;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Engine.Backups;

/// <summary>One archive to be made.</summary>
/// <param name="Component">What is in it.</param>
/// <param name="Name">Which one of its component.</param>
/// <param name="Type">Full, incremental or snapshot.</param>
/// <param name="Source">Its entries, once the archive has a name and a time.</param>
/// <param name="Root">The folder that they are relative to.</param>
/// <param name="PlainBytes">About how many bytes of content there are; 0 where unknown.</param>
internal sealed record ArchiveJob(Component Component, string Name, BackupType Type, Func<ArchiveName, Action<BackupEvent>, IEntrySource> Source, EntryPath Root, long PlainBytes)
{
    /// <summary>How it is compressed; null where as all others.</summary>
    public CodecChoice? Compression { get; init; }

    /// <summary>The format number of its index: 2 where that names what other archives hold.</summary>
    public int IndexFormat { get; init; } = 1;

    /// <summary>Whether the manifest says by a hash what is in it, so that a later run can tell whether it is another thing.</summary>
    public bool IsKnownByContent { get; init; }

    /// <summary>Takes so many bytes of its data from all over it; null where nobody would ask.</summary>
    public Func<int, CancellationToken, byte[]>? Sample { get; init; }
}

/// <summary>Seals one job into one store and publishes it. Used by backups, and by restores for their snapshot. One thread at a time.</summary>
internal sealed class ArchiveMaker(IStore store, CodecChoice compression, Func<IArchiveCipher> cipher, TimeProvider clock, Action<BackupEvent> tell, RunMoment? moment = null)
{
    // A tar that is estimated to need more than this share of what is free may still fit once compressed: the run then finds out and ends in StoreFull.
    private const double WorstUsualRatio = 0.5;

    /// <summary>Makes the archive, or throws and leaves the store as it was.</summary>
    public BotBackup Make(ArchiveJob job, string runId, CancellationToken token)
    {
        // One run at a time works on one kind of archive, and a database backup does not wait for a volume.
        var kind = ArchiveName.Create(job.Component, job.Name, job.Type, DateTimeOffset.UnixEpoch, ".tar");
        using var lease = store.AcquireLease(kind.Lease, token);
        foreach (var leftover in Publication.RemoveLeftovers(store, kind.Folder.Split('/')[0], kind.Lease, token))
            tell(new Warned($"A run that died left '{leftover}' unfinished in {store.Location}; it was removed."));
        DemandSpace(job);

        using var seal = cipher();
        var (codec, level, threads, _) = job.Compression ?? compression;
        var started = clock.GetUtcNow();
        var suffix = ".tar" + codec.Suffix + seal.Suffix;
        using var publication = Publication.Begin(store, lease, attempt => ArchiveName.Create(job.Component, job.Name, job.Type, started, suffix, attempt), runId, token);
        var id = RandomNumberGenerator.GetHexString(16, lowercase: true);
        var sealer = new Sealer(new SealOptions(id, job.Root, codec, level, threads) { Format = job.IndexFormat }, seal, tell);
        using var progress = new RunProgress($"Backing up {job.Name}", job.PlainBytes, tell);
        var source = job.Source(publication.Name, tell);
        var result = sealer.Seal(source, publication.Archive, publication.Index, (done, path) => progress.Move(done, path.ToString), token);
        if (result.Failures.Count > 0)
            throw Unreadable(job, result.Failures);

        progress.Move(result.PlainSize, () => "reading back");
        var described = source.Describe(new Manifest
        {
            Format = Manifest.CurrentFormat,
            Id = id,
            RunId = runId,
            Component = job.Component,
            Name = job.Name,
            Type = job.Type,
            Archive = publication.Name.FileName,
            Started = Truncate(started),
            Completed = Truncate(clock.GetUtcNow()),
            Host = Environment.MachineName,
            Tool = ToolName.Value,
            Codec = codec.Name,
            Encryption = seal.Encryption,
            Entries = result.Entries,
            Changed = result.Changed,
            Vanished = result.Vanished,
            PlainSize = result.PlainSize,
            Size = result.Size,
            Sha256 = result.Sha256,
            IndexSize = result.IndexSize,
            IndexSha256 = result.IndexSha256,
            Content = job.IsKnownByContent ? result.Content : null,
        });
        var manifest = seal.Authenticate((moment?.Stamp(described) ?? described).WithFormat());
        publication.Publish(manifest);
        return BotBackup.Of(manifest, store, publication.Key);
    }

    private static DateTimeOffset Truncate(DateTimeOffset time) => new(time.UtcTicks / TimeSpan.TicksPerMillisecond * TimeSpan.TicksPerMillisecond, TimeSpan.Zero);

    private BackupException Unreadable(ArchiveJob job, IReadOnlyList<Failure> failures)
    {
        foreach (var failure in failures.SkipLast(1))
            tell(new Failed(failure));
        var last = failures[^1];
        var count = failures.Count == 1 ? "One of its paths" : failures.Count.ToString(CultureInfo.InvariantCulture) + " of its paths";
        return new BackupException(last with { Message = $"{last.Message} {count} could not be read, so no backup of {job.Name} was kept." });
    }

    private void DemandSpace(ArchiveJob job)
    {
        if (store.FreeSpace is not { } free)
            return;
        var needed = (long)(job.PlainBytes * WorstUsualRatio);
        if (needed > free)
        {
            throw new BackupException(
                FailureKind.TooLittleSpace,
                $"{job.Name} has {new ByteSize(job.PlainBytes)}, and {store.Location} has {new ByteSize(free)} free: the archive is not likely to fit.",
                "Free space there, or point BACKUP_DIR at a larger disk; nothing was written.",
                store.Location);
        }
    }
}
