using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Verification;

/// <summary>How far a look at an archive went. Each includes those before it, but for <see cref="Tried"/>, which proved nothing.</summary>
public enum ProofMark
{
    /// <summary>Never written.</summary>
    Unknown = 0,

    /// <summary>It was somebody's turn, and what came of it says nothing of the archive: a wrong passphrase, a store that went away.</summary>
    Tried,

    /// <summary>The bytes are those that were sealed.</summary>
    Checksum,

    /// <summary>Read to the end, every entry compared.</summary>
    Archive,

    /// <summary>Restored into the Sandbox, which is no mongod, and compared.</summary>
    Sandbox,

    /// <summary>Restored and compared.</summary>
    Restore,
}

/// <summary>
/// The name of a record of the proof ledger: <c>ARCHIVE.proof.20261201_025611Z.archive.1a2b3c4d.json</c>. It says all that a listing needs, so none is opened for one. Immutable.
/// See docs/formats.md, "Proof records".
/// </summary>
/// <param name="At">When, to the second; records of one second have turns.</param>
/// <param name="Turn">1, or which one of its second.</param>
/// <param name="Mark">How far it went; of a failure, the least that can show that it is mended.</param>
/// <param name="Flaw">What was wrong; null for a success, and for a mere try.</param>
/// <param name="Seal">The beginning of a hash that binds it to one archive, see <see cref="SealOf"/>.</param>
public sealed record ProofName(DateTimeOffset At, int Turn, ProofMark Mark, FailureKind? Flaw, string Seal)
{
    internal const string Infix = ".proof.";

    private const string Suffix = ".json";
    private const string StampFormat = "yyyyMMdd_HHmmss'Z'";
    private const string FailedWord = "failed-";
    private const int SealLength = 8;
    private const int MostTurns = 9999;

    // What stands behind it, with the dot and the word of a half-written file around, passes 255 bytes with a longer one.
    private const int LongestStem = 150;

    private static readonly FailureKind[] Flaws =
        [FailureKind.ChecksumMismatch, FailureKind.ManifestMismatch, FailureKind.ArchiveCorrupt, FailureKind.ArchiveUnauthenticated, FailureKind.RestoreMismatch];

    /// <summary>Whether the archive stood the test.</summary>
    public bool IsSuccess => Flaw is null && Mark >= ProofMark.Checksum;

    /// <summary>Whether a failure of that kind says that the archive itself is damaged; others are about keys, servers, networks and rooms.</summary>
    public static bool IsDamage(FailureKind kind) => Array.IndexOf(Flaws, kind) >= 0;

    /// <summary>
    /// What binds a record to an archive: the first eight digits of the SHA-256 of its manifest; of an archive that has none, of its length in decimal. What stands there after an exchange is another one.
    /// </summary>
    public static string SealOf(string? manifestSha256, long length) =>
        (manifestSha256 ?? Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(length.ToString(CultureInfo.InvariantCulture)))))[..SealLength];

    /// <summary>What the keys of all records of <paramref name="archive"/> begin with: its key, or where that is too long for a file's name a hash of it.</summary>
    public static string PrefixOf(string archive) => PrefixOf(archive, Infix);

    /// <summary>The same of other small files that stand beside an archive, told apart by their <paramref name="infix"/>.</summary>
    internal static string PrefixOf(string archive, string infix)
    {
        var slash = archive.LastIndexOf('/') + 1;
        var file = archive[slash..];
        return Encoding.UTF8.GetByteCount(file) <= LongestStem
            ? archive + infix
            : $"{archive[..slash]}~{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(file)))[..32]}{infix}";
    }

    /// <summary>Whether <paramref name="key"/> could be that of a record: what stands beside an archive, whatever version wrote it.</summary>
    public static bool IsOne(string key) =>
        key.EndsWith(Suffix, StringComparison.Ordinal)
        && key.LastIndexOf(Infix, StringComparison.Ordinal) is var infix && infix > key.LastIndexOf('/') + 1 && infix + Infix.Length <= key.Length - Suffix.Length;

    /// <summary>Reads a key. False for whatever is not exactly one: it is not looked at, and no error.</summary>
    public static bool TryParse(string key, out string prefix, out ProofName name)
    {
        (prefix, name) = ("", null!);
        if (!IsOne(key))
            return false;
        var infix = key.LastIndexOf(Infix, StringComparison.Ordinal);
        var parts = key[(infix + Infix.Length)..^Suffix.Length].Split('.');
        if (parts is not [var stamp, var word, var seal] || !TryStamp(stamp, out var at, out var turn) || !TryWord(word, out var mark, out var flaw) || !IsSeal(seal))
            return false;
        prefix = key[..(infix + Infix.Length)];
        name = new ProofName(at, turn, mark, flaw, seal);
        return true;
    }

    /// <summary>The key of this record of <paramref name="archive"/>.</summary>
    public string KeyOf(string archive)
    {
        var turn = Turn > 1 ? "_" + Turn.ToString(CultureInfo.InvariantCulture) : "";
        var word = Mark.ToString().ToLowerInvariant();
        return $"{PrefixOf(archive)}{At.UtcDateTime.ToString(StampFormat, CultureInfo.InvariantCulture)}{turn}.{(Flaw is { } flaw ? $"{FailedWord}{word}-{flaw}" : word)}.{Seal}{Suffix}";
    }

    /// <summary>What records are ordered by, older ones first.</summary>
    internal (DateTimeOffset At, int Turn) Order => (At, Turn);

    private static bool TryStamp(string text, out DateTimeOffset at, out int turn)
    {
        (at, turn) = (default, 1);
        var mark = text.IndexOf('Z', StringComparison.Ordinal);
        if (mark < 0 || !DateTimeOffset.TryParseExact(text[..(mark + 1)], StampFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out at))
            return false;
        var behind = text[(mark + 1)..];
        return behind.Length == 0
            || (behind.Length is >= 2 and <= 5 && behind[0] == '_' && behind[1] != '0'
                && int.TryParse(behind.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out turn) && turn is > 1 and <= MostTurns);
    }

    private static bool TryWord(string text, out ProofMark mark, out FailureKind? flaw)
    {
        flaw = null;
        if (!text.StartsWith(FailedWord, StringComparison.Ordinal))
            return TryMark(text, out mark);
        var dash = text.LastIndexOf('-');
        if (dash < FailedWord.Length || !TryMark(text[FailedWord.Length..dash], out mark) || mark == ProofMark.Tried)
        {
            mark = ProofMark.Unknown;
            return false;
        }

        var kind = Array.Find(Flaws, one => string.Equals(one.ToString(), text[(dash + 1)..], StringComparison.Ordinal));
        flaw = kind;
        return kind != FailureKind.Unknown;
    }

    private static bool TryMark(string text, out ProofMark mark)
    {
        mark = text switch
        {
            "tried" => ProofMark.Tried,
            "checksum" => ProofMark.Checksum,
            "archive" => ProofMark.Archive,
            "sandbox" => ProofMark.Sandbox,
            "restore" => ProofMark.Restore,
            _ => ProofMark.Unknown,
        };
        return mark != ProofMark.Unknown;
    }

    private static bool IsSeal(string text) => text.Length == SealLength && text.All(letter => letter is (>= '0' and <= '9') or (>= 'a' and <= 'f'));
}
