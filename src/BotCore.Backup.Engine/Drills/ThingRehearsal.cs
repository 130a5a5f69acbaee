using System.Globalization;
using BotCore.Backup.Engine.Backups.Copying;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Health;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Verification;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Drills;

/// <summary>Brings one thing back: fetches its archives out of the store, unseals them to their end, restores them to the newest moment, and compares. A step that fails ends it; those behind it are skipped. One thread.</summary>
internal sealed class ThingRehearsal(BackupSession session, IStore store, IReadOnlyList<BotBackup> all, DrillScratch scratch, Func<string, string, Func<string>, bool> step, Action<BackupEvent> tell, CancellationToken token)
{
    /// <summary>Gets the newest moment that the database was brought to.</summary>
    public required Action<DateTimeOffset> Database { get; init; }

    /// <summary>Gets the moment that files stand for.</summary>
    public required Action<DateTimeOffset> Files { get; init; }

    /// <summary>Where the files of a thing are restored to.</summary>
    public static string FolderOf(DrillScratch scratch, Component component, string name) => Path.Combine(scratch.Folder, "files", component.ToString(), Uri.EscapeDataString(name));

    public bool Run(Component component, string name)
    {
        var subject = component is Component.MongoDb or Component.Config ? component.ToString() : $"{component} {name}";
        IReadOnlyList<BotBackup> parts = [];
        BsonTimestamp? upTo = null;
        var copies = new List<BotBackup>();
        BotBackupRestore? restored = null;
        return step("Choose", subject, () =>
        {
            (parts, upTo) = component == Component.MongoDb ? ChooseDatabase(name) : (ChooseFiles(component, name), null);
            return string.Create(CultureInfo.InvariantCulture, $"{parts[^1].Key}, {parts.Count} archives, {new ByteSize(parts.Sum(part => part.Size.Bytes))}.");
        })
            && step("Fetch", subject, () =>
            {
                foreach (var part in parts)
                    copies.Add(Fetch(part));
                return $"Copied out of {store.Name}, compared on the way and read back.";
            })
            && step("Unseal", subject, () => Unseal(copies))
            && step("Restore", subject, () =>
            {
                restored = Restore(component, name, copies, upTo);
                if (component == Component.MongoDb)
                    Database(upTo is { } moment ? DateTimeOffset.FromUnixTimeSeconds(moment.Seconds) : copies[^1].Taken);
                else
                    Files(copies[^1].Taken);
                return $"{restored.Counts}{(restored.Moment is { } at ? $", up to {at}" : "")}.";
            })
            && step("Compare", subject, () => Compare(component, copies[^1], restored!));
    }

    // To the newest moment that any history of it leads to; of a server without an oplog the newest full backup.
    private (IReadOnlyList<BotBackup> Parts, BsonTimestamp? UpTo) ChooseDatabase(string name)
    {
        var own = all.Where(backup => backup.Component == Component.MongoDb && backup.Type != BackupType.Snapshot && string.Equals(backup.Name, name, StringComparison.Ordinal)).ToList();
        var timelines = OplogChains.Of(own.Where(StoreView.IsGood)).Timelines;
        var newest = timelines.SelectMany(timeline => timeline.Reaches().Select(reach => (Timeline: timeline, reach.To))).OrderByDescending(one => one.To).FirstOrDefault();
        // What is in the store and cannot be reached is lost all the same: a recovery without it would be none.
        if (newest.Timeline?.Stranded.FirstOrDefault(slice => OplogTimeline.EndOf(slice) > newest.To) is { } stranded)
            throw new BackupException(FailureKind.ChainBroken, $"{stranded.Location} and what comes after it cannot be reached: an increment before it is missing or damaged.", "See Get-BotRecoveryWindow; copy the missing increment back from another store, and make a full backup.", stranded);
        if (newest.Timeline?.Find(newest.To) is { } chain)
            return ([.. chain.Backups], chain.UpTo);
        return ([own.Where(backup => StoreView.IsGood(backup) && backup.Type == BackupType.Full).MaxBy(backup => backup.Taken) ?? throw None(name)], null);
    }

    private IReadOnlyList<BotBackup> ChooseFiles(Component component, string name)
    {
        var own = all.Where(backup => backup.Component == component && string.Equals(backup.Name, name, StringComparison.Ordinal) && backup.Type != BackupType.Snapshot).ToList();
        var newest = own.Where(StoreView.IsGood).MaxBy(backup => backup.Taken) ?? throw None(name);
        return FileChains.IsIncrement(newest) ? FileChains.Through(newest, own).Parts : [newest];
    }

    private BotBackup Fetch(BotBackup part)
    {
        var copy = CopyRunner.Plan(part, scratch.Archives, force: false, token);
        return (BotBackup)Last<Made>(CopyRunner.Run([copy], token)).Item;
    }

    private string Unseal(IReadOnlyList<BotBackup> copies)
    {
        var bytes = 0L;
        foreach (var happened in VerificationRunner.Run(session, copies, new VerificationOptions { Depth = Depth.Archive }, token).ToBlockingEnumerable(token))
        {
            if (happened is Failed wrong)
                throw new BackupException(wrong.Failure);
            if (happened is not Made { Item: BotBackupVerification proof })
                continue;
            if (proof.Outcome != Outcome.Succeeded)
                throw new BackupException(proof.Failure ?? new Failure(FailureKind.ArchiveCorrupt, proof.Message, "Take another copy.", proof.Location));
            bytes += proof.Read;
        }

        return $"{new ByteSize(bytes)} were unsealed to their end, every entry compared.";
    }

    private BotBackupRestore Restore(Component component, string name, IReadOnlyList<BotBackup> copies, BsonTimestamp? upTo)
    {
        if (component != Component.MongoDb)
        {
            var folder = FolderOf(scratch, component, name);
            Directory.CreateDirectory(Path.GetDirectoryName(folder)!);
            return Run(RestorePlanner.Plan(session, copies[^1], new RestoreRequest { Destination = folder, NoSnapshot = true }, token));
        }

        var databases = DatabasesOf(copies[0]).Where(database => !string.Equals(scratch.NameOf(database), database, StringComparison.Ordinal)).ToDictionary(database => database, scratch.NameOf, StringComparer.Ordinal);
        var asked = new RestoreRequest { Server = scratch.Server, NoSnapshot = true, Renames = databases, PointInTime = upTo is { } moment ? new PointInTime(moment) : null };
        return Run(upTo is null ? RestorePlanner.Plan(session, copies[0], asked, token) : RestorePlanner.PlanMoment(session, asked, scratch.Archives, token));
    }

    private BotBackupRestore Run(RestoreStep planned) => (BotBackupRestore)Last<Made>(RestoreRunner.Run(session, [planned], token)).Item;

    // On a server that others may use, every database gets a name of ours; what the manifest does not name cannot be kept apart there.
    private IReadOnlyList<string> DatabasesOf(BotBackup full)
    {
        if (scratch.HasSandbox)
            return [];
        return full.Manifest?.MongoDb?.Database is { } only ? [only] : scratch.NameOf("x") is "x" ? [] : throw new BackupException(
            FailureKind.ConfigurationInvalid, $"{full.Key} is of all databases of its server, and a scratch server takes one at a time.", "Name the database in DATABASE_URL or DB_NAME, or leave -Destination out: the Sandbox takes them all.", full);
    }

    // What was written was read back and compared with the archive; that the archive holds what its manifest says is the rest of it.
    private static string Compare(Component component, BotBackup tip, BotBackupRestore restored)
    {
        if (restored.Outcome != Outcome.Succeeded)
            throw new BackupException(FailureKind.RestoreMismatch, $"The restore of {tip.Key} ended as {restored.Outcome}.", "See the log of this drill.", tip);
        if (component == Component.MongoDb)
            return "Every collection was read back: count, hash and indexes are those of the backup.";
        var expected = tip.Manifest?.Increment?.TreeEntries ?? tip.Entries;
        if (expected is { } entries && restored.Counts.Entries != entries)
            throw new BackupException(FailureKind.RestoreMismatch, string.Create(CultureInfo.InvariantCulture, $"{restored.Counts.Entries} entries were restored, and the manifest of {tip.Key} says {entries}."), "Take another copy of it.", tip);
        return "Every entry was read back and is what the backup holds, and there are as many as its manifest says.";
    }

    private T Last<T>(IAsyncEnumerable<BackupEvent> run)
        where T : BackupEvent
    {
        T? last = null;
        Failure? failure = null;
        foreach (var happened in run.ToBlockingEnumerable(token))
        {
            switch (happened)
            {
                case T one:
                    last = one;
                    break;
                case Failed wrong:
                    failure ??= wrong.Failure;
                    break;
                case Warned or Said:
                    tell(new Said(happened is Warned warned ? warned.Text : ((Said)happened).Text));
                    break;
            }
        }

        return failure is null && last is not null ? last : throw new BackupException(failure ?? new Failure(FailureKind.RestoreFailed, "Nothing came of it.", "See the log of this drill."));
    }

    private BackupException None(string name) => new(FailureKind.BackupNotFound, $"{store.Name} has no backup of '{name}' that is known to be good.", "Make one, and test it.", name);
}
