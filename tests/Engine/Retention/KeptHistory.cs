using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Verification;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Tests.Retention;

/// <summary>Backups that only exist as what a listing says of them.</summary>
internal static class KeptHistory
{
    public static BotBackup Full(DateTimeOffset at, Proof? proof = null) => Database(BackupType.Full, at.AddSeconds(-1), at, proof);

    public static BotBackup Slice(DateTimeOffset from, DateTimeOffset to, Proof? proof = null) => Database(BackupType.Incremental, from, to, proof);

    public static BotBackup File(Component component, DateTimeOffset at, string name = "config", BotBackup? before = null, Proof? proof = null)
    {
        var id = $"{name}-{at.UtcTicks}";
        var type = before is null ? BackupType.Full : BackupType.Incremental;
        var facts = before is null ? null : new IncrementFacts(before.Manifest!.Increment?.Base ?? before.Id, before.Id, 1, 1, 0);
        return Of(component, name, type, id, at, Head(id, component, name, type) with { Increment = facts }, proof);
    }

    public static BotBackup Snapshot(DateTimeOffset at) => File(Component.Config, at, "pre") with { Type = BackupType.Snapshot };

    public static BotBackup Damaged(BotBackup backup) => backup with { IsDamaged = true, Proof = Proof.None };

    public static Proof Proven(Depth depth, DateTimeOffset at, bool inSandbox = false) => new(depth, at, Authenticated: true) { InSandbox = inSandbox };

    private static BotBackup Database(BackupType type, DateTimeOffset from, DateTimeOffset to, Proof? proof)
    {
        var id = $"{type}-{to.UtcTicks}-{from.UtcTicks}";
        var span = new OplogSpan(Text(from), Text(to), 1, "hash" + Text(to), type == BackupType.Full ? null : "hash" + Text(from), 1);
        var manifest = Head(id, Component.MongoDb, "mongodb", type) with { MongoDb = new DumpFacts("7.0", Consistent: true, 0, 0, Database: null, span), Chain = new ChainFacts("T") };
        return Of(Component.MongoDb, "mongodb", type, id, to, manifest, proof);
    }

    private static string Text(DateTimeOffset at) => new BsonTimestamp((uint)at.ToUnixTimeSeconds(), 1).ToString();

    /// <summary>A listed backup with that manifest; proven when it was made, where nothing else is said.</summary>
    public static BotBackup Of(Component component, string name, BackupType type, string id, DateTimeOffset taken, Manifest manifest, Proof? proof) => new()
    {
        Id = id,
        Component = component,
        Name = name,
        Type = type,
        Taken = taken,
        Size = 1,
        Store = "local",
        Location = id,
        Key = id,
        Encryption = Encryption.None,
        Proof = proof ?? Proven(Depth.Checksum, taken),
        Manifest = manifest,
    };

    /// <summary>A manifest in which nothing stands but what it must.</summary>
    public static Manifest Head(string id, Component component, string name, BackupType type) => new()
    {
        Format = 1,
        Id = id,
        RunId = "run",
        Component = component,
        Name = name,
        Type = type,
        Archive = id,
        Started = DateTimeOffset.UnixEpoch,
        Completed = DateTimeOffset.UnixEpoch,
        Host = "host",
        Tool = "tool",
        Codec = "gzip",
        Encryption = Encryption.None,
        Entries = 1,
        PlainSize = 1,
        Size = 1,
        Sha256 = "",
        IndexSize = 1,
        IndexSha256 = "",
    };
}
