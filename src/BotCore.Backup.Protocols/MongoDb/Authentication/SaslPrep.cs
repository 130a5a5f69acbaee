using System.Globalization;
using System.Text;

namespace BotCore.Backup.Protocols.MongoDb.Authentication;

/// <summary>Prepares a password for SCRAM-SHA-256, so that it is the same however it was typed. Source: RFC 4013 over RFC 3454; code points not assigned then are let through.</summary>
internal static class SaslPrep
{
    // RFC 3454, table B.1: taken out. FE00-FE0F are variation selectors.
    private static readonly int[] Nothing = [0x00AD, 0x034F, 0x1806, 0x180B, 0x180C, 0x180D, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF];

    // Table D.1 as pairs, first and last: written from right to left.
    private static readonly int[] RightToLeft =
    [
        0x05BE, 0x05BE, 0x05C0, 0x05C0, 0x05C3, 0x05C3, 0x05D0, 0x05EA, 0x05F0, 0x05F4, 0x061B, 0x061B, 0x061F, 0x061F, 0x0621, 0x063A, 0x0640, 0x064A,
        0x066D, 0x066F, 0x0671, 0x06D5, 0x06DD, 0x06DD, 0x06E5, 0x06E6, 0x06FA, 0x06FE, 0x0700, 0x070D, 0x0710, 0x0710, 0x0712, 0x072C, 0x0780, 0x07A5,
        0x07B1, 0x07B1, 0x200F, 0x200F, 0xFB1D, 0xFB1D, 0xFB1F, 0xFB28, 0xFB2A, 0xFB36, 0xFB38, 0xFB3C, 0xFB3E, 0xFB3E, 0xFB40, 0xFB41, 0xFB43, 0xFB44,
        0xFB46, 0xFBB1, 0xFBD3, 0xFD3D, 0xFD50, 0xFD8F, 0xFD92, 0xFDC7, 0xFDF0, 0xFDFC, 0xFE70, 0xFE74, 0xFE76, 0xFEFC,
    ];

    public static string Apply(string text)
    {
        if (Ascii.IsValid(text) && !text.AsSpan().ContainsAnyInRange('\0', '\u001f') && !text.Contains('\u007f', StringComparison.Ordinal))
            return text;
        var mapped = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune == Rune.ReplacementChar)
                throw Forbidden();
            if (IsSpace(rune))
                mapped.Append(' ');
            else if (!Nothing.Contains(rune.Value) && rune.Value is < 0xFE00 or > 0xFE0F)
                mapped.Append(rune);
        }

        var prepared = mapped.ToString().Normalize(NormalizationForm.FormKC);
        if (prepared.EnumerateRunes().Any(IsForbidden))
            throw Forbidden();
        CheckDirection(prepared);
        return prepared;
    }

    private static MongoException Forbidden() => new(MongoError.LoginFailed, "The login was broken off: the password holds characters that SASLprep (RFC 4013) forbids.");

    // Table C.1.2.
    private static bool IsSpace(Rune rune) => rune.Value is 0x00A0 or 0x1680 or (>= 0x2000 and <= 0x200B) or 0x202F or 0x205F or 0x3000;

    // Tables C.2.1 to C.9.
    private static bool IsForbidden(Rune rune)
    {
        var value = rune.Value;
        return Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.PrivateUse or UnicodeCategory.Surrogate
            || (value & 0xFFFE) == 0xFFFE
            || value is 0x06DD or 0x070F or 0x180E or (>= 0x200B and <= 0x200F) or (>= 0x2028 and <= 0x202E) or (>= 0x2060 and <= 0x2063)
                or (>= 0x206A and <= 0x206F) or 0xFEFF or (>= 0xFFF9 and <= 0xFFFD) or (>= 0x1D173 and <= 0x1D17A) or (>= 0xFDD0 and <= 0xFDEF)
                or (>= 0x2FF0 and <= 0x2FFB) or 0x0340 or 0x0341 or 0xE0001 or (>= 0xE0020 and <= 0xE007F);
    }

    // RFC 3454, section 6: with one right-to-left character, none from left to right, and the first and last from right to left.
    private static void CheckDirection(string text)
    {
        var runes = text.EnumerateRunes().ToArray();
        if (!runes.Any(IsRightToLeft))
            return;
        if (runes.Any(rune => Rune.IsLetter(rune) && !IsRightToLeft(rune)) || !IsRightToLeft(runes[0]) || !IsRightToLeft(runes[^1]))
            throw Forbidden();
    }

    private static bool IsRightToLeft(Rune rune)
    {
        for (var index = 0; index < RightToLeft.Length; index += 2)
        {
            if (rune.Value >= RightToLeft[index] && rune.Value <= RightToLeft[index + 1])
                return true;
        }

        return false;
    }
}
