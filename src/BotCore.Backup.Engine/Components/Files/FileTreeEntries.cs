using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Outside.Posix;

namespace BotCore.Backup.Engine.Components.Files;

/// <summary>An entry without content: it was read whole when it was made.</summary>
internal sealed class HeaderEntry(ArchiveEntry entry, FileStatus? status = null) : SourceEntry
{
    /// <inheritdoc/>
    internal override NodeState? State => status?.State;

    /// <summary>Names that its node has.</summary>
    public uint Links => status?.Links ?? 1;

    /// <inheritdoc/>
    public override ArchiveEntry Entry { get; } = entry;

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer) => 0;

    /// <inheritdoc/>
    public override EntryMark Finish() => EntryMark.None;
}

/// <summary>A regular file, open: header and content are of the same inode whatever happens to its name.</summary>
/// <param name="descriptor">The open file, closed with this.</param>
/// <param name="before">Its status when the header was made.</param>
/// <param name="entry">The header.</param>
internal sealed class FileEntry(int descriptor, FileStatus before, ArchiveEntry entry) : SourceEntry
{
    private readonly IReadOnlyList<SparseRun> _runs = entry.Sparse ?? [new SparseRun(0, entry.Size)];
    private int _descriptor = descriptor;
    private int _run;
    private long _done;
    private bool _short;

    /// <inheritdoc/>
    public override ArchiveEntry Entry { get; } = entry;

    /// <summary>Whether reading failed, so that no hard link may point here.</summary>
    public bool Failed { get; private set; }

    /// <inheritdoc/>
    internal override NodeState? State => before.State;

    /// <summary>Names that it has.</summary>
    public uint Links => before.Links;

    /// <summary>Device and inode.</summary>
    public FileIdentity Identity => before.Identity;

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        while (_run < _runs.Count && _done == _runs[_run].Length)
            (_run, _done) = (_run + 1, 0);
        if (_short || _run == _runs.Count || buffer.IsEmpty)
            return 0;
        var run = _runs[_run];
        var wanted = buffer[..(int)Math.Min(buffer.Length, run.Length - _done)];
        var read = Syscalls.Read(_descriptor, wanted, run.Offset + _done);
        if (read < 0)
        {
            Failed = true;
            throw ReadFailure.Exception(-read, Path, "The file");
        }

        _short = read == 0;
        _done += read;
        return read;
    }

    /// <summary>Goes back to its beginning, to be read again.</summary>
    public void Rewind() => (_run, _done, _short) = (0, 0, false);

    /// <inheritdoc/>
    public override EntryMark Finish()
    {
        var same = !_short
            && Syscalls.Status(_descriptor, out var after) >= 0
            && (after.Size, after.Modified, after.Changed) == (before.Size, before.Modified, before.Changed);
        return same ? EntryMark.None : EntryMark.Changed;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (_descriptor >= 0)
            _ = Syscalls.Close(_descriptor);
        _descriptor = -1;
        base.Dispose(disposing);
    }
}
