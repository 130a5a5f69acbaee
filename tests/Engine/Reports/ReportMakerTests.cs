using System.Globalization;
using System.Security.Cryptography;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Reports;
using BotCore.Backup.Engine.Verification;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Reports;

/// <summary>What a report says of stores in which something is wrong, and of such in which nothing is.</summary>
public sealed class ReportMakerTests
{
    [Fact]
    public void All_is_good_only_where_everything_is()
    {
        using var place = new Workplace(encrypted: false);
        place.Write("a", "1");
        place.Prove(place.BackUp());
        var report = Report(place);

        Assert.Equal((ReportStatus.Ok, "Every archive is proven, every check is good."), (report.Overall, report.Verdict));
        var archive = Assert.Single(report.Archives);
        Assert.Equal((ReportStatus.Ok, "Archive, Unauthenticated, now"), (archive.Status, archive.Text));
        Assert.Equal(new ReportTotals(1, 1, 0, 0, 0, archive.Size), report.Totals);
        Assert.Equal((ReportStatus.Ok, "Configuration in local"), (Assert.Single(report.Freshness).Status, report.Freshness[0].Subject));
    }

    [Fact]
    public void Damaged_unproven_and_missing_checksums_each_have_a_line_and_the_totals_are_theirs()
    {
        using var place = new Workplace(encrypted: false);
        place.Write("a", "1");
        var (good, damaged, bare, lost) = (place.BackUp(), place.BackUp(), place.BackUp(), place.BackUp());
        File.AppendAllText(damaged.Location, "x");
        place.Prove(damaged);
        File.Delete(BackupFiles.Checksum(bare.Location));
        File.Delete(BackupFiles.Manifest(lost.Location));
        var foreign = Foreign(place, "config/config_20251118_030000.tar.gz", "whatever", withChecksum: true);
        var report = Report(place);

        Assert.Equal(5, report.Archives.Count);
        Assert.Equal(ReportStatus.Ok, Line(report, good.Key).Status);
        Assert.Equal((ReportStatus.Failed, "Damaged (ChecksumMismatch), now"), (Line(report, damaged.Key).Status, Line(report, damaged.Key).Text));
        Assert.Equal(ReportStatus.Warning, Line(report, bare.Key).Status);
        Assert.EndsWith("; there is no .sha256 beside it", Line(report, bare.Key).Text, StringComparison.Ordinal);
        Assert.Equal(ReportStatus.Failed, Line(report, lost.Key).Status);
        Assert.StartsWith("ManifestMissing: ", Line(report, lost.Key).Text, StringComparison.Ordinal);
        Assert.Equal((Component.Config, new FileInfo(lost.Location).Length), (Line(report, lost.Key).Component, Line(report, lost.Key).Size.Bytes));
        Assert.Equal((ReportStatus.Unknown, "never proven"), (Line(report, foreign).Status, Line(report, foreign).Text));
        var totals = report.Totals;
        Assert.Equal((5, 1, 1, 2, 1), (totals.Archives, totals.Ok, totals.Warnings, totals.Failed, totals.Unknown));
        Assert.Equal(report.Archives.Sum(archive => archive.Size.Bytes), totals.Size.Bytes);
        Assert.Equal((ReportStatus.Failed, "2 archives are damaged or cannot be read, 1 archive was never proven, 1 warning."), (report.Overall, report.Verdict));
    }

    [Fact]
    public void One_that_was_never_proven_makes_the_whole_bad()
    {
        using var place = new Workplace(encrypted: false);
        place.Write("a", "1");
        place.BackUp();
        Foreign(place, "volumes/redis_data_20251118_030000.tar.gz", "x", withChecksum: false);

        var report = Report(place);
        Assert.Equal(ReportStatus.Failed, report.Overall);
        Assert.Equal("never proven; there is no .sha256 beside it", Line(report, "volumes/redis_data_20251118_030000.tar.gz").Text);
        // Not good, so nothing is fresh by it.
        Assert.Contains(new ReportedCheck(ReportStatus.Failed, "Volume redis_data in local", "none of its backups is known to be good"), report.Freshness);
    }

    [Fact]
    public void What_is_configured_and_not_there_is_told()
    {
        using var place = new Workplace(encrypted: false);
        var report = Report(place);

        Assert.Equal((ReportStatus.Failed, "There is no backup."), (report.Overall, report.Verdict));
        Assert.Equal([new ReportedCheck(ReportStatus.Failed, "Configuration in local", "there is none")], report.Freshness);
    }

    [Theory]
    [InlineData(24, ReportStatus.Ok)]
    [InlineData(26, ReportStatus.Failed)]
    public void The_newest_good_one_may_be_25_hours_old(int hours, ReportStatus expected)
    {
        var clock = new FixedClock { Now = DateTimeOffset.UtcNow };
        using var place = new Workplace(encrypted: false, clock);
        place.Write("a", "1");
        place.BackUp();
        clock.Now += TimeSpan.FromHours(hours);

        Assert.Equal(expected, Assert.Single(Report(place).Freshness).Status);
    }

    [Fact]
    public void Newer_ones_that_are_damaged_do_not_make_it_fresh()
    {
        var clock = new FixedClock { Now = DateTimeOffset.UtcNow.AddDays(-3) };
        using var place = new Workplace(encrypted: false, clock);
        place.Write("a", "1");
        place.BackUp();
        clock.Now = DateTimeOffset.UtcNow;
        var newest = place.BackUp();
        File.AppendAllText(newest.Location, "x");
        place.Prove(newest);

        Assert.Equal("the newest good one is 3 d old, more than 25 h", Assert.Single(Report(place).Freshness).Text);
    }

    [Fact]
    public void A_proof_of_long_ago_and_a_date_that_is_yet_to_come_are_warnings()
    {
        var clock = new FixedClock { Now = DateTimeOffset.UtcNow };
        using var place = new Workplace(encrypted: false, clock);
        place.Write("a", "1");
        place.BackUp();
        clock.Now += TimeSpan.FromDays(36);
        Assert.Equal("Checksum, Unauthenticated, 36 d ago, which is long ago", Assert.Single(Report(place).Archives).Text);
        clock.Now -= TimeSpan.FromDays(37);
        var early = Assert.Single(Report(place).Archives);
        Assert.Equal(ReportStatus.Warning, early.Status);
        Assert.EndsWith("its date lies in the future", early.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_store_that_is_away_is_a_failure_and_the_others_are_reported()
    {
        using var place = new Workplace(encrypted: false);
        place.Write("a", "1");
        place.BackUp();
        var report = Report(place, request => request with { Stores = ["local", "s3"] });

        Assert.Single(report.Archives);
        Assert.Equal(ReportStatus.Failed, Assert.Single(report.Space, check => string.Equals(check.Subject, "s3", StringComparison.Ordinal)).Status);
        Assert.Equal(ReportStatus.Failed, report.Overall);
    }

    [Fact]
    public void Little_room_is_a_warning()
    {
        using var place = new Workplace(encrypted: false);
        place.Write("a", "1");
        place.BackUp();

        Assert.Equal(ReportStatus.Warning, Report(place, request => request with { MinimumFreeSpace = long.MaxValue }).Overall);
    }

    [Fact]
    public void What_tests_found_just_now_goes_before_what_is_recorded()
    {
        using var place = new Workplace(encrypted: false);
        place.Write("a", "1");
        var (good, bad) = (place.BackUp(), place.BackUp());
        File.AppendAllText(bad.Location, "x");
        var tests = new[] { place.Prove(good), place.Prove(bad, Depth.Checksum) };
        // As if it could not have been recorded.
        foreach (var record in Directory.EnumerateFiles(Path.Combine(place.Store, "config"), "*.proof.*"))
            File.Delete(record);
        var report = Report(place, request => request with { Verifications = tests });

        Assert.Equal("the archives that were given, and no other", report.Scope);
        Assert.Equal(ReportStatus.Ok, Line(report, good.Key).Status);
        Assert.Equal(ReportStatus.Failed, Line(report, bad.Key).Status);
        Assert.StartsWith("ChecksumMismatch: ", Line(report, bad.Key).Text, StringComparison.Ordinal);
    }

    private static string Foreign(Workplace place, string key, string content, bool withChecksum)
    {
        var path = Path.Combine(place.Store, key);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
        if (withChecksum)
            File.WriteAllText(path + ".sha256", string.Create(CultureInfo.InvariantCulture, $"{Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)))}  {Path.GetFileName(path)}\n"));
        return key;
    }

    private static ReportedArchive Line(BotBackupReport report, string key) => Assert.Single(report.Archives, archive => string.Equals(archive.Key, key, StringComparison.Ordinal));

    private static BotBackupReport Report(Workplace place, Func<ReportRequest, ReportRequest>? change = null)
    {
        var request = new ReportRequest { Path = Path.Combine(place.Root, "report.txt"), Stores = ["local"], MinimumFreeSpace = 1 };
        return new ReportMaker(place.Session, change?.Invoke(request) ?? request, Workplace.None).Make();
    }
}
