using System.Diagnostics;
using BotCore.Backup.Protocols.OpenPgp;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Protocols.Tests.OpenPgp;

public class DamageTests
{
    private static readonly byte[] SmallData = Messages.Data(40);

    public static TheoryData<string> Forms => ["ours", "old headers", "partial", "compressed", "encrypted session key"];

    private static byte[] Form(string name) => name switch
    {
        "ours" => Messages.Write(SmallData),
        "old headers" => [.. Messages.OldPacket(3, Messages.SessionKeyBody(Messages.HandS2K)),
            .. Messages.Packet(18, Messages.EncryptedBody(Messages.OldPacket(11, Messages.LiteralBody(SmallData))))],
        "partial" => [.. Messages.SessionKey(), .. Messages.Partial(18, 5, Messages.EncryptedBody(Messages.Partial(11, 4, Messages.LiteralBody(SmallData))))],
        "compressed" => Messages.Message(Messages.Indeterminate(8, [1, .. PacketFormTests.Deflate(Messages.Literal(SmallData))])),
        "encrypted session key" => PacketFormTests.WithEncryptedSessionKey(SmallData),
        _ => throw new UnreachableException(),
    };

    [Theory]
    [MemberData(nameof(Forms))]
    public void Every_flip_of_every_byte_is_detected(string form)
    {
        var message = Form(form);
        Assert.Equal(SmallData, Messages.Read(message, Messages.CheapKey));
        // All 255 values for what we write; each bit, and all of them, for the other forms.
        int[] flips = form is "ours" ? [.. Enumerable.Range(1, 255)] : [1, 2, 4, 8, 16, 32, 64, 128, 255];
        for (var at = 0; at < message.Length; at++)
        {
            foreach (var flip in flips)
            {
                var damaged = (byte[])message.Clone();
                damaged[at] ^= (byte)flip;
                // The count is not part of this derivation; S2K's own tests hold it.
                if (IsCount(message, at)) continue;
                // C3 and 8C are the new and the old way to say the same: it is no damage.
                if (at == 0 && message[1] == 13 && damaged[0] is 0xC3 or 0x8C) continue;
                AssertRefused(damaged, $"byte {at} xor {flip}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Every_truncation_is_detected(string form)
    {
        var message = Form(form);
        for (var length = 0; length < message.Length; length++)
            Assert.Equal(OpenPgpError.Truncated, AssertRefused(message[..length], $"cut to {length}").Error);
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Bytes_after_the_message_are_detected(string form)
    {
        var message = Form(form);
        for (var octet = 0; octet < 256; octet++) Assert.Equal(OpenPgpError.Corrupt, AssertRefused([.. message, (byte)octet], "trailing").Error);
        AssertRefused([.. message, .. message], "twice");
    }

    [Fact]
    public void Large_messages_cut_or_flipped_anywhere_are_detected()
    {
        var message = Messages.Write(Messages.Data(2_500_000));
        var random = new Random(11);
        for (var i = 0; i < 60; i++)
        {
            AssertRefused(message[..random.Next(message.Length)], "cut");
            var at = random.Next(17, message.Length);
            message[at] ^= 0x10;
            AssertRefused(message, $"flip at {at}");
            message[at] ^= 0x10;
        }
    }

    [Fact]
    public void Chunks_swapped_are_detected()
    {
        var message = Messages.Write(Messages.Data(3_500_000));
        const int chunk = (1 << 20) + 1;
        var swapped = (byte[])message.Clone();
        message.AsSpan(16 + chunk, chunk).CopyTo(swapped.AsSpan(16 + (2 * chunk)));
        message.AsSpan(16 + (2 * chunk), chunk).CopyTo(swapped.AsSpan(16 + chunk));
        AssertRefused(swapped, "swapped");
    }

    [Fact]
    public void An_error_stays_and_no_end_is_ever_told()
    {
        // One byte too many: a second look would find the end.
        byte[] message = [.. Messages.Write(SmallData), 0];
        using var ring = new PassphraseKeyring(Messages.Passphrase);
        using var reader = SymmetricMessageReader.Open(new MemoryStream(message), ring.Get);
        for (var i = 0; i < 3; i++) Assert.Equal(OpenPgpError.Corrupt, Assert.Throws<OpenPgpException>(() => reader.CopyTo(Stream.Null)).Error);
    }

    [Fact]
    public void A_wrong_passphrase_is_named()
    {
        // One in 65,536 passes the quick check, hence not one try but several.
        var wrong = Enumerable.Range(0, 4).Count(i =>
        {
            using var ring = new PassphraseKeyring([.. Messages.Passphrase, (byte)i]);
            var error = Assert.Throws<OpenPgpException>(() => Messages.Read(Messages.Write(SmallData), ring.Get)).Error;
            return error == OpenPgpError.WrongPassphrase;
        });
        Assert.True(wrong >= 3);
    }

    [Fact]
    public void Random_bytes_are_refused_quickly()
    {
        var clock = Stopwatch.StartNew();
        Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), bytes => Throws(bytes) && Throws([.. bytes.Length > 0 ? [(byte)(bytes[0] | 0x80)] : bytes, .. bytes]))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(3000).WithEndSize(2000));
        Assert.True(clock.Elapsed < TimeSpan.FromMinutes(1));
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Mutated_messages_throw_nothing_else(string form)
    {
        var message = Form(form);
        var random = new Random(form.Length);
        for (var i = 0; i < 3000; i++) Throws(Mutate(message, random));
    }

    [Fact]
    public void Mutated_packets_under_a_valid_code_throw_nothing_else()
    {
        // The code is made after the mutation: what a key holder with a broken tool could write.
        byte[][] insides =
        [
            Messages.Literal(SmallData),
            Messages.Partial(11, 4, Messages.LiteralBody(SmallData)),
            Messages.Indeterminate(8, [1, .. PacketFormTests.Deflate(Messages.Literal(SmallData))]),
            Messages.Packet(8, [2, .. PacketFormTests.Zlib(Messages.Literal(SmallData))]),
        ];
        var random = new Random(5);
        for (var i = 0; i < 4000; i++) Throws(Messages.Message(Mutate(insides[i % insides.Length], random)));
    }

    private static byte[] Mutate(byte[] message, Random random)
    {
        var bytes = new List<byte>(message);
        for (var times = random.Next(1, 5); times > 0; times--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(4))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes.Insert(at, (byte)random.Next(256)); break;
                case 2: bytes.RemoveAt(at); break;
                default: bytes.AddRange(bytes.Skip(at).Take(random.Next(30)).ToArray()); break;
            }
        }

        return [.. bytes];
    }

    /// <summary>False where it opens; any other exception fails the test.</summary>
    private static bool Throws(byte[] message)
    {
        try
        {
            Messages.Read(message, Messages.CheapKey);
            return false;
        }
        catch (OpenPgpException error)
        {
            Assert.NotEqual(OpenPgpError.Unknown, error.Error);
            return true;
        }
    }

    private static OpenPgpException AssertRefused(byte[] message, string what)
    {
        try
        {
            Messages.Read(message, Messages.CheapKey);
        }
        catch (OpenPgpException error)
        {
            return error;
        }

        Assert.Fail("Not detected: " + what);
        throw new UnreachableException();
    }

    private static bool IsCount(byte[] message, int at)
    {
        var body = message[0] == 0xC3 && message[1] == 0xFF ? 6 : 2;
        return at == body + 12;
    }
}
