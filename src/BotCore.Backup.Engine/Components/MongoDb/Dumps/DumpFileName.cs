using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumps;

/// <summary>
/// Names of collections as names of files, and back, as mongodump does: Go's url.QueryEscape, and a hash for the end of a long one.
/// Source: mongodb/mongo-tools, mongodump outputPath.
/// </summary>
internal static class DumpFileName
{
    /// <summary>Ends the file of a collection's documents.</summary>
    public const string DataSuffix = ".bson";

    /// <summary>Ends the file of a collection's options and indexes.</summary>
    public const string MetadataSuffix = ".metadata.json";

    /// <summary>
    /// Ends the BSON copy of the metadata. It must not end in ".bson": mongorestore takes every such file for a collection, and that of a collection named "x.metadata"
    /// has just this name.
    /// </summary>
    public const string MetadataCopySuffix = ".metadata.raw";

    /// <summary>Ends a file that is gzip data, behind its other suffix. oplog.bson may be gzip data without it.</summary>
    public const string GzipSuffix = ".gz";

    /// <summary>The oplog slice, in the root.</summary>
    public const string Oplog = "oplog.bson";

    /// <summary>Versions of server and tool, in the root or in the only database's folder.</summary>
    public const string Prelude = "prelude.json";

    /// <summary>The note of a backup, in the root: ours and the old scripts'.</summary>
    public const string BackupMetadata = "backup-metadata.json";

    // 255 bytes that file systems take, less ".metadata.json.gz".
    private const int Longest = 238;
    private const int KeptOfLong = 208;
    private const string HashMark = "%24";
    private const string Unescaped = "-_.~";
    private const string UpperHex = "0123456789ABCDEF";

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The file's name, without suffix, for a collection.</summary>
    public static string Escape(string collection)
    {
        var bytes = Encoding.UTF8.GetBytes(collection);
        var escaped = new StringBuilder(bytes.Length * 2);
        foreach (var value in bytes)
        {
            if (char.IsAsciiLetterOrDigit((char)value) || Unescaped.Contains((char)value, StringComparison.Ordinal))
                escaped.Append((char)value);
            else if (value == (byte)' ')
                escaped.Append('+');
            else
                escaped.Append('%').Append(UpperHex[value >> 4]).Append(UpperHex[value & 15]);
        }

        if (escaped.Length <= Longest)
            return escaped.ToString();
#pragma warning disable CA5350 // The format asks for SHA-1; it tells long names apart and guards nothing.
        var hash = Base64Url.EncodeToString(SHA1.HashData(bytes));
#pragma warning restore CA5350
        return string.Concat(escaped.ToString(0, KeptOfLong), HashMark, hash);
    }

    /// <summary>
    /// The collection of a file's name without suffix. A name that was never escaped (old versions left '%' and '+' alone) stays as it is where it cannot be
    /// unescaped. Where <see cref="IsShortened"/>, only the metadata knows the true name.
    /// </summary>
    public static string Unescape(string stem)
    {
        var text = stem.Replace('+', ' ');
        if (!text.Contains('%', StringComparison.Ordinal))
            return text;
        var bytes = Encoding.UTF8.GetBytes(text);
        var length = 0;
        for (var at = 0; at < bytes.Length; at++)
        {
            if (bytes[at] != '%')
            {
                bytes[length++] = bytes[at];
                continue;
            }

            if (at + 2 >= bytes.Length || !char.IsAsciiHexDigit((char)bytes[at + 1]) || !char.IsAsciiHexDigit((char)bytes[at + 2]))
                return stem;
            bytes[length++] = (byte)((HexValue(bytes[at + 1]) << 4) | HexValue(bytes[at + 2]));
            at += 2;
        }

        try
        {
            return Strict.GetString(bytes, 0, length);
        }
        catch (DecoderFallbackException)
        {
            return stem;
        }
    }

    /// <summary>Whether a file's name without suffix ends in a hash in place of the collection's name.</summary>
    public static bool IsShortened(string stem) => stem.Length == Longest && string.CompareOrdinal(stem, KeptOfLong, HashMark, 0, HashMark.Length) == 0;

    private static int HexValue(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}
