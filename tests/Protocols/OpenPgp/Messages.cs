using System.Buffers.Binary;
using System.Security.Cryptography;
using BotCore.Backup.Protocols.OpenPgp;
using Xunit;

namespace BotCore.Backup.Protocols.Tests.OpenPgp;

/// <summary>Makes and opens messages; the hand-made ones use nothing of the writer under test.</summary>
internal static class Messages
{
    // Fast to derive: what is tested is not the count.
    public const byte LowCount = 0;

    public static byte[] Passphrase => "fixture passphrase of more than 32 characters"u8.ToArray();

    public static byte[] Data(int length, int seed = 7)
    {
        var data = new byte[length];
        new Random(seed).NextBytes(data);
        return data;
    }

    public static byte[] Write(byte[] data, MessageKey? key = null)
    {
        using var own = key is null ? MessageKey.Create(Passphrase, LowCount) : null;
        var output = new MemoryStream();
        using (var writer = new SymmetricMessageWriter(output, key ?? own!, leaveOpen: true))
        {
            writer.Write(data);
            writer.Complete();
        }

        return output.ToArray();
    }

    public static byte[] Read(byte[] message, Func<Stream, Stream>? bzip2 = null)
    {
        using var ring = new PassphraseKeyring(Passphrase);
        return Read(message, ring.Get, bzip2);
    }

    public static byte[] Read(byte[] message, Func<S2K, CipherAlgorithm, MessageKey> keys, Func<Stream, Stream>? bzip2 = null)
    {
        using var reader = SymmetricMessageReader.Open(new MemoryStream(message), keys, bzip2);
        var output = new MemoryStream();
        reader.CopyTo(output);
        return output.ToArray();
    }

    public static OpenPgpError ErrorOf(byte[] message, Func<Stream, Stream>? bzip2 = null) =>
        Assert.Throws<OpenPgpException>(() => Read(message, bzip2)).Error;

    /// <summary>Never derives for longer than the lowest count takes, whatever a mutated message asks for.</summary>
    public static MessageKey CheapKey(S2K s2k, CipherAlgorithm cipher) => MessageKey.Derive(Passphrase, s2k with { CodedCount = LowCount }, cipher);

    // ---- packets by hand

    public static byte[] Packet(int tag, params byte[] body)
    {
        var header = new byte[6];
        header[0] = (byte)(0xC0 | tag);
        header[1] = 0xFF;
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(2), body.Length);
        return [.. header, .. body];
    }

    public static byte[] OldPacket(int tag, params byte[] body) => body.Length switch
    {
        < 256 => [(byte)(0x80 | (tag << 2)), (byte)body.Length, .. body],
        < 65536 => [(byte)(0x81 | (tag << 2)), (byte)(body.Length >> 8), (byte)body.Length, .. body],
        _ => [(byte)(0x82 | (tag << 2)), (byte)(body.Length >> 24), (byte)(body.Length >> 16), (byte)(body.Length >> 8), (byte)body.Length, .. body],
    };

    public static byte[] Indeterminate(int tag, params byte[] body) => [(byte)(0x83 | (tag << 2)), .. body];

    /// <summary>Chunks of 2^shift and a last one of one-octet or two-octet length.</summary>
    public static byte[] Partial(int tag, int shift, params byte[] body)
    {
        var output = new MemoryStream();
        output.WriteByte((byte)(0xC0 | tag));
        var at = 0;
        for (; body.Length - at > 1 << shift; at += 1 << shift)
        {
            output.WriteByte((byte)(224 + shift));
            output.Write(body, at, 1 << shift);
        }

        var rest = body.Length - at;
        if (rest < 192) output.WriteByte((byte)rest);
        else output.Write([(byte)(((rest - 192) >> 8) + 192), (byte)(rest - 192)]);
        output.Write(body, at, rest);
        return output.ToArray();
    }

    public static byte[] Literal(byte[] data) => Packet(11, LiteralBody(data));

    public static byte[] LiteralBody(byte[] data) => [(byte)'b', 4, .. "name"u8, 0x69, 0, 0, 0, .. data];

    public static readonly S2K HandS2K = new(S2KMode.Iterated, S2KHash.Sha256, 0x0102030405060708, LowCount);

    public static byte[] SessionKeyBody(S2K s2k, CipherAlgorithm cipher = CipherAlgorithm.Aes256)
    {
        var body = new byte[2 + s2k.Length];
        (body[0], body[1]) = (4, (byte)cipher);
        s2k.Write(body.AsSpan(2));
        return body;
    }

    public static byte[] SessionKey() => Packet(3, SessionKeyBody(HandS2K));

    /// <summary>Body of a SEIPD packet over packets, encrypted by the framework's CFB.</summary>
    public static byte[] EncryptedBody(byte[] packets, byte[]? key = null, bool mdc = true)
    {
        var prefix = Data(16, seed: 99);
        byte[] plain = [.. prefix, .. prefix[14..], .. packets];
        if (mdc) plain = [.. plain, 0xD3, 20, .. SHA1.HashData([.. plain, 0xD3, 20])];
        return [1, .. Cfb(plain, key ?? HandKey())];
    }

    public static byte[] HandKey(CipherAlgorithm cipher = CipherAlgorithm.Aes256)
    {
        using var key = MessageKey.Derive(Passphrase, HandS2K, cipher);
        return key.Bytes.ToArray();
    }

    public static byte[] Cfb(byte[] plain, byte[] key)
    {
        using var aes = Aes.Create();
        aes.Key = key;
        var padded = new byte[(plain.Length + 15) / 16 * 16];
        plain.CopyTo(padded, 0);
        return aes.EncryptCfb(padded, new byte[16], PaddingMode.None, 128)[..plain.Length];
    }

    public static byte[] Message(byte[] packets) => [.. SessionKey(), .. Packet(18, EncryptedBody(packets))];
}
