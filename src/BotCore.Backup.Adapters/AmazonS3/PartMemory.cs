using System.Buffers;

namespace BotCore.Backup.Adapters.AmazonS3;

/// <summary>The memory that the parts of one object may take, in segments: who fills a part waits until another part is sent. Thread-safe.</summary>
internal sealed class PartMemory : IDisposable
{
    private const int LargestSegment = 1 << 20;

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
        return ArrayPool<byte>.Shared.Rent(SegmentSize);
    }

    public void Return(byte[] segment)
    {
        ArrayPool<byte>.Shared.Return(segment);
        _left.Release();
    }

    public void Dispose() => _left.Dispose();
}
