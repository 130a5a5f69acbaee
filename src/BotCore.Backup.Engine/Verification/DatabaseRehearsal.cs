using System.Globalization;
using System.Security.Cryptography;
using BotCore.Backup.Engine.Components.MongoDb;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Components.MongoDb.Restoring;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Outside.Scratch;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Verification;

/// <summary>
/// Restores a dump that was read and found sound into scratch databases, which compares every collection's count, hash and indexes on the server, and drops them again.
/// Without a server it starts the Sandbox: that rehearses our own half, and the proof is named so.
/// </summary>
internal sealed class DatabaseRehearsal(BackupSession session, VerificationOptions options, Action<BackupEvent> tell)
{
    public BotBackupVerification Run(BotBackupVerification read, IDumpSource source, DumpSurvey survey, CancellationToken token)
    {
        using var sandbox = options.Server is null ? ScratchServers.Start() : null;
        var target = MongoTarget.Of(options.Server ?? SecretUri.WithPassword(sandbox!.ConnectionString)).WithoutDatabase();
        var scratch = ScratchNames(survey);
        try
        {
            var job = new MongoRestoreOptions
            {
                Survey = survey,
                Mapping = new RestoreMapping(scratch),
                Threads = session.DumpThreads,
                SpillFolder = Directory.CreateDirectory(session.SpillFolder).FullName,
                Users = false,
                Critical = [],
            };
            var result = new MongoRestoreJob(target, source, job, tell).Run(token);
            var proof = read.Proof with { Depth = Depth.Restore, At = DateTimeOffset.UtcNow, InSandbox = sandbox is not null };
            var where = sandbox is not null ? "the Sandbox, which is no mongod" : target.Name;
            return read with
            {
                Backup = read.Backup is { } backup ? backup with { Proof = proof } : null,
                Depth = Depth.Restore,
                Proof = proof,
                Where = sandbox is not null ? "Sandbox" : target.Name,
                Message = string.Create(
                    CultureInfo.InvariantCulture, $"Restored into {where}: {result.Collections.Count:N0} collections with {result.Documents:N0} documents and their indexes were read back and are what the backup holds."),
            };
        }
        finally
        {
            if (sandbox is null)
                Drop(target, scratch.Values);
        }
    }

    private static Dictionary<string, string> ScratchNames(DumpSurvey survey)
    {
        var id = RandomNumberGenerator.GetHexString(8, lowercase: true);
        var databases = survey.Databases.Order(StringComparer.Ordinal).ToList();
        return databases.Select((name, at) => (name, Scratch: string.Create(CultureInfo.InvariantCulture, $"bot_scratch_{id}_{at}"))).ToDictionary(one => one.name, one => one.Scratch, StringComparer.Ordinal);
    }

    private void Drop(MongoTarget target, IEnumerable<string> databases)
    {
        try
        {
            using var client = target.Connect(requirePrimary: true, CancellationToken.None);
            foreach (var database in databases)
                client.Run(database, new BsonBuilder().Append("dropDatabase", 1), CancellationToken.None);
        }
        catch (Exception wrong) when (wrong is MongoException or BackupException)
        {
            tell(new Warned($"The scratch databases bot_scratch_* could not be dropped ({wrong.Message.TrimEnd('.')}); drop them by hand."));
        }
    }
}
