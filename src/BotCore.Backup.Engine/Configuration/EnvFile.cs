using System.Text;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Configuration;

/// <summary>One assignment of a .env file. No record on purpose: a value may be a secret and must not print itself.</summary>
internal sealed class EnvEntry(string key, string value, int line)
{
    internal string Key { get; } = key;

    internal string Value { get; } = value;

    /// <summary>The line on which it starts, from 1.</summary>
    internal int Line { get; } = line;
}

/// <summary>Something about a line that is legal and yet perhaps not what was meant.</summary>
internal readonly record struct EnvRemark(string Key, int Line, string Text);

/// <summary>A .env file as data: it is never executed. The syntax is in <see cref="EnvFileParser"/>.</summary>
internal sealed class EnvFile
{
    /// <summary>Far beyond any file of settings; an archive given by mistake is refused instead of read.</summary>
    internal const int LongestFile = 1 << 20;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private EnvFile(string name, IReadOnlyList<EnvEntry> entries, IReadOnlyList<EnvRemark> remarks)
    {
        Name = name;
        Entries = entries;
        Remarks = remarks;
    }

    internal string Name { get; }

    internal IReadOnlyList<EnvEntry> Entries { get; }

    internal IReadOnlyList<EnvRemark> Remarks { get; }

    /// <summary>Reads a file: ConfigurationMissing where it is not there, AccessDenied, ConfigurationInvalid with the line.</summary>
    internal static EnvFile Read(string path, IReadOnlyDictionary<string, string> environment) =>
        Parse(Decode(ReadBytes(path), path), path, environment);

    /// <summary>Parses text; <paramref name="environment"/> is where <c>${VAR}</c> is looked up first.</summary>
    internal static EnvFile Parse(string text, string name, IReadOnlyDictionary<string, string> environment)
    {
        var parser = new EnvFileParser(text, name, environment);
        parser.Run();
        return new EnvFile(name, parser.Entries, parser.Remarks);
    }

    /// <summary>
    /// <paramref name="value"/> as it must stand after <c>KEY=</c> to be read back as it is: bare where that is safe, single-quoted as a shell does it,
    /// double-quoted where it holds a carriage return.
    /// </summary>
    internal static string Quote(string value)
    {
        if (value.Contains('\0', StringComparison.Ordinal))
            throw new ArgumentException("A setting cannot hold a zero character.", nameof(value));
        if (value.All(c => char.IsAsciiLetterOrDigit(c) || "_./:,@%+=-".Contains(c, StringComparison.Ordinal)))
            return value;
        if (!value.Contains('\r', StringComparison.Ordinal))
            return "'" + value.Replace("'", "'\\''", StringComparison.Ordinal) + "'";
        var quoted = new StringBuilder("\"");
        foreach (var c in value)
            quoted.Append(c switch { '\r' => "\\r", '"' => "\\\"", '\\' => "\\\\", '$' => "\\$", '`' => "\\`", _ => c.ToString() });
        return quoted.Append('"').ToString();
    }

    private static byte[] ReadBytes(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            var bytes = new byte[LongestFile + 1];
            var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (length > LongestFile)
            {
                throw new BackupException(
                    FailureKind.ConfigurationInvalid, $"{path} is larger than 1 MiB and so no file of settings.", "Name the .env file.", path);
            }

            return bytes[..length];
        }
        catch (Exception cause) when (cause is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new BackupException(
                FailureKind.ConfigurationMissing, $"The file of settings {path} does not exist.", "Name an existing .env file, or make one with New-BotBackupConfiguration.", path, cause);
        }
        catch (UnauthorizedAccessException cause)
        {
            throw new BackupException(
                FailureKind.AccessDenied, $"The file of settings {path} cannot be read by this user, or is a folder.", "Run as the user that owns the file, or name the right file.", path, cause);
        }
        catch (IOException cause)
        {
            throw new BackupException(FailureKind.ConfigurationInvalid, $"The file of settings {path} cannot be read.", "Look at the cause, and at the disk.", path, cause);
        }
    }

    private static string Decode(byte[] bytes, string path)
    {
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            // The decoder's own exception quotes bytes of the file, so it is not kept as the cause.
            throw new BackupException(
                FailureKind.ConfigurationInvalid, $"Line {LineOfBadByte(bytes)} of {path} is not UTF-8 text.", "Save the file as UTF-8.", path);
        }
    }

    private static int LineOfBadByte(ReadOnlySpan<byte> bytes)
    {
        var line = 1;
        foreach (var range in bytes.Split((byte)'\n'))
        {
            if (!System.Text.Unicode.Utf8.IsValid(bytes[range]))
                return line;
            line++;
        }

        return line;
    }
}
