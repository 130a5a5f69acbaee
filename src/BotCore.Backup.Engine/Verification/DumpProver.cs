using System.Diagnostics;
using System.Globalization;
using BotCore.Backup.Engine.Catalog;
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
        try
        {
            var survey = new DumpSurvey(NamespaceFilter.Everything);
            var source = DatabaseRestore.SourceOf(session, backup);
            var result = source is SealedDump archive ? archive.Verify(survey, moved, token) : Read(backup, source, survey, moved, token);
            if (result.Outcome == Outcome.Succeeded)
            {
                survey.Compare(source);
                result = result with { Message = $"{result.Message} {Parsed(survey)}" };
                if (depth == Depth.Restore)
                    result = new DatabaseRehearsal(session, options, tell).Run(result, source, survey, token);
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
            };
        }
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
