using BotCore.Backup.Engine.Metrics;
using BotCore.Backup.Engine.Tests.Journal;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Metrics;

/// <summary>The text that the node exporter reads.</summary>
public sealed class MetricTextTests
{
    private static readonly string[] Names = [.. MetricFamilies.All.Select(family => family.Name)];

    [Fact]
    public void What_is_written_is_read_back() =>
        Prop.ForAll(
            Gen.Elements(Names).Zip(ArbMap.Default.GeneratorFor<string?>().Zip(ArbMap.Default.GeneratorFor<double>())).ListOf().ToArbitrary(),
            drawn =>
            {
                var book = new MetricBook([]);
                foreach (var (name, (label, value)) in drawn)
                    book.Set(name, value, ("name", label ?? ""), ("store", "local"));
                var read = MetricText.Read(MetricText.Write(book.Samples));
                return read is not null && read.Select(sample => (sample.Key, sample.Value)).Order().SequenceEqual(book.Samples.Select(sample => (sample.Key, sample.Value)).Order());
            }).QuickCheckThrowOnFailure();

    [Fact]
    public void Whatever_stands_in_the_file_is_read_or_refused_and_never_a_fault() =>
        Prop.ForAll(ArbMap.Default.ArbFor<string?>(), text => MetricText.Read($"botbackup_success{{{text}\nmongodb_backup_success{{type=\"full\"}} 1\n")?.All(sample => Names.Contains(sample.Name)) != false).QuickCheckThrowOnFailure();

    [Fact]
    public void There_is_no_timestamp_and_no_label_that_Prometheus_keeps_for_itself()
    {
        var book = new MetricBook([]);
        book.Set(MetricFamilies.GuideSuccess, 1, ("type", "full"));
        Assert.Equal("# HELP mongodb_backup_success Last backup status (1=success, 0=failure)\n# TYPE mongodb_backup_success gauge\nmongodb_backup_success{type=\"full\"} 1\n", MetricText.Write(book.Samples));
    }

    [Fact]
    public void A_file_is_readable_by_all_and_replaced_whole()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Of("deep/backup.prom");
        MetricsFile.Update(path, book => book.Set(MetricFamilies.GuideSuccess, 1, ("type", "full")), CancellationToken.None);
        MetricsFile.Update(path, book => book.Set(MetricFamilies.GuideSuccess, 0, ("type", "incremental")), CancellationToken.None);
        Assert.Equal(2, MetricsFile.Read(path)!.Count);
        Assert.Equal(["backup.prom"], Directory.GetFiles(Path.GetDirectoryName(path)!, "*.prom*").Select(Path.GetFileName).Where(name => !name!.EndsWith(".lock", StringComparison.Ordinal)), StringComparer.Ordinal);
        if (!OperatingSystem.IsWindows())
            Assert.True(File.GetUnixFileMode(path).HasFlag(UnixFileMode.OtherRead));
    }

    [Fact]
    public void A_file_of_the_old_scripts_goes_on_and_a_strange_one_is_begun_anew()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Of("backup.prom");
        File.WriteAllText(path, "# HELP mongodb_backup_last_success_timestamp Last successful backup timestamp\nmongodb_backup_last_success_timestamp{type=\"full\"} 1700308800\n");
        MetricsFile.Update(path, book => book.Set(MetricFamilies.GuideSuccess, 0, ("type", "full")), CancellationToken.None);
        Assert.Equal(1700308800, new MetricBook(MetricsFile.Read(path)!).Find(MetricFamilies.GuideSuccessTime, ("type", "full")));
        File.WriteAllText(path, "what is this?\n");
        MetricsFile.Update(path, book => book.Set(MetricFamilies.GuideSuccess, 1, ("type", "full")), CancellationToken.None);
        Assert.Single(MetricsFile.Read(path)!);
    }
}
