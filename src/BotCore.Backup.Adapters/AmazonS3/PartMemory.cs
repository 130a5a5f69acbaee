using System.Collections.Concurrent;

namespace BotCore.Backup.Adapters.AmazonS3;

/// <summary>The memory that the parts of one object may take, in segments: who fills a part waits until another part is sent. Thread-safe.</summary>
internal sealed class PartMemory : IDisposable
{
    private const int LargestSegment = 1 << 20;

    // The shared pool keeps an array for every thread that gave one back, and each part has a thread of its own.
    private readonly ConcurrentStack<byte[]> _free = [];
    private readonly SemaphoreSlim _left;

    public PartMemory(int bytes, int firstPart)
    {
        SegmentSize = Math.Min(LargestSegment, firstPart);
        Size = bytes / SegmentSize * (long)SegmentSize;
        _left = new SemaphoreSlim(bytes / SegmentSize);
    }

    public int SegmentSize { get; }

    /// <summary>Bytes in all.</summary>
    public long Size { get; }

    public byte[] Rent(CancellationToken token)
    {
        _left.Wait(token);
        return _free.TryPop(out var segment) ? segment : GC.AllocateUninitializedArray<byte>(SegmentSize);
    }

    public void Return(byte[] segment)
    {
        _free.Push(segment);
        _left.Release();
    }

    public void Dispose() => _left.Dispose();
}
