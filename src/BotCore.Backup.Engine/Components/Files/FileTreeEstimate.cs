using BotCore.Backup.Engine.Outside.Posix;

namespace BotCore.Backup.Engine.Components.Files;

/// <summary>How much a <see cref="FileTreeSource"/> of the same scope will give, for plans and progress; the tree may change meanwhile.</summary>
/// <param name="Entries">Entries, the root included.</param>
/// <param name="Bytes">Bytes of content; of sparse files their data, of hard-linked files once.</param>
internal sealed record FileTreeEstimate(long Entries, long Bytes)
{
    /// <summary>Looks at every entry without opening files. What cannot be looked at is not counted: the source tells of it.</summary>
    public static FileTreeEstimate Measure(FileTreeScope scope, CancellationToken token)
    {
        using var walk = new TreeWalk(scope);
        var links = new HardLinks();
        walk.Start(header: null);
        walk.TakeUnannounced();
        var (entries, bytes) = (1L, 0L);
        while (walk.MoveNext())
        {
            token.ThrowIfCancellationRequested();
            if (Syscalls.Status(walk.Folder, walk.Name, follow: false, out var status) < 0 || walk.IsLeftOut(status))
                continue;
            var selected = walk.Selected;
            if (status.Type == FileType.Directory)
                Enter(walk, status);
            else if (selected && status.Type != FileType.Socket)
                entries++;
            while (selected && walk.TakeUnannounced() is not null)
                entries++;
            if (selected && status.Type == FileType.Regular && !links.TryTake(status, out _))
            {
                links.Remember(status, default);
                bytes += Math.Min(status.Size, status.Allocated);
            }
        }

        return new FileTreeEstimate(entries, bytes);
    }

    private static void Enter(TreeWalk walk, in FileStatus status)
    {
        var folder = Syscalls.Open(walk.Folder, walk.Name, Syscalls.OpenFolder | Syscalls.OpenNoFollow, 0);
        if (folder >= 0)
            walk.Enter(folder, status, header: null);
    }
}
