using System.Buffers.Binary;
using System.IO.Compression;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Protocols.MongoDb.Wire;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Protocols.Tests.MongoDb.Wire;

public class WireTests
{
    private static readonly RawBson Body = new BsonBuilder().Append("insert", "c").Append("$db", "d").ToBson();

    [Theory]
    [InlineData(OpMsgFlags.None, WireCompressor.None)]
    [InlineData(OpMsgFlags.ChecksumPresent | OpMsgFlags.ExhaustAllowed, WireCompressor.None)]
    [InlineData(OpMsgFlags.MoreToCome, WireCompressor.Zlib)]
    [InlineData(OpMsgFlags.ChecksumPresent, WireCompressor.Zlib)]
    public void What_is_written_is_read(OpMsgFlags flags, WireCompressor compressor)
    {
        var message = new WireReader(new MemoryStream(Message(flags, compressor))).Read();
        Assert.Equal((7, 3, compressor), (message.RequestId, message.ResponseTo, message.Compressor));
        Assert.Equal(Body.Span.ToArray(), message.Body.Span.ToArray());
        Assert.Equal(compressor == WireCompressor.None ? flags : flags & ~OpMsgFlags.ChecksumPresent, message.Flags);
        var sequence = Assert.Single(message.Sequences);
        Assert.Equal(("documents", 3), (sequence.Name, sequence.Count));
        Assert.Equal([0L, 1L, 2L], sequence.Documents.Select(document => document.FindInt64("n"u8)!.Value));
    }

    [Fact]
    public void The_checksum_is_castagnolis() => Assert.Equal(0xE3069283u, WireReader.Crc32C("123456789"u8));

    [Fact]
    public void A_wrong_checksum_is_refused()
    {
        var bytes = Message(OpMsgFlags.ChecksumPresent, WireCompressor.None);
        bytes[30] ^= 1;
        Assert.Contains("checksum", Refused(bytes).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_old_handshake_is_read_and_answered()
    {
        var stream = new MemoryStream();
        var writer = new WireWriter(stream);
        writer.WriteQuery(1, "admin.$cmd", Body.Span);
        writer.WriteReply(2, 1, Body.Span);
        stream.Position = 0;
        var reader = new WireReader(stream);
        var query = reader.Read();
        Assert.Equal((WireOpCode.Query, "admin.$cmd"), (query.OpCode, query.QueryCollection));
        Assert.Equal(Body.Span.ToArray(), query.Body.Span.ToArray());
        var reply = reader.Read();
        Assert.Equal((WireOpCode.Reply, 1), (reply.OpCode, reply.ResponseTo));
        Assert.Equal(Body.Span.ToArray(), reply.Body.Span.ToArray());
        Assert.False(reader.TryRead(out _));
    }

    [Theory]
    [InlineData(15)]
    [InlineData(-1)]
    [InlineData(int.MaxValue)]
    [InlineData(48_000_001)]
    public void A_length_that_lies_is_refused_before_memory_is_taken(int length)
    {
        var bytes = Message(OpMsgFlags.None, WireCompressor.None);
        BinaryPrimitives.WriteInt32LittleEndian(bytes, length);
        var reader = new WireReader(new MemoryStream(bytes));
        Assert.Equal(MongoError.Protocol, Assert.Throws<MongoException>(() => reader.Read()).Error);
        Assert.True(reader.Held <= 64 << 10);
    }

    [Fact]
    public void A_large_length_without_bytes_takes_little_memory()
    {
        var bytes = Message(OpMsgFlags.None, WireCompressor.None);
        BinaryPrimitives.WriteInt32LittleEndian(bytes, 48_000_000);
        var reader = new WireReader(new MemoryStream(bytes));
        Assert.Equal(MongoError.ConnectionLost, Assert.Throws<MongoException>(() => reader.Read()).Error);
        Assert.True(reader.Held <= 2 << 20);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(+1)]
    public void A_zlib_bomb_and_a_zlib_lie_are_refused(int lie)
    {
        var bytes = Message(OpMsgFlags.None, WireCompressor.Zlib);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(20), BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(20)) + lie);
        Assert.Contains("than it says", Refused(bytes).Message, StringComparison.Ordinal);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(20), 48_000_000);
        Assert.Contains("before compression", Refused(bytes).Message, StringComparison.Ordinal);
        bytes[24] = 1;
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(20), 100);
        Assert.Contains("compressor", Refused(bytes).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Memory_of_a_large_message_is_given_back()
    {
        var documents = new DocumentSequence();
        var large = new BsonBuilder().AppendBinary("b", new byte[15 << 20]).ToBson();
        Assert.True(documents.TryAdd(large.Span, 48_000_000, 10));
        Assert.True(documents.TryAdd(large.Span, 48_000_000, 10));
        Assert.False(documents.TryAdd(large.Span, 32 << 20, 10));
        Assert.False(documents.TryAdd(large.Span, 48_000_000, 2));
        Assert.Equal(large.Span.ToArray(), documents[1].ToArray());
        var stream = new MemoryStream();
        new WireWriter(stream).Write(1, 0, OpMsgFlags.None, Body.Span, "documents", documents.All);
        stream.Position = 0;
        var reader = new WireReader(stream);
        Assert.Equal(2, reader.Read().Sequences[0].Count);
        Assert.True(reader.Held > 20 << 20);
        reader.Trim();
        Assert.True(reader.Held <= 20 << 20);
    }

    [Fact]
    public void Random_bytes_never_crash_the_reader() => Prop.ForAll<byte[], NonNegativeInt>((bytes, seed) =>
    {
        var message = new byte[16 + bytes.Length];
        bytes.CopyTo(message, 16);
        BinaryPrimitives.WriteInt32LittleEndian(message, message.Length);
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(12), new[] { 1, 2004, 2012, 2013, 99 }[seed.Get % 5]);
        ReadAll(message);
        ReadAll(bytes);
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    [Theory]
    [InlineData(OpMsgFlags.None, WireCompressor.None)]
    [InlineData(OpMsgFlags.ChecksumPresent, WireCompressor.None)]
    [InlineData(OpMsgFlags.None, WireCompressor.Zlib)]
    public void Changed_messages_never_crash_the_reader(OpMsgFlags flags, WireCompressor compressor)
    {
        var whole = Message(flags, compressor);
        for (var position = 0; position < whole.Length; position++)
        {
            foreach (var value in new byte[] { 0, 1, 2, 5, 0x7F, 0x80, 0xFF })
            {
                var changed = (byte[])whole.Clone();
                changed[position] = value;
                ReadAll(changed);
            }

            ReadAll(whole[..position]);
        }
    }

    private static MongoException Refused(byte[] bytes)
    {
        var exception = Assert.Throws<MongoException>(() => new WireReader(new MemoryStream(bytes)).Read());
        Assert.Equal(MongoError.Protocol, exception.Error);
        return exception;
    }

    private static void ReadAll(byte[] bytes)
    {
        var reader = new WireReader(new MemoryStream(bytes));
        try
        {
            while (reader.TryRead(out var message))
            {
                foreach (var sequence in message.Sequences)
                    Assert.Equal(sequence.Count, sequence.Documents.Count());
                message.Body.Has("x"u8);
            }
        }
        catch (Exception exception) when (exception is MongoException or BsonException)
        {
        }

        Assert.True(reader.Held <= 4 << 20);
    }

    private static byte[] Message(OpMsgFlags flags, WireCompressor compressor)
    {
        var documents = new DocumentSequence();
        for (var index = 0; index < 3; index++)
            Assert.True(documents.TryAdd(new BsonBuilder().Append("n", index).ToBson().Span, 1000, 3));
        var stream = new MemoryStream();
        new WireWriter(stream, CompressionLevel.Optimal).Write(7, 3, flags, Body.Span, "documents", documents.All, compressor);
        return stream.ToArray();
    }
}
