using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.RegularExpressions;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Drills;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Journal;
using BotCore.Backup.Engine.Metrics;
using BotCore.Backup.Engine.Outside.Programs;
using BotCore.Backup.Engine.Tests.Journal;
using BotCore.Backup.Engine.Verification;
using BotCore.Backup.TestServers;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Metrics;

/// <summary>What Prometheus' own programs say of our metrics, rules and dashboard.</summary>
[NeedsTools("promtool", "prometheus-node-exporter")]
public sealed partial class MonitoringTests : IDisposable
{
    private static readonly string Monitoring = Path.Combine(FindRoot(), "examples/monitoring");

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [ServerFact]
    public void Promtool_finds_nothing_wrong_with_the_metrics_of_every_kind_of_run()
    {
        var answer = ProgramRun.TryRun("promtool", ["check", "metrics"], Text(), CancellationToken.None)!;
        // Names that the platform's dashboards know, without a unit or with a reserved ending, are kept.
        var remarks = (answer.Output + answer.Errors).Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !line.StartsWith("mongodb_backup_", StringComparison.Ordinal)).ToList();
        Assert.True(remarks.Count == 0, string.Join('\n', remarks));
    }

    [ServerFact]
    public async Task A_node_exporter_serves_them()
    {
        File.WriteAllText(_folder.Of("backup.prom"), Text());
        var port = FreePort();
        using var exporter = Process.Start(new ProcessStartInfo(
            NeedsToolsAttribute.Find("prometheus-node-exporter")!,
            ["--collector.disable-defaults", "--collector.textfile", $"--collector.textfile.directory={_folder.Path}", $"--web.listen-address=127.0.0.1:{port}"])
        { UseShellExecute = false, RedirectStandardError = true })!;
        try
        {
            _ = exporter.StandardError.ReadToEndAsync();
            using var client = new HttpClient();
            var page = await Wait(client, new Uri($"http://127.0.0.1:{port}/metrics"));
            Assert.Contains("\nnode_textfile_scrape_error 0\n", page, StringComparison.Ordinal);
            Assert.Contains("\nmongodb_backup_last_success_timestamp{type=\"full\"} 1.7634312e+09\n", page, StringComparison.Ordinal);
            Assert.Contains("\nbotbackup_runs_total{kind=\"backup\",outcome=\"succeeded\"} 1\n", page, StringComparison.Ordinal);
        }
        finally
        {
            exporter.Kill();
            await exporter.WaitForExitAsync();
        }
    }

    [ServerFact]
    public void The_rules_are_rules_and_fire_when_they_should()
    {
        foreach (var file in new[] { Path.Combine(Monitoring, "botbackup.rules.yml"), Path.Combine(FindRoot(), "tests/Engine/Metrics/botbackup.rules.test.yml") })
            File.Copy(file, _folder.Of(Path.GetFileName(file)));
        Assert.True(ProgramRun.TryRun("promtool", ["check", "rules", _folder.Of("botbackup.rules.yml")], "", CancellationToken.None) is { ExitCode: 0 }, "check rules");
        var tested = ProgramRun.TryRun("promtool", ["test", "rules", _folder.Of("botbackup.rules.test.yml")], "", CancellationToken.None)!;
        Assert.True(tested.ExitCode == 0, tested.Output + tested.Errors);
    }

    [ServerFact]
    public void Every_expression_of_the_dashboard_is_one_and_names_what_we_write()
    {
        using var dashboard = JsonDocument.Parse(File.ReadAllText(Path.Combine(Monitoring, "grafana/backup-metrics.json")));
        var panels = dashboard.RootElement.GetProperty("panels").EnumerateArray().ToList();
        Assert.Superset(
            new HashSet<string?>(["Backup success rate", "Backup size", "Backup duration", "Last successful backup", "Disk space"], StringComparer.Ordinal), panels.Select(panel => panel.GetProperty("title").GetString()).ToHashSet(StringComparer.Ordinal));
        var expressions = panels.SelectMany(panel => panel.GetProperty("targets").EnumerateArray()).Select(target => target.GetProperty("expr").GetString()!).ToList();
        // As rules, since check rules parses them.
        var rules = "groups:\n  - name: dashboard\n    rules:\n" + string.Concat(expressions.Select((expression, at) => $"      - record: panel:{at}\n        expr: {JsonSerializer.Serialize(expression)}\n"));
        File.WriteAllText(_folder.Of("dashboard.yml"), rules);
        var answer = ProgramRun.TryRun("promtool", ["check", "rules", _folder.Of("dashboard.yml")], "", CancellationToken.None)!;
        Assert.True(answer.ExitCode == 0, answer.Errors);

        var names = MetricFamilies.All.Select(family => family.Name).ToHashSet(StringComparer.Ordinal);
        var used = expressions.Append(File.ReadAllText(Path.Combine(Monitoring, "botbackup.rules.yml"))).SelectMany(text => Name().Matches(text)).Select(match => match.Value).Distinct(StringComparer.Ordinal).ToList();
        Assert.NotEmpty(used);
        Assert.Empty(used.Except(names, StringComparer.Ordinal));
    }

    private static string Text()
    {
        var at = new DateTimeOffset(2025, 11, 18, 2, 0, 0, TimeSpan.Zero);
        var book = new MetricBook([]);
        BotBackupRun Run(RunKind kind, params RunResult[] results) => new() { RunId = "0123456789abcdef", Command = "Invoke-BotBackup", Kind = kind, Host = "h", Started = at.AddMinutes(-1), Ended = at, Results = results };
        var good = new RunResult { Component = Component.MongoDb, Name = "mongo\"db\\\n", Type = BackupType.Full, Store = "local", Outcome = Outcome.Succeeded, Size = 1 << 20, Duration = TimeSpan.FromSeconds(1.5), WindowEnd = at };
        RunMetrics.Apply(book, Run(RunKind.Backup, good, good with { Store = "s3" }));
        RunMetrics.Apply(book, Run(RunKind.Backup, good with { Type = BackupType.Incremental, Outcome = Outcome.Failed }));
        RunMetrics.Apply(book, Run(RunKind.Verification, good with { Depth = Depth.Archive }));
        RunMetrics.Apply(book, Run(RunKind.CleanUp, good with { Freed = new ByteSize(5) }));
        RunMetrics.Apply(book, Run(RunKind.Health, new RunResult { Name = "Age", Location = "MongoDb in local", Outcome = Outcome.Unknown }));
        RunMetrics.Apply(book, Run(RunKind.Drill) with { Drills = [new BotBackupDrill { Scenario = DrillScenario.RegionalOutage, Steps = [], Started = at, Host = "h", Rto = TimeSpan.FromMinutes(3), Rpo = TimeSpan.FromMinutes(4), Target = new DrillTarget(TimeSpan.FromHours(4), TimeSpan.FromMinutes(15)) }] });
        RunMetrics.ApplyNotice(book, "slack", taken: false);
        book.Set(MetricFamilies.FreeSpace, 1, ("store", "local"));
        book.Set(MetricFamilies.Backups, 1, ("component", "mongodb"), ("name", "mongodb"), ("store", "local"));
        book.Set(MetricFamilies.StoredBytes, 1, ("component", "mongodb"), ("name", "mongodb"), ("store", "local"));
        Assert.Equal(MetricFamilies.All.Select(family => family.Name).Order(StringComparer.Ordinal), book.Samples.Select(sample => sample.Name).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));
        return MetricText.Write(book.Samples);
    }

    private static async Task<string> Wait(HttpClient client, Uri address)
    {
        var end = Environment.TickCount64 + 20_000;
        while (true)
        {
            try
            {
                return await client.GetStringAsync(address);
            }
            catch (HttpRequestException) when (Environment.TickCount64 < end)
            {
                await Task.Yield();
            }
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "BotCore.Backup.sln")))
            folder = folder.Parent;
        return folder.FullName;
    }

    [GeneratedRegex(@"\b(?:botbackup|mongodb_backup)_[a-z_]+\b", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Name();
}
