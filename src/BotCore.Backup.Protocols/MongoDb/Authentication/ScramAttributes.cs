using System.Globalization;
using System.Text;

namespace BotCore.Backup.Protocols.MongoDb.Authentication;

/// <summary>The <c>name=value</c> pairs of SCRAM's messages, and their arithmetic. Source: RFC 5802, sections 3 and 5.1.</summary>
internal static class ScramAttributes
{
    /// <summary>Splits a message in which exactly these names must stand first, in this order.</summary>
    public static string[] Parse(ReadOnlySpan<byte> message, string names)
    {
        string text;
        try
        {
            text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(message);
        }
        catch (ArgumentException)
        {
            throw Broken();
        }

        var parts = text.Split(',');
        if (parts.Length < names.Length)
            throw Broken();
        for (var index = 0; index < names.Length; index++)
        {
            if (parts[index].Length < 2 || parts[index][0] != names[index] || parts[index][1] != '=')
                throw Broken();
            parts[index] = parts[index][2..];
        }

        return parts[..names.Length];
    }

    public static byte[] Base64(string text)
    {
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out var length) ? bytes[..length] : throw Broken();
    }

    public static int Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw Broken();

    public static string Escape(string user) => user.Replace("=", "=3D", StringComparison.Ordinal).Replace(",", "=2C", StringComparison.Ordinal);

    public static string Unescape(string user) => user.Replace("=2C", ",", StringComparison.Ordinal).Replace("=3D", "=", StringComparison.Ordinal);

    public static byte[] Xor(byte[] left, byte[] right)
    {
        if (left.Length != right.Length)
            throw Broken();
        var result = new byte[left.Length];
        for (var index = 0; index < result.Length; index++)
            result[index] = (byte)(left[index] ^ right[index]);
        return result;
    }

    public static MongoException Broken() => new(MongoError.LoginFailed, "The login failed: the other side's message is not one of SCRAM.");
}
