using System.Security.Cryptography;
using System.Text;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Configuration;

/// <summary>Reads files whose first line is a secret.</summary>
internal static class SecretFile
{
    /// <summary>Bytes that a first line may have; more is another kind of file.</summary>
    internal const int LongestLine = 4096;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The first line as text, without its end. Failures are ConfigurationMissing, ConfigurationInvalid and AccessDenied.</summary>
    internal static string ReadFirstLine(string path)
    {
        var buffer = GC.AllocateArray<byte>(LongestLine + 2, pinned: true);
        try
        {
            using var file = Open(path, FailureKind.ConfigurationMissing);
            var line = FirstLine(file, buffer, out _)
                ?? throw new BackupException(FailureKind.ConfigurationInvalid, $"The first line of {path} is longer than {LongestLine} bytes.", "Name the file that holds the secret alone.", path);
            return Strict.GetString(buffer.AsSpan(0, line));
        }
        catch (DecoderFallbackException)
        {
            throw new BackupException(FailureKind.ConfigurationInvalid, $"The first line of {path} is not UTF-8 text.", "Save the file as UTF-8.", path);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(buffer);
        }
    }

    /// <summary>The mode in octal where group or others may read or change the file; null where they may not, and on Windows.</summary>
    internal static string? ReadableByOthers(string path)
    {
        if (OperatingSystem.IsWindows())
            return null;
        var mode = (int)File.GetUnixFileMode(path);
        return (mode & UnixFile.GroupAndOthers) == 0 ? null : UnixFile.Octal(mode);
    }

    /// <summary>Opens a regular file, links followed; <paramref name="missing"/> is the kind of failure where it is not there or no file.</summary>
    internal static FileStream Open(string path, FailureKind missing)
    {
        try
        {
            // A FIFO would block the open for ever, so it is looked at first.
            if (Directory.Exists(path) || UnixFile.Status(path) is { IsRegular: false })
                throw new BackupException(missing, $"{path} is not a regular file.", "Name the file that holds the secret.", path);
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        }
        catch (Exception cause) when (cause is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new BackupException(missing, $"The secret file {path}, which a setting names, does not exist.", "Create it (New-BotBackupPassphrase makes passphrases), or name the right one.", path, cause);
        }
        catch (UnauthorizedAccessException cause)
        {
            throw new BackupException(FailureKind.AccessDenied, $"{path} cannot be read by this user.", "Run as the user that owns the file, or give the file to this user.", path, cause);
        }
        catch (IOException cause)
        {
            throw new BackupException(missing, $"{path} cannot be read.", "Look at the cause, and at the disk.", path, cause);
        }
    }

    /// <summary>Length of the first line in <paramref name="buffer"/> without LF or CRLF; null where it does not fit.</summary>
    internal static int? FirstLine(FileStream file, byte[] buffer, out bool carriageReturn)
    {
        carriageReturn = false;
        var read = file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        var end = buffer.AsSpan(0, read).IndexOf((byte)'\n');
        var length = end < 0 ? read : end;
        carriageReturn = length > 0 && end >= 0 && buffer[length - 1] == '\r';
        if (carriageReturn)
            length--;
        return length > LongestLine ? null : length;
    }
}
