using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components.MongoDb;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Restores;

/// <summary>How to restore.</summary>
public sealed record RestoreRequest
{
    /// <summary>Full path of the folder to restore into; null means where the backup came from, as the settings name it now.</summary>
    public string? Destination { get; init; }

    /// <summary>The destination as somebody typed it, where it is one word: of a volume's backup it may name a volume.</summary>
    public string? DestinationName { get; init; }

    /// <summary>The volume to restore files into, which is emptied first or made; null means where the backup came from.</summary>
    public string? Volume { get; init; }

    /// <summary>The MongoDB server to restore a database into; null means DATABASE_URL. A database in it takes what the backup has of its one database.</summary>
    public SecretUri? Server { get; init; }

    /// <summary>What databases (<c>name</c>) and collections (<c>database.collection</c>) of a MongoDB backup are to be called.</summary>
    public IReadOnlyDictionary<string, string> Renames { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Patterns of entries to restore; none means all. See <see cref="EntryFilter"/>; of a MongoDB backup, names of databases and collections.</summary>
    public IReadOnlyList<string> Include { get; init; } = [];

    /// <summary>Patterns of entries to leave out; they win over <see cref="Include"/>.</summary>
    public IReadOnlyList<string> Exclude { get; init; } = [];

    /// <summary>The moment to bring a MongoDB backup to, with the increments that stand on it; null for the moment that the backup itself holds.</summary>
    public PointInTime? PointInTime { get; init; }

    /// <summary>Make device nodes.</summary>
    public bool AllowDevices { get; init; }

    /// <summary>Take no snapshot of what is overwritten.</summary>
    public bool NoSnapshot { get; init; }

    /// <summary>Overwrite without a snapshot when asked to.</summary>
    public bool Force { get; init; }

    /// <summary>Nothing will be done, so that what uses a volume now is told, and does not refuse the plan.</summary>
    public bool OnlyPlans { get; init; }
}

/// <summary>One backup into one folder.</summary>
public sealed record RestoreStep : Step
{
    internal RestoreStep(BotBackup backup, string destination, RestoreRequest request, string action)
        : base(destination, action)
    {
        Backup = backup;
        Destination = destination;
        Request = request;
    }

    /// <summary>What is restored.</summary>
    public BotBackup Backup { get; }

    /// <summary>Full path of the folder that it goes to, or the server without its password.</summary>
    public string Destination { get; }

    internal RestoreRequest Request { get; }

    /// <summary>The server of a MongoDB backup; null for all others.</summary>
    internal MongoTarget? Server { get; init; }

    /// <summary>The volume that it goes into; null for a folder or a server.</summary>
    internal string? Volume { get; init; }

    /// <summary>Of an increment of files what it stands on, itself last; null for all else.</summary>
    internal FileChain? Files { get; init; }

    /// <summary>The full backup and the increments of a restore to a moment; null where the backup is restored as it is.</summary>
    internal RestoreChain? Chain { get; init; }

    /// <summary>What a restore to a moment reads and applies; null where the backup is restored as it is.</summary>
    public PointInTimePlan? PointInTime { get; init; }

    internal EntryFilter Filter => new(Request.Include, Request.Exclude);
}

/// <summary>What a restore wrote.</summary>
/// <param name="Entries">Entries.</param>
/// <param name="Files">Regular files among them.</param>
/// <param name="Bytes">Bytes of content written.</param>
/// <param name="Overwritten">Entries that replaced something.</param>
public sealed record RestoreCounts(long Entries, long Files, ByteSize Bytes, long Overwritten)
{
    /// <summary>Documents written, of a MongoDB backup; null for all others, which have files.</summary>
    public long? Documents { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Documents is { } documents
        ? $"{Entries} collections, {documents} documents, {Bytes}, {Overwritten} overwritten"
        : $"{Entries} entries, {Files} files, {Bytes}, {Overwritten} overwritten";
}

/// <summary>What puts a database back as it was before a restore; Undo-BotRestore takes it. Immutable.</summary>
/// <param name="Id">The restore's id; the old collections are kept as <c>__bot_undo_ID.name</c>.</param>
/// <param name="Databases">Databases that hold such collections.</param>
public sealed record RestoreUndo(string Id, IReadOnlyList<string> Databases)
{
    /// <summary>The server; it is not shown, since it holds a password.</summary>
    internal MongoTarget? Server { get; init; }

    /// <summary>For people: the id.</summary>
    public override string ToString() => Id;
}

/// <summary>How a restore ended. Immutable.</summary>
public sealed record BotBackupRestore
{
    /// <summary>What was restored.</summary>
    public required BotBackup Backup { get; init; }

    /// <summary>Where to.</summary>
    public required string Destination { get; init; }

    /// <summary>Succeeded only where everything asked for was written, read back and compared.</summary>
    public required Outcome Outcome { get; init; }

    /// <summary>Only some entries were asked for, so only their members of the archive were read: flaws elsewhere stayed unseen.</summary>
    public required bool Partial { get; init; }

    /// <summary>What stood there before, as a backup; piping it back undoes the restore. Null where nothing was overwritten, or with -NoSnapshot.</summary>
    public BotBackup? Snapshot { get; init; }

    /// <summary>The way back in seconds, for a database; null for files, and where it was used.</summary>
    public RestoreUndo? Undo { get; init; }

    /// <summary>The moment that the database was brought to, <c>seconds:ordinal</c> of its oplog; null where the backup is not of one moment.</summary>
    public string? Moment { get; init; }

    /// <summary>What was written.</summary>
    public required RestoreCounts Counts { get; init; }

    /// <summary>How long it took, proof and snapshot included.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>What could not be kept: owners without root, attributes on a file system that has none.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}
