using BotCore.Backup.Engine.Outside.Spill;

namespace BotCore.Backup.Adapters.AmazonS3;

/// <summary>
/// The bytes of one part, kept until the server has them: a part that was lost on its way is sent again. What is too large for memory lies in an encrypted file without a name. Filled by one thread, then read by one other.
/// </summary>
internal sealed class Part : IDisposable
{
    private readonly PartMemory _memory;
    private readonly List<byte[]> _segments = [];
    private readonly SpillFile? _spill;

    public Part(int number, long capacity, PartMemory memory)
    {
        (Number, Capacity, _memory) = (number, capacity, memory);
        // Two parts must fit: one on its way and one being filled.
        if (capacity * 2 > memory.Size)
            _spill = new SpillFile(Path.GetTempPath());
    }

    public int Number { get; }

    public long Capacity { get; }

    public long Length { get; private set; }

    public bool IsFull => Length == Capacity;

    /// <summary>Takes what fits, and says how much.</summary>
    public int Append(ReadOnlySpan<byte> bytes, CancellationToken token)
    {
        var within = (int)(Length % _memory.SegmentSize);
        var take = (int)Math.Min(Math.Min(bytes.Length, Capacity - Length), _spill is null ? _memory.SegmentSize - within : bytes.Length);
        if (_spill is not null)
        {
            _spill.Append(bytes[..take]);
        }
        else
        {
            if (within == 0)
                _segments.Add(_memory.Rent(token));
            bytes[..take].CopyTo(_segments[^1].AsSpan(within));
        }

        Length += take;
        return take;
    }

    /// <summary>Fills <paramref name="buffer"/> with what stands at <paramref name="offset"/>, as far as there is any.</summary>
    public int Read(long offset, Span<byte> buffer)
    {
        var within = (int)(offset % _memory.SegmentSize);
        var take = (int)Math.Min(Math.Min(buffer.Length, Length - offset), _spill is null ? _memory.SegmentSize - within : buffer.Length);
        if (take == 0)
            return 0;
        if (_spill is not null)
            _spill.Read(offset, buffer[..take]);
        else
            _segments[(int)(offset / _memory.SegmentSize)].AsSpan(within, take).CopyTo(buffer);
        return take;
    }

    public void Dispose()
    {
        _segments.ForEach(_memory.Return);
        _segments.Clear();
        _spill?.Dispose();
    }
}
