using System.Buffers.Binary;
using System.IO.Pipes;
using System.Text;
using BotCore.Backup.Protocols.Sftp;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Protocols.Tests.Sftp;

public sealed class PacketTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    [Fact]
    public void What_was_written_is_read() => Prop.ForAll<uint, byte[], NonNull<string>>((number, bytes, text) =>
    {
        var big = ((ulong)number << 32) | ~number;
        // A lone surrogate has no UTF-8.
        var sent = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text.Get));
        var packet = new PacketWriter(SftpPacketType.Open).UInt32(number).UInt64(big).Bytes(bytes ?? []).Text(sent).Attributes(new SftpAttributes { Size = (long)(big >> 1), Mode = number, ModifiedAt = number }).Finish();
        Assert.Equal(packet.Count - 4, BinaryPrimitives.ReadInt32BigEndian(packet));
        var reader = new PacketReader(packet.AsSpan(9));
        Assert.Equal(number, reader.UInt32());
        Assert.Equal(big, reader.UInt64());
        Assert.Equal(bytes ?? [], reader.Bytes());
        Assert.Equal(sent, reader.Text());
        Assert.Equal(new SftpAttributes { Size = (long)(big >> 1), Mode = number, ModifiedAt = number }, SftpAttributes.Read(ref reader));
        Assert.True(reader.IsAtEnd);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Attributes_of_any_bytes_are_attributes_or_an_SftpException() => Prop.ForAll<byte[]>(bytes =>
    {
        try
        {
            var reader = new PacketReader(bytes ?? []);
            SftpAttributes.Read(ref reader);
        }
        catch (SftpException broken)
        {
            Assert.Equal(SftpError.Protocol, broken.Error);
        }
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_field_past_its_packet_is_refused_before_room_is_made_for_it()
    {
        Assert.Throws<SftpException>(() => new PacketReader([0xFF, 0xFF, 0xFF, 0xFF, 1]).Bytes());
        Assert.Throws<SftpException>(() => new PacketReader([0x7F, 0xFF, 0xFF, 0xFF, 1]).Bytes());
        Assert.Throws<SftpException>(() => new PacketReader([0, 0, 0]).UInt32());
        Assert.Throws<SftpException>(() => new PacketReader([]).Byte());
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(4u)]
    [InlineData(SftpConnection.LongestPacket + 1u)]
    [InlineData(uint.MaxValue)]
    public void A_packet_of_an_impossible_length_is_refused(uint length)
    {
        var head = new byte[16];
        BinaryPrimitives.WriteUInt32BigEndian(head, length);
        var input = new PacketInput(new MemoryStream(head), () => { });

        Assert.Equal(SftpError.Protocol, Assert.Throws<SftpException>(() => input.ReadHead(SftpConnection.LongestPacket, out _, out _)).Error);
    }

    [Fact]
    public void Text_before_the_protocol_is_named()
    {
        var input = new PacketInput(new MemoryStream("Welcome to vault\n"u8.ToArray()), () => { });

        Assert.Contains("begins with text", Assert.Throws<SftpException>(() => input.ReadHead(SftpConnection.LongestPacket, out _, out _)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Packets_are_cut_right_however_the_bytes_come() => Prop.ForAll(
        Gen.Choose(0, int.MaxValue).ToArbitrary(),
        seed =>
        {
            var random = new Random(seed);
            var bodies = Enumerable.Range(0, random.Next(1, 8)).Select(_ => Bytes(random, random.Next(4, random.Next(2) == 0 ? 20 : 200_000))).ToArray();
            using var whole = new MemoryStream();
            foreach (var body in bodies)
            {
                whole.Write([.. BitConverter.GetBytes(BinaryPrimitives.ReverseEndianness(body.Length + 1)), 103]);
                whole.Write(body);
            }

            var input = new PacketInput(new DribblingStream(whole.ToArray(), random), () => { });
            foreach (var body in bodies)
            {
                Assert.True(input.ReadHead(SftpConnection.LongestPacket, out var type, out var length));
                Assert.Equal(SftpPacketType.Data, type);
                var got = new byte[length];
                input.ReadBody(got);
                Assert.Equal(body, got);
            }

            Assert.False(input.ReadHead(SftpConnection.LongestPacket, out _, out _));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_server_that_says_anything_at_all_ends_in_an_SftpException() => Prop.ForAll(
        Gen.Choose(0, int.MaxValue).ToArbitrary(),
        seed =>
        {
            var random = new Random(seed);
            using var said = new MemoryStream();
            // Often enough it begins as a server would, so that what follows is read too.
            if (random.Next(3) > 0)
                said.Write([0, 0, 0, 5, 2, 0, 0, 0, 3]);
            for (var packets = random.Next(6); packets > 0; packets--)
            {
                var body = Bytes(random, random.Next(0, 60));
                if (body.Length >= 4 && random.Next(2) == 0)
                    BinaryPrimitives.WriteUInt32BigEndian(body, (uint)random.Next(3));
                said.Write([0, 0, 0, (byte)(body.Length + 1), (byte)(random.Next(4) == 0 ? random.Next(256) : random.Next(100, 106))]);
                said.Write(body);
            }

            said.Write(Bytes(random, random.Next(0, 9)));
            try
            {
                using var client = SftpClient.Open(new DribblingStream(said.ToArray(), random), Stream.Null, Patience, null, CancellationToken.None);
                using var stream = SftpReadStream.Open(client, "a", 0, CancellationToken.None);
                stream.CopyTo(Stream.Null);
                _ = client.List(["a", "b"], CancellationToken.None).ToList();
            }
            catch (SftpException)
            {
                // The one way out.
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_server_that_says_nothing_is_given_up()
    {
        using var pipe = new AnonymousPipeServerStream(PipeDirection.Out);
        using var silent = new AnonymousPipeClientStream(PipeDirection.In, pipe.ClientSafePipeHandle);
        Assert.Equal(SftpError.Unreachable, Assert.Throws<SftpException>(() => SftpClient.Open(silent, Stream.Null, TimeSpan.FromMilliseconds(200), pipe, CancellationToken.None)).Error);
    }

    private static byte[] Bytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    // Gives what it has in parts of any size.
    private sealed class DribblingStream(byte[] content, Random random) : Stream
    {
        private int _position;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            count = Math.Min(Math.Min(count, content.Length - _position), random.Next(2) == 0 ? random.Next(1, 7) : 100_000);
            content.AsSpan(_position, count).CopyTo(buffer.AsSpan(offset));
            _position += count;
            return count;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
