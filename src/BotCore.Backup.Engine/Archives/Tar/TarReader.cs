using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Archives.Tar;

/// <summary>
/// Reads a tar forward, once, in constant memory: v7, ustar, pax, GNU and star dialects, sparse files of all of GNU's versions. Everything that is not a
/// whole tar throws <see cref="BackupException"/> (ArchiveCorrupt) that names the entry and its byte offset; what the stream itself throws
/// passes through. Whether an entry may be restored is not judged here but by <see cref="ArchiveShape"/>. Not thread-safe.
/// </summary>
/// <remarks>
/// Paths come without leading <c>./</c>, those of directories without trailing slashes, the root as <c>.</c>; else they are verbatim.
/// A hard link's own data, which pax allows, is passed over: its target came before. Volume labels are passed over. Types that are not known,
/// and parts of multi-volume archives, are refused.
/// </remarks>
public sealed partial class TarReader : IDisposable
{
    private readonly TarInput _input;
    private readonly TarReaderOptions _options;
    private readonly List<string> _warnings = [];
    private ArchiveEntry? _current;
    private AccountNames? _accounts;
    private EntryPath _name;
    private long _remaining;
    private long _skipAfter;
    private bool _ended;

    /// <summary>Reads from <paramref name="stream"/>, where a tar starts.</summary>
    public TarReader(Stream stream, TarReaderOptions options)
    {
        _input = new TarInput(stream, options.LeaveOpen);
        _options = options;
        _accounts = options.Accounts;
    }

    /// <summary>The entry that <see cref="MoveNext"/> came to.</summary>
    public ArchiveEntry Current => _current ?? throw new InvalidOperationException("There is no current entry.");

    /// <summary>
    /// What could not be kept of the current entry, one phrase each: ACLs of unknown users, attributes with malformed names. Cleared by <see cref="MoveNext"/>.
    /// </summary>
    public IReadOnlyList<string> Warnings => _warnings;

    /// <summary>The comment of the newest global header so far, or null.</summary>
    public string? GlobalComment => _global.Comment;

    /// <summary>Offset of the current entry's first header block in the tar stream, extended headers included.</summary>
    public long EntryStart { get; private set; }

    /// <summary>
    /// Bytes of the tar stream consumed so far. After <see cref="MoveNext"/> that is where the content of the current entry starts, after a sparse map.
    /// </summary>
    public long Position => _input.Position;

    /// <summary>
    /// Goes to the next entry, over what was not read of this one. False at the end of the archive; the stream is then read to its end.
    /// </summary>
    public bool MoveNext()
    {
        if (_ended)
            return false;
        if (!_input.TrySkip(_remaining + _skipAfter))
            throw Corrupt("the archive ends inside of its data");
        StartEntry();
        _ended = !ReadHeaders();
        return !_ended;
    }

    /// <summary>
    /// Reads the next bytes of content, <see cref="ArchiveEntry.DataLength"/> in all; only the runs of a sparse file. 0 when there are no more.
    /// </summary>
    public int Read(Span<byte> buffer)
    {
        if (_remaining == 0 || buffer.IsEmpty)
            return 0;
        var length = _input.Read(buffer[..(int)Math.Min(buffer.Length, _remaining)]);
        if (length == 0)
            throw Corrupt("the archive ends inside of its data");
        _remaining -= length;
        return length;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ended = true;
        _remaining = 0;
        _input.Dispose();
    }

    private void StartEntry()
    {
        _current = null;
        _name = default;
        _remaining = _skipAfter = 0;
        _extendedLength = 0;
        _warnings.Clear();
        _fields.ResetTo(_global);
        EntryStart = _input.Position;
    }

    // One zero block has been taken.
    private void ReadEnd()
    {
        if (_input.TryTakeBlock(out var second))
        {
            if (!TarHeaderBlock.IsZero(second))
                throw Corrupt("a lone zero block stands before it");
        }
        else if (_options.RequireEnd || second.Length > 0)
        {
            throw Corrupt("the archive ends without its two zero blocks");
        }

        for (var rest = _input.TakeAny(); !rest.IsEmpty; rest = _input.TakeAny())
        {
            if (_options.RequireEnd && !TarHeaderBlock.IsZero(rest))
                throw Corrupt("bytes follow the end of the archive");
        }
    }

    private BackupException Corrupt(string flaw)
    {
        var what = _name.IsEmpty ? "the header" : $"the entry '{_name}'";
        return new BackupException(
            FailureKind.ArchiveCorrupt,
            $"The archive is damaged at {what} at byte {EntryStart} of its tar stream: {flaw}.",
            "Use another copy of this backup, or an older one.",
            _name.IsEmpty ? null : _name);
    }
}
