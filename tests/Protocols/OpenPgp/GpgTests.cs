using System.Security.Cryptography;
using System.Text;
using BotCore.Backup.Protocols.OpenPgp;
using Xunit;

namespace BotCore.Backup.Protocols.Tests.OpenPgp;

/// <summary>Both ways against the installed gpg.</summary>
public class GpgTests
{
    // --s2k-count keeps the hundreds of derivations short; one test leaves the default.
    private static readonly string[] Quick = ["--s2k-count", "1024"];

    [ToolFact("gpg")]
    public void Gpg_opens_ours_at_every_edge_of_the_layout()
    {
        using var gpg = new Gpg();
        foreach (var length in RoundTripTests.EdgeLengths().Concat(Enumerable.Range((1 << 20) - 30, 61)).Concat([1, 511, 512, 513]).Distinct())
        {
            var data = Messages.Data(length);
            var opened = gpg.Decrypt(Messages.Write(data));
            Assert.True(opened is not null && opened.AsSpan().SequenceEqual(data), $"gpg does not open a message of {length} bytes");
        }
    }

    [ToolFact("gpg")]
    public void Gpg_opens_ours_at_the_default_count_and_refuses_it_damaged()
    {
        using var gpg = new Gpg();
        using var key = MessageKey.Create(Messages.Passphrase);
        var data = Messages.Data(7_654_321);
        var message = Messages.Write(data, key);
        Assert.Equal(data, gpg.Decrypt(message));
        message[3_000_000] ^= 1;
        Assert.Null(gpg.Decrypt(message));
    }

    [ToolFact("gpg")]
    public void Gpg_sees_the_packets_that_the_layout_names()
    {
        using var gpg = new Gpg();
        var path = gpg.Write("ours.gpg", Messages.Write(Messages.Data(3_000_000)));
        var (code, output, error) = gpg.Run("--passphrase-file", Path.Combine(Path.GetDirectoryName(path)!, "passphrase"), "--list-packets", path);
        var listing = Encoding.UTF8.GetString(output);
        Assert.True(code == 0, error);
        Assert.Contains("symkey enc packet: version 4, cipher 9, aead 0,s2k 3, hash 8", listing, StringComparison.Ordinal);
        Assert.Contains("tag=18 hlen=2 plen=0 partial new-ctb", listing, StringComparison.Ordinal);
        Assert.Contains("tag=11 hlen=2 plen=0 partial new-ctb", listing, StringComparison.Ordinal);
        Assert.Contains("mode b (62), created 0, name=\"\"", listing, StringComparison.Ordinal);
        Assert.DoesNotContain("compressed packet", listing, StringComparison.Ordinal);
    }

    [ToolFact("gpg")]
    public void We_open_gpgs_of_any_length_and_compression()
    {
        using var gpg = new Gpg();
        foreach (var length in new[] { 0, 1, 100, 511, 512, 8191, 8192, 8193, 65536, 1 << 20, 2_345_678 })
        {
            // Half noise, half zeros: compresses, and is long enough for many partial chunks.
            byte[] data = [.. Messages.Data(length / 2), .. new byte[length - (length / 2)]];
            string[] compressions = length is 0 or 8192 or 2_345_678 ? ["none", "zip", "zlib"] : ["none"];
            foreach (var compression in compressions)
            {
                Assert.Equal(data, Messages.Read(gpg.Encrypt(data, [.. Quick, "--compress-algo", compression])));
                Assert.Equal(data, Messages.Read(gpg.EncryptPiped(data, [.. Quick, "--compress-algo", compression])));
            }
        }
    }

    [ToolFact("gpg")]
    public void We_open_gpgs_of_any_cipher_digest_and_mode()
    {
        using var gpg = new Gpg();
        var data = Messages.Data(10_000);
        foreach (var cipher in new[] { "AES", "AES192", "AES256" })
        {
            foreach (var digest in new[] { "SHA1", "SHA256", "SHA384", "SHA512" })
            {
                foreach (var mode in new[] { "0", "1", "3" })
                    Assert.Equal(data, Messages.Read(gpg.Encrypt(data, [.. Quick, "--cipher-algo", cipher, "--s2k-cipher-algo", cipher, "--s2k-digest-algo", digest, "--s2k-mode", mode])));
            }
        }

        Assert.Equal(OpenPgpError.Unsupported, Messages.ErrorOf(gpg.Encrypt(data, [.. Quick, "--cipher-algo", "CAMELLIA256"])));
        Assert.Equal(OpenPgpError.Unsupported, Messages.ErrorOf(gpg.Encrypt(data, [.. Quick, "--s2k-digest-algo", "SHA224"])));
    }

    [ToolFact("gpg", "bzip2")]
    public void Bzip2_inside_needs_the_decompressor_and_opens_with_it()
    {
        using var gpg = new Gpg();
        var data = new byte[100_000];
        var message = gpg.Encrypt(data, [.. Quick, "--compress-algo", "bzip2"]);
        Assert.Equal(OpenPgpError.Bzip2Missing, Messages.ErrorOf(message));
        Assert.Equal(data, Messages.Read(message, compressed =>
        {
            var all = new MemoryStream();
            compressed.CopyTo(all);
            return new MemoryStream(Tool.Run("bzip2", all.ToArray(), ["-dc"]).Output);
        }));
    }

    [ToolFact("gpg")]
    public void A_message_to_a_key_is_told_and_one_to_a_key_and_a_passphrase_opens()
    {
        using var gpg = new Gpg();
        var data = Messages.Data(5000);
        var path = gpg.Write("in", data);
        var folder = Path.GetDirectoryName(path)!;
        var made = gpg.Run("--passphrase", "", "--quick-generate-key", "test@example.org", "future-default", "default", "never");
        Assert.True(made.Code == 0, made.Error);
        string[] encrypt = ["--trust-model", "always", "--recipient", "test@example.org", "--output", "-", "--encrypt"];
        Assert.Equal(OpenPgpError.PublicKey, Messages.ErrorOf(gpg.Run([.. encrypt, path]).Output));
        var both = gpg.Run([.. Quick, "--passphrase-file", Path.Combine(folder, "passphrase"), .. encrypt, "--symmetric", path]);
        Assert.True(both.Code == 0, both.Error);
        Assert.Equal(data, Messages.Read(both.Output));
        var signed = gpg.Run([.. Quick, "--passphrase-file", Path.Combine(folder, "passphrase"), "--output", "-", "--sign", "--symmetric", path]);
        Assert.True(signed.Code == 0, signed.Error);
        Assert.Equal(OpenPgpError.Unsupported, Messages.ErrorOf(signed.Output));
        Assert.Equal(OpenPgpError.NotOpenPgp, Messages.ErrorOf(gpg.Run("--export").Output));
    }

    [ToolFact("gpg")]
    public void Gpg_and_we_read_the_same_passphrase_from_a_file_but_for_its_CR()
    {
        using var gpg = new Gpg();
        foreach (var content in new[] { "secret", "secret\n", "secret\nmore\n", "secret\r\n", " se cret \n", "geheim-äöü\n", "secret\r" })
        {
            var file = Encoding.UTF8.GetBytes(content);
            gpg.Write("p", file);
            using var ours = MessageKey.Create(PassphraseLine.Read(file), Messages.LowCount);
            using var gpgs = MessageKey.Create(PassphraseLine.ReadAsGpg(file), Messages.LowCount);
            Assert.NotNull(gpg.Decrypt(Messages.Write([1], gpgs), "p"));
            // gpg keeps the CR: the one file with which its reading is not ours.
            Assert.Equal(content.Contains("\r\n", StringComparison.Ordinal), gpg.Decrypt(Messages.Write([1], ours), "p") is null);
        }
    }

    [Fact]
    public void An_archive_of_the_old_scripts_opens()
    {
        var folder = Fixtures();
        using var ring = new PassphraseKeyring(PassphraseLine.Read(File.ReadAllBytes(Path.Combine(folder, "passphrase"))));
        using var file = File.OpenRead(Path.Combine(folder, "mongodb_full_20251118_020000.tar.gz.gpg"));
        using var reader = SymmetricMessageReader.Open(file, ring.Get);
        Assert.Equal("mongodb_full_20251118_020000.tar.gz", reader.FileName);
        var archive = new MemoryStream();
        reader.CopyTo(archive);
        Assert.Equal(22612, archive.Length);
        Assert.Equal("262d017ce543c2fa423e19e7c848ddc294a72d71930ff4b3a0db346bb9a5046c", Convert.ToHexStringLower(SHA256.HashData(archive.ToArray())));
    }

    private static string Fixtures()
    {
        const string fixtures = "tests/Protocols/OpenPgp/fixtures";
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !Directory.Exists(Path.Combine(folder.FullName, fixtures))) folder = folder.Parent;
        return Path.Combine(Assert.IsType<DirectoryInfo>(folder).FullName, fixtures);
    }
}
