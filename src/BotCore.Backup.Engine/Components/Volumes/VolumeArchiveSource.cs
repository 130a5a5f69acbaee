using System.Buffers;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Archives.Tar;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.DockerEngine;

namespace BotCore.Backup.Engine.Components.Volumes;

/// <summary>
/// Reads a volume through the archive endpoint of a helper container. Times come in whole seconds; docker tells no <c>user.*</c> attributes, and podman no owners. Folders come before what is in them, as
/// engines walk.
/// </summary>
internal sealed class VolumeArchiveSource(VolumeEngine engine, EngineVolume volume, Action<BackupEvent> tell) : IEntrySource
{
    /// <inheritdoc/>
    public IEnumerable<SourceItem> Read(CancellationToken token)
    {
        using var helper = HelperContainer.Create(engine, volume, readOnly: true, tell, token);
        var path = "/" + HelperContainer.Folder + "/.";
        using var stream = engine.Do($"reading volume '{volume.Name}'", client => client.OpenArchive(helper.Id, path, token));
        using var tar = new TarReader(stream, TarReaderOptions.Ours with { LeaveOpen = true });
        var count = 0;
        while (Next(tar))
        {
            token.ThrowIfCancellationRequested();
            var isRoot = tar.Current.Path.Bytes.SequenceEqual("."u8);
            // podman leaves the top folder out.
            if (count++ == 0 && !isRoot)
                yield return new TarEntry(this, null, Root(helper));
            if (isRoot && count > 1)
                continue;
            yield return new TarEntry(this, tar, tar.Current);
        }

        if (count == 0)
            yield return new TarEntry(this, null, Root(helper));
        if (count <= 1)
            DemandEmpty(token);
    }

    private void DemandEmpty(CancellationToken token)
    {
        // For a volume that is gone an engine makes a new one as soon as a container names it, and that one is empty. Of one that is not empty nothing can be told by its time: old engines
        // say when its top folder changed last.
        if (engine.Find(volume.Name, token) is not { } now || !string.Equals(now.CreatedAt, volume.CreatedAt, StringComparison.Ordinal))
            throw engine.Vanished(volume.Name);
        // What podman shows of a volume that only a driver can mount is nothing, and 200.
        if (!engine.Facts.IsPodman || volume.Options.Count == 0)
            return;
        throw new BackupException(
            FailureKind.SourceUnreachable,
            $"Volume '{volume.Name}' reads empty through podman, as volumes with driver options do while no container mounts them: that it is empty is not proven.",
            "Start a container that mounts it, and back it up again.",
            volume.Name);
    }

    private ArchiveEntry Root(HelperContainer helper)
    {
        var stat = engine.Do($"reading volume '{volume.Name}'", client => client.Stat(helper.Id, "/" + HelperContainer.Folder + "/.", CancellationToken.None));
        return new ArchiveEntry { Path = new EntryPath("."), Kind = EntryKind.Directory, Mode = stat.PosixMode, Modified = new UnixTime(stat.Modified.ToUnixTimeSeconds(), 0) };
    }

    private bool Next(TarReader tar) => Guard(() => tar.MoveNext());

    private T Guard<T>(Func<T> read)
    {
        try
        {
            return engine.Do($"reading volume '{volume.Name}'", _ => read());
        }
        catch (BackupException wrong) when (wrong.Failure.Kind == FailureKind.ArchiveCorrupt)
        {
            // An engine that meets an error while it reads ends its tar in the middle and says nothing.
            throw new BackupException(
                FailureKind.SourceUnreachable, $"The engine broke off while volume '{volume.Name}' was read: {wrong.Message}", "Look at the engine's log; with -Quiesce Pause nothing changes while it reads.", volume.Name, wrong);
        }
    }

    private sealed class TarEntry(VolumeArchiveSource source, TarReader? tar, ArchiveEntry entry) : SourceEntry
    {
        public override ArchiveEntry Entry { get; } = entry;

        public override int Read(Span<byte> buffer)
        {
            if (tar is null || buffer.IsEmpty)
                return 0;
            // A span does not go into a closure.
            var part = ArrayPool<byte>.Shared.Rent(Math.Min(buffer.Length, 1 << 20));
            try
            {
                var most = Math.Min(buffer.Length, part.Length);
                var read = source.Guard(() => tar.Read(part.AsSpan(0, most)));
                part.AsSpan(0, read).CopyTo(buffer);
                return read;
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(part);
            }
        }

        public override EntryMark Finish() => EntryMark.None;
    }
}
