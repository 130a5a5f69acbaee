using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Engine.Retention;
using BotCore.Backup.Engine.Tests.Components.MongoDb;
using BotCore.Backup.Engine.Verification;
using BotCore.Backup.Protocols.MongoDb.Bson;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Verification;

/// <summary>The folder of links to proven databases, and what of a database is recorded.</summary>
public sealed class VerifiedLinksTests
{
    [Fact]
    public void A_proven_archive_has_a_link_until_it_is_damaged_or_gone()
    {
        using var mongo = Filled();
        using var session = mongo.Session();
        var backup = mongo.BackUp(session);
        var folder = session.Local.Locate("mongodb/verified");
        var link = Path.Combine(folder, Path.GetFileName(backup.Key));
        Prove(session, backup, Depth.Checksum);
        Assert.False(Path.Exists(folder));

        Assert.True(Prove(session, backup, Depth.Archive).Recorded);
        Assert.Equal("../" + backup.Key["mongodb/".Length..], new FileInfo(link).LinkTarget);
        Assert.Equal(File.ReadAllBytes(backup.Location), File.ReadAllBytes(link));
        // Another name of a backup is no other backup, and by that name it is itself.
        Assert.Equal(backup.Id, Listed(session).Id);
        Assert.Equal(backup.Key, BackupCatalog.OpenFile(session.Local, link, Workplace.None).Key);

        var bytes = File.ReadAllBytes(backup.Location);
        File.WriteAllBytes(backup.Location, [.. bytes.Select((value, at) => at == 500 ? (byte)(value ^ 1) : value)]);
        Prove(session, backup, Depth.Archive);
        Assert.False(Path.Exists(folder));

        File.WriteAllBytes(backup.Location, bytes);
        Prove(session, backup, Depth.Archive);
        Assert.True(File.Exists(link));
        Workplace.Item<BotBackupRemoval>([.. BackupRemover.Run([BackupRemover.Plan(Listed(session), force: true, Workplace.None)], Workplace.None).ToBlockingEnumerable()]);
        Assert.False(Path.Exists(session.Local.Locate("mongodb")));
    }

    [Fact]
    public void The_folder_is_made_anew_from_the_ledger_and_what_is_not_ours_stays()
    {
        using var place = new Workplace(encrypted: false);
        var folder = place.Local.Locate("mongodb/verified");
        Directory.CreateDirectory(folder);
        var good = Put(place, "mongodb/2025/11/mongodb_full_20251118_020000.tar.gz", ProofMark.Archive, null);
        Put(place, "mongodb/2025/11/mongodb_full_20251119_020000.tar.gz", ProofMark.Checksum, null);
        Put(place, "mongodb/2025/12/mongodb_full_20251201_020000.tar.gz", ProofMark.Archive, FailureKind.ArchiveCorrupt);
        File.CreateSymbolicLink(Path.Combine(folder, "mongodb_full_20251117_020000.tar.gz"), "../2025/11/mongodb_full_20251117_020000.tar.gz");
        File.CreateSymbolicLink(Path.Combine(folder, "mongodb_full_20251201_020000.tar.gz"), "../2025/12/mongodb_full_20251201_020000.tar.gz");
        string[] foreign = [Path.Combine(folder, "notes.txt"), Path.Combine(folder, "mongodb_full_20240101_020000.tar.gz")];
        File.WriteAllText(foreign[0], "mine");
        File.CreateSymbolicLink(foreign[1], "/somewhere/else.tar.gz");

        Assert.Empty(VerificationRunner.Conclude(place.Session, Workplace.None).ToBlockingEnumerable());

        string[] expected = [.. foreign.Append(Path.Combine(folder, Path.GetFileName(good))).Order(StringComparer.Ordinal)];
        Assert.Equal(expected, Directory.GetFiles(folder).Order(StringComparer.Ordinal), StringComparer.Ordinal);
        Assert.DoesNotContain(BackupCatalog.List(place.Local, Workplace.None).OfType<Made>(), made => ((BotBackup)made.Item).Key.Contains("verified", StringComparison.Ordinal));
    }

    [Fact]
    public void A_rehearsal_and_a_restore_are_recorded_as_what_they_were()
    {
        using var mongo = Filled();
        using var session = mongo.Session();
        var backup = mongo.BackUp(session);

        Assert.Equal("Sandbox", Prove(session, backup, Depth.Restore).Where);
        var rehearsed = Listed(session).Proof;
        Assert.Equal((Depth.Restore, true), (rehearsed.Depth, rehearsed.InSandbox));
        Assert.Equal((Depth.Archive, Depth.Restore), (rehearsed.DepthBeside(hasServer: true), rehearsed.DepthBeside(hasServer: false)));

        Restore(session, backup, new RestoreRequest { Server = SecretUri.WithPassword(mongo.Uri), Include = [$"{mongo.Database}.users"], Force = true });
        Assert.True(Listed(session).Proof.InSandbox);
        Restore(session, backup, new RestoreRequest { Server = SecretUri.WithPassword(mongo.Uri), Force = true });
        var restored = Listed(session).Proof;
        Assert.Equal((Depth.Restore, false), (restored.Depth, restored.InSandbox));
    }

    private static void Restore(BackupSession session, BotBackup backup, RestoreRequest request) =>
        Workplace.Item<BotBackupRestore>([.. RestoreRunner.Run(session, [RestorePlanner.Plan(session, backup, request, Workplace.None)], Workplace.None).ToBlockingEnumerable()]);

    private static string Put(Workplace place, string key, ProofMark mark, FailureKind? flaw)
    {
        var path = place.Local.Locate(key);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, "1");
        File.WriteAllText(place.Local.Locate(new ProofName(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), 1, mark, flaw, ProofName.SealOf(null, 1)).KeyOf(key)), "");
        return key;
    }

    private static BotBackup Listed(BackupSession session) => (BotBackup)Assert.IsType<Made>(Assert.Single(BackupCatalog.List(session.Local, "mongodb/", Workplace.None))).Item;

    private static BotBackupVerification Prove(BackupSession session, BotBackup backup, Depth depth) =>
        Workplace.Item<BotBackupVerification>([.. VerificationRunner.Run(session, [backup], depth, Workplace.None).ToBlockingEnumerable()]);

    private static MongoPlatform Filled()
    {
        var mongo = new MongoPlatform();
        mongo.Insert("trades", Enumerable.Range(0, 10).Select(n => new BsonBuilder().Append("_id", n).ToBson()));
        mongo.Insert("users", [new BsonBuilder().Append("_id", "a").ToBson()]);
        return mongo;
    }
}
