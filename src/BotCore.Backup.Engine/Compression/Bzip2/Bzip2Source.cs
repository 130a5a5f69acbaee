using System.Runtime.ExceptionServices;
using BotCore.Backup.Engine.Archives;

namespace BotCore.Backup.Engine.Compression.Bzip2;

/// <summary>What a bzip2 library reads from: the bytes ahead can be looked at, and an error of the source is kept, since a library may take it for the end. Not thread-safe.</summary>
/// <param name="compressed">The source; stays open.</param>
internal sealed class Bzip2Source(Stream compressed) : ForwardStream
{
    private const int Capacity = 1 << 16;

    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(Capacity);
    private int _start;
    private int _end;

    public override bool CanRead => true;

    /// <summary>What the source threw, if it did.</summary>
    public ExceptionDispatchInfo? Failure { get; private set; }

    public bool IsAtEnd => !Fill(1);

    /// <summary>The next byte, which must be there.</summary>
    public byte Next => _buffer[_start];

    /// <summary>Whether the head of a bzip2 stream is next: a library may take anything else for the end.</summary>
    public static bool IsStream(Bzip2Source source) =>
        source.Fill(4) && source._buffer.AsSpan(source._start, 3).SequenceEqual("BZh"u8) && source._buffer[source._start + 3] is >= (byte)'1' and <= (byte)'9';

    public void Skip() => _start++;

    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty || !Fill(1))
            return 0;
        var count = Math.Min(buffer.Length, _end - _start);
        _buffer.AsSpan(_start, count).CopyTo(buffer);
        _start += count;
        return count;
    }

    public override int ReadByte() => _start < _end || Fill(1) ? _buffer[_start++] : -1;

    private bool Fill(int count)
    {
        if (_end - _start >= count)
            return true;
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
        try
        {
            _end += compressed.ReadAtLeast(_buffer.AsSpan(_end), count - _end, throwOnEndOfStream: false);
        }
        catch (Exception failure)
        {
            Failure = ExceptionDispatchInfo.Capture(failure);
            throw;
        }

        return _end >= count;
    }
}
