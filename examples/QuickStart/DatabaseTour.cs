using System.Globalization;
using BotCore.Backup.Engine;
using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Engine.Verification;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Sandbox;

namespace BotCore.Backup.Examples.QuickStart;

/// <summary>
/// The same for a database, on the Sandbox: backed up while money moves in it, proven, restored beside, lost, restored over itself, and the restore undone. Throws where a step did not
/// show what it should.
/// </summary>
internal sealed class DatabaseTour(Func<IReadOnlyDictionary<string, string>, BotBackupConfiguration> settings, CancellationToken stop)
{
    private const string Live = "bot_core";
    private const string Rehearsal = "rehearsal";

    public async Task RunAsync()
    {
        Tour.Headline("A database");
        using var server = new SandboxServer();
        using var client = MongoClient.Connect(MongoConnectionString.Parse(server.ConnectionString), new MongoClientOptions(), stop);
        using var ledger = new Ledger(client, Live);
        ledger.Fill();
        Tour.Tell($"{Ledger.Sum:N0} cents on 1,000 accounts in two collections, in a Sandbox at {server.ConnectionString}: no mongod, all in memory.");

        using var session = new BackupSession(settings(new Dictionary<string, string>(StringComparer.Ordinal) { ["DATABASE_URL"] = UriOf(server, Live) }));
        var backup = await BackUpAsync(session, ledger);
        await ProveAsync(session, backup);
        await RestoreBesideAsync(session, backup, ledger, UriOf(server, Rehearsal));
        await LoseAndRestoreAsync(session, backup, ledger);
    }

    private async Task<BotBackup> BackUpAsync(BackupSession session, Ledger ledger)
    {
        Tour.Headline("Backup while money moves");
        ledger.StartMoving();
        var before = ledger.Transfers;
        var plan = BackupPlanner.Plan(session, new BackupRequest { Components = [Component.MongoDb] }, failure => throw new BackupException(failure), stop);
        var backup = await Tour.ResultAsync<BotBackup>(BackupRunner.Run(session, plan, stop));
        var moved = ledger.Transfers - before;
        ledger.StopMoving();
        if (moved == 0 || backup.Manifest?.MongoDb is not { Consistent: true } facts)
            throw new NotProvenException("The backup is not of one moment, or nothing moved while it was made.");
        Tour.Tell($"{facts.Collections} collections, {facts.Documents:N0} documents, as they all were at {facts.Oplog!.End}; {moved:N0} transfers, each a transaction over both collections, were made meanwhile.");
        Tour.Tell(backup.Location);
        return backup;
    }

    private async Task ProveAsync(BackupSession session, BotBackup backup)
    {
        Tour.Headline("Proof of the database");
        var proof = await Tour.ResultAsync<BotBackupVerification>(VerificationRunner.Run(session, [backup], Depth.Archive, stop));
        if (proof.Outcome != Outcome.Succeeded)
            throw new NotProvenException($"The proof refused the database's archive. {proof.Failure}");
        Tour.Tell(proof.Message);
    }

    private async Task RestoreBesideAsync(BackupSession session, BotBackup backup, Ledger ledger, string uri)
    {
        Tour.Headline("Restore into another database");
        var restore = await RestoreAsync(session, backup, new RestoreRequest { Server = SecretUri.WithPassword(uri) });
        var sum = ledger.SumIn(Rehearsal);
        if (sum != Ledger.Sum)
            throw new NotProvenException($"'{Rehearsal}' holds {sum} cents, not {Ledger.Sum}: the backup is not of one moment.");
        Tour.Tell($"{restore.Counts}, as of {restore.Moment}. '{Rehearsal}' holds {sum:N0} cents: not one was lost or made.");
    }

    private async Task LoseAndRestoreAsync(BackupSession session, BotBackup backup, Ledger ledger)
    {
        Tour.Headline("Disaster in the database, restore, and undo");
        ledger.Destroy();
        var damaged = ledger.RecordOf(Live);
        Tour.Tell($"One collection dropped, half of another deleted: {Ledger.Sum - ledger.SumIn(Live):N0} cents are gone.");

        var restore = await RestoreAsync(session, backup, new RestoreRequest());
        Demand(ledger.RecordOf(Live), ledger.RecordOf(Rehearsal), "Restored over itself and restored beside differ");
        Tour.Tell($"{restore.Counts}. Every document is the one that was restored beside; what was replaced is in {restore.Snapshot?.Name}.");

        await Tour.ResultAsync<BotBackupRestore>(UndoRunner.Run(session, [restore], stop));
        Demand(ledger.RecordOf(Live), damaged, "After the undo it is not what it was before");
        Tour.Tell("Undone: the damaged database is back as it was, document by document.");
    }

    private async Task<BotBackupRestore> RestoreAsync(BackupSession session, BotBackup backup, RestoreRequest request)
    {
        var restore = await Tour.ResultAsync<BotBackupRestore>(RestoreRunner.Run(session, [RestorePlanner.Plan(session, backup, request, stop)], stop));
        return restore.Outcome == Outcome.Succeeded ? restore : throw new NotProvenException($"The restore ended as {restore.Outcome}.");
    }

    private static void Demand(IReadOnlyList<string> there, IReadOnlyList<string> wanted, string otherwise)
    {
        if (!there.SequenceEqual(wanted, StringComparer.Ordinal))
            throw new NotProvenException(string.Create(CultureInfo.InvariantCulture, $"{otherwise}: {there.Except(wanted, StringComparer.Ordinal).Count()} documents."));
    }

    private static string UriOf(SandboxServer server, string database) => server.ConnectionString.Replace("/?", $"/{database}?", StringComparison.Ordinal);
}
