using System.Diagnostics;
using System.Text;
using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Tests.Components.MongoDb;
using BotCore.Backup.Engine.Tests.Components.MongoDb.Increments;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Backups;

/// <summary>The text in every store is followed to the letter: by a shell, with stock tools, and nothing of ours.</summary>
public sealed class BreakGlassTests
{
    [ToolFact("gpg", "tar", "gzip", "sha256sum", "awk", "sh")]
    public void Who_has_only_the_store_and_the_passphrase_gets_everything_back()
    {
        using var mongo = new MongoPlatform(new BotCore.Backup.Sandbox.SandboxOptions());
        var session = mongo.Session(more: new Dictionary<string, string>(StringComparer.Ordinal) { ["CONFIG_PATHS"] = "config" });
        Directory.CreateDirectory(Path.Combine(mongo.Folder, "config"));
        File.WriteAllText(Path.Combine(mongo.Folder, "config", "grid.json"), "{ \"levels\": 7 }");
        Slices.Write(mongo);
        var full = mongo.BackUp(session);
        Slices.Write(mongo);
        var increment = Slices.Take(session);
        var steps = BackupPlanner.Plan(session, new BackupRequest { Components = [Engine.Components.Component.Config] }, failure => Assert.Fail(failure.Message), default);
        Assert.DoesNotContain(BackupRunner.Run(session, steps, default).ToBlockingEnumerable(), happened => happened is Engine.Events.Failed);

        var (output, target) = Follow(mongo.Store, Path.Combine(mongo.Folder, "passphrase"), Path.Combine(mongo.Folder, "target"));
        Assert.DoesNotContain("DAMAGED", output, StringComparison.Ordinal);
        Assert.Equal(3, output.Split('\n').Count(line => line.EndsWith(": OK", StringComparison.Ordinal)));
        Assert.Equal("{ \"levels\": 7 }", File.ReadAllText(Path.Combine(target, "config", "config", "grid.json")));
        foreach (var backup in new[] { full, increment })
        {
            var stem = Path.GetFileName(backup.Key).Split('.')[0];
            Assert.True(new FileInfo(Path.Combine(target, "mongodb", stem, "oplog.bson")).Length > 0);
        }

        Assert.Equal(3, Directory.GetFiles(Path.Combine(target, "mongodb"), "trades.bson", SearchOption.AllDirectories).Select(file => new FileInfo(file).Length > 0 ? 3 : 0).Single());
    }

    [ToolFact("gpg", "tar", "gzip", "sha256sum", "awk", "sh")]
    public void What_is_damaged_is_named()
    {
        using var place = new Workplace();
        place.Write("a.txt", "content");
        var backup = place.BackUp();
        var bytes = File.ReadAllBytes(backup.Location);
        bytes[^5] ^= 1;
        File.WriteAllBytes(backup.Location, bytes);

        Assert.Contains($"DAMAGED: ./{backup.Key}.sha256", Follow(place.Store, Path.Combine(place.Root, "passphrase-0"), Path.Combine(place.Root, "target"), mayFail: true).Output, StringComparison.Ordinal);
    }

    private static (string Output, string Target) Follow(string store, string passphrase, string target, bool mayFail = false)
    {
        var text = File.ReadAllText(Path.Combine(store, BreakGlass.Key));
        Assert.Equal(Encoding.UTF8.GetString(BreakGlass.Content.Span), text);
        var script = string.Join('\n', text.Split('\n').Where(line => line.StartsWith("$ ", StringComparison.Ordinal)).Select(line => line[2..]));
        // A home of its own: gpg starts agents and keeps files there.
        var home = Directory.CreateDirectory(Path.Combine(Path.GetDirectoryName(target)!, "gnupg"));
        Outside.Shell.Run("chmod", "700", home.FullName);
        var start = new ProcessStartInfo("sh", ["-e", "-c", script]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment.Clear();
        foreach (var (name, value) in new[] { ("PATH", Environment.GetEnvironmentVariable("PATH")), ("FETCHED", store), ("PASSPHRASE", passphrase), ("TARGET", target), ("GNUPGHOME", home.FullName), ("LC_ALL", "C") })
            start.Environment[name] = value;
        using var shell = Process.Start(start)!;
        var errors = shell.StandardError.ReadToEndAsync();
        var output = shell.StandardOutput.ReadToEnd();
        shell.WaitForExit();
        Outside.Shell.Run("gpgconf", "--homedir", home.FullName, "--kill", "all");
        Assert.True(mayFail || shell.ExitCode == 0, errors.Result + output);
        return (output, target);
    }
}
