using System.IO.Compression;
using BotCore.Backup.Protocols.OpenPgp;
using Xunit;

namespace BotCore.Backup.Protocols.Tests.OpenPgp;

public class PacketFormTests
{
    private static readonly byte[] Data = Messages.Data(3000);

    public static byte[] Deflate(byte[] data) => Compress(data, output => new DeflateStream(output, CompressionLevel.Fastest, leaveOpen: true));

    public static byte[] Zlib(byte[] data) => Compress(data, output => new ZLibStream(output, CompressionLevel.Fastest, leaveOpen: true));

    public static byte[] WithEncryptedSessionKey(byte[] data)
    {
        var session = Messages.Data(16, seed: 3);
        byte[] encrypted = Messages.Cfb([(byte)CipherAlgorithm.Aes128, .. session], Messages.HandKey());
        return [.. Messages.Packet(3, [.. Messages.SessionKeyBody(Messages.HandS2K), .. encrypted]), .. Messages.Packet(18, Messages.EncryptedBody(Messages.Literal(data), session))];
    }

    [Fact]
    public void Every_form_of_length_is_read()
    {
        byte[][] literals =
        [
            Messages.Literal(Data), Messages.OldPacket(11, Messages.LiteralBody(Data)), Messages.Indeterminate(11, Messages.LiteralBody(Data)),
            Messages.Partial(11, 0, Messages.LiteralBody(Data)), Messages.Partial(11, 9, Messages.LiteralBody(Data)),
        ];
        foreach (var literal in literals)
        {
            var body = Messages.EncryptedBody(literal);
            foreach (var packet in new[] { Messages.Packet(18, body), Messages.Partial(18, 0, body), Messages.Partial(18, 9, body) })
            {
                Assert.Equal(Data, Messages.Read([.. Messages.SessionKey(), .. packet]));
                Assert.Equal(Data, Messages.Read([.. Messages.OldPacket(3, Messages.SessionKeyBody(Messages.HandS2K)), .. Messages.Packet(10, "PGP"u8.ToArray()), .. packet]));
            }
        }
    }

    [Fact]
    public void Compressed_forms_are_read()
    {
        var literal = Messages.Literal(Data);
        byte[][] bodies = [[0, .. literal], [1, .. Deflate(literal)], [2, .. Zlib(literal)]];
        foreach (var body in bodies)
        {
            Assert.Equal(Data, Messages.Read(Messages.Message(Messages.Packet(8, body))));
            Assert.Equal(Data, Messages.Read(Messages.Message(Messages.Indeterminate(8, body))));
            Assert.Equal(Data, Messages.Read(Messages.Message(Messages.Partial(8, 9, body))));
        }
    }

    [Fact]
    public void Name_and_date_are_told()
    {
        using var ring = new PassphraseKeyring(Messages.Passphrase);
        using var reader = SymmetricMessageReader.Open(new MemoryStream(Messages.Message(Messages.Literal(Data))), ring.Get);
        Assert.Equal("name", reader.FileName);
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(0x69000000), reader.Date);
    }

    [Fact]
    public void A_session_key_packet_with_a_key_is_read_and_the_right_one_of_several_found()
    {
        var message = WithEncryptedSessionKey(Data);
        Assert.Equal(Data, Messages.Read(message));
        var other = Messages.Packet(3, [.. Messages.SessionKeyBody(Messages.HandS2K with { Salt = 1 }), .. Messages.Data(17, seed: 5)]);
        var unknownCipher = Messages.Packet(3, [.. Messages.SessionKeyBody(Messages.HandS2K with { Salt = 2 }, (CipherAlgorithm)3), .. Messages.Data(17)]);
        var publicKey = Messages.Packet(1, Messages.Data(100));
        Assert.Equal(Data, Messages.Read([.. publicKey, .. other, .. unknownCipher, .. message]));
    }

    [Fact]
    public void What_is_refused_is_refused_by_name()
    {
        var body = Messages.EncryptedBody(Messages.Literal(Data));
        byte[] Head(params byte[] packet) => [.. Messages.SessionKey(), .. packet];
        Assert.Equal(OpenPgpError.NoIntegrity, Messages.ErrorOf(Head(Messages.Packet(9, body))));
        Assert.Equal(OpenPgpError.Aead, Messages.ErrorOf(Head(Messages.Packet(20, body))));
        Assert.Equal(OpenPgpError.Aead, Messages.ErrorOf([.. Messages.Packet(3, 5, 9, 2, 3, 8), .. Messages.Packet(20, body)]));
        Assert.Equal(OpenPgpError.SeipdVersion2, Messages.ErrorOf(Head(Messages.Packet(18, [2, .. body]))));
        Assert.Equal(OpenPgpError.Unsupported, Messages.ErrorOf(Head(Messages.Packet(18, [3, .. body]))));
        Assert.Equal(OpenPgpError.PublicKey, Messages.ErrorOf([.. Messages.Packet(1, Messages.Data(300)), .. Messages.Packet(18, body)]));
        Assert.Equal(OpenPgpError.Unsupported, Messages.ErrorOf([.. Messages.Packet(3, Messages.SessionKeyBody(Messages.HandS2K, (CipherAlgorithm)3)), .. Messages.Packet(18, body)]));
        Assert.Equal(OpenPgpError.Unsupported, Messages.ErrorOf([.. Messages.Packet(3, 4, 9, 101, 2), .. Messages.Packet(18, body)]));
        Assert.Equal(OpenPgpError.Unsupported, Messages.ErrorOf([.. Messages.Packet(3, 4, 9, 0, 1), .. Messages.Packet(18, body)]));
        Assert.Equal(OpenPgpError.Unsupported, Messages.ErrorOf(Messages.Packet(18, body)));
        Assert.Equal(OpenPgpError.NotEncrypted, Messages.ErrorOf(Messages.Literal(Data)));
        Assert.Equal(OpenPgpError.NotOpenPgp, Messages.ErrorOf("-----BEGIN PGP MESSAGE-----"u8.ToArray()));
        Assert.Equal(OpenPgpError.NotOpenPgp, Messages.ErrorOf([0x1F, 0x8B, 8, 0]));
        Assert.Equal(OpenPgpError.NotOpenPgp, Messages.ErrorOf([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0]));
        Assert.Equal(OpenPgpError.Truncated, Messages.ErrorOf([]));
    }

    [Fact]
    public void What_is_wrong_inside_is_refused_though_the_code_is_right()
    {
        var literal = Messages.Literal(Data);
        Assert.Equal(OpenPgpError.Bzip2Missing, Messages.ErrorOf(Messages.Message(Messages.Packet(8, [3, .. "BZh9"u8]))));
        Assert.Equal(OpenPgpError.Corrupt, Messages.ErrorOf(Messages.Message(Messages.Packet(8, [4, .. literal]))));
        Assert.Equal(OpenPgpError.Unsupported, Messages.ErrorOf(Messages.Message([.. Messages.Packet(4, new byte[13]), .. literal])));
        Assert.Equal(OpenPgpError.Unsupported, Messages.ErrorOf(Messages.Message(Messages.Packet(8, [0, .. Messages.Packet(8, [0, .. literal])]))));
        Assert.Equal(OpenPgpError.Corrupt, Messages.ErrorOf(Messages.Message([.. literal, .. literal])));
        Assert.Equal(OpenPgpError.Corrupt, Messages.ErrorOf(Messages.Message(Messages.Packet(8, [0, .. literal, .. literal]))));
        Assert.Equal(OpenPgpError.Corrupt, Messages.ErrorOf(Messages.Message(literal[..^1])));
        Assert.Equal(OpenPgpError.Corrupt, Messages.ErrorOf(Messages.Message([])));
        Assert.Equal(OpenPgpError.Corrupt, Messages.ErrorOf(Messages.Message(Messages.Packet(11, (byte)'x', 0, 0, 0, 0, 0))));
        Assert.Equal(OpenPgpError.Corrupt, Messages.ErrorOf([.. Messages.SessionKey(), .. Messages.Packet(18, Messages.EncryptedBody(literal, mdc: false))]));
        Assert.Equal(OpenPgpError.Corrupt, Messages.ErrorOf([.. Messages.SessionKey(), .. Messages.Packet(18, Messages.EncryptedBody([], mdc: false))]));
        Assert.Equal(OpenPgpError.Corrupt, Messages.ErrorOf([.. Messages.SessionKey(), .. Messages.Packet(18, 1, 2, 3)]));
        Assert.Equal(OpenPgpError.Corrupt, Messages.ErrorOf([.. Messages.SessionKey(), .. Messages.Packet(18)]));
    }

    [Fact]
    public void A_deflate_stream_cut_short_inside_is_refused()
    {
        var compressed = Deflate(Messages.Indeterminate(11, Messages.LiteralBody(Data)));
        Assert.Equal(Data, Messages.Read(Messages.Message(Messages.Packet(8, [1, .. compressed]))));
        Assert.Equal(OpenPgpError.Corrupt, Messages.ErrorOf(Messages.Message(Messages.Packet(8, [1, .. compressed[..^200]]))));
    }

    [Fact]
    public void A_decompressor_that_breaks_says_damage_and_a_source_that_breaks_says_itself()
    {
        var message = Messages.Message(Messages.Packet(8, [3, .. Messages.Literal(Data)]));
        Assert.Equal(Data, Messages.Read(message, raw => raw));
        Assert.Equal(OpenPgpError.Corrupt, Messages.ErrorOf(message, _ => throw new InvalidOperationException("bad block")));
        // Long enough that the end is not met before the decompressor reads.
        var large = Messages.Message(Messages.Packet(8, [3, .. Messages.Literal(new byte[500_000])]));
        Assert.Equal(OpenPgpError.Truncated, Messages.ErrorOf(large[..^5], raw => new Wrapping(raw)));
    }

    [Fact]
    public void A_file_of_nothing_but_session_keys_costs_few_derivations()
    {
        var derived = 0;
        var many = Enumerable.Range(0, 1000).SelectMany(i => Messages.Packet(3, Messages.SessionKeyBody(Messages.HandS2K with { Salt = (ulong)i }))).ToArray();
        var error = Assert.Throws<OpenPgpException>(() => Messages.Read([.. many, .. Messages.Packet(18, Messages.EncryptedBody(Messages.Literal(Data)))], (s2k, cipher) =>
        {
            derived++;
            return Messages.CheapKey(s2k, cipher);
        }));
        Assert.Equal((OpenPgpError.Unsupported, 0), (error.Error, derived));
    }

    private static byte[] Compress(byte[] data, Func<Stream, Stream> open)
    {
        var output = new MemoryStream();
        using (var compressor = open(output)) compressor.Write(data);
        return output.ToArray();
    }

    /// <summary>A decompressor that hides what its source threw.</summary>
    private sealed class Wrapping(Stream source) : ReadOnlyStream
    {
        public override int Read(Span<byte> buffer)
        {
            try
            {
                return source.Read(buffer);
            }
            catch (OpenPgpException error)
            {
                throw new InvalidOperationException("wrapped", error);
            }
        }
    }
}
