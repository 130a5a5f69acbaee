using System.Buffers;
using BotCore.Backup.Engine.Archives;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumps;

/// <summary>
/// Bytes from one thread that writes to one that reads, a few blocks in between: a full pipe blocks the writer, an empty one the reader. Either side may break it, and
/// then the other one no longer waits.
/// </summary>
internal sealed class BoundedPipe : ForwardStream
{
    private const int BlockSize = 128 * 1024;
    private const int MostBlocks = 8;

    private readonly Lock _lock = new();
    private readonly Queue<ArraySegment<byte>> _blocks = new();
    private readonly SemaphoreSlim _free = new(MostBlocks);
    private readonly SemaphoreSlim _filled = new(0);
    private ArraySegment<byte> _current;
    private volatile bool _broken;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    /// <summary>Takes all bytes, or as many as it can until the pipe is broken: whoever broke it knows why.</summary>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            _free.Wait();
            if (_broken)
            {
                _free.Release();
                return;
            }

            var length = Math.Min(buffer.Length, BlockSize);
            var block = ArrayPool<byte>.Shared.Rent(length);
            buffer[..length].CopyTo(block);
            Enqueue(new ArraySegment<byte>(block, 0, length));
            buffer = buffer[length..];
        }
    }

    /// <summary>Says that no more comes.</summary>
    public void Complete() => Enqueue(ArraySegment<byte>.Empty);

    /// <summary>Ends the waiting on both sides for good.</summary>
    public void Break()
    {
        _broken = true;
        _free.Release();
        _filled.Release();
    }

    public override int Read(Span<byte> buffer)
    {
        if (_current.Count == 0 && !Next())
            return 0;
        var length = Math.Min(buffer.Length, _current.Count);
        _current.AsSpan(0, length).CopyTo(buffer);
        _current = _current[length..];
        if (_current.Count == 0)
            Return();
        return length;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _free.Dispose();
            _filled.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Enqueue(ArraySegment<byte> block)
    {
        lock (_lock)
            _blocks.Enqueue(block);
        _filled.Release();
    }

    private bool Next()
    {
        _filled.Wait();
        if (_broken)
        {
            _filled.Release();
            throw new OperationCanceledException("The pipe was broken.");
        }

        lock (_lock)
            _current = _blocks.Dequeue();
        if (_current.Count > 0)
            return true;
        // The end stays the end, however often it is asked for.
        Complete();
        return false;
    }

    private void Return()
    {
        ArrayPool<byte>.Shared.Return(_current.Array!);
        _current = ArraySegment<byte>.Empty;
        _free.Release();
    }
}
