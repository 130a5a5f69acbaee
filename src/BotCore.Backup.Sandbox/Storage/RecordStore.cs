namespace BotCore.Backup.Sandbox.Storage;

/// <summary>
/// Documents in the order of their insertion, each under a number that never changes; a removed one leaves its number empty. Bytes lie in slabs that many documents share, so
/// that millions of small documents cost the collector little. Not thread-safe: the server's lock guards it.
/// </summary>
internal sealed class RecordStore
{
    private const int ChunkSize = 4096;
    private const int SlabSize = 256 * 1024;

    private readonly List<ReadOnlyMemory<byte>[]?> _chunks = [];
    private byte[] _slab = [];
    private int _slabUsed;

    /// <summary>The lowest number that may be in use.</summary>
    public int First { get; private set; }

    /// <summary>The number that the next document gets.</summary>
    public int Next { get; private set; }

    public int Count { get; private set; }

    /// <summary>Bytes of the documents that are in it.</summary>
    public long Bytes { get; private set; }

    /// <summary>The document; empty where it was removed.</summary>
    public ReadOnlyMemory<byte> this[int number] =>
        number >= First && number < Next && _chunks[number / ChunkSize] is { } chunk ? chunk[number % ChunkSize] : default;

    public ReadOnlyMemory<byte> Keep(ReadOnlySpan<byte> document)
    {
        if (document.Length > SlabSize / 8)
            return document.ToArray();
        if (_slab.Length - _slabUsed < document.Length)
        {
            _slab = GC.AllocateUninitializedArray<byte>(SlabSize);
            _slabUsed = 0;
        }

        var slice = _slab.AsMemory(_slabUsed, document.Length);
        document.CopyTo(slice.Span);
        _slabUsed += document.Length;
        return slice;
    }

    public int Add(ReadOnlyMemory<byte> kept)
    {
        var number = Next++;
        if (number / ChunkSize == _chunks.Count)
            _chunks.Add(new ReadOnlyMemory<byte>[ChunkSize]);
        _chunks[number / ChunkSize]![number % ChunkSize] = kept;
        Count++;
        Bytes += kept.Length;
        return number;
    }

    public void Replace(int number, ReadOnlyMemory<byte> kept)
    {
        Bytes += kept.Length - this[number].Length;
        _chunks[number / ChunkSize]![number % ChunkSize] = kept;
    }

    public void Remove(int number)
    {
        Bytes -= this[number].Length;
        Count--;
        _chunks[number / ChunkSize]![number % ChunkSize] = default;
        if (number != First)
            return;
        while (First < Next && this[First].IsEmpty)
        {
            First++;
            if (First % ChunkSize == 0)
                _chunks[(First / ChunkSize) - 1] = null;
        }
    }

    /// <summary>Every document that is there, oldest first; sees documents that come while it walks.</summary>
    public IEnumerable<(int Number, ReadOnlyMemory<byte> Document)> Walk(int from = 0)
    {
        for (var number = Math.Max(from, First); number < Next; number++)
        {
            var document = this[number];
            if (!document.IsEmpty)
                yield return (number, document);
        }
    }

    /// <summary>Every document that is there, newest first.</summary>
    public IEnumerable<(int Number, ReadOnlyMemory<byte> Document)> WalkBack()
    {
        for (var number = Next - 1; number >= First; number--)
        {
            var document = this[number];
            if (!document.IsEmpty)
                yield return (number, document);
        }
    }
}
