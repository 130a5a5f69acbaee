using System.Runtime.InteropServices;
using System.Security;
using System.Security.Cryptography;
using System.Text;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Configuration;

/// <summary>
/// Where passphrases come from. Of a file it is the first line without LF or CRLF, as bytes; the file must be a regular one (links are followed) that
/// belongs to this user or root and that nobody else may read or write. Owner and mode are checked on the open file; the owner on Linux only, neither on Windows.
/// </summary>
public static class PassphraseSource
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>What the caller gave, otherwise what GPG_PASSPHRASE_FILE holds.</summary>
    /// <exception cref="BackupException">PassphraseMissing, PassphraseTooOpen, AccessDenied, ConfigurationInvalid.</exception>
    public static Passphrase Resolve(BotBackupConfiguration configuration, SecureString? given = null)
    {
        if (given is not null)
            return FromSecureString(given);
        return configuration.PassphraseFile is { } file
            ? FromFile(file)
            : throw new BackupException(
                FailureKind.PassphraseMissing,
                "A passphrase is needed, and neither -Passphrase nor GPG_PASSPHRASE_FILE names one.",
                "Make one with New-BotBackupPassphrase and set GPG_PASSPHRASE_FILE.",
                ConfigurationKeys.GpgPassphraseFile);
    }

    /// <summary>Reads a passphrase file.</summary>
    /// <exception cref="BackupException">PassphraseMissing, PassphraseTooOpen, AccessDenied, ConfigurationInvalid.</exception>
    public static Passphrase FromFile(string path) => Read(path, out _);

    /// <summary>The UTF-8 bytes of <paramref name="text"/>, which stays the caller's to dispose of.</summary>
    /// <exception cref="BackupException">PassphraseMissing where it is empty; ConfigurationInvalid where no first line of a file could hold it.</exception>
    public static Passphrase FromSecureString(SecureString text)
    {
        var pointer = Marshal.SecureStringToGlobalAllocUnicode(text);
        var bytes = GC.AllocateArray<byte>(Strict.GetMaxByteCount(text.Length), pinned: true);
        try
        {
            ReadOnlySpan<char> chars;
            unsafe
            {
                chars = new ReadOnlySpan<char>((void*)pointer, text.Length);
            }

            return Make(bytes.AsSpan(0, Strict.GetBytes(chars, bytes)), "The passphrase that was given", target: null);
        }
        catch (EncoderFallbackException)
        {
            throw new BackupException(FailureKind.ConfigurationInvalid, "The passphrase that was given is not valid Unicode text.", "Give another one.");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
            Marshal.ZeroFreeGlobalAllocUnicode(pointer);
        }
    }

    internal static Passphrase Read(string path, out bool carriageReturn)
    {
        var buffer = GC.AllocateArray<byte>(SecretFile.LongestLine + 2, pinned: true);
        try
        {
            using var file = SecretFile.Open(path, FailureKind.PassphraseMissing);
            Guard(file, path);
            var length = SecretFile.FirstLine(file, buffer, out carriageReturn)
                ?? throw new BackupException(
                    FailureKind.ConfigurationInvalid, $"The first line of {path} is longer than {SecretFile.LongestLine} bytes, which no passphrase is.", "Name the right file.", path);
            return Make(buffer.AsSpan(0, length), $"The first line of {path}", path);
        }
        catch (IOException cause)
        {
            throw new BackupException(FailureKind.PassphraseMissing, $"The passphrase file {path} cannot be read.", "Look at the cause, and at the disk.", path, cause);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(buffer);
        }
    }

    private static void Guard(FileStream file, string path)
    {
        if (OperatingSystem.IsWindows())
            return;
        var mode = (int)File.GetUnixFileMode(file.SafeFileHandle);
        if ((mode & UnixFile.GroupAndOthers) != 0)
        {
            throw new BackupException(
                FailureKind.PassphraseTooOpen, $"The passphrase file {path} is open to group or others (mode {UnixFile.Octal(mode)}).", $"Run: chmod 600 {path}", path);
        }

        var owner = UnixFile.Status(file.SafeFileHandle)?.Owner;
        if (owner is not null && owner != 0 && owner != UnixFile.CurrentUser())
        {
            throw new BackupException(
                FailureKind.PassphraseTooOpen, $"The passphrase file {path} belongs to another user (id {owner}), who can read and change it.", $"Run: chown {UnixFile.CurrentUser()} {path}", path);
        }
    }

    private static Passphrase Make(ReadOnlySpan<byte> bytes, string what, string? target)
    {
        if (bytes.IsEmpty)
            throw new BackupException(FailureKind.PassphraseMissing, $"{what} is empty.", "Make a passphrase with New-BotBackupPassphrase.", target);
        // gpg would cut the passphrase there, and so could not open the archive.
        return bytes.ContainsAny((byte)0, (byte)'\n')
            ? throw new BackupException(FailureKind.ConfigurationInvalid, $"{what} holds a zero character or a line break, which no passphrase may.", "Give another one.", target)
            : new Passphrase(bytes);
    }
}
