using BotCore.Backup.Engine.Compression.Bzip2;
using BotCore.Backup.Engine.Compression.Xz;
using BotCore.Backup.Engine.Compression.Zstd;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Compression;

/// <summary>The codecs, by name and by suffix. Thread-safe.</summary>
public static class Codecs
{
    private static readonly GzipCodec GzipOfProcess = new();

    private static readonly Format[] Known =
    [
        new("gzip", ".gz", "", () => GzipOfProcess),
        new(Bzip2Codec.FormatName, ".bz2", "libbz2-1.0", Bzip2Codec.Find),
        new(XzCodec.FormatName, ".xz", "liblzma5", () => LibLzma.Instance is { } library ? new XzCodec(library) : null),
        new(ZstdCodec.FormatName, ".zst", "libzstd1", () => LibZstd.Instance is { } library ? new ZstdCodec(library) : null),
    ];

    /// <summary>The names of all formats that this version writes and reads, whether their libraries are here or not.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Known.Select(format => format.Name)];

    /// <summary>The codecs that work on this machine.</summary>
    public static IReadOnlyList<ICodec> Available => [.. Known.Select(format => format.Codec).OfType<ICodec>()];

    /// <summary>gzip, which always works.</summary>
    public static GzipCodec Gzip => GzipOfProcess;

    /// <summary>The codec of that name, which is the word in settings and manifests; upper and lower case are the same.</summary>
    /// <exception cref="BackupException">
    /// <see cref="FailureKind.CodecMissing"/>: its library is not installed.
    /// <see cref="FailureKind.ConfigurationInvalid"/>: no compression format has that name.
    /// </exception>
    public static ICodec ByName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        foreach (var known in Known)
        {
            if (string.Equals(known.Name, name, StringComparison.OrdinalIgnoreCase))
                return known.Codec ?? throw Missing(known);
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
    /// <exception cref="BackupException"><see cref="FailureKind.CodecMissing"/>: the suffix of a format whose library is not installed.</exception>
    public static ICodec? BySuffix(string suffix) => NameBySuffix(suffix) is { } name ? ByName(name) : null;

    /// <summary>The name that goes with a suffix or file name, or null. Knows the formats too whose libraries are not installed, so it never throws.</summary>
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

    /// <summary>What <see cref="ByName"/> throws where the library of a format is not installed.</summary>
    internal static BackupException Missing(string name) => Missing(Known.First(format => string.Equals(format.Name, name, StringComparison.Ordinal)));

    private static BackupException Missing(Format format) => new(
        FailureKind.CodecMissing,
        $"The library of {format.Name} is not installed.",
        $"Install {format.Package} (the name in Debian and Ubuntu), or set the compression to gzip; an archive in {format.Name} opens with the {format.Name} tool and tar, too.",
        format.Name);

    /// <summary>A format; its library is looked for when the codec is first asked for.</summary>
    private sealed class Format(string name, string suffix, string package, Func<ICodec?> find)
    {
        private readonly Lazy<ICodec?> _codec = new(find);

        public string Name { get; } = name;

        public string Suffix { get; } = suffix;

        public string Package { get; } = package;

        public ICodec? Codec => _codec.Value;
    }
}
