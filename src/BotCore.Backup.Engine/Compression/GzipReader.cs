using System.Runtime.ExceptionServices;

namespace BotCore.Backup.Engine.Compression;

/// <summary>Reads a gzip stream of any number of members in sequence. Once it threw, it throws: it never ends a damaged stream quietly. Not thread-safe.</summary>
internal sealed class GzipReader : Stream
{
    private readonly Stream _source;
    private readonly bool _leaveOpen;
    private readonly DeflateInput _input = new();
    private readonly GzipMember _member;
    private ReadOnlyMemory<byte> _rest;
    private ExceptionDispatchInfo? _failure;
    private State _state;

    public GzipReader(Stream compressed, bool leaveOpen)
    {
        ArgumentNullException.ThrowIfNull(compressed);
        _source = compressed;
        _leaveOpen = leaveOpen;
        _input.Reset(compressed);
        _member = new GzipMember(_input);
    }

    private enum State
    {
        BeforeFirst,
        InMember,
        BetweenMembers,
        Ended,
        Disposed,
    }

    public override bool CanRead => _state != State.Disposed;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        return Read(buffer.AsSpan(offset, count));
    }

    public override int Read(Span<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_state == State.Disposed, this);
        _failure?.Throw();
        if (buffer.IsEmpty)
            return 0;

        try
        {
            if (_rest.IsEmpty && !ReadMembers())
                return 0;
        }
        catch (Exception e)
        {
            // Also after an error of the source: half a symbol may be lost.
            _failure = ExceptionDispatchInfo.Capture(e);
            throw;
        }

        var length = Math.Min(buffer.Length, _rest.Length);
        _rest.Span[..length].CopyTo(buffer);
        _rest = _rest[length..];
        return length;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && _state != State.Disposed)
        {
            _state = State.Disposed;
            if (!_leaveOpen)
                _source.Dispose();
        }

        base.Dispose(disposing);
    }

    private bool ReadMembers()
    {
        while (_state == State.InMember || NextMember())
        {
            _rest = _member.Read();
            if (!_rest.IsEmpty)
                return true;
            _state = State.BetweenMembers;
        }

        return false;
    }

    private bool NextMember()
    {
        if (_state == State.Ended || (_state == State.BetweenMembers && AtEnd()))
        {
            _state = State.Ended;
            return false;
        }

        _member.Open();
        _state = State.InMember;
        return true;
    }

    /// <summary>Whether the stream ends here. Zeros up to the end are padding, of tapes and block devices; what follows zeros is no member any more.</summary>
    private bool AtEnd()
    {
        if (_input.PeekByte() > 0)
            return false;

        int next;
        do
            next = _input.ReadByte();
        while (next == 0);

        return next < 0 ? true : throw new InvalidDataException("Bytes that are not gzip data follow the gzip stream.");
    }
}
