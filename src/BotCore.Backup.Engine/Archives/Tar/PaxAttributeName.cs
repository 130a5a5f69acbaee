using System.Text;

namespace BotCore.Backup.Engine.Archives.Tar;

/// <summary>
/// Names of extended attributes in PAX keywords. A keyword cannot hold <c>=</c>: GNU tar writes it as <c>%3D</c>, and <c>%</c> as <c>%25</c>
/// (its xattr_encode_keyword), and so do we.
/// </summary>
internal static class PaxAttributeName
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    internal static string Escape(string name)
        => name.AsSpan().IndexOfAny('%', '=') < 0
            ? name
            : name.Replace("%", "%25", StringComparison.Ordinal).Replace("=", "%3D", StringComparison.Ordinal);

    /// <summary>The name, or null where its bytes are not UTF-8 and so cannot be told.</summary>
    internal static string? Unescape(ReadOnlySpan<byte> keyword)
        => Decode(keyword)?.Replace("%3D", "=", StringComparison.Ordinal).Replace("%25", "%", StringComparison.Ordinal);

    /// <summary>The name in libarchive's own record, where any byte may stand as <c>%NN</c>.</summary>
    internal static string? UnescapeLibarchive(ReadOnlySpan<byte> keyword)
    {
        var name = new byte[keyword.Length];
        var length = 0;
        for (var at = 0; at < keyword.Length; at++)
        {
            if (keyword[at] == '%' && at + 2 < keyword.Length
                && System.Buffers.Text.Utf8Parser.TryParse(keyword.Slice(at + 1, 2), out byte value, out var used, 'x') && used == 2)
            {
                name[length++] = value;
                at += 2;
            }
            else
            {
                name[length++] = keyword[at];
            }
        }

        return Decode(name.AsSpan(0, length));
    }

    /// <summary>The bytes of libarchive's base64, which comes without padding; null where it is malformed.</summary>
    internal static byte[]? DecodeLibarchive(ReadOnlySpan<byte> base64)
    {
        var bare = base64.TrimEnd((byte)'=');
        Span<char> padded = new char[(bare.Length + 3) / 4 * 4];
        padded.Fill('=');
        Encoding.Latin1.GetChars(bare, padded);
        var value = new byte[padded.Length / 4 * 3];
        return Convert.TryFromBase64Chars(padded, value, out var length) ? value[..length] : null;
    }

    private static string? Decode(ReadOnlySpan<byte> name)
    {
        try
        {
            return name.IsEmpty ? null : Strict.GetString(name);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}
