using System.Diagnostics;
using Xunit;

namespace BotCore.Backup.Protocols.Tests.OpenPgp;

/// <summary>The installed gpg with a home of its own; ends its agent and removes the home when disposed.</summary>
internal sealed class Gpg : IDisposable
{
    // Short: the agent's socket path has room for about 100 characters.
    private readonly string _home = Directory.CreateTempSubdirectory("g").FullName;

    public Gpg()
    {
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(_home, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Write("passphrase", Messages.Passphrase);
    }

    public string Write(string name, ReadOnlySpan<byte> content)
    {
        var path = Path.Combine(_home, name);
        File.WriteAllBytes(path, content);
        return path;
    }

    /// <summary>What gpg decrypts the message to; null where it refuses.</summary>
    public byte[]? Decrypt(byte[] message, string passphraseFile = "passphrase")
    {
        var (code, output, _) = Run("--passphrase-file", Path.Combine(_home, passphraseFile), "--decrypt", Write("in.gpg", message));
        return code == 0 ? output : null;
    }

    public byte[] Encrypt(byte[] data, params string[] options) => EncryptFile(Write("in", data), options);

    /// <summary>The same with the data through a pipe, so that gpg does not know its length and writes partial chunks.</summary>
    public byte[] EncryptPiped(byte[] data, params string[] options)
    {
        var (code, output, error) = Run(data, ["--passphrase-file", Path.Combine(_home, "passphrase"), .. options, "--symmetric"]);
        Assert.True(code == 0, error);
        return output;
    }

    private byte[] EncryptFile(string path, string[] options)
    {
        var (code, output, error) = Run(["--passphrase-file", Path.Combine(_home, "passphrase"), .. options, "--output", "-", "--symmetric", path]);
        Assert.True(code == 0, error);
        return output;
    }

    public (int Code, byte[] Output, string Error) Run(params string[] arguments) => Run([], arguments);

    public (int Code, byte[] Output, string Error) Run(byte[] input, string[] arguments) =>
        Tool.Run("gpg", input, ["--homedir", _home, "--batch", "--yes", "--quiet", "--pinentry-mode", "loopback", .. arguments]);

    public void Dispose()
    {
        Tool.Run("gpgconf", [], ["--homedir", _home, "--kill", "all"]);
        Directory.Delete(_home, recursive: true);
    }
}

internal static class Tool
{
    public static (int Code, byte[] Output, string Error) Run(string tool, byte[] input, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(tool, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = new MemoryStream();
        var reading = Task.Run(() => process.StandardOutput.BaseStream.CopyTo(output));
        var error = process.StandardError.ReadToEndAsync();
        try
        {
            process.StandardInput.BaseStream.Write(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The tool ended before it read all: its exit code says why.
        }

        Assert.True(process.WaitForExit(60_000), tool + " hangs");
        reading.GetAwaiter().GetResult();
        return (process.ExitCode, output.ToArray(), error.GetAwaiter().GetResult());
    }
}
