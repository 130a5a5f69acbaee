using BotCore.Backup.Engine;
using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Drills;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.TestServers;
using Xunit;

namespace BotCore.Backup.Adapters.Tests.AmazonS3;

/// <summary>A region that is lost comes back out of a bucket of a Ceph gateway; a bucket that loses an archive turns the drill red.</summary>
[NeedsTools("ceph", "ceph-authtool", "monmaptool", "ceph-mon", "ceph-osd", "radosgw", "radosgw-admin")]
[Collection(S3Tests.Name)]
public sealed class S3DrillTests(S3Server server) : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("drill-");

    public void Dispose() => _folder.Delete(recursive: true);

    [ServerFact]
    public void A_lost_region_comes_back_from_the_bucket()
    {
        var bucket = server.Open(server.Options(server.NewBucket()));
        var project = Directory.CreateDirectory(Path.Combine(_folder.FullName, "project")).FullName;
        File.WriteAllText(Path.Combine(project, "app.json"), "{}");
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PROJECT_ROOT"] = project,
            ["CONFIG_PATHS"] = "app.json",
            ["BACKUP_DIR"] = Path.Combine(_folder.FullName, "store"),
            ["ENCRYPTION_ENABLED"] = "false",
            ["ENABLE_S3_BACKUP"] = "true",
            ["S3_BACKUP_BUCKET"] = "bucket",
        };
        using var session = new BackupSession(BotBackupConfiguration.Load(null, new Dictionary<string, string>(StringComparer.Ordinal), settings), new SessionOptions { Threads = 1 })
        {
            StandIns = new Dictionary<string, IStore>(StringComparer.OrdinalIgnoreCase) { ["s3"] = bucket },
        };
        var steps = BackupPlanner.Plan(session, new BackupRequest { Components = [Component.Config], Stores = ["s3"] }, failure => throw new BackupException(failure), CancellationToken.None);
        Assert.DoesNotContain(BackupRunner.Run(session, steps, CancellationToken.None).ToBlockingEnumerable(), happened => happened is Failed);

        var good = Drill(session);
        Assert.True(good.Outcome == Outcome.Succeeded, good.Verdict);
        Assert.Equal(["s3"], good.Stores, StringComparer.Ordinal);

        foreach (var archive in bucket.List("config/", CancellationToken.None).Where(one => one.Key.EndsWith(".tar.gz", StringComparison.Ordinal)).ToList())
            bucket.Delete(archive.Key, CancellationToken.None);
        var bad = Drill(session);
        Assert.Equal(("Find", Outcome.Failed), (Assert.Single(bad.Steps, step => step.Outcome == Outcome.Failed).Name, bad.Outcome));
    }

    private static BotBackupDrill Drill(BackupSession session)
    {
        var request = new DrillRequest { Scenarios = [DrillScenario.RegionalOutage] };
        return (BotBackupDrill)Assert.Single(DrillRunner.Run(session, request, DrillRunner.Plan(session, request), CancellationToken.None).ToBlockingEnumerable().OfType<Made>()).Item;
    }
}
