using System.Diagnostics;
using BotCore.Backup.Engine.Outside.Gnupg;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Outside.Gnupg;

/// <summary>A gpg home folder of its own with test keys; its agent ends with it. The path is short, since the agent's socket lies in it.</summary>
public sealed class GnupgHome : IDisposable
{
    private readonly List<string> _homes = [];

    public GnupgHome()
    {
        if (OperatingSystem.IsWindows() || GpgProgram.Locate(Environment.GetEnvironmentVariable("PATH") ?? string.Empty) is null)
            return;
        Path = NewHome();
        Alice = Generate("Alice <alice@x.test>", "never");
        Old = Generate("Old <old@x.test>", "1d", "--faked-system-time", "20200101T000000");
        Revoked = Generate("Revoked <revoked@x.test>", "never");
        var certificate = System.IO.Path.Combine(Path, "openpgp-revocs.d", Revoked + ".rev");
        File.WriteAllText(certificate, File.ReadAllText(certificate).Replace(":-----BEGIN", "-----BEGIN", StringComparison.Ordinal));
        Gpg(Path, null, "--import", certificate);
        // A host as it should be: public keys only, nothing trusted.
        Public = NewHome();
        Gpg(Public, Gpg(Path, null, "--export"), "--import");
    }

    /// <summary>The home with the secret keys.</summary>
    internal string Path { get; } = string.Empty;

    /// <summary>A home with the public keys only, none trusted.</summary>
    internal string Public { get; } = string.Empty;

    /// <summary>Fingerprint of a good key.</summary>
    internal string Alice { get; } = string.Empty;

    /// <summary>Fingerprint of an expired key.</summary>
    internal string Old { get; } = string.Empty;

    /// <summary>Fingerprint of a revoked key.</summary>
    internal string Revoked { get; } = string.Empty;

    internal GpgProgram Program => GpgProgram.Find(Path);

    internal GpgProgram PublicProgram => GpgProgram.Find(Public);

    /// <summary>Another empty home.</summary>
    internal string NewHome()
    {
        var home = System.IO.Path.Combine("/tmp", "g-" + Guid.NewGuid().ToString("N")[..8]);
        Directory.CreateDirectory(home);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(home, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        _homes.Add(home);
        return home;
    }

    /// <summary>Runs gpg by itself, as a user would, and returns what it wrote.</summary>
    internal static byte[] Gpg(string home, byte[]? input, params string[] arguments) => Run("gpg", ["--homedir", home, "--batch", "--no-tty", "--quiet", .. arguments], input);

    public void Dispose()
    {
        foreach (var home in _homes)
        {
            Run("gpgconf", ["--homedir", home, "--kill", "all"], null);
            // The agent removes its sockets while it ends.
            for (var left = 10; Directory.Exists(home); left--)
            {
                try
                {
                    Directory.Delete(home, recursive: true);
                }
                catch (Exception busy) when (left > 0 && busy is IOException or UnauthorizedAccessException)
                {
                    // The next round sees what is left.
                }
            }
        }
    }

    private static byte[] Run(string program, string[] arguments, byte[]? input)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        using var output = new MemoryStream();
        // Both ways at once: gpg gives text before it has read all of the message.
        var copied = process.StandardOutput.BaseStream.CopyToAsync(output);
        process.StandardInput.BaseStream.Write(input ?? []);
        process.StandardInput.Close();
        copied.Wait();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, errors.Result);
        return output.ToArray();
    }

    private string Generate(string name, string expire, params string[] options)
    {
        Gpg(Path, null, [.. options, "--passphrase", string.Empty, "--quick-generate-key", name, "ed25519", "sign,cert", expire]);
        var fingerprint = System.Text.Encoding.UTF8.GetString(Gpg(Path, null, "--with-colons", "--list-keys", name)).Split('\n').First(line => line.StartsWith("fpr:", StringComparison.Ordinal)).Split(':')[9];
        Gpg(Path, null, [.. options, "--passphrase", string.Empty, "--quick-add-key", fingerprint, "cv25519", "encr", expire]);
        return fingerprint;
    }
}
