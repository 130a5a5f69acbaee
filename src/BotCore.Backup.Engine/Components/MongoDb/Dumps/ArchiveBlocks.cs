using System.Buffers.Binary;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumps;

/// <summary>The documents and terminators of an archive stream, one after the other. Holds one document at most. Not thread-safe.</summary>
internal sealed class ArchiveBlocks(Stream stream, string target)
{
    private byte[] _buffer = new byte[512 * 1024];
    private int _start;
    private int _end;

    /// <summary>Where the block begins that comes next.</summary>
    public long Offset { get; private set; }

    /// <summary>Whether the stream ends here.</summary>
    public bool AtEnd() => !Fill(1);

    /// <summary>The four bytes at the beginning.</summary>
    public uint ReadMagic()
    {
        var magic = Fill(4) ? BinaryPrimitives.ReadUInt32LittleEndian(_buffer.AsSpan(_start)) : 0;
        Take(Math.Min(4, _end - _start));
        return magic;
    }

    /// <summary>The next document, valid until the next call here and validated; false for a terminator.</summary>
    public bool Next(int longest, out ReadOnlySpan<byte> document)
    {
        document = default;
        var length = Fill(4) ? BinaryPrimitives.ReadInt32LittleEndian(_buffer.AsSpan(_start)) : throw Cut();
        if (length == ArchiveNamespace.Terminator)
        {
            Take(4);
            return false;
        }

        if (length < BsonReader.ShortestDocument || length > longest)
            throw DumpCorruption.At(target, Offset, $"a document claims {length} bytes, where 5 to {longest} are possible");
        if (!Fill(length))
            throw Cut();
        var bytes = _buffer.AsSpan(_start, length);
        if (!BsonValidator.TryValidate(bytes, out var flaw))
            throw DumpCorruption.At(target, Offset, $"a document is not valid BSON: {flaw.ToString().TrimEnd('.')}");
        document = bytes;
        Take(length);
        return true;
    }

    private Exception Cut() => DumpCorruption.At(target, Offset, $"it is cut off, {_end - _start} bytes behind that");

    private void Take(int count)
    {
        _start += count;
        Offset += count;
    }

    private bool Fill(int count)
    {
        if (_end - _start >= count)
            return true;
        _buffer.AsSpan(_start.._end).CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
        if (_buffer.Length < count)
            Array.Resize(ref _buffer, Math.Max(count, _buffer.Length * 2));
        while (_end < count)
        {
            var length = Read();
            if (length == 0)
                return false;
            _end += length;
        }

        return true;
    }

    private int Read()
    {
        try
        {
            return stream.Read(_buffer.AsSpan(_end));
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw DumpCorruption.At(target, Offset + _end - _start, $"its gzip data cannot be read: {e.Message.TrimEnd('.')}", e);
        }
    }
}
