using System.Buffers.Text;
using System.Security.Cryptography;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Configuration;

/// <summary>Makes passphrase files: 32 random bytes as Base64, a line feed, mode 0400. It never shows one and never overwrites a file.</summary>
public static class PassphraseGenerator
{
    private const int RandomBytes = 32;

    /// <summary>Creates <paramref name="path"/> and forces it to the disk, with its name in the folder.</summary>
    /// <exception cref="BackupException">DestinationNotEmpty: the file exists. ConfigurationMissing: its folder does not. AccessDenied: it cannot be written.</exception>
    public static void Create(string path)
    {
        var full = Path.GetFullPath(path);
        var random = GC.AllocateArray<byte>(RandomBytes, pinned: true);
        var line = GC.AllocateArray<byte>(Base64.GetMaxEncodedToUtf8Length(RandomBytes) + 1, pinned: true);
        try
        {
            RandomNumberGenerator.Fill(random);
            Base64.EncodeToUtf8(random, line, out _, out var written);
            line[written] = (byte)'\n';
            NewFile.Write(full, line.AsSpan(0, written + 1), UnixFileMode.UserRead);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(random);
            CryptographicOperations.ZeroMemory(line);
        }
    }
}
