using System.Buffers;

namespace BotCore.Backup.Engine.Archives.Tar;

/// <summary>The tar stream, read forward in large steps for headers; large reads of content go straight through. Not thread-safe.</summary>
internal sealed class TarInput(Stream stream, bool leaveOpen) : IDisposable
{
    private const int BufferSize = 128 * 1024;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
    private int _start;
    private int _end;

    /// <summary>Bytes taken so far.</summary>
    internal long Position { get; private set; }

    /// <summary>
    /// Takes the next block, valid until the next call. False where the stream is at its end; <paramref name="block"/> then holds the bytes
    /// of a block that is cut off, or none.
    /// </summary>
    internal bool TryTakeBlock(out ReadOnlySpan<byte> block)
    {
        var whole = TryPeekBlock(out block);
        if (whole)
            Take(TarFormat.BlockSize);
        return whole;
    }

    /// <summary>Like <see cref="TryTakeBlock"/>, and leaves the block where it is.</summary>
    internal bool TryPeekBlock(out ReadOnlySpan<byte> block)
    {
        while (_end - _start < TarFormat.BlockSize && Fill())
        {
        }

        var length = Math.Min(TarFormat.BlockSize, _end - _start);
        block = _buffer.AsSpan(_start, length);
        return length == TarFormat.BlockSize;
    }

    /// <summary>Reads some bytes; 0 only at the end of the stream, or into an empty buffer.</summary>
    internal int Read(Span<byte> destination)
    {
        if (_start == _end)
        {
            if (destination.Length >= BufferSize / 4)
            {
                var read = stream.Read(destination);
                Position += read;
                return read;
            }

            Fill();
        }

        var length = Math.Min(destination.Length, _end - _start);
        _buffer.AsSpan(_start, length).CopyTo(destination);
        Take(length);
        return length;
    }

    /// <summary>Takes <paramref name="length"/> bytes unseen; false where the stream ends before.</summary>
    internal bool TrySkip(long length)
    {
        while (length > 0)
        {
            if (_start == _end && !Fill())
                return false;
            var step = (int)Math.Min(length, _end - _start);
            Take(step);
            length -= step;
        }

        return true;
    }

    /// <summary>Takes some bytes, valid until the next call; empty at the end of the stream.</summary>
    internal ReadOnlySpan<byte> TakeAny()
    {
        if (_start == _end)
            Fill();
        var taken = _buffer.AsSpan(_start, _end - _start);
        Take(taken.Length);
        return taken;
    }

    public void Dispose()
    {
        if (_buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        if (!leaveOpen)
            stream.Dispose();
    }

    private void Take(int length)
    {
        _start += length;
        Position += length;
    }

    private bool Fill()
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        _end -= _start;
        _start = 0;
        var read = stream.Read(_buffer.AsSpan(_end));
        _end += read;
        return read > 0;
    }
}
