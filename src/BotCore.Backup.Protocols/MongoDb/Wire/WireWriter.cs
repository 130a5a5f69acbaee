using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace BotCore.Backup.Protocols.MongoDb.Wire;

/// <summary>Writes messages to a stream, each with one flush. Documents are sent from where they lie unless they are compressed. Throws what the stream throws. Not thread-safe.</summary>
public sealed class WireWriter
{
    private const int CompressedHeaderLength = WireReader.HeaderLength + 9;

    private readonly Stream _stream;
    private readonly CompressionLevel _level;
    private byte[] _head = new byte[512];
    private int _length;

    /// <summary>Writes to <paramref name="stream"/>, which stays the caller's.</summary>
    public WireWriter(Stream stream, CompressionLevel level = CompressionLevel.Fastest)
    {
        _stream = stream;
        _level = level;
    }

    /// <summary>Writes an OP_MSG of a body alone. ChecksumPresent adds the checksum; a compressed message has none.</summary>
    public void Write(int requestId, int responseTo, OpMsgFlags flags, ReadOnlySpan<byte> body, WireCompressor compressor = WireCompressor.None) =>
        Write(requestId, responseTo, flags, body, null, default, compressor);

    /// <summary>Writes an OP_MSG of a body and one kind 1 section: <paramref name="documents"/> one behind the other.</summary>
    public void Write(
        int requestId,
        int responseTo,
        OpMsgFlags flags,
        ReadOnlySpan<byte> body,
        string? sequence,
        ReadOnlySpan<byte> documents,
        WireCompressor compressor = WireCompressor.None)
    {
        if (compressor is not (WireCompressor.None or WireCompressor.Zlib))
            throw new ArgumentOutOfRangeException(nameof(compressor));
        if (compressor != WireCompressor.None)
            flags &= ~OpMsgFlags.ChecksumPresent;
        Begin(requestId, responseTo, WireOpCode.Msg);
        BinaryPrimitives.WriteInt32LittleEndian(Take(4), (int)flags);
        Take(1)[0] = 0;
        body.CopyTo(Take(body.Length));
        if (sequence is not null)
            BeginSequence(sequence, documents.Length);
        if (compressor == WireCompressor.Zlib)
            SendCompressed(documents);
        else
            Send(documents, flags.HasFlag(OpMsgFlags.ChecksumPresent));
    }

    /// <summary>Writes an OP_REPLY of one document: how a server answers the old handshake.</summary>
    public void WriteReply(int requestId, int responseTo, ReadOnlySpan<byte> document)
    {
        Begin(requestId, responseTo, WireOpCode.Reply);
        BinaryPrimitives.WriteInt32LittleEndian(Take(4), 8); // AwaitCapable
        Take(12).Clear();
        BinaryPrimitives.WriteInt32LittleEndian(Take(4), 1);
        document.CopyTo(Take(document.Length));
        Send(default, withChecksum: false);
    }

    /// <summary>Writes an OP_QUERY of one document: how an old client begins.</summary>
    public void WriteQuery(int requestId, string collection, ReadOnlySpan<byte> document)
    {
        Begin(requestId, 0, WireOpCode.Query);
        Take(4).Clear();
        AppendText(collection);
        Take(4).Clear();
        BinaryPrimitives.WriteInt32LittleEndian(Take(4), -1);
        document.CopyTo(Take(document.Length));
        Send(default, withChecksum: false);
    }

    private void BeginSequence(string name, int bytes)
    {
        Take(1)[0] = 1;
        var at = _length;
        Take(4);
        AppendText(name);
        BinaryPrimitives.WriteInt32LittleEndian(_head.AsSpan(at), _length - at + bytes);
    }

    private void AppendText(string text)
    {
        var bytes = Take(Encoding.UTF8.GetByteCount(text) + 1);
        Encoding.UTF8.GetBytes(text, bytes);
        bytes[^1] = 0;
    }

    private void Begin(int requestId, int responseTo, WireOpCode opCode)
    {
        _length = 0;
        var header = Take(WireReader.HeaderLength);
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], requestId);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], responseTo);
        BinaryPrimitives.WriteInt32LittleEndian(header[12..], (int)opCode);
    }

    private void Send(ReadOnlySpan<byte> documents, bool withChecksum)
    {
        BinaryPrimitives.WriteInt32LittleEndian(_head, checked(_length + documents.Length + (withChecksum ? 4 : 0)));
        _stream.Write(_head, 0, _length);
        if (!documents.IsEmpty)
            _stream.Write(documents);
        if (withChecksum)
        {
            Span<byte> checksum = stackalloc byte[4];
            BinaryPrimitives.WriteUInt32LittleEndian(checksum, WireReader.Crc32C(documents, WireReader.Crc32C(_head.AsSpan(0, _length))));
            _stream.Write(checksum);
        }

        _stream.Flush();
        if (_head.Length > WireBuffer.Kept)
            _head = new byte[512];
    }

    private void SendCompressed(ReadOnlySpan<byte> documents)
    {
        using var packed = new MemoryStream();
        packed.SetLength(CompressedHeaderLength);
        packed.Position = CompressedHeaderLength;
        using (var zlib = new ZLibStream(packed, _level, leaveOpen: true))
        {
            zlib.Write(_head, WireReader.HeaderLength, _length - WireReader.HeaderLength);
            zlib.Write(documents);
        }

        var message = packed.GetBuffer().AsSpan(0, (int)packed.Length);
        _head.AsSpan(0, WireReader.HeaderLength).CopyTo(message);
        BinaryPrimitives.WriteInt32LittleEndian(message, message.Length);
        BinaryPrimitives.WriteInt32LittleEndian(message[12..], (int)WireOpCode.Compressed);
        BinaryPrimitives.WriteInt32LittleEndian(message[16..], (int)WireOpCode.Msg);
        BinaryPrimitives.WriteInt32LittleEndian(message[20..], checked(_length - WireReader.HeaderLength + documents.Length));
        message[24] = (byte)WireCompressor.Zlib;
        _stream.Write(message);
        _stream.Flush();
    }

    private Span<byte> Take(int count)
    {
        if (_head.Length - _length < count)
            Array.Resize(ref _head, (int)Math.Min(Math.Max(2L * _head.Length, _length + (long)count), Array.MaxLength));
        var span = _head.AsSpan(_length, count);
        _length += count;
        return span;
    }
}
