using BotCore.Backup.Protocols.OpenPgp;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Protocols.Tests.OpenPgp;

public class RoundTripTests
{
    /// <summary>Around every edge of the layout: literal chunks (6 bytes of head), encrypted chunks, read-ahead and one block.</summary>
    public static TheoryData<int> Lengths => [.. EdgeLengths()];

    public static IEnumerable<int> EdgeLengths()
    {
        int[] edges = [0, 16, 512, 65536, 2 * 65536, 1 << 17, 1 << 20, (1 << 20) + 65536];
        var fixedEdges = edges.SelectMany(edge => new[] { edge - 7, edge - 6, edge - 5, edge - 1, edge, edge + 1 });
        return fixedEdges.Append(3_333_333).Concat(OuterEdges()).Where(length => length >= 0).Distinct().Order();
    }

    /// <summary>Lengths whose encrypted body ends just at, before and after one and two whole chunks.</summary>
    private static IEnumerable<int> OuterEdges()
    {
        foreach (var chunks in new[] { 1, 2 })
        {
            var length = chunks << 20;
            while (new MessageLayout(length).EncryptedLength > chunks << 20) length--;
            for (var delta = -1; delta <= 1; delta++) yield return length + delta;
        }
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void What_is_written_is_read_and_stands_where_the_layout_says(int length)
    {
        var data = Messages.Data(length);
        var message = Messages.Write(data);
        Assert.Equal(data, Messages.Read(message));
        Assert.Equal(new MessageLayout(length).FileLength, message.Length);
        Assert.True(MessageLayout.TryFromFileLength(message.Length, out var layout));
        Assert.Equal(length, layout.DataLength);
    }

    [Fact]
    public void Any_chunking_gives_the_same_data()
    {
        using var key = MessageKey.Create(Messages.Passphrase, Messages.LowCount);
        var cases = from lengths in Gen.Choose(0, 200_000).Or(Gen.Choose(0, 40)).ListOf()
                    from buffer in Gen.Choose(1, 300_000)
                    select (Lengths: lengths.Take(20).ToArray(), Buffer: buffer);
        Prop.ForAll(cases.ToArbitrary(), sample =>
        {
            var data = Messages.Data(sample.Lengths.Sum());
            var output = new MemoryStream();
            using (var writer = new SymmetricMessageWriter(output, key))
            {
                var at = 0;
                foreach (var length in sample.Lengths)
                {
                    writer.Write(data.AsSpan(at, length));
                    at += length;
                }

                writer.Complete();
            }

            using var reader = SymmetricMessageReader.Open(new Trickle(new MemoryStream(output.ToArray())), (_, _) => key);
            var back = new MemoryStream();
            reader.CopyTo(back, sample.Buffer);
            return back.ToArray().AsSpan().SequenceEqual(data);
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData(CipherAlgorithm.Aes128)]
    [InlineData(CipherAlgorithm.Aes192)]
    [InlineData(CipherAlgorithm.Aes256)]
    public void Every_key_length_works_and_is_told(CipherAlgorithm cipher)
    {
        using var ring = new PassphraseKeyring(Messages.Passphrase);
        var key = ring.Get(S2K.Create(Messages.LowCount), cipher);
        var message = Messages.Write(Messages.Data(1000), key);
        using var reader = SymmetricMessageReader.Open(new MemoryStream(message), ring.Get);
        Assert.Equal(cipher, reader.Cipher);
        Assert.Same(key, reader.Key);
        Assert.Equal("", reader.FileName);
        Assert.Equal(DateTimeOffset.UnixEpoch, reader.Date);
        Assert.Equal(CompressionAlgorithm.Uncompressed, reader.Compression);
    }

    [Fact]
    public void Two_messages_of_one_key_have_nothing_in_common_but_their_head()
    {
        using var key = MessageKey.Create(Messages.Passphrase, Messages.LowCount);
        var (one, two) = (Messages.Write(new byte[64], key), Messages.Write(new byte[64], key));
        Assert.Equal(one[..22], two[..22]);
        Assert.NotEqual(one[22..38], two[22..38]);
        Assert.NotEqual(one[48..64], two[48..64]);
    }

    [Fact]
    public void A_message_that_was_not_completed_is_refused()
    {
        using var key = MessageKey.Create(Messages.Passphrase, Messages.LowCount);
        foreach (var length in new[] { 0, 100, 65530, 70_000, 3_000_000 })
        {
            var output = new MemoryStream();
            var writer = new SymmetricMessageWriter(output, key);
            writer.Write(Messages.Data(length));
            writer.Dispose();
            writer.Dispose();
            Assert.Throws<ObjectDisposedException>(() => writer.WriteByte(0));
            Assert.Equal(OpenPgpError.Truncated, Assert.Throws<OpenPgpException>(() => Messages.Read(output.ToArray(), (_, _) => key)).Error);
        }
    }

    [Fact]
    public void After_a_failed_write_nothing_can_be_completed()
    {
        using var key = MessageKey.Create(Messages.Passphrase, Messages.LowCount);
        var output = new FullDisk(room: 100);
        using var writer = new SymmetricMessageWriter(output, key);
        Assert.Throws<IOException>(() => writer.Write(Messages.Data(3_000_000)));
        Assert.Throws<InvalidOperationException>(writer.Complete);
        Assert.Throws<InvalidOperationException>(() => writer.Write(new byte[1]));
    }

    [Fact]
    public void Complete_is_once_and_last()
    {
        using var key = MessageKey.Create(Messages.Passphrase, Messages.LowCount);
        using var writer = new SymmetricMessageWriter(new MemoryStream(), key);
        writer.Complete();
        Assert.Throws<InvalidOperationException>(writer.Complete);
        Assert.Throws<InvalidOperationException>(() => writer.Write(new byte[1]));
    }

    [Fact]
    public void The_streams_beneath_are_closed_unless_told_otherwise()
    {
        using var key = MessageKey.Create(Messages.Passphrase, Messages.LowCount);
        var message = Messages.Write([1], key);
        foreach (var leaveOpen in new[] { true, false })
        {
            var (output, source) = (new MemoryStream(), new MemoryStream(message));
            new SymmetricMessageWriter(output, key, leaveOpen).Dispose();
            SymmetricMessageReader.Open(source, (_, _) => key, leaveOpen: leaveOpen).Dispose();
            Assert.Equal((leaveOpen, leaveOpen), (output.CanWrite, source.CanRead));
        }
    }

    [Fact]
    public void Errors_of_the_source_come_through_and_stay()
    {
        using var key = MessageKey.Create(Messages.Passphrase, Messages.LowCount);
        var message = Messages.Write(Messages.Data(3_000_000), key);
        using var reader = SymmetricMessageReader.Open(new BadDisk(new MemoryStream(message), readable: 2_000_000), (_, _) => key);
        Assert.Equal("bad sector", Assert.Throws<IOException>(() => reader.CopyTo(Stream.Null)).Message);
        Assert.Equal("bad sector", Assert.Throws<IOException>(() => reader.ReadByte()).Message);
    }

    /// <summary>Gives few bytes at a time, as a network does.</summary>
    internal sealed class Trickle(Stream source) : ReadOnlyStream
    {
        private int _turn;

        public override int Read(Span<byte> buffer) => source.Read(buffer[..Math.Min(buffer.Length, 1 + (_turn++ * 7919 % 9000))]);
    }

    private sealed class BadDisk(Stream source, int readable) : ReadOnlyStream
    {
        private int _read;

        public override int Read(Span<byte> buffer)
        {
            if (_read > readable) throw new IOException("bad sector");
            var read = source.Read(buffer);
            _read += read;
            return read;
        }
    }

    private sealed class FullDisk(int room) : MemoryStream
    {
        public override void Write(byte[] buffer, int offset, int count)
        {
            if (Length + count > room) throw new IOException("full");
            base.Write(buffer, offset, count);
        }
    }
}
