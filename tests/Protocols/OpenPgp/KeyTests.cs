using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using BotCore.Backup.Protocols.OpenPgp;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Protocols.Tests.OpenPgp;

public class KeyTests
{
    // Vectors of golang.org/x/crypto/openpgp/s2k: the first octets of the key for "hello".
    [Theory]
    [InlineData("0002", "aaf4c61d")]
    [InlineData("01020102030405060708", "f4f7d67e")]
    [InlineData("03020102030405060708f1", "f2a57b7c")]
    public void Known_vectors(string specifier, string expected)
    {
        var s2k = S2K.Read(Convert.FromHexString(specifier));
        using var key = MessageKey.Derive("hello"u8, s2k, CipherAlgorithm.Aes128);
        Assert.Equal(expected, Convert.ToHexStringLower(key.Bytes[..4]));
    }

    [Fact]
    public void Derivation_is_what_the_RFC_says_byte_by_byte()
    {
        var modes = Gen.Elements(S2KMode.Simple, S2KMode.Salted, S2KMode.Iterated);
        var hashes = Gen.Elements(S2KHash.Sha1, S2KHash.Sha256, S2KHash.Sha384, S2KHash.Sha512);
        var ciphers = Gen.Elements(CipherAlgorithm.Aes128, CipherAlgorithm.Aes192, CipherAlgorithm.Aes256);
        var cases = from mode in modes
                    from hash in hashes
                    from cipher in ciphers
                    from count in Gen.Choose(0, 0x41)
                    from length in Gen.Choose(1, 3000)
                    select (new S2K(mode, hash, mode == S2KMode.Simple ? 0 : 0xA1B2C3D4E5F60718, mode == S2KMode.Iterated ? (byte)count : (byte)0), cipher, length);
        Prop.ForAll(cases.ToArbitrary(), sample =>
        {
            var (s2k, cipher, length) = sample;
            var passphrase = Messages.Data(length);
            using var key = MessageKey.Derive(passphrase, s2k, cipher);
            return key.Bytes.SequenceEqual(Naive(s2k, passphrase, cipher.KeyLength()));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_specifier_survives_the_wire_and_equals_its_twin()
    {
        foreach (var s2k in new[] { S2K.Create(), new S2K(S2KMode.Simple, S2KHash.Sha1, 0, 0), new S2K(S2KMode.Salted, S2KHash.Sha512, 5, 0) })
        {
            var wire = new byte[s2k.Length];
            s2k.Write(wire);
            Assert.Equal(s2k, S2K.Read(wire));
            for (var cut = 0; cut < wire.Length; cut++)
                Assert.Equal(OpenPgpError.Corrupt, Assert.Throws<OpenPgpException>(() => S2K.Read(wire.AsSpan(0, cut))).Error);
        }

        Assert.NotEqual(S2K.Create(), S2K.Create());
        Assert.Equal(65_011_712, S2K.Create().Count);
        Assert.Equal(1024, S2K.Create(0).Count);
    }

    [Fact]
    public void A_keyring_derives_once_per_specifier()
    {
        using var ring = new PassphraseKeyring(Messages.Passphrase);
        var key = ring.Create(Messages.LowCount);
        Assert.Same(key, ring.Get(key.S2K, key.Cipher));
        Assert.NotSame(key, ring.Get(key.S2K, CipherAlgorithm.Aes128));
        Assert.NotSame(key, ring.Get(key.S2K with { Salt = key.S2K.Salt + 1 }, key.Cipher));
    }

    [Fact]
    public void Disposing_zeroes_the_key()
    {
        byte[] Copy(MessageKey key) => key.Bytes.ToArray();
        var ring = new PassphraseKeyring(Messages.Passphrase);
        var key = ring.Create(Messages.LowCount);
        Assert.Contains(Copy(key), octet => octet != 0);
        unsafe
        {
            fixed (byte* bytes = key.Bytes)
            {
                ring.Dispose();
                Assert.Equal(new byte[32], new ReadOnlySpan<byte>(bytes, 32).ToArray());
            }
        }

        Assert.Throws<ObjectDisposedException>(() => Copy(key));
        Assert.Throws<ObjectDisposedException>(() => key.DeriveSubkey("x", 32));
        Assert.Throws<ObjectDisposedException>(() => ring.Get(key.S2K, key.Cipher));
    }

    [Fact]
    public void A_subkey_is_HKDF_over_the_derived_key()
    {
        using var key = MessageKey.Derive(Messages.Passphrase, Messages.HandS2K, CipherAlgorithm.Aes256);
        // RFC 5869 by hand: extract with a zero salt, expand one block.
        var extracted = HMACSHA256.HashData((ReadOnlySpan<byte>)new byte[32], key.Bytes);
        var expected = HMACSHA256.HashData(extracted, (byte[])[.. "manifest"u8, 1]);
        Assert.Equal(expected, key.DeriveSubkey("manifest", 32));
        Assert.NotEqual(expected, key.DeriveSubkey("index", 32));
    }

    [Fact]
    public void An_empty_passphrase_makes_no_key()
    {
        Assert.Equal(OpenPgpError.PassphraseUnusable, Assert.Throws<OpenPgpException>(() => MessageKey.Create([])).Error);
        Assert.Equal(OpenPgpError.PassphraseUnusable, Assert.Throws<OpenPgpException>(() => new PassphraseKeyring([])).Error);
    }

    [Theory]
    [InlineData("secret", "secret", "secret")]
    [InlineData("secret\n", "secret", "secret")]
    [InlineData("secret\nmore\n", "secret", "secret")]
    [InlineData("secret\r\nmore", "secret", "secret\r")]
    [InlineData("secret\r", "secret\r", "secret\r")]
    [InlineData("se\rcret\r\r\n", "se\rcret\r", "se\rcret\r\r")]
    [InlineData(" secret \n", " secret ", " secret ")]
    public void The_passphrase_is_the_first_line(string content, string ours, string gpgs)
    {
        Assert.Equal(ours, Encoding.UTF8.GetString(PassphraseLine.Read(Encoding.UTF8.GetBytes(content))));
        Assert.Equal(gpgs, Encoding.UTF8.GetString(PassphraseLine.ReadAsGpg(Encoding.UTF8.GetBytes(content))));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("\r\n")]
    [InlineData("\nsecret\n")]
    [InlineData("sec\0ret\n")]
    public void An_unusable_passphrase_is_refused(string content) =>
        Assert.Equal(
            OpenPgpError.PassphraseUnusable,
            Assert.Throws<OpenPgpException>(() => PassphraseLine.Read(Encoding.UTF8.GetBytes(content)).ToArray()).Error);

    private static byte[] Naive(S2K s2k, byte[] passphrase, int length)
    {
        var salt = new byte[8];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(salt, s2k.Salt);
        byte[] unit = s2k.Mode == S2KMode.Simple ? passphrase : [.. salt, .. passphrase];
        var total = s2k.Mode == S2KMode.Iterated ? Math.Max(unit.Length, (16 + (s2k.CodedCount & 15)) << ((s2k.CodedCount >> 4) + 6)) : unit.Length;
        var octets = Enumerable.Range(0, total).Select(i => unit[i % unit.Length]).ToArray();
        var key = new List<byte>();
        for (var zeros = 0; key.Count < length; zeros++)
        {
            byte[] input = [.. new byte[zeros], .. octets];
            key.AddRange(s2k.Hash switch
            {
                S2KHash.Sha1 => SHA1.HashData(input),
                S2KHash.Sha256 => SHA256.HashData(input),
                S2KHash.Sha384 => SHA384.HashData(input),
                S2KHash.Sha512 => SHA512.HashData(input),
                _ => throw new UnreachableException(),
            });
        }

        return [.. key.Take(length)];
    }
}
