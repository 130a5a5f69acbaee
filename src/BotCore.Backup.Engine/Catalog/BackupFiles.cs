using BotCore.Backup.Engine.Retention.Pins;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Verification;

namespace BotCore.Backup.Engine.Catalog;

/// <summary>The files that stand beside an archive, by its key. See docs/formats.md, "Files of a backup".</summary>
public static class BackupFiles
{
    /// <summary>The note that a run leaves before the archive takes its name.</summary>
    public const string IntentSuffix = ".intent";
    /// <summary>The table of entries.</summary>
    public const string IndexSuffix = ".index";
    /// <summary>The checksum, as sha256sum writes it.</summary>
    public const string ChecksumSuffix = ".sha256";
    /// <summary>The manifest: the commit.</summary>
    public const string ManifestSuffix = ".manifest.json";

    public static string Intent(string archive) => archive + IntentSuffix;

    public static string Index(string archive) => archive + IndexSuffix;

    public static string Checksum(string archive) => archive + ChecksumSuffix;

    public static string Manifest(string archive) => archive + ManifestSuffix;

    /// <summary>Whether a file only stands beside an archive.</summary>
    public static bool IsCompanion(string file) =>
        file.EndsWith(IntentSuffix, StringComparison.Ordinal) || file.EndsWith(IndexSuffix, StringComparison.Ordinal)
        || file.EndsWith(ChecksumSuffix, StringComparison.Ordinal) || file.EndsWith(ManifestSuffix, StringComparison.Ordinal) || ProofName.IsOne(file) || PinName.IsOne(file);

    /// <summary>The archive that <paramref name="key"/> is, or stands beside.</summary>
    public static string ArchiveOf(string key)
    {
        foreach (var suffix in (ReadOnlySpan<string>)[IntentSuffix, IndexSuffix, ChecksumSuffix, ManifestSuffix])
        {
            if (key.EndsWith(suffix, StringComparison.Ordinal))
                return key[..^suffix.Length];
        }

        // Of an archive whose name is too long for a record's, this is a name that stands for it, in the same folder.
        return ProofName.IsOne(key) ? key[..key.LastIndexOf(ProofName.Infix, StringComparison.Ordinal)]
            : PinName.IsOne(key) ? key[..key.LastIndexOf(PinName.Infix, StringComparison.Ordinal)]
            : key;
    }

    /// <summary>All files of a backup, in the order in which they are removed: without its manifest it is no backup any more.</summary>
    public static IEnumerable<string> InOrderOfRemoval(string archive) => [Manifest(archive), archive, Index(archive), Checksum(archive)];

    /// <summary>
    /// The same with what has no fixed name: its pins and the records of its proofs, last, since they say nothing without the backup. They are looked up when the others are gone, so that none that is written meanwhile is missed.
    /// </summary>
    public static IEnumerable<string> InOrderOfRemoval(IStore store, string archive, CancellationToken token)
    {
        foreach (var file in InOrderOfRemoval(archive))
            yield return file;
        foreach (var beside in new[] { PinName.PrefixOf(archive), ProofName.PrefixOf(archive) }.SelectMany(prefix => store.List(prefix, token).Select(one => one.Key).ToList()))
            yield return beside;
    }
}
