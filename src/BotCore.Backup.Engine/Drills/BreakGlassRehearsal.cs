using System.Globalization;
using System.Text;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Outside.Programs;
using BotCore.Backup.Engine.Schedules;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Engine.Drills;

/// <summary>
/// Follows the text that lies beside the backups, RECOVER.txt, to the letter: a shell runs its commands on what was fetched, with stock tools and nothing of this module, and what comes out is compared with what this module restored.
/// </summary>
internal static class BreakGlassRehearsal
{
    private const string CommandMark = "$ ";
    private const string WithPassphrase = " --pinentry-mode loopback --passphrase-file \"$PASSPHRASE\"";

    // As long as a recovery may take: unpacking is what it does.
    private static readonly TimeSpan Limit = TimeSpan.FromHours(12);

    /// <summary>What came of it; throws <see cref="BackupException"/> where anything is not as it should be.</summary>
    public static string Run(BackupSession session, DrillScratch scratch, CancellationToken token)
    {
        var fetched = BackupCatalog.List(scratch.Archives, token).OfType<Made>().Select(made => (BotBackup)made.Item).ToList();
        var target = Path.Combine(scratch.Folder, "break-glass");
        var answer = Follow(session, scratch, fetched, target, token);
        var whole = answer.Output.Split('\n').Count(line => line.EndsWith(": OK", StringComparison.Ordinal));
        if (answer.ExitCode != 0 || answer.Output.Contains("DAMAGED: ", StringComparison.Ordinal) || whole != fetched.Count)
            throw Wrong($"{whole} of {fetched.Count} archives were found whole, and the shell ended with {answer.ExitCode.ToString(CultureInfo.InvariantCulture)}: {Last(answer.Errors)}");
        if (fetched.Exists(backup => backup.Component == Component.Config))
            CompareConfig(scratch, target, token);
        foreach (var database in fetched.Where(backup => backup.Component == Component.MongoDb))
        {
            var stem = database.Key[(database.Key.LastIndexOf('/') + 1)..].Split('.')[0];
            var folder = Path.Combine(target, "mongodb", stem);
            if (!Directory.Exists(folder) || !Directory.EnumerateFiles(folder, "*.bson", SearchOption.AllDirectories).Any())
                throw Wrong($"{database.Key} did not become a dump");
        }

        var same = fetched.Exists(backup => backup.Component == Component.Config) ? ", and the configuration that they brought back is the same, byte for byte" : "";
        return string.Create(CultureInfo.InvariantCulture, $"{fetched.Count} archives were checked by sha256sum and opened by the commands of RECOVER.txt alone{same}.");
    }

    private static ProgramAnswer Follow(BackupSession session, DrillScratch scratch, IReadOnlyList<BotBackup> fetched, string target, CancellationToken token)
    {
        var text = Encoding.UTF8.GetString(ReadText(scratch.Archives, token));
        var script = string.Join('\n', text.Split('\n').Where(line => line.StartsWith(CommandMark, StringComparison.Ordinal)).Select(line => line[CommandMark.Length..]));
        // "Volumes, folders and models are restored like that too": each is opened to its end with the function that the text makes.
        script += string.Concat(fetched.Where(backup => backup.Component is Component.Volume or Component.Model).Select(backup => $"\nopen_tar {CommandWords.Quote("./" + backup.Key)} | tar t >/dev/null"));
        var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["FETCHED"] = Path.Combine(scratch.Folder, "archives"), ["TARGET"] = target, ["PASSPHRASE"] = session.Configuration.PassphraseFile ?? "/dev/null" };
        var home = Path.Combine(scratch.Folder, "gnupg");
        if (fetched.Any(backup => backup.Encryption == Encryption.Recipients))
        {
            // As the text says it for public keys: gpg asks its agent.
            script = script.Replace(WithPassphrase, "", StringComparison.Ordinal);
        }
        else
        {
            PrivateFiles.MakeFolder(home);
            environment["GNUPGHOME"] = home;
        }

        try
        {
            return ProgramRun.TryRun("sh", ["-e", "-c", script], "", token, environment, Limit)
                ?? throw new BackupException(FailureKind.ToolMissing, "There is no shell to follow RECOVER.txt with.", "Rehearse on a machine like the one that would be recovered on.", "sh");
        }
        finally
        {
            if (Directory.Exists(home))
                ProgramRun.TryRun("gpgconf", ["--homedir", home, "--kill", "all"], "", CancellationToken.None);
        }
    }

    private static byte[] ReadText(IStore store, CancellationToken token)
    {
        using var stream = store.OpenRead(BreakGlass.Key, 0, token);
        using var text = new MemoryStream();
        stream.CopyTo(text);
        return text.ToArray();
    }

    private static void CompareConfig(DrillScratch scratch, string target, CancellationToken token)
    {
        var ours = ThingRehearsal.FolderOf(scratch, Component.Config, "config");
        var answer = ProgramRun.TryRun("diff", ["-r", "--no-dereference", "--brief", ours, Path.Combine(target, "config")], "", token, limit: Limit)
            ?? throw new BackupException(FailureKind.ToolMissing, "diff is not installed, and what the stock tools restored could not be compared.", "Install the package diffutils.", "diff");
        if (answer.ExitCode != 0)
            throw Wrong($"the configuration is not the same: {Last(answer.Output + answer.Errors)}");
    }

    private static string Last(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault()?.Trim() ?? "it said nothing.";

    private static BackupException Wrong(string what) => new(FailureKind.RestoreMismatch, $"RECOVER.txt, followed with stock tools alone, did not bring it back: {what}", "Follow it by hand, line by line, and see which one fails.", BreakGlass.Key);
}
