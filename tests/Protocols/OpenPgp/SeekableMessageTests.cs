using BotCore.Backup.Protocols.OpenPgp;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Protocols.Tests.OpenPgp;

public class SeekableMessageTests
{
    [Theory]
    [MemberData(nameof(RoundTripTests.Lengths), MemberType = typeof(RoundTripTests))]
    public void Any_offset_gives_the_rest_and_stops_at_its_end(int length)
    {
        using var ring = new PassphraseKeyring(Messages.Passphrase);
        var data = Messages.Data(length);
        var message = Open(Messages.Write(data, ring.Create(Messages.LowCount)), ring, out _);
        Assert.Equal(length, message.Length);
        var chunk = 1 << 16;
        int[] offsets = [0, 1, 10, 15, 16, 17, chunk - 6, chunk - 5, chunk - 7, length / 2, length - 17, length - 1, length];
        foreach (var offset in offsets.Where(offset => offset >= 0 && offset <= length).Distinct())
            Assert.True(ReadAll(message.OpenRead(offset)).AsSpan().SequenceEqual(data.AsSpan(offset)), $"from {offset} of {length}");
    }

    [Fact]
    public void Any_range_gives_its_bytes_and_asks_for_few_more()
    {
        using var ring = new PassphraseKeyring(Messages.Passphrase);
        var data = Messages.Data(4_500_000);
        var message = Open(Messages.Write(data, ring.Create(Messages.LowCount)), ring, out var asked);
        var ranges = from offset in Gen.Choose(0, data.Length).Or(Gen.Choose(60, 72).Select(i => (i << 16) - 6 + (i % 5) - 2))
                     from count in Gen.Choose(0, 300_000).Or(Gen.Choose(0, 40))
                     select (Offset: Math.Clamp(offset, 0, data.Length), Count: count);
        Prop.ForAll(ranges.ToArbitrary(), range =>
        {
            asked.Clear();
            var bytes = ReadAll(message.OpenRead(range.Offset, range.Count));
            var expected = data.AsSpan(range.Offset, Math.Min(range.Count, data.Length - range.Offset));
            return bytes.AsSpan().SequenceEqual(expected) && asked.Sum() <= expected.Length + 32 + 10 + (expected.Length / 60_000);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(400));
    }

    [Fact]
    public void A_data_byte_stands_where_the_layout_says()
    {
        using var ring = new PassphraseKeyring(Messages.Passphrase);
        var data = Messages.Data(1_300_000);
        var bytes = Messages.Write(data, ring.Create(Messages.LowCount));
        var layout = new MessageLayout(data.Length);
        foreach (var offset in new[] { 0, 9, 65529, 65530, 70_000, 1_048_000, 1_048_576, 1_299_999 })
        {
            var flipped = (byte[])bytes.Clone();
            flipped[layout.FileOffset(offset)] ^= 0x40;
            // CFB: the flipped byte changes in place, and besides the block after it.
            var back = ReadAll(Open(flipped, ring, out _).OpenRead(0));
            Assert.Equal(data[offset] ^ 0x40, back[offset]);
            Assert.Equal(data.AsSpan(0, offset), back.AsSpan(0, offset));
            if (offset + 64 < data.Length) Assert.Equal(data.AsSpan(offset + 64), back.AsSpan(offset + 64));
        }
    }

    [Fact]
    public void Layout_inverts_for_every_length()
    {
        Prop.ForAll(Gen.Choose(0, int.MaxValue).Select(i => (long)i * 37).ToArbitrary(), length =>
            MessageLayout.TryFromFileLength(new MessageLayout(length).FileLength, out var layout) && layout.DataLength == length)
            .Check(Config.QuickThrowOnFailure.WithMaxTest(2000));
        var found = 0;
        for (var fileLength = 0L; fileLength < 3_000_000; fileLength++)
        {
            if (!MessageLayout.TryFromFileLength(fileLength, out var layout)) continue;
            if (layout.FileLength != fileLength || layout.DataLength != found++) Assert.Fail($"wrong at {fileLength}");
        }
    }

    [Fact]
    public void Damaged_headers_on_the_way_are_detected()
    {
        using var ring = new PassphraseKeyring(Messages.Passphrase);
        var bytes = Messages.Write(Messages.Data(2_300_000), ring.Create(Messages.LowCount));
        var layout = new MessageLayout(2_300_000);
        var outer = 16 + (1 << 20) + 1;
        var inner = (int)layout.FileOffset((3 << 16) - 6) - 1;
        var lastOuter = 16 + (2 * ((1 << 20) + 1));
        var lastInner = (int)layout.FileOffset((35 << 16) - 6) - 1;
        foreach (var at in new[] { outer, inner, lastOuter, lastOuter + 4, lastInner, lastInner - 4 })
        {
            var damaged = (byte[])bytes.Clone();
            damaged[at] ^= 1;
            Assert.Equal(OpenPgpError.Corrupt, Assert.Throws<OpenPgpException>(() => ReadAll(Open(damaged, ring, out _).OpenRead(1000))).Error);
        }
    }

    [Fact]
    public void Others_messages_damaged_heads_and_wrong_passphrases_are_refused()
    {
        using var ring = new PassphraseKeyring(Messages.Passphrase);
        var bytes = Messages.Write(Messages.Data(100), ring.Create(Messages.LowCount));
        Assert.True(SeekableMessage.IsOurLayout(bytes));
        for (var at = 0; at < 22; at++)
        {
            var damaged = (byte[])bytes.Clone();
            damaged[at] ^= 0x08;
            Assert.Throws<OpenPgpException>(() => Open(damaged, ring, out _));
        }

        Assert.Equal(OpenPgpError.Unsupported, Refused(Messages.Message(Messages.Literal(Messages.Data(1000)))));
        Assert.Equal(OpenPgpError.Unsupported, Refused([.. bytes, 0]));
        Assert.Equal(OpenPgpError.Unsupported, Refused(bytes[..^1]));
        Assert.Equal(OpenPgpError.Unsupported, Refused(Messages.Data(10)));
        Assert.Equal(OpenPgpError.Unsupported, Refused(Messages.Data(1000)));
        using var wrong = new PassphraseKeyring("another"u8);
        Assert.Equal(OpenPgpError.WrongPassphrase, Assert.Throws<OpenPgpException>(() => Open(bytes, wrong, out _)).Error);

        OpenPgpError Refused(byte[] message) => Assert.Throws<OpenPgpException>(() => Open(message, ring, out _)).Error;
    }

    [Fact]
    public void A_range_cut_short_is_detected()
    {
        using var ring = new PassphraseKeyring(Messages.Passphrase);
        var bytes = Messages.Write(Messages.Data(200_000), ring.Create(Messages.LowCount));
        var message = SeekableMessage.Open((offset, length) => new MemoryStream(bytes, (int)offset, (int)(offset == 0 ? length : length / 2)), bytes.Length, ring.Get);
        Assert.Equal(OpenPgpError.Truncated, Assert.Throws<OpenPgpException>(() => ReadAll(message.OpenRead(500))).Error);
    }

    [Fact]
    public void Ranges_are_closed_with_the_stream()
    {
        using var ring = new PassphraseKeyring(Messages.Passphrase);
        var bytes = Messages.Write(Messages.Data(200_000), ring.Create(Messages.LowCount));
        var opened = new List<MemoryStream>();
        var message = SeekableMessage.Open(
            (offset, length) =>
            {
                opened.Add(new MemoryStream(bytes, (int)offset, (int)length));
                return opened[^1];
            },
            bytes.Length,
            ring.Get);
        message.OpenRead(70_000).Dispose();
        Assert.Equal(2, opened.Count);
        Assert.All(opened, range => Assert.False(range.CanRead));
    }

    private static SeekableMessage Open(byte[] bytes, PassphraseKeyring ring, out List<long> asked) => Open(bytes, ring.Get, out asked);

    private static SeekableMessage Open(byte[] bytes, Func<S2K, CipherAlgorithm, MessageKey> keys, out List<long> asked)
    {
        var list = asked = [];
        return SeekableMessage.Open(
            (offset, length) =>
            {
                list.Add(length);
                return new RoundTripTests.Trickle(new MemoryStream(bytes, (int)offset, (int)Math.Min(length, bytes.Length - offset)));
            },
            bytes.Length,
            keys);
    }

    private static byte[] ReadAll(Stream stream)
    {
        using var open = stream;
        var output = new MemoryStream();
        open.CopyTo(output);
        return output.ToArray();
    }
}
