using System.IO.Compression;
using System.Text;
using BotCore.Backup.Engine.Compression;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Compression;

public sealed class GzipReaderTests
{
    private const int FlagHeaderCrc = 2;

    [Fact]
    public void Any_members_read_as_one_stream()
    {
        var property = Prop.ForAll<byte[][]>(parts =>
        {
            byte[] stream = [.. parts.SelectMany(p => Samples.Member(Samples.Managed, p)), .. Samples.Member(Samples.Native, "end"u8)];
            byte[] plain = [.. parts.SelectMany(p => p), .. "end"u8];
            return Samples.ReadAll(Samples.Managed, stream).AsSpan().SequenceEqual(plain);
        });
        property.QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Members_of_every_size_read_in_pieces_of_every_size()
    {
        var (stream, plain, _) = Samples.Members(Samples.Managed, Samples.Sizes);
        foreach (var piece in new[] { 3001, 8192, 1 << 20, plain.Length + 1 })
        {
            using var reader = Samples.Managed.OpenReader(new PiecewiseStream(stream, piece / 3), leaveOpen: false);
            var read = new byte[plain.Length];
            var total = 0;
            while (true)
            {
                var got = reader.Read(read, total, Math.Min(piece, read.Length - total));
                if (got == 0)
                    break;
                total += got;
            }

            Assert.Equal(plain, read);
            Assert.Equal(-1, reader.ReadByte());
        }
    }

    [Fact]
    public void Source_that_gives_one_byte_at_a_time_reads()
    {
        var (stream, plain, _) = Samples.Members(Samples.Managed, 0, 5, 700, 0, 20_000);
        using var reader = Samples.Managed.OpenReader(new PiecewiseStream(stream, 1), leaveOpen: false);
        Assert.Equal(plain, Samples.ReadAll(reader));
    }

    [Fact]
    public void What_GZipStream_wrote_reads()
    {
        var data = Samples.Text(3_000_000);
        using var target = new MemoryStream();
        using (var gzip = new GZipStream(target, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(data);

        Assert.Equal(data, Samples.ReadAll(Samples.Managed, target.ToArray()));
    }

    [Fact]
    public void Headers_with_every_set_of_optional_fields_read()
    {
        var data = Samples.Text(500);
        for (var flags = 0; flags < 32; flags++)
        {
            var member = WithFields(data, flags);
            Assert.Equal([.. data, .. data], Samples.ReadAll(Samples.Managed, [.. member, .. member]));
            for (var cut = 0; cut < member.Length; cut++)
                Damaged(member[..cut]);
        }
    }

    [Fact]
    public void A_wrong_header_crc_is_damage()
    {
        var member = WithFields([1, 2, 3], FlagHeaderCrc);
        member[10] ^= 1;
        Damaged(member);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(511)]
    [InlineData(200_000)]
    public void Zeros_after_the_last_member_are_padding(int count)
    {
        var (stream, plain, _) = Samples.Members(Samples.Managed, 100, 200);
        Assert.Equal(plain, Samples.ReadAll(Samples.Managed, [.. stream, .. new byte[count]]));
    }

    [Fact]
    public void Other_bytes_after_the_last_member_are_damage()
    {
        var (stream, _, _) = Samples.Members(Samples.Managed, 100, 200);
        Damaged([.. stream, 1]);
        Damaged([.. stream, 0x1F]);
        Damaged([.. stream, .. "garbage that is long enough for a header"u8]);
        Damaged([.. stream, 0, 0, 1]);
        Damaged([.. stream, 0, .. stream]);
    }

    [Fact]
    public void An_empty_stream_is_truncated()
    {
        Damaged([]);
        Damaged(new byte[512]);
    }

    [Fact]
    public void Every_cut_is_found()
    {
        var (stream, plain, lengths) = Samples.Members(Samples.Managed, 0, 300, 1, 5_000, 2);
        var boundaries = new HashSet<int>();
        var at = 0;
        foreach (var (compressed, _) in lengths)
            boundaries.Add(at += compressed);

        for (var cut = 0; cut < stream.Length; cut++)
        {
            if (boundaries.Contains(cut))
                Assert.True(plain.AsSpan().StartsWith(Samples.ReadAll(Samples.Managed, stream[..cut])));
            else
                Damaged(stream[..cut]);
        }
    }

    [Fact]
    public void Every_flip_is_found()
    {
        var (stream, plain, lengths) = Samples.Members(Samples.Managed, 0, 300, 1, 200);
        var start = 0;
        foreach (var (compressed, _) in lengths)
        {
            for (var bit = 0; bit < compressed * 8; bit++)
            {
                var flipped = (byte[])stream.Clone();
                flipped[start + (bit / 8)] ^= (byte)(1 << (bit % 8));
                if (IsHarmless(bit))
                    Assert.Equal(plain, Samples.ReadAll(Samples.Managed, flipped));
                else if (IsDeflateData(bit, compressed))
                    DamagedOrWhole(flipped, plain);
                else
                    Damaged(flipped);
            }

            start += compressed;
        }
    }

    [Fact]
    public void Damage_stays_damage()
    {
        var (stream, _, _) = Samples.Members(Samples.Managed, 300);
        stream[^8] ^= 1;
        using var reader = Samples.Managed.OpenReader(new MemoryStream(stream), leaveOpen: false);
        Assert.Throws<InvalidDataException>(() => Samples.ReadAll(reader));
        Assert.Throws<InvalidDataException>(() => reader.ReadByte());
        Assert.Throws<InvalidDataException>(() => reader.ReadByte());
    }

    [Fact]
    public void An_error_of_the_source_stays()
    {
        var (stream, _, _) = Samples.Members(Samples.Managed, 300_000);
        using var reader = Samples.Managed.OpenReader(new OnceBrokenStream(stream), leaveOpen: false);
        var error = Assert.Throws<IOException>(() => Samples.ReadAll(reader));
        Assert.Same(error, Assert.Throws<IOException>(() => reader.ReadByte()));
    }

    [Fact]
    public void The_source_is_left_open_or_not()
    {
        foreach (var leaveOpen in new[] { false, true })
        {
            var source = new MemoryStream(Samples.Member(Samples.Managed, [1]));
            var reader = Samples.Managed.OpenReader(source, leaveOpen);
            reader.Dispose();
            reader.Dispose();
            Assert.Equal(leaveOpen, source.CanRead);
            Assert.Throws<ObjectDisposedException>(() => reader.ReadByte());
        }
    }

    /// <summary>Whether a bit of a member's plain header is one that carries nothing: FTEXT, the time, the extra flags, the operating system.</summary>
    internal static bool IsHarmless(int bit) => bit == 24 || bit is >= 32 and < 80;

    /// <summary>
    /// Whether a bit of a member is one of deflate data. Some of these carry nothing (padding of a byte, the code of a symbol that is not used): a flip there may pass,
    /// with the same data. In header and trailer none may.
    /// </summary>
    internal static bool IsDeflateData(int bit, int memberLength) => bit / 8 >= 10 && bit / 8 < memberLength - 8;

    private static void Damaged(byte[] stream) => Assert.Throws<InvalidDataException>(() => Samples.ReadAll(Samples.Managed, stream));

    private static void DamagedOrWhole(byte[] stream, byte[] plain)
    {
        try
        {
            Assert.Equal(plain, Samples.ReadAll(Samples.Managed, stream));
        }
        catch (InvalidDataException)
        {
            // Found.
        }
    }

    private static byte[] WithFields(byte[] data, int flags)
    {
        var plain = Samples.Member(Samples.Managed, data);
        var header = new List<byte>(plain[..10]) { [3] = (byte)flags };
        if ((flags & 4) != 0)
            header.AddRange([3, 1, .. new byte[259]]);
        if ((flags & 8) != 0)
            header.AddRange(Encoding.Latin1.GetBytes("näme.tar\0"));
        if ((flags & 16) != 0)
            header.AddRange(Encoding.Latin1.GetBytes("a comment\0"));
        if ((flags & FlagHeaderCrc) != 0)
            header.AddRange(BitConverter.GetBytes((ushort)Crc32.Append(0, header.ToArray())));
        return [.. header, .. plain[10..]];
    }

    /// <summary>Throws at the second read, and then goes on as if nothing had been.</summary>
    private sealed class OnceBrokenStream(byte[] data) : MemoryStream(data)
    {
        private int _reads;

        public override int Read(byte[] buffer, int offset, int count) =>
            ++_reads == 2 ? throw new IOException("connection reset") : base.Read(buffer, offset, count);
    }
}
