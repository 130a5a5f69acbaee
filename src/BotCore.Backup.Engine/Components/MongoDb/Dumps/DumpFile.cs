namespace BotCore.Backup.Engine.Components.MongoDb.Dumps;

/// <summary>What a file of a dump is.</summary>
internal enum DumpFileKind
{
    /// <summary>Nothing that is known.</summary>
    Other = 0,

    /// <summary>Documents of a collection.</summary>
    Data,

    /// <summary>Options and indexes of a collection or view, as JSON.</summary>
    Metadata,

    /// <summary>The same as BSON, where JSON cannot hold it; it goes before the JSON.</summary>
    MetadataCopy,

    /// <summary>The oplog slice.</summary>
    Oplog,

    /// <summary>Versions of server and tool.</summary>
    Prelude,

    /// <summary>The note of a backup.</summary>
    BackupMetadata,

    /// <summary>Users, roles or their version of one database, from the admin database: <c>$admin.system.users</c> and its like.</summary>
    UsersRolesVersion,
}

/// <summary>A file of a dump, by its path. Immutable.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Database">The database; empty where it belongs to none.</param>
/// <param name="Collection">The collection as far as the name tells; see <paramref name="IsShortened"/>.</param>
/// <param name="Stem">The file's name without suffixes: equal for data and metadata of one collection.</param>
/// <param name="IsGzip">Whether the name says gzip data. The content of <c>oplog.bson</c> may be gzip data all the same.</param>
/// <param name="IsShortened">Whether the true name stands only in the metadata.</param>
internal sealed record DumpFile(DumpFileKind Kind, string Database, string Collection, string Stem, bool IsGzip, bool IsShortened)
{
    private static readonly string[] RootFiles = [DumpFileName.Oplog, DumpFileName.Prelude, DumpFileName.BackupMetadata];

    /// <summary>The collection, as far as the name tells.</summary>
    public DumpNamespace Namespace => new(Database, Collection);

    /// <summary>
    /// The folder, without slash at its end, that all of a dump lies in: empty where databases lie at the top. Give it every file's path, as a tar has them. Databases
    /// lie in the folder that holds oplog.bson, prelude.json or backup-metadata.json beside folders, or else one above the files of collections.
    /// </summary>
    public static string FindRoot(IEnumerable<string> paths)
    {
        var files = paths.Select(path => Split(path)).Where(parts => parts.Length > 0).ToList();
        var collections = files.Where(parts => parts.Length > 1 && !RootFiles.Contains(WithoutGzip(parts[^1]), StringComparer.Ordinal) && HasSuffix(parts[^1])).ToList();
        if (collections.Count > 0)
        {
            // All collections lie at one depth in a dump; the first databases to appear tell the root.
            var shortest = collections.MinBy(parts => parts.Length)!;
            return string.Join('/', shortest[..^2]);
        }

        var root = files.Where(parts => RootFiles.Contains(WithoutGzip(parts[^1]), StringComparer.Ordinal)).MinBy(parts => parts.Length);
        return root is null ? "" : string.Join('/', root[..^1]);
    }

    /// <summary>Tells what the file at <paramref name="path"/> is, where the dump lies in the folder <paramref name="root"/> of the same tree (see <see cref="FindRoot"/>).</summary>
    public static DumpFile Classify(string path, string root = "")
    {
        var parts = Split(path);
        var above = Split(root);
        var inside = parts.Length > above.Length && parts.AsSpan(0, above.Length).SequenceEqual(above) ? parts[above.Length..] : [];
        return inside switch
        {
            [var file] => InRoot(file),
            [var database, var file] => InDatabase(database, file),
            _ => new DumpFile(DumpFileKind.Other, "", "", "", IsGzip: false, IsShortened: false),
        };
    }

    /// <summary>Tells what a file in a database's folder is.</summary>
    public static DumpFile InDatabase(string database, string file)
    {
        var name = WithoutGzip(file);
        var gzip = name.Length != file.Length;
        if (name is DumpFileName.Prelude)
            return new DumpFile(DumpFileKind.Prelude, database, "", "", gzip, IsShortened: false);
        foreach (var (suffix, kind) in Suffixes)
        {
            if (name.Length <= suffix.Length || !name.EndsWith(suffix, StringComparison.Ordinal))
                continue;
            var stem = name[..^suffix.Length];
            var collection = DumpFileName.Unescape(stem);
            var isUsers = kind == DumpFileKind.Data && collection is "$admin.system.users" or "$admin.system.roles" or "$admin.system.version";
            return new DumpFile(isUsers ? DumpFileKind.UsersRolesVersion : kind, database, collection, stem, gzip, DumpFileName.IsShortened(stem));
        }

        return new DumpFile(DumpFileKind.Other, database, "", "", gzip, IsShortened: false);
    }

    private static (string Suffix, DumpFileKind Kind)[] Suffixes =>
    [
        (DumpFileName.MetadataSuffix, DumpFileKind.Metadata),
        (DumpFileName.MetadataCopySuffix, DumpFileKind.MetadataCopy),
        (DumpFileName.DataSuffix, DumpFileKind.Data),
    ];

    private static DumpFile InRoot(string file)
    {
        var name = WithoutGzip(file);
        var kind = name switch
        {
            DumpFileName.Oplog => DumpFileKind.Oplog,
            DumpFileName.Prelude => DumpFileKind.Prelude,
            DumpFileName.BackupMetadata => DumpFileKind.BackupMetadata,
            _ => DumpFileKind.Other,
        };
        return new DumpFile(kind, "", "", "", name.Length != file.Length, IsShortened: false);
    }

    private static bool HasSuffix(string file)
    {
        var name = WithoutGzip(file);
        return Array.Exists(Suffixes, one => name.EndsWith(one.Suffix, StringComparison.Ordinal));
    }

    private static string WithoutGzip(string file) => file.EndsWith(DumpFileName.GzipSuffix, StringComparison.Ordinal) ? file[..^DumpFileName.GzipSuffix.Length] : file;

    private static string[] Split(string path) => [.. path.Split('/').Where(part => part is not ("" or "."))];
}
