using System.Globalization;
using System.Text.RegularExpressions;
using BotCore.Backup.Engine.Components;

namespace BotCore.Backup.Engine.Archives;

/// <summary>
/// The name of an archive, as the platform has always had them: component, name and UTC stamp. Knows the folder it lives in and
/// reads names back, also those that the old scripts left. See docs/formats.md, "Names".
/// </summary>
public sealed partial record ArchiveName
{
    // Behind the name of what is no database.
    private const string IncrementWord = "_incremental";

    /// <summary>The <see cref="Lease"/> of increments of databases.</summary>
    internal const string IncrementLease = "mongodb-incremental";

    private const string StampFormat = "yyyyMMdd_HHmmss";

    private ArchiveName(Component component, string name, BackupType type, DateTimeOffset taken, string stem, string suffix)
    {
        Component = component;
        Name = name;
        Type = type;
        Taken = taken;
        Stem = stem;
        Suffix = suffix;
    }

    /// <summary>What is in it; <see cref="Component.Config"/> for a snapshot until its manifest says better.</summary>
    public Component Component { get; }

    /// <summary>Which one of its component: the volume, the model, or the component's own word.</summary>
    public string Name { get; }

    /// <summary>Full, incremental or snapshot.</summary>
    public BackupType Type { get; }

    /// <summary>The stamp, UTC, whole seconds.</summary>
    public DateTimeOffset Taken { get; }

    /// <summary>The file name before <c>.tar</c>.</summary>
    public string Stem { get; }

    /// <summary>From <c>.tar</c> on: codec and encryption.</summary>
    public string Suffix { get; }

    /// <summary>Whether the name says that it is encrypted.</summary>
    public bool IsEncrypted => Suffix.EndsWith(".gpg", StringComparison.Ordinal);

    /// <summary>The codec's part of the suffix, such as <c>.gz</c>; empty for a bare tar.</summary>
    public string CodecSuffix => Suffix[".tar".Length..].Replace(".gpg", "", StringComparison.Ordinal);

    /// <summary>The file name.</summary>
    public string FileName => Stem + Suffix;

    /// <summary>
    /// The lease that guards the making and removing of its kind: the first part of its folder. Increments of a database have one of their own, since they go on while a full is made.
    /// </summary>
    public string Lease => (Type, Component) is (BackupType.Incremental, Component.MongoDb) ? IncrementLease : Folder.Split('/')[0];

    /// <summary>The folder in a store, without a trailing slash.</summary>
    public string Folder => Type == BackupType.Snapshot ? "pre-restore-snapshots" : Component switch
    {
        Component.MongoDb => string.Create(CultureInfo.InvariantCulture, $"mongodb/{Taken.UtcDateTime:yyyy}/{Taken.UtcDateTime:MM}"),
        Component.Volume => "volumes",
        Component.Config => "config",
        Component.Model => "models",
        _ => "other",
    };

    /// <summary>The key in a store: folder and file name.</summary>
    public string Key => Folder + "/" + FileName;

    /// <summary>A new name. <paramref name="attempt"/> 2 and up add a suffix for collisions within one second.</summary>
    public static ArchiveName Create(Component component, string name, BackupType type, DateTimeOffset taken, string suffix, int attempt = 1)
    {
        var stamp = taken.UtcDateTime.ToString(StampFormat, CultureInfo.InvariantCulture);
        var head = (type, component) switch
        {
            (BackupType.Snapshot, _) => "pre_restore",
            (BackupType.Full, Component.MongoDb) => "mongodb_full",
            (BackupType.Incremental, Component.MongoDb) => "mongodb_incremental",
            (BackupType.Incremental, _) => name + IncrementWord,
            _ => name,
        };
        var collision = attempt > 1 ? "_" + attempt.ToString(CultureInfo.InvariantCulture) : "";
        var whole = new DateTimeOffset(taken.UtcDateTime.Ticks / TimeSpan.TicksPerSecond * TimeSpan.TicksPerSecond, TimeSpan.Zero);
        return new ArchiveName(component, name, type, whole, $"{head}_{stamp}{collision}", suffix);
    }

    /// <summary>
    /// Reads a name back from a key such as <c>config/config_20251118_030000.tar.gz</c>, or from a bare file name where the name alone
    /// tells the component. False where it is not one of ours.
    /// </summary>
    public static bool TryParse(string key, out ArchiveName name)
    {
        name = null!;
        var slash = key.LastIndexOf('/');
        var match = Pattern().Match(key[(slash + 1)..]);
        if (!match.Success || !DateTime.TryParseExact(match.Groups["stamp"].Value, StampFormat, CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var stamp))
            return false;

        var head = match.Groups["head"].Value;
        var folder = slash < 0 ? "" : key[..key.IndexOf('/', StringComparison.Ordinal)];
        var (component, type) = (folder, head) switch
        {
            ("pre-restore-snapshots", _) or ("", "pre_restore") => (Component.Config, BackupType.Snapshot),
            ("mongodb" or "", "mongodb_incremental") => (Component.MongoDb, BackupType.Incremental),
            ("mongodb" or "", "mongodb_full") => (Component.MongoDb, BackupType.Full),
            ("config", _) or ("", "config" or "config_incremental") => (Component.Config, BackupType.Full),
            ("volumes", _) => (Component.Volume, BackupType.Full),
            ("models", _) => (Component.Model, BackupType.Full),
            _ => (Component.Unknown, BackupType.Unknown),
        };
        if (component == Component.Unknown && folder.Length > 0)
            return false;

        var shown = component == Component.MongoDb ? "mongodb" : head;
        if (type == BackupType.Full && component != Component.MongoDb && head.Length > IncrementWord.Length && head.EndsWith(IncrementWord, StringComparison.Ordinal))
            (type, shown) = (BackupType.Incremental, head[..^IncrementWord.Length]);
        name = new ArchiveName(component, shown, type, new DateTimeOffset(stamp, TimeSpan.Zero), match.Groups["stem"].Value, match.Groups["suffix"].Value);
        return true;
    }

    [GeneratedRegex(@"^(?<stem>(?<head>[^/]+?)_(?<stamp>\d{8}_\d{6})(_\d+)?)(?<suffix>\.tar(\.(gz|bz2|xz|zst))?(\.gpg)?)$", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Pattern();
}
