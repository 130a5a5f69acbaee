using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Components.Files;
using BotCore.Backup.Engine.Outside.Posix;

namespace BotCore.Backup.Engine.Components.Volumes;

/// <summary>Removes all that is in a folder, names being bytes, and never through a symbolic link. The folder stays.</summary>
internal static class FolderEmptier
{
    /// <summary>Empties <paramref name="folder"/>; throws where something stays.</summary>
    public static void Empty(string folder, CancellationToken token)
    {
        var root = new EntryPath(folder);
        var folders = new List<EntryPath>();
        using (var walk = new TreeWalk(new FileTreeScope(root)))
        {
            walk.Start(header: null);
            walk.TakeUnannounced();
            while (walk.MoveNext())
            {
                token.ThrowIfCancellationRequested();
                if (Syscalls.Status(walk.Folder, walk.Name, follow: false, out var status) < 0)
                    continue;
                if (status.Type == FileType.Directory)
                    Enter(walk, status, folders);
                else
                    Check(Syscalls.Unlink(walk.Folder, walk.Name), walk.Path);
            }
        }

        var descriptor = Syscalls.Open(Syscalls.CurrentFolder, [.. root.Bytes, 0], Syscalls.OpenFolder, 0);
        Check(descriptor, root);
        try
        {
            using var chain = new FolderChain(descriptor);
            for (var number = folders.Count - 1; number >= 0; number--)
            {
                var at = chain.Open(folders[number], make: false, out _);
                Check(at, folders[number]);
                Check(Syscalls.Unlink(at, FolderChain.NameOf(folders[number]), Syscalls.RemoveFolder), folders[number]);
            }
        }
        finally
        {
            _ = Syscalls.Close(descriptor);
        }
    }

    private static void Enter(TreeWalk walk, in FileStatus status, List<EntryPath> folders)
    {
        var opened = Syscalls.Open(walk.Folder, walk.Name, Syscalls.OpenFolder | Syscalls.OpenNoFollow, 0);
        Check(opened, walk.Path);
        folders.Add(walk.Path);
        walk.Enter(opened, status, header: null);
    }

    private static void Check(int result, EntryPath path)
    {
        if (result < 0)
            throw WriteFailure.Exception(-result, path, "removed");
    }
}
