using System.Text.Json;
using System.Xml.Linq;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Reports;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Reports;

/// <summary>The four forms of one report.</summary>
public sealed class ReportFormTests
{
    private static readonly DateTimeOffset Now = new(2025, 11, 18, 9, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Text_has_the_sections_of_the_old_report()
    {
        var text = TextReport.Write(Sample("config"));

        Assert.Equal(
            """
            BotCore Backup Verification Report
            ==================================
            Made:    2025-11-18 09:00:00Z on host
            By:      BotCore.Backup 0.1.0
            About:   all archives of these stores
            Store:   local (/var/backups/botcore)

            MongoDB
            -------
            OK    mongodb/2025/11/mongodb_full_20251118_020000.tar.gz   1.00 KiB  Archive, 3 h ago
            FAIL  mongodb/2025/11/mongodb_full_20251117_020000.tar.gz   1.00 KiB  Damaged (ArchiveCorrupt), 2 h ago

            Configuration
            -------------
            WARN  config/config_20251118_030000.tar.gz   1.00 KiB  never proven

            Freshness
            ---------
            OK    MongoDB in local  the newest good one is 7 h old

            Recovery windows
            ----------------
            OK    bot_core in local  2025-11-18 02:00:00Z to 2025-11-18 08:55:00Z, any second (full: 1, incremental: 83)
            WARN  bot_core in local  gap 2025-11-17 02:00:00Z to 2025-11-18 02:00:00Z: somebody slept

            Disk space
            ----------
            WARN  local  3.00 KiB in 3 archives, 1.00 GiB free, less than 10.0 GiB

            Summary
            -------
            Archives: 3 (3.00 KiB)
            OK:       1
            Warnings: 0
            Failed:   1
            Unproven: 1

            Overall status: FAILED. 1 archive is damaged or cannot be read, 1 archive was never proven, 1 warning.

            """,
            text);
    }

    [Fact]
    public void Html_is_one_whole_page_whatever_the_names_are() => Prop.ForAll(Names(), name =>
    {
        var page = HtmlReport.Write(Sample(name));
        // Only the head of the page is not XML, too.
        var body = XElement.Parse(page[page.IndexOf("<body>", StringComparison.Ordinal)..page.IndexOf("</html>", StringComparison.Ordinal)]);
        var words = string.Concat(body.DescendantNodes().OfType<XText>().Select(node => node.Value));
        Assert.Contains($"config/{name}_20251118_030000.tar.gz", words, StringComparison.Ordinal);
        Assert.DoesNotContain(body.Descendants(), element => element.Name.LocalName is "script" or "link" or "img" or "iframe");
        Assert.DoesNotContain("http", page, StringComparison.OrdinalIgnoreCase);
        Assert.Single(body.Descendants("svg"));
        Assert.Equal(2, body.Descendants("path").Count());
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_drawing_holds_no_more_bars_than_it_has_pixels()
    {
        var many = Enumerable.Range(0, 20_000).Select(number => Archive($"config/config_{number}", ReportStatus.Ok, "Checksum", Component.Config) with { Taken = Now.AddHours(-number) });
        var drawing = XElement.Parse(TimelineDrawing.Draw(Sample("config") with { Archives = [.. many] }));

        Assert.InRange(drawing.Descendants("rect").Count(), 100, 900);
    }

    [Fact]
    public void Markdown_tables_hold_whatever_the_names_are() => Prop.ForAll(Names(), name =>
    {
        var text = MarkdownReport.Write(Sample(name));
        var row = Assert.Single(text.Split('\n'), line => line.StartsWith("| WARN | config/", StringComparison.Ordinal));
        // Four cells: bars that do not end one are escaped.
        Assert.Equal(5, row.Replace(@"\\", "", StringComparison.Ordinal).Replace(@"\|", "", StringComparison.Ordinal).Count(letter => letter == '|'));
        Assert.DoesNotContain("<b>", text, StringComparison.Ordinal);
    }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(ReportStatus.Ok, ReportStatus.Ok)]
    [InlineData(ReportStatus.Warning, ReportStatus.Warning)]
    [InlineData(ReportStatus.Failed, ReportStatus.Failed)]
    [InlineData(ReportStatus.Unknown, ReportStatus.Failed)]
    public void The_worst_counts_and_unknown_is_no_better_than_failed(ReportStatus one, ReportStatus overall)
    {
        var good = Sample("config").Archives[0];
        var report = Sample("config") with { Archives = [good, good with { Status = one }], Freshness = [], Space = [] };
        Assert.Equal(overall, report.Overall);
        Assert.Equal(overall, (report with { Archives = [good], Space = [new ReportedCheck(one, "local", "")] }).Overall);
        Assert.Equal(ReportStatus.Failed, (report with { Archives = [] }).Overall);
    }

    [Fact]
    public void Json_says_all_of_it()
    {
        using var json = JsonDocument.Parse(JsonReport.Write(Sample("config")));
        var root = json.RootElement;

        Assert.Equal("Failed", root.GetProperty("overall").GetString());
        Assert.Equal(3072, root.GetProperty("totals").GetProperty("size").GetInt64());
        Assert.Equal("Ok Failed Unknown", string.Join(' ', root.GetProperty("archives").EnumerateArray().Select(archive => archive.GetProperty("status").GetString())));
        Assert.Equal(Now, root.GetProperty("made").GetDateTimeOffset());
    }

    [Theory]
    [InlineData("r.md", "# BotCore")]
    [InlineData("r.html", "<!DOCTYPE html>")]
    [InlineData("r.json", "{")]
    [InlineData("r.txt", "BotCore")]
    [InlineData("report", "BotCore")]
    public void The_ending_names_the_form_and_a_report_replaces_the_one_before(string file, string beginning)
    {
        using var place = new Workplace(encrypted: false);
        var path = Path.Combine(place.Root, file);
        File.WriteAllText(path, new string('x', 100_000));
        var step = ReportRunner.Plan(new ReportRequest { Path = path, Stores = ["local"] });
        var made = ReportRunner.Run(place.Session, step, Workplace.None).ToBlockingEnumerable().OfType<Made>().Single();

        Assert.Equal(path, Assert.IsType<FileInfo>(made.Item).FullName);
        Assert.StartsWith(beginning, File.ReadAllText(path), StringComparison.Ordinal);
        Assert.DoesNotContain("xxx", File.ReadAllText(path), StringComparison.Ordinal);
        Assert.DoesNotContain(Directory.EnumerateFiles(place.Root), left => left.EndsWith(".partial", StringComparison.Ordinal));
    }

    [Fact]
    public void A_folder_and_a_place_that_is_not_there_are_refused()
    {
        using var place = new Workplace(encrypted: false);
        foreach (var path in new[] { place.Root, Path.Combine(place.Root, "nowhere", "r.txt") })
            Assert.Equal(FailureKind.ConfigurationInvalid, Assert.Throws<BackupException>(() => ReportRunner.Plan(new ReportRequest { Path = path })).Failure.Kind);
    }

    private static Arbitrary<string> Names() => Arb.From(Gen.Elements("redis_data", "a|b", "<b>x</b>", "a&b\"c'", "[x](y)", "`z`", "ü✓", "a\\|b", "</title><script>").Select(name => name));

    private static BotBackupReport Sample(string name) => new()
    {
        Made = Now,
        Host = "host",
        Tool = "BotCore.Backup 0.1.0",
        Scope = "all archives of these stores",
        Stores = ["local (/var/backups/botcore)"],
        Archives =
        [
            Archive("mongodb/2025/11/mongodb_full_20251118_020000.tar.gz", ReportStatus.Ok, "Archive, 3 h ago", Component.MongoDb),
            Archive("mongodb/2025/11/mongodb_full_20251117_020000.tar.gz", ReportStatus.Failed, "Damaged (ArchiveCorrupt), 2 h ago", Component.MongoDb) with { Taken = Now.AddDays(-1) },
            Archive($"config/{name}_20251118_030000.tar.gz", ReportStatus.Unknown, "never proven", Component.Config) with { Name = name },
        ],
        Freshness = [new ReportedCheck(ReportStatus.Ok, "MongoDB in local", "the newest good one is 7 h old")],
        Windows = [Window(RecoveryState.Restorable, Now.AddHours(-7), Now.AddMinutes(-5)), Window(RecoveryState.Gap, Now.AddHours(-31), Now.AddHours(-7))],
        Space = [new ReportedCheck(ReportStatus.Warning, "local", "3.00 KiB in 3 archives, 1.00 GiB free, less than 10.0 GiB")],
    };

    private static ReportedArchive Archive(string key, ReportStatus status, string text, Component component) => new()
    {
        Status = status,
        Store = "local",
        Key = key,
        Id = "0123456789abcdef",
        Component = component,
        Name = "mongodb",
        Type = BackupType.Full,
        Taken = Now.AddHours(-7),
        Size = 1024,
        Text = text,
    };

    private static BotRecoveryWindow Window(RecoveryState state, DateTimeOffset from, DateTimeOffset to) => new()
    {
        Store = "local",
        Database = "bot_core",
        State = state,
        FromEntry = $"{from.ToUnixTimeSeconds()}:1",
        ToEntry = $"{to.ToUnixTimeSeconds()}:1",
        Bases = 1,
        Slices = 83,
        Reason = state == RecoveryState.Gap ? "somebody slept" : null,
        Timeline = "0123456789abcdef",
    };
}
