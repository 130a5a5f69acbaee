using System.Security.Cryptography;
using System.Text.Json;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components.MongoDb;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Components.MongoDb.Restoring;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Engine.Tests.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Tests.Compression;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Restoring;

/// <summary>What the stock tools and the old scripts wrote, restored, and compared with what dir.expected.json says of it.</summary>
public sealed class ForeignDumpTests
{
    [ToolTheory("tar", "xz")]
    [InlineData("dir", false)]
    [InlineData("dir-100.13.0", true)]
    [InlineData("dir-gzip", false)]
    [InlineData("dir-oplog-gzip", true)]
    public void A_folder_of_mongodump_is_restored(string name, bool isLive)
    {
        using var unpacked = new Unpacked(name);
        Restored(new FolderDump(Path.Combine(unpacked.Root, name)), isLive);
    }

    [Theory]
    [InlineData("bot_core.archive.gz", false)]
    [InlineData("bot_core.plain.archive.gz", true)]
    [InlineData("all-oplog.archive.gz", true)]
    public void A_stream_of_mongodump_is_restored(string name, bool unpackFirst)
    {
        using var folder = new Unpacked();
        var path = Path.Combine(folder.Root, "dump.archive");
        File.WriteAllBytes(path, unpackFirst ? Unpacked.Gunzip(name) : File.ReadAllBytes(Unpacked.Fixture(name)));
        Assert.True(StreamDump.IsOne(path));
        Restored(new StreamDump(path), name.Contains("oplog", StringComparison.Ordinal));
    }

    [CodecTheory("gpg")]
    [InlineData("mongodb_full_20251118_020000.tar.gz.gpg")]
    [InlineData("mongodb_full_20251117_020000.tar.bz2.gpg")]
    [InlineData("mongodb_full_20251116_020000.tar.xz")]
    public void An_archive_of_the_old_scripts_is_restored(string name)
    {
        using var mongo = new MongoPlatform();
        var folder = Path.Combine(Path.GetDirectoryName(Unpacked.Folder)!, "old-scripts");
        var file = Path.Combine(mongo.Folder, name);
        File.Copy(Path.Combine(folder, Path.GetFileName(file)), file);
        var session = mongo.Session();
        File.Copy(Path.Combine(folder, "passphrase"), Path.Combine(mongo.Folder, "passphrase"), overwrite: true);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(Path.Combine(mongo.Folder, "passphrase"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var backup = BackupCatalog.OpenFile(session.Local, file, default);
        var other = mongo.NewDatabase("old");

        var restore = Workplace.Item<BotBackupRestore>(MongoPlatform.RunRestore(session, backup, new RestoreRequest { Server = SecretUri.WithPassword(mongo.UriOf(other)) }));
        Assert.False(restore.Partial);
        Compare(mongo, other, isLive: false);
    }

    private static void Restored(IDumpSource source, bool isLive)
    {
        using var mongo = new MongoPlatform();
        var other = mongo.NewDatabase("foreign");
        var options = new MongoRestoreOptions { SpillFolder = mongo.Folder, Threads = 2, Database = other };
        new MongoRestoreJob(MongoTarget.Of(SecretUri.WithPassword(mongo.Uri)), source, options, _ => { }).Run(default);
        Compare(mongo, other, isLive);
    }

    // While a dump with an oplog was taken, a writer added trades.
    private static void Compare(MongoPlatform mongo, string database, bool isLive)
    {
        using var expected = JsonDocument.Parse(File.ReadAllBytes(Unpacked.Fixture("dir.expected.json")));
        var there = mongo.Collections(database).Where(name => !name.StartsWith("__bot_", StringComparison.Ordinal)).ToList();
        Assert.Equal(expected.RootElement.EnumerateObject().Select(one => one.Name).Append("view1").Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal), there, StringComparer.Ordinal);
        foreach (var one in expected.RootElement.EnumerateObject())
        {
            var indexes = one.Value.GetProperty("indexes").EnumerateArray().Select(index => index.GetString()!).Order(StringComparer.Ordinal);
            Assert.Equal(indexes, mongo.Indexes(one.Name, database).Select(index => ExtendedJson.Read(index).FindString("name"u8)!).Order(StringComparer.Ordinal), StringComparer.Ordinal);
            if (isLive && one.Name is "trades")
                continue;
            var (count, hash) = Xor(mongo, one.Name, database);
            Assert.Equal((one.Name, one.Value.GetProperty("documents").GetInt64(), one.Value.GetProperty("xorSha256").GetString()), (one.Name, count, hash));
        }
    }

    private static (long Count, string Hash) Xor(MongoPlatform mongo, string collection, string database)
    {
        var sum = new byte[32];
        long count = 0;
        using var cursor = mongo.Client.Open(database, new BsonBuilder().Append("find", collection), new CursorOptions(), default);
        for (; cursor.Next() == CursorStep.Document; count++)
        {
            var hash = SHA256.HashData(cursor.Current);
            for (var at = 0; at < sum.Length; at++)
                sum[at] ^= hash[at];
        }

        return (count, Convert.ToHexStringLower(sum));
    }
}
