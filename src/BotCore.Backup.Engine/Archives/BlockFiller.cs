using System.Buffers;
using BotCore.Backup.Engine.Compression;

namespace BotCore.Backup.Engine.Archives;

/// <summary>Where a member came to lie; known only once the members before it were written.</summary>
internal sealed class MemberPlace
{
    /// <summary>Offset in the compressed stream.</summary>
    public long Offset { get; set; }

    /// <summary>Entries that end in this member, to be written into the index behind it.</summary>
    public List<(MemberPlace Start, int Skip, IndexEntry Entry)> Entries { get; } = [];
}

/// <summary>The tar as a buffer that is cut into blocks and handed to the pipeline. One thread.</summary>
internal sealed class BlockFiller(BlockPipeline pipeline, CancellationToken token) : IBufferWriter<byte>
{
    // Headers are asked for in one piece; they are small, but must not be limited to what is left of a block.
    private byte[] _side = [];
    private Block? _block;
    private MemberPlace _place = new();
    private bool _sideLent;

    /// <summary>Bytes of the tar so far.</summary>
    public long Position { get; private set; }

    /// <summary>The place of the next byte: its member, and the bytes before it there.</summary>
    public (MemberPlace Place, int Skip) Here => (_place, _block?.Length ?? 0);

    /// <summary>Lines of the index that wait for the current member to end.</summary>
    public int Waiting => _place.Entries.Count;

    /// <summary>Room for at most <paramref name="wanted"/> bytes of content, inside the current block; never empty.</summary>
    public Span<byte> Space(int wanted)
    {
        _sideLent = false;
        _block ??= pipeline.Rent();
        return _block.Buffer.AsSpan(_block.Length, Math.Min(wanted, pipeline.BlockSize - _block.Length));
    }

    /// <summary>Counts what was written into <see cref="Space"/> or <see cref="GetSpan"/>.</summary>
    public void Advance(int count)
    {
        if (_sideLent)
        {
            _sideLent = false;
            Write(_side.AsSpan(0, count));
            return;
        }

        _block!.Length += count;
        Position += count;
        if (_block.Length == pipeline.BlockSize)
            Flush();
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        _block ??= pipeline.Rent();
        var room = pipeline.BlockSize - _block.Length;
        if (room >= Math.Max(sizeHint, 1))
        {
            _sideLent = false;
            return _block.Buffer.AsSpan(_block.Length, room);
        }

        if (_side.Length < sizeHint)
            _side = new byte[sizeHint];
        _sideLent = true;
        return _side;
    }

    public Memory<byte> GetMemory(int sizeHint = 0) => throw new NotSupportedException("Headers are written as spans.");

    /// <summary>Copies bytes in, over as many blocks as they take.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var space = Space(bytes.Length);
            bytes[..space.Length].CopyTo(space);
            Advance(space.Length);
            bytes = bytes[space.Length..];
        }
    }

    /// <summary>Padding.</summary>
    public void WriteZeros(int count)
    {
        while (count > 0)
        {
            var space = Space(count);
            space.Clear();
            count -= space.Length;
            Advance(space.Length);
        }
    }

    /// <summary>Hands over a member that was compressed before; the block before it must have been flushed.</summary>
    public void WritePacked(PackedEntry entry, int number)
    {
        if (_block is { Length: > 0 })
            throw new InvalidOperationException("A block is under way.");
        token.ThrowIfCancellationRequested();
        var (packed, plain) = entry.LengthOf(number);
        _block ??= pipeline.Rent();
        entry.Read(number, _block.Pack(packed, plain));
        _block.Tag = _place;
        pipeline.Submit(_block);
        Position += plain;
        _block = null;
        _place = new MemberPlace();
    }

    /// <summary>Notes that an entry is whole, so that the index gets it behind the member that it ends in.</summary>
    public void Finish(MemberPlace start, int skip, IndexEntry entry) => _place.Entries.Add((start, skip, entry));

    /// <summary>Ends the current member, where there is anything in it.</summary>
    public void Flush()
    {
        if (_block is null || _block.Length == 0)
            return;
        token.ThrowIfCancellationRequested();
        _block.Tag = _place;
        pipeline.Submit(_block);
        _block = null;
        _place = new MemberPlace();
    }
}
