using System.Diagnostics;
using System.Globalization;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Components.MongoDb;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;

namespace BotCore.Backup.Engine.Verification;

/// <summary>
/// Proves a database backup at Archive depth or deeper: on top of what holds for every archive, each BSON document and metadata file is parsed, and count and hash of every
/// collection are compared with the index. At Restore depth it is then restored into scratch databases. One thread at a time.
/// </summary>
internal sealed class DumpProver(BackupSession session, VerificationOptions options, Action<BackupEvent> tell)
{
    /// <summary>Only cancellation is thrown; every flaw is in the result.</summary>
    public BotBackupVerification Prove(BotBackup backup, Action<long> moved, CancellationToken token)
    {
        var clock = Stopwatch.StartNew();
        // A plain dump has no checksum, so there is nothing to compare without reading all of it.
        var depth = options.Depth < Depth.Archive ? Depth.Archive : options.Depth;
        var (restoring, chained) = (false, false);
        try
        {
            var survey = new DumpSurvey(NamespaceFilter.Everything);
            var span = SpanOf(backup, survey);
            var source = DatabaseRestore.SourceOf(session, backup);
            var result = source is SealedDump archive ? archive.Verify(span?.Documents() ?? survey, moved, token) : Read(backup, source, survey, moved, token);
            if (result.Outcome == Outcome.Succeeded)
            {
                survey.Compare(source);
                span?.Complete();
                result = result with { Message = $"{result.Message} {Parsed(survey)}" };
                restoring = depth == Depth.Restore;
                chained = restoring && IsIncrement(backup);
                if (restoring)
                    result = IsIncrement(backup) ? RehearseChain(result, backup, moved, token) : new DatabaseRehearsal(session, options, tell).Run(result, source, survey, token);
            }

            return result with { Depth = depth, Duration = clock.Elapsed };
        }
        catch (BackupException wrong)
        {
            return new BotBackupVerification
            {
                Backup = backup,
                Location = backup.Location,
                Depth = depth,
                Outcome = Outcome.Failed,
                Proof = Proof.None,
                Failure = wrong.Failure,
                Message = wrong.Failure.Message,
                Duration = clock.Elapsed,
                // What was read before was this archive alone; what comes then is of its chain, too.
                SeenAt = restoring ? Depth.Restore : Depth.Archive,
                IsOfAnother = chained,
                Where = restoring && options.Server is null ? "Sandbox" : null,
            };
        }
    }

    private static bool IsIncrement(BotBackup backup) => backup is { Type: BackupType.Incremental, Oplog: not null };

    // An increment must be the span that its manifest says, to the last entry that was kept of it, or no chain would take it. Null for all others.
    private static ChainOplog? SpanOf(BotBackup backup, DumpSurvey survey) =>
        IsIncrement(backup) ? new ChainOplog(new RestoreChain(backup, [], OplogTimeline.EndOf(backup)), survey) : null;

    // An increment alone is nothing to restore: what it stands on is proven with it.
    private BotBackupVerification RehearseChain(BotBackupVerification read, BotBackup backup, Action<long> moved, CancellationToken token)
    {
        var chains = OplogChains.Load(backup.Source, token, wrong => tell(new Warned($"{wrong.Message} What it belongs to is in no chain.")));
        if (chains.Through(backup) is not { } chain)
        {
            // What cannot be reached at all is broken; what is not needed to get there is only not rehearsed.
            var other = chains.Find(OplogTimeline.EndOf(backup), backup.Timeline);
            var why = OplogTimeline.StartOf(backup) == OplogTimeline.EndOf(backup)
                ? "it holds no new entry, so there is nothing of it to restore"
                : $"the chain to its end, which begins with {other.Base.Key}, goes another way and does not hold it";
            return read with { Message = $"{read.Message} It was proven to Archive depth only: {why}." };
        }

        var source = new ChainDump(chain, one => DatabaseRestore.SourceOf(session, one));
        var survey = new DumpSurvey(NamespaceFilter.Everything);
        source.Prove(survey, NamespaceFilter.Everything, moved, token);
        survey.Compare(source);
        var result = new DatabaseRehearsal(session, options, tell).Run(read, source, survey, token);
        return result with { Message = string.Create(CultureInfo.InvariantCulture, $"{result.Message} Its chain has {chain.Slices.Count + 1:N0} archives and begins with {chain.Base.Key}.") };
    }

    private static BotBackupVerification Read(BotBackup backup, IDumpSource source, DumpSurvey survey, Action<long> moved, CancellationToken token)
    {
        source.Prove(survey, NamespaceFilter.Everything, moved, token);
        if (survey is { Collections.Count: 0, Sets.Count: 0, Scan: null })
            throw new BackupException(FailureKind.BackupNotFound, $"{source.Name} holds no dump of MongoDB.", "Name the folder that mongodump wrote: its --out folder, or one of a database in it.", backup);
        var proof = new Proof(Depth.Archive, DateTimeOffset.UtcNow, Authenticated: false);
        return new BotBackupVerification
        {
            Backup = backup with { Proof = proof },
            Location = backup.Location,
            Depth = Depth.Archive,
            Outcome = Outcome.Succeeded,
            Proof = proof,
            Entries = survey.Collections.Count,
            Read = survey.Bytes,
            Message = "The dump can be read to its end; it has no manifest, so nothing says what it should hold.",
        };
    }

    private static string Parsed(DumpSurvey survey) => string.Create(
        CultureInfo.InvariantCulture, $"{survey.Collections.Count:N0} collections with {survey.Documents:N0} documents{(survey.Scan is { } scan ? $" and {scan.Entries:N0} oplog entries" : "")} were parsed.");
}
