using System.Buffers.Binary;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Outside.Posix;

namespace BotCore.Backup.Engine.Components.Files;

/// <summary>
/// Walks a tree, names only, in the order of the archive: a folder, then what is in it by the order of bytes. Who walks looks at each
/// name and calls <see cref="Enter"/> to go into a folder. Depth is bounded by memory only: no recursion, no whole paths given to the
/// system, and at most <see cref="OpenFolders"/> folders open at a time. For one thread.
/// </summary>
internal sealed class TreeWalk : IDisposable
{
    private const int OpenFolders = 32;

    private readonly FileTreeScope _scope;
    private readonly List<Selection> _selections;
    private readonly HashSet<FileIdentity> _leftOutFolders = [];
    private readonly List<EntryPath> _leftOutPaths = [];
    private readonly List<WalkFolder> _stack = [];
    private readonly List<SelectionState> _next = [];
    private readonly Queue<SourceProblem> _problems = new();
    private readonly byte[] _listing = new byte[64 * 1024];
    private EntryPath _path;
    private int _lowestOpen = 1;
    private int _announced;
    private bool _started;
    private bool _complained;

    /// <summary>Opens the root; throws <see cref="BackupException"/> when that is not possible or the scope makes no sense.</summary>
    public TreeWalk(FileTreeScope scope)
    {
        FileTreeScope.RequireLinux();
        _scope = scope;
        _selections = Selection.Parse(scope);
        Root = OpenRoot(scope.Root, out var status);
        RootStatus = status;
        foreach (var path in scope.LeaveOut)
            LeaveOut(path);
    }

    /// <summary>The open root; the walk closes it.</summary>
    public int Root { get; }

    public FileStatus RootStatus { get; }

    /// <summary>The open folder that <see cref="Name"/> is in.</summary>
    public int Folder => _stack[^1].Descriptor;

    /// <summary>The name come upon, with a NUL; good until the walk moves.</summary>
    public ReadOnlySpan<byte> Name => _stack[^1].Names[_stack[^1].Current];

    /// <summary>Its type as the listing has it; Unknown where it did not say.</summary>
    public FileType ListedType => (FileType)(_stack[^1].Names.TypeOf(_stack[^1].Current) << 12);

    /// <summary>Whether it is part of what was asked for; otherwise it may only be a folder on the way there.</summary>
    public bool Selected { get; private set; }

    /// <summary>Whether a selection goes on below the name.</summary>
    public bool GoesOn => _next.Count > 0;

    /// <summary>Whether the name was listed; otherwise it is looked for and may not exist.</summary>
    public bool Listed => _stack[^1].Listed;

    /// <summary>Its path inside the archive.</summary>
    public EntryPath Path => _path.IsEmpty ? _path = _stack[^1].Path.Join(Name[..^1]) : _path;

    /// <summary>Goes into the root. To be called first, once.</summary>
    public void Start(ArchiveEntry? header)
    {
        _started = true;
        var states = new List<SelectionState>();
        var whole = !_scope.Exact && (_selections.Count == 0 || _selections.Exists(selection => selection.Parts.Length == 0));
        foreach (var selection in _selections.Where(selection => selection.Parts.Length > 0))
            SelectionState.Add(states, new SelectionState(selection, 0));
        Push(new WalkFolder(default, Root, RootStatus.Identity, header, whole, [.. states]));
    }

    /// <summary>Goes on to the next name; false at the end, when only problems may be left.</summary>
    public bool MoveNext()
    {
        _path = default;
        while (_stack.Count > 0)
        {
            var top = _stack[^1];
            if (!top.HasMore)
            {
                Leave();
                continue;
            }

            top.Current++;
            _next.Clear();
            Selected = top.Whole;
            if (top.States.Length > 0)
                Selected |= SelectionState.Advance(top.States, Name[..^1], _next);
            if (Selected || _next.Count > 0)
                return true;
        }

        Complain();
        return false;
    }

    /// <summary>Says that the name exists, or that its trouble was told: its selections are settled.</summary>
    public void Settle()
    {
        if (_stack[^1].States.Length > 0)
            SelectionState.Settle(_stack[^1].States, Name[..^1]);
    }

    /// <summary>Says why selections that go on below the name lead nowhere; null where the trouble was told already.</summary>
    public void Hinder(string? reason)
    {
        foreach (var state in _next)
        {
            state.Selection.Hindrance ??= reason;
            state.Selection.Settled |= reason is null;
        }
    }

    /// <summary>Whether the name, whose status is given, is to be left out; says so once.</summary>
    public bool IsLeftOut(in FileStatus status)
    {
        if (!LeavesOut(status))
            return false;
        Settle();
        Hinder($"{Path} is left out");
        Report(new SourceProblem(Path, EntryMark.None, $"{Path} in {_scope.Root} is left out of the archive with everything in it, as it was set."));
        return true;
    }

    /// <summary>The same, without a word.</summary>
    public bool LeavesOut(in FileStatus status) =>
        (_leftOutFolders.Count > 0 && status.Type == FileType.Directory && _leftOutFolders.Contains(status.Identity)) || (_leftOutPaths.Count > 0 && _leftOutPaths.Contains(Path));

    /// <summary>Goes into the folder that the name is, and owns <paramref name="descriptor"/> from here on.</summary>
    public void Enter(int descriptor, in FileStatus status, ArchiveEntry? header)
    {
        var folder = new WalkFolder(Path, descriptor, status.Identity, header, Selected && !_scope.Exact, [.. _next]);
        if (_stack.Count - _lowestOpen >= OpenFolders)
            _stack[_lowestOpen++].Close();
        Push(folder);
    }

    /// <summary>
    /// The next folder from the root down that was not given yet, the one just entered included; null when all were.
    /// Folders are given when something in them is, so that those passed through in vain do not show.
    /// </summary>
    public WalkFolder? TakeUnannounced() => _announced < _stack.Count ? _stack[_announced++] : null;

    /// <summary>Keeps something to be told.</summary>
    public void Report(SourceProblem problem) => _problems.Enqueue(problem);

    /// <summary>The next thing to be told.</summary>
    public SourceProblem? TakeProblem() => _problems.TryDequeue(out var problem) ? problem : null;

    public void Dispose()
    {
        foreach (var folder in _stack)
            folder.Dispose();
        if (!_started)
            _ = Syscalls.Close(Root);
        _stack.Clear();
        _started = true;
    }

    private static int OpenRoot(EntryPath root, out FileStatus status)
    {
        status = default;
        if (root.IsEmpty || root.Bytes[0] != (byte)'/' || root.Bytes.Contains((byte)0))
            throw new BackupException(FailureKind.ConfigurationInvalid, $"The folder {root} is not an absolute path.", "Give its full path.", root);
        var descriptor = Syscalls.Open(Syscalls.CurrentFolder, [.. root.Bytes, 0], Syscalls.OpenFolder, 0);
        var error = descriptor < 0 ? -descriptor : -Syscalls.Status(descriptor, out status);
        return error <= 0 ? descriptor : throw ReadFailure.Exception(error, root, "The folder");
    }

    private void LeaveOut(EntryPath path)
    {
        if (Selection.Below(path.Bytes, _scope.Root.Bytes) is { Length: > 0 } below)
            _leftOutPaths.Add(new EntryPath(below));
        // The folder may also be reached by another path, through a link or a mount, so it is known by its inode too.
        var error = Syscalls.Status(Syscalls.CurrentFolder, [.. path.Bytes, 0], follow: true, out var status);
        if (error < 0 || status.Type != FileType.Directory)
            return;
        if (status.Identity != RootStatus.Identity)
        {
            _leftOutFolders.Add(status.Identity);
            return;
        }

        _ = Syscalls.Close(Root);
        throw new BackupException(
            FailureKind.ConfigurationInvalid, $"The folder {_scope.Root} is to be backed up and to be left out.", "Let archives go to another folder.", path);
    }

    private void Push(WalkFolder folder)
    {
        _stack.Add(folder);
        if (!folder.Whole && Array.TrueForAll(folder.States, state => !state.Pattern.IsGlob))
        {
            foreach (var state in folder.States)
                folder.Names.Add(state.Pattern.Literal, 0);
        }
        else
        {
            folder.Listed = true;
            List(folder);
        }

        folder.Names.Sort();
    }

    private void List(WalkFolder folder)
    {
        int length;
        while ((length = Syscalls.ListFolder(folder.Descriptor, _listing)) > 0)
            Take(_listing.AsSpan(0, length), folder.Names);
        // A folder that was removed meanwhile gives ENOENT: there is nothing in it any more.
        if (length < 0 && length != -Errno.ENOENT)
            Report(ReadFailure.Problem(-length, folder.Path.IsEmpty ? new EntryPath(".") : folder.Path));
    }

    /// <summary>struct linux_dirent64: inode 8, offset 8, length 2, type 1, name with a NUL (getdents(2)).</summary>
    private static void Take(ReadOnlySpan<byte> records, NameList names)
    {
        while (!records.IsEmpty)
        {
            var name = records[19..];
            name = name[..name.IndexOf((byte)0)];
            if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
                names.Add(name, records[18]);
            records = records[BinaryPrimitives.ReadUInt16LittleEndian(records[16..])..];
        }
    }

    private void Leave()
    {
        var child = _stack[^1];
        _stack.RemoveAt(_stack.Count - 1);
        _announced = Math.Min(_announced, _stack.Count);
        if (_stack.Count > 0 && _stack[^1].Descriptor < 0)
            OpenAgain(child, _stack[^1]);
        child.Dispose();
    }

    /// <summary>Opens a folder again that was closed to save descriptors: up from the child, or if that was moved away, down from the root.</summary>
    private void OpenAgain(WalkFolder child, WalkFolder parent)
    {
        _lowestOpen = _stack.Count - 1;
        if (child.Descriptor >= 0)
            parent.Descriptor = OpenSame(child.Descriptor, "..\0"u8, parent.Identity);
        if (parent.Descriptor < 0 && parent.HasMore)
            parent.Descriptor = OpenFromRoot();
        if (parent.Descriptor >= 0 || !parent.HasMore)
            return;
        parent.Current = parent.Names.Count - 1;
        var text = $"{parent.Path} in {_scope.Root} was moved while it was read, so the rest of it is not in the archive.";
        Report(new SourceProblem(
            parent.Path, EntryMark.None, text, new Failure(FailureKind.SourceUnreachable, text, "Run the backup again.", parent.Path)));
    }

    private int OpenFromRoot()
    {
        var at = Root;
        for (var i = 1; i < _stack.Count && at >= 0; i++)
        {
            var next = OpenSame(at, _stack[i].OwnName(), _stack[i].Identity);
            if (at != Root)
                _ = Syscalls.Close(at);
            at = next;
        }

        return at;
    }

    private static int OpenSame(int folder, ReadOnlySpan<byte> name, FileIdentity identity)
    {
        var descriptor = Syscalls.Open(folder, name, Syscalls.OpenFolder | Syscalls.OpenNoFollow, 0);
        if (descriptor < 0 || (Syscalls.Status(descriptor, out var status) >= 0 && status.Identity == identity))
            return descriptor;
        _ = Syscalls.Close(descriptor);
        return -1;
    }

    private void Complain()
    {
        if (_complained)
            return;
        _complained = true;
        foreach (var selection in _selections)
            if (selection.Complaint(_scope) is { } complaint)
                Report(complaint);
    }
}
