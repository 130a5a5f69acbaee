using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Outside.Posix;

namespace BotCore.Backup.Engine.Components.Files;

/// <summary>
/// Writes entries of an archive below one folder. The folder is opened once and everything is reached from there without following
/// a symbolic link, so no archive and nobody else can lead a write elsewhere. Each entry is made under a temporary name and renamed:
/// its name always shows the old or the whole new one. For one thread.
/// </summary>
internal sealed class FileTreeWriter : IDisposable
{
    private const int OwnerOnly = 0x1C0; // 0700

    private readonly EntryPath _destination;
    private readonly bool _allowDevices;
    private readonly int _root;
    private readonly FolderChain _chain;
    private readonly NodeMetadata _metadata;
    private readonly Dictionary<EntryPath, ArchiveEntry> _folders = [];
    private readonly HashSet<ulong>? _written;
    private bool _disposed;

    /// <summary>Opens <paramref name="destination"/>, making it and the folders above where they are missing.</summary>
    /// <param name="destination">An absolute path; links in it are followed, since it is the user's own word.</param>
    /// <param name="owners">Whose the entries become.</param>
    /// <param name="allowDevices">Whether device nodes are made; who may open one may reach the hardware behind it.</param>
    /// <exception cref="BackupException">It cannot be made or opened, or this is not Linux.</exception>
    public FileTreeWriter(EntryPath destination, OwnerMapping owners = OwnerMapping.Numeric, bool allowDevices = false)
    {
        FileTreeScope.RequireLinux();
        _destination = destination;
        _allowDevices = allowDevices;
        _root = OpenDestination(destination);
        _chain = new FolderChain(_root);
        _metadata = new NodeMetadata(owners);
        // In an empty destination everything there is was written by this restore; otherwise it must be kept in mind.
        _written = IsEmpty() ? null : [];
    }

    /// <summary>Bytes that this user may still write in the destination.</summary>
    public long FreeSpace => Syscalls.FreeSpace(_root) is >= 0 and var free
        ? free
        : throw new BackupException(FailureKind.RestoreFailed, $"The free space of {_destination} cannot be told.", "Check the disk.", _destination);

    /// <summary>What was not kept, as full sentences; complete after <see cref="Finish"/>.</summary>
    public IReadOnlyList<string> Warnings => _metadata.Warnings;

    /// <summary>Begins a regular file. The target may be written after other entries were made, but by one thread.</summary>
    public IFileTarget BeginFile(ArchiveEntry entry)
    {
        if (entry.Kind != EntryKind.File)
            throw new ArgumentException($"{entry.Path} is no regular file.", nameof(entry));
        var folder = OpenParent(entry.Path);
        ClearFolder(folder, entry.Path);
        return new FileTarget(folder, entry, Complete);
    }

    /// <summary>Makes a folder, link, FIFO or device. Folders get their owner, mode and time in <see cref="Finish"/>.</summary>
    public void Create(ArchiveEntry entry)
    {
        switch (entry.Kind)
        {
            case EntryKind.Directory:
                MakeFolder(entry);
                break;
            case EntryKind.SymbolicLink:
                if (entry.LinkTarget.IsEmpty || entry.LinkTarget.Bytes.Contains((byte)0))
                    throw WriteFailure.Dishonest(entry.Path, "a symbolic link without a proper target");
                MakeNode(entry, (folder, name) => Syscalls.MakeSymbolicLink([.. entry.LinkTarget.Bytes, 0], folder, name));
                break;
            case EntryKind.HardLink:
                MakeHardLink(entry);
                break;
            case EntryKind.Fifo:
                MakeNode(entry, (folder, name) => Syscalls.MakeNode(folder, name, FileType.Fifo, 0x180, 0, 0));
                break;
            case EntryKind.CharacterDevice:
                MakeDevice(entry, FileType.CharacterDevice);
                break;
            case EntryKind.BlockDevice:
                MakeDevice(entry, FileType.BlockDevice);
                break;
            default:
                throw new ArgumentException($"{entry.Path} is not for {nameof(Create)}.", nameof(entry));
        }
    }

    /// <summary>What stands at <paramref name="path"/>, no link followed; null where there is nothing. A hard link is what it links.</summary>
    public EntryKind? KindOf(EntryPath path)
    {
        if (IsRoot(path))
            return EntryKind.Directory;
        FolderChain.Check(path);
        var folder = _chain.Open(path, make: false, out _);
        if (folder < 0 || Syscalls.Status(folder, FolderChain.NameOf(path), follow: false, out var status) < 0)
            return null;
        return status.Type switch
        {
            FileType.Regular => EntryKind.File,
            FileType.Directory => EntryKind.Directory,
            FileType.SymbolicLink => EntryKind.SymbolicLink,
            FileType.Fifo => EntryKind.Fifo,
            FileType.CharacterDevice => EntryKind.CharacterDevice,
            FileType.BlockDevice => EntryKind.BlockDevice,
            _ => EntryKind.Unknown,
        };
    }

    /// <summary>Whether something, be it a dangling link, stands at <paramref name="path"/>.</summary>
    public bool Exists(EntryPath path) => KindOf(path) is not null;

    /// <summary>Gives the folders their owner, mode, attributes and time, the deepest first. To be called once, after all entries.</summary>
    public void Finish()
    {
        // Descending by bytes puts what is in a folder before the folder.
        foreach (var path in _folders.Keys.OrderDescending())
        {
            var entry = _folders[path];
            if (IsRoot(path))
            {
                _metadata.Apply(new NodeHandle(_root, pathOnly: false), entry);
                continue;
            }

            var descriptor = Syscalls.Open(OpenParent(path), FolderChain.NameOf(path), Syscalls.OpenFolder | Syscalls.OpenNoFollow, 0);
            if (descriptor < 0)
                throw WriteFailure.Exception(-descriptor, path, "opened to set its mode and time");
            try
            {
                _metadata.Apply(new NodeHandle(descriptor, pathOnly: false), entry);
            }
            finally
            {
                _ = Syscalls.Close(descriptor);
            }
        }

        _folders.Clear();
    }

    /// <summary>Waits until all that was written is on the disk; throws <see cref="BackupException"/> when some of it did not get there.</summary>
    public void SyncAll()
    {
        var error = Syscalls.SyncFileSystem(_root);
        if (error < 0)
            throw WriteFailure.Exception(-error, _destination, "brought to the disk");
    }

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        _chain.Dispose();
        _ = Syscalls.Close(_root);
    }

    private static bool IsRoot(EntryPath path) => path.Bytes.SequenceEqual("."u8);

    private static int OpenDestination(EntryPath destination)
    {
        var path = destination.Bytes;
        if (path is not [(byte)'/', ..] || path.Contains((byte)0))
            throw new BackupException(
                FailureKind.ConfigurationInvalid, $"The destination {destination} is not an absolute path.", "Give its full path.", destination);
        for (var end = 1; end <= path.Length; end++)
            if (end == path.Length || path[end] == (byte)'/')
                _ = Syscalls.MakeFolder(Syscalls.CurrentFolder, [.. path[..end], 0], 0x1ED); // What goes wrong here shows below.
        var root = Syscalls.Open(Syscalls.CurrentFolder, [.. path, 0], Syscalls.OpenFolder, 0);
        return root >= 0 ? root : throw WriteFailure.Exception(-root, destination, "made or opened as the destination");
    }

    private bool IsEmpty()
    {
        var listing = Syscalls.Open(_root, ".\0"u8, Syscalls.OpenFolder, 0);
        if (listing < 0)
            return false;
        // Two records of 24 bytes are "." and ".."; the buffer has room for more, so more would come.
        var length = Syscalls.ListFolder(listing, stackalloc byte[1024]);
        _ = Syscalls.Close(listing);
        return length is 0 or 48;
    }

    private int OpenParent(EntryPath path)
    {
        FolderChain.Check(path);
        var folder = _chain.Open(path, make: true, out var blocked);
        if (folder >= 0)
            return folder;
        if (folder is -Errno.ENOTDIR or -Errno.ELOOP)
            throw WriteFailure.InTheWay(
                blocked, KindOf(blocked) == EntryKind.SymbolicLink ? $"a symbolic link, through which {path} is not written" : $"no folder, so {path} has no place");
        throw WriteFailure.Exception(-folder, blocked, "made or opened");
    }

    private void MakeFolder(ArchiveEntry entry)
    {
        _folders.Remove(entry.Path);
        if (!IsRoot(entry.Path))
        {
            var folder = OpenParent(entry.Path);
            var name = FolderChain.NameOf(entry.Path);
            var error = Syscalls.MakeFolder(folder, name, OwnerOnly);
            if (error == -Errno.EEXIST)
                error = KeepOrReplace(folder, name);
            if (error < 0)
                throw WriteFailure.Exception(-error, entry.Path, "made");
        }

        _folders[entry.Path] = entry;
    }

    /// <summary>A folder that is there is kept, and opened up for its owner; anything else gives way to a new one.</summary>
    private static int KeepOrReplace(int folder, ReadOnlySpan<byte> name)
    {
        var descriptor = Syscalls.Open(folder, name, Syscalls.OpenPathOnly | Syscalls.OpenNoFollow | Syscalls.CloseOnExec, 0);
        if (descriptor < 0)
            return descriptor;
        try
        {
            var error = Syscalls.Status(descriptor, out var status);
            if (error < 0)
                return error;
            if (status.Type == FileType.Directory)
            {
                if ((status.Mode & OwnerOnly) != OwnerOnly)
                    _ = new NodeHandle(descriptor, pathOnly: true).SetMode(status.Mode | OwnerOnly); // Root needs it not, others will see.
                return 0;
            }
        }
        finally
        {
            _ = Syscalls.Close(descriptor);
        }

        var gone = Syscalls.Unlink(folder, name);
        return gone < 0 ? gone : Syscalls.MakeFolder(folder, name, OwnerOnly);
    }

    /// <summary>An empty folder gives way to what is to stand there; a full one does not.</summary>
    private void ClearFolder(int folder, EntryPath path)
    {
        var error = Syscalls.Unlink(folder, FolderChain.NameOf(path), Syscalls.RemoveFolder);
        switch (error)
        {
            case -Errno.ENOENT or -Errno.ENOTDIR:
                return;
            case -Errno.ENOTEMPTY or -Errno.EEXIST:
                throw WriteFailure.InTheWay(path, "a folder with something in it, where the archive has something else");
            case < 0:
                throw WriteFailure.Exception(-error, path, "replaced");
            default:
                _folders.Remove(path);
                break;
        }
    }

    private void MakeDevice(ArchiveEntry entry, FileType type)
    {
        if (!_allowDevices)
            throw new BackupException(
                FailureKind.RestoreFailed,
                $"{entry.Path} is a device node, which gives access to hardware; it is not made unless that is allowed.",
                "Restore with -AllowDevices when you trust this archive, or leave it out with -Exclude.",
                entry.Path);
        MakeNode(entry, (folder, name) => Syscalls.MakeNode(folder, name, type, 0x180, entry.DeviceMajor, entry.DeviceMinor));
    }

    private void MakeNode(ArchiveEntry entry, Func<int, byte[], int> make)
    {
        var folder = OpenParent(entry.Path);
        ClearFolder(folder, entry.Path);
        var temporary = FileTarget.TemporaryName();
        Check(make(folder, temporary), entry.Path, "made");
        var node = -1;
        try
        {
            node = Syscalls.Open(folder, temporary, Syscalls.OpenPathOnly | Syscalls.OpenNoFollow | Syscalls.CloseOnExec, 0);
            Check(node, entry.Path, "opened");
            Complete(new NodeHandle(node, pathOnly: true), entry);
            Check(Syscalls.Rename(folder, temporary, folder, FolderChain.NameOf(entry.Path)), entry.Path, "given its name");
        }
        catch
        {
            _ = Syscalls.Unlink(folder, temporary);
            throw;
        }
        finally
        {
            if (node >= 0)
                _ = Syscalls.Close(node);
        }
    }

    private void MakeHardLink(ArchiveEntry entry)
    {
        FolderChain.Check(entry.LinkTarget);
        if (_written is not null && !_written.Contains(Hash(entry.LinkTarget)))
            throw WriteFailure.InTheWay(
                entry.LinkTarget, $"not from this restore, but {entry.Path} is to be another name of what the archive has there");
        var folder = OpenParent(entry.Path);
        ClearFolder(folder, entry.Path);
        var own = Syscalls.Duplicate(folder); // Opening the other folder moves the chain.
        Check(own, entry.Path, "made");
        var temporary = FileTarget.TemporaryName();
        try
        {
            Check(Syscalls.Link(OpenParent(entry.LinkTarget), FolderChain.NameOf(entry.LinkTarget), own, temporary), entry.Path, "linked");
            Check(Syscalls.Rename(own, temporary, own, FolderChain.NameOf(entry.Path)), entry.Path, "given its name");
            _written?.Add(Hash(entry.Path));
        }
        finally
        {
            // A rename onto another name of the same node does nothing and leaves both.
            _ = Syscalls.Unlink(own, temporary);
            _ = Syscalls.Close(own);
        }
    }

    private void Complete(NodeHandle node, ArchiveEntry entry)
    {
        _metadata.Apply(node, entry);
        _written?.Add(Hash(entry.Path));
    }

    /// <summary>FNV-1a of 64 bits: eight bytes an entry in place of its path.</summary>
    private static ulong Hash(EntryPath path)
    {
        var hash = 14695981039346656037;
        foreach (var value in path.Bytes)
            hash = (hash ^ value) * 1099511628211;
        return hash;
    }

    private static void Check(int result, EntryPath path, string doing)
    {
        if (result < 0)
            throw WriteFailure.Exception(-result, path, doing);
    }
}
