using System.Diagnostics;
using System.Security.Cryptography;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Outside.Gnupg;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Outside.Gnupg;

public sealed class GpgStreamTests(GnupgHome home) : IClassFixture<GnupgHome>
{
    private const int Large = 64 << 20;

    [ToolFact("gpg")]
    public void What_is_encrypted_here_gpg_opens_and_the_other_way_round()
    {
        var text = RandomNumberGenerator.GetBytes(300_000);

        Assert.Equal(text, GnupgHome.Gpg(home.Path, Encrypt(home.Program, text, home.Alice), "--decrypt"));
        Assert.Equal(text, Decrypt(GnupgHome.Gpg(home.Path, text, "--trust-model", "always", "--encrypt", "--recipient", home.Alice, "--output", "-")));
        Assert.Equal([], Decrypt(Encrypt(home.Program, [], home.Alice)));
    }

    [ToolFact("gpg")]
    public void Streams_larger_than_any_pipe_go_through_both_ways_at_once()
    {
        // A file between them would hide a pipe that blocks: encryptor, pipe and decryptor run against each other.
        using var server = new System.IO.Pipes.AnonymousPipeServerStream(System.IO.Pipes.PipeDirection.Out);
        using var client = new System.IO.Pipes.AnonymousPipeClientStream(System.IO.Pipes.PipeDirection.In, server.ClientSafePipeHandle);
        var sent = new byte[32];
        var writer = new Thread(() =>
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            using var encryptor = home.Program.OpenEncryptor(server, [home.Alice]);
            var block = new byte[1 << 20];
            for (var written = 0; written < Large; written += block.Length)
            {
                Random.Shared.NextBytes(block);
                hash.AppendData(block);
                encryptor.Write(block);
            }

            encryptor.Complete();
            hash.GetHashAndReset(sent);
            server.Dispose();
        });
        writer.Start();
        using var decryptor = home.Program.OpenDecryptor(client);
        using var received = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var length = 0L;
        var buffer = new byte[100_000];
        for (int count; (count = decryptor.Read(buffer)) > 0; length += count)
            received.AppendData(buffer.AsSpan(0, count));
        writer.Join();

        Assert.Equal(Large, length);
        Assert.Equal(sent, received.GetHashAndReset());
    }

    [ToolFact("gpg")]
    public void An_unattended_host_trusts_full_fingerprints_and_nothing_else()
    {
        var spaced = "0x" + home.Alice[..20].ToLowerInvariant() + " " + home.Alice[20..];
        Assert.Equal("hi"u8.ToArray(), Decrypt(Encrypt(home.PublicProgram, "hi"u8.ToArray(), spaced)));

        foreach (var recipients in (string[][])[["alice@x.test"], [home.Alice[^16..]], [home.Alice, "alice@x.test"]])
        {
            var failure = Refused(home.PublicProgram, recipients);
            Assert.Contains("no assurance", failure.Message, StringComparison.Ordinal);
            Assert.Contains("full 40-digit fingerprint", failure.Advice, StringComparison.Ordinal);
        }

        Assert.Equal("hi"u8.ToArray(), Decrypt(Encrypt(home.Program, "hi"u8.ToArray(), "alice@x.test")));
    }

    [ToolFact("gpg")]
    public void Keys_that_cannot_be_used_are_told_apart()
    {
        foreach (var (recipient, said) in new[]
        {
            ("nobody@x.test", "is not known to this gpg"), (new string('0', 40), "is not known to this gpg"), ("old@x.test", "has expired"), (home.Old, "has expired"),
            ("revoked@x.test", "is revoked"), (home.Revoked, "is revoked"),
        })
        {
            Assert.Contains(said, Refused(home.Program, [recipient]).Message, StringComparison.Ordinal);
            Assert.Contains(recipient, Refused(home.Program, [home.Alice, recipient]).Message, StringComparison.Ordinal);
        }

        Assert.Equal(FailureKind.ConfigurationInvalid, Assert.Throws<BackupException>(() => home.Program.OpenEncryptor(Stream.Null, [])).Failure.Kind);
        Assert.Equal(FailureKind.ConfigurationInvalid, Assert.Throws<BackupException>(() => home.Program.OpenEncryptor(Stream.Null, ["a\nb"])).Failure.Kind);
    }

    [ToolFact("gpg")]
    public void A_bad_recipient_ends_a_long_write_and_not_only_the_completion()
    {
        using var encryptor = home.Program.OpenEncryptor(Stream.Null, ["nobody@x.test"]);
        var failure = Assert.Throws<BackupException>(() => WriteForEver(encryptor)).Failure;

        Assert.Equal(FailureKind.ConfigurationInvalid, failure.Kind);
    }

    [ToolFact("gpg")]
    public void Without_the_secret_key_credentials_are_missing()
    {
        using var decryptor = home.PublicProgram.OpenDecryptor(new MemoryStream(Encrypt(home.Program, "hi"u8.ToArray(), home.Alice)));
        var failure = Assert.Throws<BackupException>(() => decryptor.ReadByte()).Failure;

        Assert.Equal(FailureKind.CredentialsMissing, failure.Kind);
        Assert.Contains("no secret key", failure.Message, StringComparison.Ordinal);
        // A second read is not taken for the end.
        Assert.Throws<BackupException>(() => decryptor.ReadByte());
    }

    [ToolFact("gpg")]
    public void Damage_anywhere_is_never_a_good_end()
    {
        var sealedText = Encrypt(home.Program, RandomNumberGenerator.GetBytes(1000), home.Alice);
        var damaged = new List<byte[]> { Array.Empty<byte>(), RandomNumberGenerator.GetBytes(500), (byte[])[.. sealedText, .. sealedText], (byte[])[.. sealedText, 1, 2, 3] };
        for (var length = 1; length < sealedText.Length; length += 97)
            damaged.Add(sealedText[..length]);
        for (var at = 120; at < sealedText.Length; at += 53)
        {
            var flipped = (byte[])sealedText.Clone();
            flipped[at] ^= 0x10;
            damaged.Add(flipped);
        }

        // Not encrypted at all: gpg gives the text and code 0, and it proves nothing.
        damaged.Add(GnupgHome.Gpg(home.Path, "hi"u8.ToArray(), "--store"));
        foreach (var message in damaged)
            Assert.Equal(FailureKind.ArchiveCorrupt, Assert.Throws<BackupException>(() => Decrypt(message)).Failure.Kind);
    }

    [ToolFact("gpg")]
    public void A_passphrase_message_is_told_apart()
    {
        var file = System.IO.Path.Combine(home.NewHome(), "p");
        File.WriteAllText(file, "geheim\n");
        var message = GnupgHome.Gpg(home.Path, "hi"u8.ToArray(), "--pinentry-mode", "loopback", "--passphrase-file", file, "--no-symkey-cache", "--symmetric", "--output", "-");

        Assert.Equal(FailureKind.WrongPassphrase, Assert.Throws<BackupException>(() => Decrypt(message)).Failure.Kind);
    }

    [ToolFact("gpg")]
    public void What_the_callers_stream_throws_comes_through()
    {
        using (var broken = new ScriptedStream((_, _, _) => throw new BackupException(FailureKind.StoreFull, "Full.", "Free space.")))
        using (var encryptor = home.Program.OpenEncryptor(broken, [home.Alice]))
        {
            Assert.Equal(FailureKind.StoreFull, Assert.Throws<BackupException>(() =>
            {
                for (var count = 0; count < 64; count++)
                    encryptor.Write(RandomNumberGenerator.GetBytes(1 << 20));
                encryptor.Complete();
            }).Failure.Kind);
        }

        var message = Encrypt(home.Program, RandomNumberGenerator.GetBytes(1 << 20), home.Alice);
        var at = 0;
        using var source = new ScriptedStream((buffer, offset, count) =>
        {
            if (at > message.Length / 2)
                throw new BackupException(FailureKind.StoreUnreachable, "Gone.", "Look.");
            var taken = Math.Min(count, 10_000);
            message.AsSpan(at, taken).CopyTo(buffer.AsSpan(offset));
            at += taken;
            return taken;
        });
        using var decryptor = home.Program.OpenDecryptor(source);
        Assert.Equal(FailureKind.StoreUnreachable, Assert.Throws<BackupException>(() => decryptor.CopyTo(Stream.Null)).Failure.Kind);
    }

    [ToolFact("gpg")]
    public void Disposing_early_ends_gpg_and_its_threads()
    {
        var encryptor = home.Program.OpenEncryptor(Stream.Null, [home.Alice]);
        encryptor.Write(new byte[1 << 20]);
        encryptor.Dispose();
        encryptor.Dispose();
        Assert.False(IsThere(encryptor.ProcessId));
        Assert.Throws<ObjectDisposedException>(() => encryptor.Write([1]));

        var decryptor = (GpgDecryptStream)home.Program.OpenDecryptor(new MemoryStream(Encrypt(home.Program, new byte[4 << 20], home.Alice)));
        Assert.NotEqual(-1, decryptor.ReadByte());
        decryptor.Dispose();
        Assert.False(IsThere(decryptor.ProcessId));
    }

    [ToolFact("gpg")]
    public void Cancelling_wakes_a_blocked_write_and_a_blocked_read()
    {
        using (var cancel = new CancellationTokenSource())
        using (var entered = new SemaphoreSlim(0))
        using (var release = new ManualResetEventSlim())
        using (var stuck = new ScriptedStream((_, _, _) => Stick(entered, release)))
        {
            var encryptor = home.Program.OpenEncryptor(stuck, [home.Alice], cancel.Token);
            var canceller = new Thread(() =>
            {
                entered.Wait();
                cancel.Cancel();
            });
            canceller.Start();
            Assert.ThrowsAny<OperationCanceledException>(() => WriteForEver(encryptor));
            canceller.Join();
            release.Set();
            encryptor.Dispose();
            Assert.False(IsThere(encryptor.ProcessId));
        }

        using (var cancel = new CancellationTokenSource())
        using (var entered = new SemaphoreSlim(0))
        using (var release = new ManualResetEventSlim())
        using (var stuck = new ScriptedStream((_, _, _) => Stick(entered, release)))
        {
            var decryptor = (GpgDecryptStream)home.Program.OpenDecryptor(stuck, cancel.Token);
            var canceller = new Thread(() =>
            {
                entered.Wait();
                cancel.Cancel();
            });
            canceller.Start();
            Assert.ThrowsAny<OperationCanceledException>(() => decryptor.ReadByte());
            canceller.Join();
            release.Set();
            decryptor.Dispose();
            Assert.False(IsThere(decryptor.ProcessId));
        }
    }

    [ToolFact("gpg")]
    public void A_message_is_completed_once()
    {
        using var output = new MemoryStream();
        using var encryptor = home.Program.OpenEncryptor(output, [home.Alice]);
        encryptor.Complete();

        Assert.True(output.CanWrite);
        Assert.Throws<InvalidOperationException>(encryptor.Complete);
        Assert.Throws<InvalidOperationException>(() => encryptor.Write([1]));
    }

    [Fact]
    public void A_missing_gpg_is_a_missing_tool()
    {
        var failure = Assert.Throws<BackupException>(() => GpgProgram.Find(searchPath: "/nowhere:relative")).Failure;

        Assert.Equal((FailureKind.ToolMissing, "Install the package gnupg."), (failure.Kind, failure.Advice));
    }

    private static void WriteForEver(GpgEncryptStream encryptor)
    {
        var block = RandomNumberGenerator.GetBytes(1 << 20);
        while (true)
            encryptor.Write(block);
    }

    private static int Stick(SemaphoreSlim entered, ManualResetEventSlim release)
    {
        entered.Release();
        release.Wait();
        return 0;
    }

    // A zombie still has its entry.
    private static bool IsThere(int process)
    {
        try
        {
            using var it = Process.GetProcessById(process);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static byte[] Encrypt(GpgProgram program, byte[] text, params string[] recipients)
    {
        using var output = new MemoryStream();
        using var encryptor = program.OpenEncryptor(output, recipients);
        encryptor.Write(text);
        encryptor.Complete();
        return output.ToArray();
    }

    private static Failure Refused(GpgProgram program, string[] recipients)
    {
        var failure = Assert.Throws<BackupException>(() => Encrypt(program, "hi"u8.ToArray(), recipients)).Failure;
        Assert.Equal(FailureKind.ConfigurationInvalid, failure.Kind);
        return failure;
    }

    private byte[] Decrypt(byte[] message)
    {
        using var input = new MemoryStream(message);
        using var decryptor = home.Program.OpenDecryptor(input);
        using var output = new MemoryStream();
        decryptor.CopyTo(output);
        return output.ToArray();
    }
}
