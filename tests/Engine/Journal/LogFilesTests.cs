using System.IO.Compression;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Journal;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Journal;

/// <summary>Names and lines of logs, and what becomes of old ones.</summary>
public sealed class LogFilesTests
{
    private static readonly DateTimeOffset Now = new(2025, 11, 18, 2, 0, 5, TimeSpan.Zero);

    [Theory]
    [InlineData(RunKind.Backup, "MongoDb", "mongodb-backup-20251118.log")]
    [InlineData(RunKind.Backup, "Volume", "volumes-backup-20251118.log")]
    [InlineData(RunKind.Backup, "Config", "config-backup-20251118.log")]
    [InlineData(RunKind.Backup, "Model", "models-backup-20251118.log")]
    [InlineData(RunKind.Backup, "", "backup-all-20251118.log")]
    [InlineData(RunKind.Backup, "Config,Volume", "backup-all-20251118.log")]
    [InlineData(RunKind.Restore, "", "restore-20251118_020005.log")]
    [InlineData(RunKind.Verification, "", "verify-20251118.log")]
    [InlineData(RunKind.CleanUp, "", "cleanup-20251118.log")]
    [InlineData(RunKind.Copy, "", "cloud-upload-20251118.log")]
    [InlineData(RunKind.Health, "", "health-check-20251118.log")]
    [InlineData(RunKind.Drill, "", "dr-drill-20251118.log")]
    public void Files_have_the_names_of_the_platforms_guide(RunKind kind, string components, string expected) =>
        Assert.Equal(expected, LogFiles.Of(kind, [.. components.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Enum.Parse<Component>)], Now));

    [Fact]
    public void A_line_has_the_form_of_the_old_scripts_and_the_runs_id() =>
        Assert.Equal("[2025-11-18 02:00:05] [ERROR] [0123456789abcdef] It broke.\n", LogLine.Of(Now, LogLevel.Error, "0123456789abcdef", "It broke."));

    [Fact]
    public void No_text_can_forge_a_line() =>
        Prop.ForAll(ArbMap.Default.ArbFor<string?>(), text =>
        {
            var line = LogLine.Of(Now, LogLevel.Info, "run", $"a\n[2025-11-18 02:00:05] [SUCCESS] [run] {text}\r\u2028\u0085b");
            return line.Count(char.IsControl) == 1 && line[^1] == '\n' && !line.Contains('\u2028');
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Old_logs_are_compressed_then_removed_and_what_is_not_ours_stays()
    {
        using var folder = new TemporaryFolder();
        string[] stay = ["notes.txt", "backup-all-20251111.log", "events-20251118.jsonl", "other-20200101.log", "mongodb-backup-20259999.log", "cron-full.log", "daily-reports-202511.log"];
        string[] pack = ["mongodb-backup-20251110.log", "restore-20251101_120000.log", "events-20251109.jsonl", "daily-reports-202510.log"];
        string[] go = ["volumes-backup-20250101.log", "config-backup-20250819.log.gz", "daily-reports-202507.log"];
        foreach (var name in stay.Concat(pack).Concat(go))
            File.WriteAllText(folder.Of(name), "text of " + name);

        LogFiles.Tidy(folder.Path, Now);
        LogFiles.Tidy(folder.Path, Now);

        Assert.Equal(stay.Concat(pack.Select(name => name + ".gz")).Order(StringComparer.Ordinal), Directory.GetFiles(folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        using var packed = new StreamReader(new GZipStream(File.OpenRead(folder.Of(pack[0] + ".gz")), CompressionMode.Decompress));
        Assert.Equal("text of " + pack[0], packed.ReadToEnd());
    }

    [Fact]
    public void A_log_of_cron_that_grew_is_set_aside()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.Of("cron-incremental.log"), new byte[(1 << 20) + 1]);
        LogFiles.Tidy(folder.Path, Now);
        Assert.Equal(["cron-incremental-20251118.log"], Directory.GetFiles(folder.Path).Select(Path.GetFileName), StringComparer.Ordinal);
    }
}

/// <summary>A folder that goes with its test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("journal-");

    public string Path => _folder.FullName;

    public string Of(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => _folder.Delete(recursive: true);
}
