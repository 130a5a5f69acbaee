using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Outside.Posix;

namespace BotCore.Backup.Engine.Components.Files;

/// <summary>Opens what a walk comes upon, and makes its entry from the open node, never from a name looked up twice.</summary>
internal sealed class NodeReader
{
    private const int LargestLink = 4096;
    private const long WorthReadingAhead = 1 << 20;

    /// <summary>Something that changes its kind each time one looks is given up.</summary>
    private const int Tries = 4;

    /// <summary>In place of a type: there is no other way left to try.</summary>
    private const FileType Done = (FileType)(-1);

    private readonly TreeWalk _walk;
    private readonly KnownTree? _known;
    private readonly AttributeReader _attributes = new();
    private readonly Accounts _accounts = new();
    private readonly HardLinks _links = new();
    private readonly byte[] _link = new byte[LargestLink + 1];

    /// <summary>Reads in step with a walk.</summary>
    /// <param name="walk">The walk.</param>
    /// <param name="known">What was there before, for an increment; null where everything is to be read.</param>
    public NodeReader(TreeWalk walk, KnownTree? known = null) => (_walk, _known) = (walk, known);

    /// <summary>The entry of the root.</summary>
    public ArchiveEntry RootHeader() =>
        Header(new EntryPath("."), EntryKind.Directory, _walk.RootStatus, new NodeHandle(_walk.Root, pathOnly: false));

    /// <summary>
    /// What stands at the walk's name: an entry or a problem; null where there is nothing to give, since it is a folder, which was
    /// entered, or is not part of what is asked for.
    /// </summary>
    public SourceItem? Open()
    {
        if (_known is not null && Untouched(_known) is { } untouched)
            return untouched;
        var type = _walk.ListedType;
        for (var i = 0; i < Tries; i++)
        {
            var item = type switch
            {
                FileType.Regular when _walk.Selected => OpenFile(ref type),
                FileType.Directory => OpenFolder(ref type),
                _ => OpenOther(ref type),
            };
            if (type == Done)
                return item;
        }

        return ReadFailure.Problem(Errno.ESTALE, _walk.Path);
    }

    /// <summary>Says that the content of <paramref name="file"/> could not be read.</summary>
    public void Forget(FileEntry file) => _links.Forget(file.Identity);

    // Of a node with one name that its status shows to be what it was, nothing is opened. Other names of it would have to be followed.
    private KnownEntry? Untouched(KnownTree known)
    {
        if (!_walk.Selected || _walk.ListedType == FileType.Directory || Syscalls.Status(_walk.Folder, _walk.Name, follow: false, out var status) < 0)
            return null;
        if (status.Links != 1 || known.Peek(_walk.Path) is not { } line || !known.IsUntouched(line, status) || _walk.LeavesOut(status))
            return null;
        _walk.Settle();
        HinderBelow(status.Type);
        return new KnownEntry(line);
    }

    private SourceItem? OpenFile(ref FileType type)
    {
        var descriptor = OpenQuietly(Syscalls.OpenNoFollow | Syscalls.OpenNonBlocking | Syscalls.CloseOnExec);
        if (descriptor is -Errno.ELOOP or -Errno.ENXIO)
            return Retry(FileType.Unknown, ref type);
        if (descriptor < 0)
            return Refused(-descriptor, ref type);
        if (!TryStatus(descriptor, FileType.Regular, ref type, out var status))
            return null;
        _walk.Settle();
        HinderBelow(status.Type);
        var entry = _walk.IsLeftOut(status) ? null : NewFile(descriptor, status);
        if (entry is not FileEntry)
            _ = Syscalls.Close(descriptor);
        return entry;
    }

    private SourceEntry NewFile(int descriptor, in FileStatus status)
    {
        var path = _walk.Path;
        if (_links.TryTake(status, out var first))
            return LinkTo(first.Value, path, status);
        _links.Remember(status, path);
        var entry = Header(path, EntryKind.File, status, new NodeHandle(descriptor, pathOnly: false)) with
        {
            Size = status.Size,
            Sparse = SparseRuns.Find(descriptor, status),
        };
        if (entry.Size >= WorthReadingAhead)
            Syscalls.AdviseSequential(descriptor);
        return new FileEntry(descriptor, status, entry);
    }

    private SourceItem? OpenFolder(ref FileType type)
    {
        var descriptor = OpenQuietly(Syscalls.OpenFolder | Syscalls.OpenNoFollow);
        if (descriptor is -Errno.ELOOP or -Errno.ENOTDIR)
            return Retry(FileType.Unknown, ref type);
        if (descriptor < 0)
            return Refused(-descriptor, ref type);
        if (!TryStatus(descriptor, FileType.Directory, ref type, out var status))
            return null;
        _walk.Settle();
        if (_walk.IsLeftOut(status))
        {
            _ = Syscalls.Close(descriptor);
            return null;
        }

        var header = Header(_walk.Path, EntryKind.Directory, status, new NodeHandle(descriptor, pathOnly: false));
        _walk.Enter(descriptor, status, header);
        return null;
    }

    /// <summary>Links, FIFOs, devices, and what the listing did not tell: by a handle that opens nothing and so has no effect.</summary>
    private SourceItem? OpenOther(ref FileType type)
    {
        var descriptor = Syscalls.Open(
            _walk.Folder, _walk.Name, Syscalls.OpenPathOnly | Syscalls.OpenNoFollow | Syscalls.CloseOnExec, 0);
        if (descriptor < 0)
            return Refused(-descriptor, ref type);
        try
        {
            var error = Syscalls.Status(descriptor, out var status);
            if (error < 0)
                return Refused(-error, ref type);
            if (status.Type == FileType.Directory || (status.Type == FileType.Regular && _walk.Selected))
                return Retry(status.Type, ref type);
            type = Done;
            if (_walk.IsLeftOut(status))
                return null;
            HinderBelow(status.Type);
            if (!_walk.Selected)
                return null;
            _walk.Settle();
            return Node(descriptor, status);
        }
        finally
        {
            _ = Syscalls.Close(descriptor);
        }
    }

    private SourceItem Node(int descriptor, in FileStatus status)
    {
        var path = _walk.Path;
        if (status.Type == FileType.Socket)
            return new SourceProblem(path, EntryMark.None, $"{path} is a socket, which an archive cannot hold; the program that made it makes it anew.");
        if (_links.TryTake(status, out var first))
            return LinkTo(first.Value, path, status);
        var kind = status.Type switch
        {
            FileType.SymbolicLink => EntryKind.SymbolicLink,
            FileType.Fifo => EntryKind.Fifo,
            FileType.CharacterDevice => EntryKind.CharacterDevice,
            _ => EntryKind.BlockDevice,
        };
        var target = kind == EntryKind.SymbolicLink ? Syscalls.ReadLink(descriptor, _link) : 0;
        if (target < 0)
            return ReadFailure.Problem(-target, path);
        _links.Remember(status, path);
        var isDevice = kind is EntryKind.CharacterDevice or EntryKind.BlockDevice;
        return new HeaderEntry(Header(path, kind, status, new NodeHandle(descriptor, pathOnly: true)) with
        {
            LinkTarget = target > 0 ? new EntryPath(_link[..target]) : default,
            DeviceMajor = isDevice ? status.DeviceMajor : 0,
            DeviceMinor = isDevice ? status.DeviceMinor : 0,
        }, status);
    }

    /// <summary>Selections that go on below what is no folder find nothing there.</summary>
    private void HinderBelow(FileType type)
    {
        if (_walk.GoesOn)
            _walk.Hinder(type == FileType.SymbolicLink
                ? $"{_walk.Path} is a symbolic link, and links are not followed"
                : $"{_walk.Path} is no folder");
    }

    /// <summary>Opens without marking the file as read, where that is allowed (owner and root).</summary>
    private int OpenQuietly(int flags)
    {
        var descriptor = Syscalls.Open(_walk.Folder, _walk.Name, flags | Syscalls.OpenNoAccessTime, 0);
        return descriptor == -Errno.EPERM ? Syscalls.Open(_walk.Folder, _walk.Name, flags, 0) : descriptor;
    }

    private static bool TryStatus(int descriptor, FileType expected, ref FileType type, out FileStatus status)
    {
        var error = Syscalls.Status(descriptor, out status);
        type = error < 0 || status.Type != expected ? FileType.Unknown : Done;
        if (type == Done)
            return true;
        _ = Syscalls.Close(descriptor);
        return false;
    }

    private static SourceItem? Retry(FileType next, ref FileType type)
    {
        type = next;
        return null;
    }

    private SourceProblem? Refused(int error, ref FileType type)
    {
        type = Done;
        // What was only looked for is complained about at the end, and what lies on the way to nothing known is no loss.
        if (error == Errno.ENOENT && !(_walk.Listed && _walk.Selected))
            return null;
        _walk.Settle();
        _walk.Hinder(null);
        return ReadFailure.Problem(error, _walk.Path);
    }

    /// <summary>Attributes are the node's, so they travel with its first name.</summary>
    private HeaderEntry LinkTo(EntryPath first, EntryPath path, in FileStatus status) =>
        new(Owned(path, EntryKind.HardLink, status) with { LinkTarget = first });

    private ArchiveEntry Header(EntryPath path, EntryKind kind, in FileStatus status, NodeHandle node)
    {
        var entry = Owned(path, kind, status);
        var attributes = _attributes.Read(
            node, refused => _walk.Report(new SourceProblem(path, EntryMark.None, $"{path} is archived, but {refused}.")));
        return attributes.Count == 0 ? entry : entry with { Attributes = attributes };
    }

    private ArchiveEntry Owned(EntryPath path, EntryKind kind, in FileStatus status) => new()
    {
        Path = path,
        Kind = kind,
        Mode = status.Mode,
        UserId = status.UserId,
        GroupId = status.GroupId,
        UserName = _accounts.UserName(status.UserId),
        GroupName = _accounts.GroupName(status.GroupId),
        Modified = status.Modified,
    };
}
