using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Compression;

/// <summary>The codecs of this version, by name and by suffix. Thread-safe.</summary>
public static class Codecs
{
    private static readonly GzipCodec GzipOfProcess = new();

    // Formats that have a name and a suffix of their own here, whether this version has their codec or not.
    private static readonly (string Name, string Suffix, ICodec? Codec)[] Known =
    [
        ("gzip", ".gz", GzipOfProcess),
        ("bzip2", ".bz2", null),
        ("xz", ".xz", null),
        ("zstd", ".zst", null),
    ];

    /// <summary>The names that <see cref="ByName"/> answers with a codec.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Known.Where(k => k.Codec is not null).Select(k => k.Name)];

    /// <summary>gzip, which always works.</summary>
    public static GzipCodec Gzip => GzipOfProcess;

    /// <summary>The codec of that name, which is the word in settings and manifests; upper and lower case are the same.</summary>
    /// <exception cref="BackupException">
    /// <see cref="FailureKind.CodecMissing"/>: a format that this version does not write or read.
    /// <see cref="FailureKind.ConfigurationInvalid"/>: no compression format has that name.
    /// </exception>
    public static ICodec ByName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        foreach (var known in Known)
        {
            if (string.Equals(known.Name, name, StringComparison.OrdinalIgnoreCase))
                return known.Codec ?? throw Missing(known.Name);
        }

        throw new BackupException(
            FailureKind.ConfigurationInvalid,
            $"There is no compression named '{name}'.",
            $"Use one of: {string.Join(", ", Names)}.",
            name);
    }

    /// <summary>
    /// The codec of a suffix or file name such as <c>.gz</c>, <c>.tar.gz</c> or <c>config.tar.gz</c> (without .gpg), or null where it names no compression.
    /// </summary>
    /// <exception cref="BackupException"><see cref="FailureKind.CodecMissing"/>: the suffix of a format that this version does not write or read.</exception>
    public static ICodec? BySuffix(string suffix) => NameBySuffix(suffix) is { } name ? ByName(name) : null;

    /// <summary>The name that goes with a suffix or file name, or null. Knows the formats too that this version does not write or read, so it never throws.</summary>
    public static string? NameBySuffix(string suffix)
    {
        ArgumentNullException.ThrowIfNull(suffix);
        foreach (var known in Known)
        {
            if (suffix.EndsWith(known.Suffix, StringComparison.Ordinal))
                return known.Name;
        }

        return null;
    }

    private static BackupException Missing(string name) => new(
        FailureKind.CodecMissing,
        $"The codec {name} is not part of this version, which writes and reads gzip only.",
        $"Set the compression to gzip; an archive in {name} opens with the {name} tool and tar.",
        name);
}
