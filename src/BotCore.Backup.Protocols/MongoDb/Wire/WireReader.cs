using System.Buffers.Binary;
using System.IO.Compression;
using System.Numerics;
using System.Runtime.InteropServices;

namespace BotCore.Backup.Protocols.MongoDb.Wire;

/// <summary>
/// Reads messages from a stream into one buffer that is used again. No length is believed before it is checked against <see cref="MaxMessage"/>, and no memory is
/// taken for bytes that have not come. Throws <see cref="MongoException"/> (Protocol, ConnectionLost) and what the stream throws. Not thread-safe.
/// </summary>
public sealed class WireReader
{
    /// <summary>What servers take and send, bytes (<c>maxMessageSizeBytes</c>).</summary>
    public const int DefaultMaxMessage = 48_000_000;

    internal const int HeaderLength = 16;
    private const int CompressedHeaderLength = 9;

    private readonly WireBuffer _received = new();
    private readonly WireBuffer _inflated = new();
    private readonly Stream _stream;

    /// <summary>Reads from <paramref name="stream"/>, which stays the caller's.</summary>
    public WireReader(Stream stream, int maxMessage = DefaultMaxMessage)
    {
        _stream = stream;
        MaxMessage = maxMessage;
    }

    /// <summary>The longest message that is taken, header and all, bytes. A compressed message must fit before and after.</summary>
    public int MaxMessage { get; set; }

    /// <summary>Bytes of memory held.</summary>
    public int Held => _received.Bytes.Length + _inflated.Bytes.Length;

    /// <summary>The next message; throws ConnectionLost where the stream ends.</summary>
    public OpMsg Read() => TryRead(out var message) ? message : throw Lost("The connection ended where an answer was due.");

    /// <summary>The next message; false where the stream ends before its first byte.</summary>
    public bool TryRead([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out OpMsg? message)
    {
        message = null;
        if (!_received.TryFill(_stream, 0, 1))
            return false;
        if (!_received.TryFill(_stream, 1, HeaderLength - 1))
            throw Lost("The connection ended in a message.");
        var header = _received.Bytes.AsSpan(0, HeaderLength);
        var length = BinaryPrimitives.ReadInt32LittleEndian(header);
        if (length < HeaderLength || length > MaxMessage)
            throw OpMsg.Broken($"its length is {length}");
        if (!_received.TryFill(_stream, HeaderLength, length - HeaderLength))
            throw Lost("The connection ended in a message.");
        message = Parse(length);
        return true;
    }

    /// <summary>Gives back the memory that one large message took. What the last message holds is no longer valid.</summary>
    public void Trim()
    {
        _received.Trim();
        _inflated.Trim();
    }

    private static MongoException Lost(string text) => new(MongoError.ConnectionLost, text);

    private OpMsg Parse(int length)
    {
        ReadOnlyMemory<byte> message = _received.Bytes.AsMemory(0, length);
        var header = message.Span;
        var requestId = BinaryPrimitives.ReadInt32LittleEndian(header[4..]);
        var responseTo = BinaryPrimitives.ReadInt32LittleEndian(header[8..]);
        var opCode = (WireOpCode)BinaryPrimitives.ReadInt32LittleEndian(header[12..]);
        var payload = message[HeaderLength..];
        var compressor = WireCompressor.None;
        if (opCode == WireOpCode.Compressed)
        {
            payload = Decompress(payload, out opCode, out compressor);
            // A checksum in a compressed message is over bytes that were never sent so: drivers pass over it.
            return OpMsg.Parse(opCode, requestId, responseTo, payload, compressor, HasChecksum(opCode, payload.Span));
        }

        var hasChecksum = HasChecksum(opCode, payload.Span);
        if (hasChecksum)
            CheckChecksum(message.Span);
        return OpMsg.Parse(opCode, requestId, responseTo, payload, compressor, hasChecksum);
    }

    private static bool HasChecksum(WireOpCode opCode, ReadOnlySpan<byte> payload) =>
        opCode == WireOpCode.Msg && OpMsg.FlagsOf(payload).HasFlag(OpMsgFlags.ChecksumPresent);

    private static void CheckChecksum(ReadOnlySpan<byte> message)
    {
        if (message.Length < HeaderLength + 8)
            throw OpMsg.Broken("it has no room for its checksum");
        if (Crc32C(message[..^4]) != BinaryPrimitives.ReadUInt32LittleEndian(message[^4..]))
            throw OpMsg.Broken("its checksum does not fit");
    }

    /// <summary>CRC-32C (Castagnoli), as iSCSI and OP_MSG have it.</summary>
    internal static uint Crc32C(ReadOnlySpan<byte> bytes, uint previous = 0)
    {
        var crc = ~previous;
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (var word in words)
            crc = BitOperations.Crc32C(crc, BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word));
        foreach (var last in bytes[(words.Length * 8)..])
            crc = BitOperations.Crc32C(crc, last);
        return ~crc;
    }

    private ReadOnlyMemory<byte> Decompress(ReadOnlyMemory<byte> payload, out WireOpCode opCode, out WireCompressor compressor)
    {
        if (payload.Length < CompressedHeaderLength)
            throw OpMsg.Broken("a compressed message is cut off");
        opCode = (WireOpCode)BinaryPrimitives.ReadInt32LittleEndian(payload.Span);
        var size = BinaryPrimitives.ReadInt32LittleEndian(payload.Span[4..]);
        compressor = (WireCompressor)payload.Span[8];
        if (opCode == WireOpCode.Compressed)
            throw OpMsg.Broken("a compressed message holds a compressed message");
        if (size < 0 || size > MaxMessage - HeaderLength)
            throw OpMsg.Broken($"its length before compression is {size}");
        var packed = payload[CompressedHeaderLength..];
        switch (compressor)
        {
            case WireCompressor.None:
                return packed.Length == size ? packed : throw OpMsg.Broken("its length before compression does not fit");
            case WireCompressor.Zlib:
                return Inflate(packed, size);
            default:
                throw OpMsg.Broken($"its compressor {(int)compressor} was not agreed upon");
        }
    }

    private ReadOnlyMemory<byte> Inflate(ReadOnlyMemory<byte> packed, int size)
    {
        MemoryMarshal.TryGetArray(packed, out var segment);
        using var source = new MemoryStream(segment.Array!, segment.Offset, segment.Count, writable: false);
        using var zlib = new ZLibStream(source, CompressionMode.Decompress);
        try
        {
            if (!_inflated.TryFill(zlib, 0, size))
                throw OpMsg.Broken("it holds less than it says, compressed");
            if (zlib.ReadByte() != -1)
                throw OpMsg.Broken("it holds more than it says, compressed");
        }
        catch (InvalidDataException exception)
        {
            throw new MongoException(MongoError.Protocol, "A message is not of MongoDB's protocol: its zlib data is damaged.", exception);
        }

        return _inflated.Bytes.AsMemory(0, size);
    }
}
