using System.Globalization;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Engine.Verification;

/// <summary>
/// Writes what a verification found beside the archive, and removes records that say nothing any more. A store that takes no records, or gives none back, never makes a proof a failed one. One a command; one thread.
/// </summary>
internal sealed class ProofLedger(TimeProvider clock, string? runId = null)
{
    private const int MostKept = 5;
    private const int MostAttempts = 3;

    private readonly HashSet<string> _refusing = new(StringComparer.Ordinal);

    /// <summary>The run that the records name.</summary>
    public string RunId { get; } = runId ?? BackupRunner.NewRunId();

    /// <summary>The budget that verifications are done for; null where there is none.</summary>
    public ProofBudget? Budget { get; set; }

    /// <summary>
    /// Records <paramref name="result"/> where it says something of its archive, or where somebody must know that it had its turn, and gives it back with what is known of the backup now.
    /// </summary>
    public BotBackupVerification Record(BotBackupVerification result, Depth asked, Action<BackupEvent> tell)
    {
        if (result.Backup is not { } backup || !HasRecords(backup) || NameOf(result, asked) is not { } mark)
            return result;
        // What could not be restored and was proven as far as it goes had its turn, or a budget would choose it again and again.
        if (Budget is not null && asked == Depth.Restore && mark is { Flaw: null, Mark: ProofMark.Checksum or ProofMark.Archive })
            _ = TryWrite(backup, (ProofMark.Tried, null), record => record with { At = clock.GetUtcNow(), Depth = asked }, tell, out _);
        var now = clock.GetUtcNow();
        if (!TryWrite(backup, mark, record => record with
        {
            At = now,
            Depth = asked,
            Outcome = mark.Mark == ProofMark.Tried ? Outcome.Unknown : result.Outcome,
            Failure = mark.Flaw,
            Where = result.Where,
            Authenticated = result.Proof.Authenticated,
            Read = result.Read,
            EntriesRead = result.Entries,
            Seconds = Math.Round(result.Duration.TotalSeconds, 3),
        }, tell, out var history))
            return result;
        var known = history.Apply(backup with { Proof = Baseline(backup), IsDamaged = false, History = ProofHistory.Empty });
        VerifiedLinks.Show(known, tell);
        if (result.Outcome == Outcome.Succeeded && known.History.Damage is { } standing)
        {
            // The right bytes, of which it was seen before that they are not what they should be.
            result = result with { Message = $"{result.Message} It still counts as damaged: {standing.Flaw} was found on {standing.At.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}, and only a test at {standing.Mark} depth can show that it is mended." };
            tell(new Warned($"{backup.Key}: {result.Message}"));
        }

        return result with { Backup = known, Proof = result.Outcome == Outcome.Succeeded ? result.Proof with { At = now } : result.Proof, Recorded = true };
    }

    private static Proof Baseline(BotBackup backup) => backup.Manifest is { } manifest
        ? new Proof(Depth.Checksum, manifest.Completed, manifest.Hmac is not null || manifest.Signature is not null)
        : Proof.None;

    // What is no archive in a store (a folder of mongodump, a file that somebody named) has nothing beside it.
    private static bool HasRecords(BotBackup backup) => backup.PlainDump is null && (backup.Manifest is not null || ArchiveName.TryParse(backup.Key, out _));

    // Without a budget nobody needs to know of a try that proved nothing.
    private (ProofMark Mark, FailureKind? Flaw)? NameOf(BotBackupVerification result, Depth asked)
    {
        if (result.Outcome == Outcome.Succeeded && MarkOf(result.Proof) is var mark and not ProofMark.Unknown)
            return (mark, null);
        if (result is { Outcome: Outcome.Failed, Failure: { } failure, IsOfAnother: false } && ProofName.IsDamage(failure.Kind))
            return (MarkOf(new Proof(result.SeenAt == Depth.Unknown ? asked : result.SeenAt, At: null, Authenticated: false) { InSandbox = result.IsInSandbox }), failure.Kind);
        return Budget is null ? null : (ProofMark.Tried, null);
    }

    private static ProofMark MarkOf(Proof proof) => proof.Depth switch
    {
        Depth.Checksum => ProofMark.Checksum,
        Depth.Archive => ProofMark.Archive,
        Depth.Restore => proof.InSandbox ? ProofMark.Sandbox : ProofMark.Restore,
        _ => ProofMark.Unknown,
    };

    private bool TryWrite(BotBackup backup, (ProofMark Mark, FailureKind? Flaw) what, Func<ProofRecord, ProofRecord> fill, Action<BackupEvent> tell, out ProofHistory history)
    {
        history = ProofHistory.Empty;
        var store = backup.Source;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var names = Names(store, backup.Key);
                var name = Next(names, what, backup.Seal);
                var record = fill(Blank(backup, what.Mark));
                Publication.Put(store, name.KeyOf(backup.Key), record.ToJson(), null, CancellationToken.None);
                names.Add(name);
                // Somebody removed the backup meanwhile: nothing of it is to stay.
                if (store.Find(backup.Key, CancellationToken.None) is null)
                {
                    store.Delete(name.KeyOf(backup.Key), CancellationToken.None);
                    return false;
                }

                Prune(store, backup.Key, names, tell);
                history = ProofHistory.Of(names, backup.Seal, clock.GetUtcNow());
                return true;
            }
            catch (BackupException wrong)
            {
                // The run of a backup sweeps what is half-written in its folder, and another test may have taken the name: once more.
                if (attempt < MostAttempts && wrong.Failure.Kind is not (FailureKind.AccessDenied or FailureKind.StoreFull or FailureKind.LoginFailed or FailureKind.CredentialsMissing or FailureKind.BucketMissing))
                    continue;
                if (_refusing.Add(store.Location))
                    tell(new Warned($"That {backup.Key} was tested could not be recorded in {store.Location}, so Get-BotBackup will not show it: {wrong.Failure.Message}"));
                return false;
            }
        }
    }

    private static List<ProofName> Names(IStore store, string archive) =>
        [.. ProofHistory.Gather(store.List(ProofName.PrefixOf(archive), CancellationToken.None).Select(one => one.Key)).Values.SelectMany(names => names)];

    // Behind all that is there, unless that is of a time to come: two machines' clocks differ by a little, and the later look must have the last word.
    private ProofName Next(List<ProofName> names, (ProofMark Mark, FailureKind? Flaw) what, string seal)
    {
        var now = clock.GetUtcNow();
        var second = new DateTimeOffset(now.Ticks / TimeSpan.TicksPerSecond * TimeSpan.TicksPerSecond, TimeSpan.Zero);
        var last = names.Where(name => name.At <= now + ProofHistory.Skew).MaxBy(name => name.Order);
        return last is not null && last.At >= second
            ? new ProofName(last.At, last.Turn + 1, what.Mark, what.Flaw, seal)
            : new ProofName(second, 1, what.Mark, what.Flaw, seal);
    }

    private ProofRecord Blank(BotBackup backup, ProofMark mark) => new()
    {
        Format = ProofRecord.CurrentFormat,
        Backup = backup.Id,
        Archive = backup.Key[(backup.Key.LastIndexOf('/') + 1)..],
        ManifestSha256 = backup.KnownManifestSha256,
        At = default,
        Depth = Depth.Unknown,
        Outcome = Outcome.Unknown,
        Mark = mark,
        Read = 0,
        Size = backup.Size,
        EntriesRead = 0,
        Entries = backup.Entries,
        Seconds = 0,
        Tool = ToolName.Value,
        Host = Environment.MachineName,
        RunId = RunId,
        Budget = Budget,
    };

    // Kept: the newest of each kind of success, the newest failure and try, and the last few of all. What is of a time to come is left alone: nobody knows whose clock is wrong.
    private void Prune(IStore store, string archive, List<ProofName> names, Action<BackupEvent> tell)
    {
        var past = names.Where(name => name.At <= clock.GetUtcNow() + ProofHistory.Skew).OrderBy(name => name.Order).ToList();
        var kept = past.TakeLast(MostKept).Concat(past.GroupBy(name => (name.Flaw is null, name.Flaw is null ? name.Mark : ProofMark.Unknown)).Select(group => group.Last())).ToHashSet();
        foreach (var old in past.Where(name => !kept.Contains(name)))
        {
            try
            {
                store.Delete(old.KeyOf(archive), CancellationToken.None);
            }
            catch (BackupException locked)
            {
                if (_refusing.Add(store.Location + "\0delete"))
                    tell(new Said($"Old records of proofs stay in {store.Location}, which does not remove them: {locked.Failure.Message}"));
                return;
            }
        }
    }
}
