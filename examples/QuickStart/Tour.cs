using System.Globalization;
using BotCore.Backup.Engine;
using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Engine.Verification;

namespace BotCore.Backup.Examples.QuickStart;

/// <summary>The main job, end to end: back up, prove, see damage found, lose the data, restore, compare. Throws where a step did not show what it should.</summary>
internal sealed class Tour(string scratch, string? keep, bool sabotage, CancellationToken stop)
{
    private readonly string _platform = Path.Combine(scratch, "platform");
    private readonly string _passphraseFile = Path.Combine(keep ?? scratch, "passphrase");

    public async Task RunAsync()
    {
        var before = MakePlatform();
        using var session = new BackupSession(Configure());
        var backup = await BackUpAsync(session);
        if (sabotage)
            Sabotage(backup);
        if (keep is not null)
            Keep(backup, keep);

        await ProveAsync(session, backup);
        await ShowThatDamageIsFoundAsync(session, backup);
        LosePlatform(before);
        await RestoreAsync(session, backup);
        Compare(before);
        await new DatabaseTour(Settings, stop).RunAsync();
        TellStockTools(backup);
    }

    private TreeRecord MakePlatform()
    {
        Headline("A platform");
        Directory.CreateDirectory(_platform);
        SamplePlatform.Create(_platform);
        var record = TreeRecord.Of(_platform);
        Tell($"{record.Files} files among {record.Count} entries, {new ByteSize(record.Bytes)}, in {_platform}.");
        return record;
    }

    // The same settings as in a .env file; nothing is taken from this machine's environment.
    private BotBackupConfiguration Configure()
    {
        Headline("A passphrase and settings");
        Directory.CreateDirectory(Path.GetDirectoryName(_passphraseFile)!);
        if (!File.Exists(_passphraseFile))
            PassphraseGenerator.Create(_passphraseFile);
        Tell($"32 random bytes in {_passphraseFile}, readable by its owner only.");
        return Settings(new Dictionary<string, string>(StringComparer.Ordinal));
    }

    private BotBackupConfiguration Settings(IReadOnlyDictionary<string, string> more) => BotBackupConfiguration.Load(
        envFile: null,
        environment: new Dictionary<string, string>(StringComparer.Ordinal),
        overrides: new Dictionary<string, string>(more, StringComparer.Ordinal)
        {
            ["PROJECT_ROOT"] = _platform,
            ["CONFIG_PATHS"] = SamplePlatform.ConfigPaths,
            ["BACKUP_DIR"] = Path.Combine(scratch, "backups"),
            ["GPG_PASSPHRASE_FILE"] = _passphraseFile,
        });

    private async Task<BotBackup> BackUpAsync(BackupSession session)
    {
        Headline("Backup");
        var plan = BackupPlanner.Plan(session, new BackupRequest { Components = [Component.Config] }, failure => throw new BackupException(failure), stop);
        var backup = await ResultAsync<BotBackup>(BackupRunner.Run(session, plan, stop));
        var share = 100.0 * backup.Size.Bytes / backup.PlainSize!.Value.Bytes;
        Tell(string.Create(CultureInfo.InvariantCulture, $"{backup.Entries} entries: a tar of {backup.PlainSize} became {backup.Size} ({share:0} %), compressed and encrypted, read back and compared."));
        Tell(backup.Location);
        return backup;
    }

    private async Task ProveAsync(BackupSession session, BotBackup backup)
    {
        Headline("Proof");
        var proof = await ResultAsync<BotBackupVerification>(VerificationRunner.Run(session, [backup], Depth.Archive, stop));
        if (proof.Outcome != Outcome.Succeeded)
            throw new NotProvenException($"The proof refused the archive, and so nothing is restored from it. {proof.Failure}");
        Tell(string.Create(CultureInfo.InvariantCulture, $"{proof.Message} ({proof.Read} read in {proof.Duration.TotalSeconds:0.00} s)"));
    }

    private async Task ShowThatDamageIsFoundAsync(BackupSession session, BotBackup backup)
    {
        Headline("Proof of the proof");
        var copy = CopyBackup(backup, Path.Combine(scratch, "damaged-copy"));
        var offset = FlipOneByte(copy);
        var damaged = BackupCatalog.OpenFile(session.Local, copy, stop);
        var proof = await ResultAsync<BotBackupVerification>(VerificationRunner.Run(session, [damaged], Depth.Archive, stop));
        if (proof.Outcome != Outcome.Failed)
            throw new NotProvenException($"Byte {offset} of a copy was changed, and the proof did not find it.");
        Tell($"Byte {offset:N0} of a copy was changed. Found: {proof.Failure!.Kind}.");
    }

    private void LosePlatform(TreeRecord before)
    {
        Headline("Disaster");
        var what = SamplePlatform.Destroy(_platform);
        var lost = before.DifferencesTo(TreeRecord.Of(_platform)).Count;
        Tell($"{what}: {lost} of {before.Count} entries are lost or wrong.");
    }

    private async Task RestoreAsync(BackupSession session, BotBackup backup)
    {
        Headline("Restore");
        var step = RestorePlanner.Plan(session, backup, new RestoreRequest(), stop);
        var restore = await ResultAsync<BotBackupRestore>(RestoreRunner.Run(session, [step], stop));
        if (restore.Outcome != Outcome.Succeeded)
            throw new NotProvenException($"The restore ended as {restore.Outcome}.");
        Tell(string.Create(CultureInfo.InvariantCulture, $"{restore.Counts.Entries} entries, {restore.Counts.Bytes}, proven again and written in {restore.Duration.TotalSeconds:0.00} s."));
        Tell($"The {restore.Counts.Overwritten} files that were overwritten are kept in a snapshot, {restore.Snapshot?.Name}: restoring it undoes this.");
    }

    private void Compare(TreeRecord before)
    {
        Headline("Comparison, file by file");
        var after = TreeRecord.Of(_platform);
        var different = before.DifferencesTo(after);
        if (different.Count > 0)
            throw new NotProvenException($"{different.Count} entries are not what they were: {string.Join(", ", different)}.");
        Tell($"All {after.Count} entries are what they were: content (SHA-256 of {new ByteSize(after.Bytes)}), modes, times and links.");
    }

    private static void Sabotage(BotBackup backup)
    {
        Headline("Sabotage");
        Tell($"Byte {FlipOneByte(backup.Location):N0} of the archive was changed. What follows must fail.");
    }

    private void Keep(BotBackup backup, string folder)
    {
        Headline("Kept");
        var archive = CopyBackup(backup, folder);
        Tell($"{archive}, with its index, checksum and manifest.");
        Tell($"gpg --batch --pinentry-mode loopback --passphrase-file '{_passphraseFile}' -d '{archive}' | tar tzv");
    }

    private void TellStockTools(BotBackup backup)
    {
        Headline("Without this program");
        Tell(keep is null ? "Run again with -- --keep DIR to keep an archive and its passphrase. Stock tools open it:" : "Stock tools open the archive that was kept, here into the current folder:");
        var (passphrase, archive) = keep is null ? ("PASSPHRASE-FILE", "ARCHIVE") : (_passphraseFile, Path.Combine(keep, Path.GetFileName(backup.Key)));
        Tell($"gpg --batch --pinentry-mode loopback --passphrase-file '{passphrase}' -d '{archive}' | tar xz");
    }

    private static string CopyBackup(BotBackup backup, string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var file in new[] { backup.Location, BackupFiles.Index(backup.Location), BackupFiles.Checksum(backup.Location), BackupFiles.Manifest(backup.Location) })
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        return Path.Combine(folder, Path.GetFileName(backup.Location));
    }

    private static long FlipOneByte(string path)
    {
        using var file = File.Open(path, FileMode.Open);
        var offset = file.Length / 2;
        file.Position = offset;
        var value = file.ReadByte();
        file.Position = offset;
        file.WriteByte((byte)(value ^ 1));
        return offset;
    }

    // A run tells what happens as events; here one result is expected, and a failure ends everything.
    internal static async Task<T> ResultAsync<T>(IAsyncEnumerable<BackupEvent> run)
        where T : class
    {
        T? result = null;
        await foreach (var happened in run)
        {
            switch (happened)
            {
                case Made { Item: T made }:
                    result = made;
                    break;
                case Warned warned:
                    Tell($"Warning: {warned.Text}");
                    break;
                case Failed failed:
                    throw new BackupException(failed.Failure);
            }
        }

        return result ?? throw new NotProvenException($"The run ended without a {typeof(T).Name}.");
    }

    internal static void Headline(string text) => Console.WriteLine($"\n== {text}");

    internal static void Tell(string text) => Console.WriteLine($"   {text}");
}
