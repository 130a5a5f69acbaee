using System.Globalization;
using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb;

namespace BotCore.Backup.Engine.Components.MongoDb.Restoring;

/// <summary>How a dump is restored.</summary>
internal sealed record MongoRestoreOptions
{
    /// <summary>What reading the dump found, where that was done before; null reads and proves it first.</summary>
    public DumpSurvey? Survey { get; init; }

    public NamespaceFilter Wanted { get; init; } = NamespaceFilter.Everything;

    public RestoreMapping Mapping { get; init; } = RestoreMapping.None;

    /// <summary>The database that the target's URI names; null where it names none. It takes the dump's only database, or that of the same name.</summary>
    public string? Database { get; init; }

    /// <summary>Connections that write.</summary>
    public int Threads { get; init; } = 4;

    /// <summary>Where transactions wait that do not fit into memory.</summary>
    public required string SpillFolder { get; init; }

    /// <summary>Merge users and roles where the dump has them.</summary>
    public bool Users { get; init; } = true;

    /// <summary>Collections that a platform cannot be without; an empty or missing one is told.</summary>
    public IReadOnlyList<string> Critical { get; init; } = ["users", "trades", "portfolios", "strategies"];

    /// <summary>Asked once, before anything is changed, with the collections that will be replaced; takes the snapshot.</summary>
    public Action<IReadOnlyList<DumpNamespace>> Overwriting { get; init; } = _ => { };

    /// <summary>Told what is done, and how many bytes of it.</summary>
    public Action<string, long> Moved { get; init; } = (_, _) => { };
}

/// <summary>What a restore of a dump wrote.</summary>
/// <param name="Id">The restore's id, which an undo is asked by.</param>
/// <param name="Collections">Collections and views.</param>
/// <param name="Documents">Documents, before the oplog was applied.</param>
/// <param name="Bytes">Bytes of them.</param>
/// <param name="Overwritten">Collections and views that stood there.</param>
/// <param name="Replay">What of the oplog was applied; null where there was none.</param>
/// <param name="Databases">Databases that hold an undo journal.</param>
/// <param name="Warnings">What an admin should know of it.</param>
internal sealed record MongoRestoreResult(
    string Id,
    IReadOnlyList<RestoreItem> Collections,
    long Documents,
    long Bytes,
    int Overwritten,
    ReplayResult? Replay,
    IReadOnlyList<string> Databases,
    IReadOnlyList<string> Warnings);

/// <summary>
/// Restores a dump into a server: everything is read and proven first; collections are written beside what stands there, read back and compared, brought to the dump's
/// last moment by its oplog, indexed, and only then swapped in. See MONGODB.md, "Restore". One thread.
/// </summary>
internal sealed class MongoRestoreJob(MongoTarget target, IDumpSource source, MongoRestoreOptions asked, Action<BackupEvent> tell)
{
    private readonly List<string> _warnings = [];
    private MongoRestoreOptions _options = asked;

    public MongoRestoreResult Run(CancellationToken token) => target.Guard("restoring", () => Restore(token));

    private MongoRestoreResult Restore(CancellationToken token)
    {
        var survey = _options.Survey ?? Survey(token);
        tell(new Said(string.Create(CultureInfo.InvariantCulture, $"{survey.Collections.Count:N0} collections with {survey.Documents:N0} documents were read and are what the dump says.")));
        _options = DatabaseChoice.Apply(_options, survey, source.Name, Warn);
        var plan = MongoRestorePlan.Of(survey, _options.Wanted, _options.Mapping);
        if (plan.Items.Count == 0 && plan.Users.Count == 0)
            throw new BackupException(FailureKind.BackupNotFound, $"No collection of {source.Name} matches what was asked for.", "Look at its collections in backup-metadata.json, and correct -Include and -Exclude.", source.Name);
        DemandReplayable(survey);
        foreach (var left in plan.LeftOut)
            tell(new Said($"{left} is the server's own and is not restored."));

        using var client = target.Connect(requirePrimary: true, token);
        var targets = plan.Targets(survey, _options.Wanted, _options.Mapping);
        var databases = targets.Select(name => name.Database).Distinct(StringComparer.Ordinal).ToList();
        // Users alone go nowhere that could be staged.
        using var claim = Claim(client, databases.Count > 0 ? databases[0] : "admin", token);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(token, claim.Lost);
        var work = new MongoRestoreWork(target, client, source, _options, survey, plan, claim, tell, Warn);
        try
        {
            RestoreLeftovers.Tell(client, databases, claim.Id, tell);
            work.TakeBack(databases, stop.Token);
            return work.Run(MakeSure(client, targets, work, stop.Token), _warnings, stop.Token);
        }
        catch (OperationCanceledException) when (claim.Lost.IsCancellationRequested && !token.IsCancellationRequested)
        {
            throw new BackupException(
                FailureKind.Locked, $"The restore {claim.Id} gave no sign of life to the server for too long, and another process may have taken it over.", "See whether another one is at work, and run this again.", claim.Id);
        }
    }

    // A restore whose collections were all swapped in when it died is not taken back, and not taken up: this one is another, with a snapshot and an undo of its own.
    private RestoreClaim Claim(MongoClient client, string database, CancellationToken token)
    {
        var fingerprint = RestoreClaim.FingerprintOf(source, _options);
        while (true)
        {
            var claim = RestoreClaim.Take(client, database, fingerprint, source.Name, token, isResumable: source.Identity is not null);
            try
            {
                if (claim.Found is not { Phase: RestorePhase.Swapping } found || RestoreLeftovers.HasStaged(client, found.Id))
                    return claim;
                claim.End();
                tell(new Warned($"The restore {found.Id} of {found.Source} was interrupted after it had swapped its collections in. They stay, and Undo-BotRestore -Id {found.Id} takes them back; this one begins anew."));
            }
            catch
            {
                claim.Dispose();
                throw;
            }

            claim.Dispose();
        }
    }

    // How many collections will be replaced; they are safe when this returns.
    private int MakeSure(MongoClient client, IReadOnlyList<DumpNamespace> targets, MongoRestoreWork work, CancellationToken token)
    {
        try
        {
            var standing = Standing(client, targets, token);
            if (standing.Count > 0)
                _options.Overwriting(standing);
            return standing.Count;
        }
        catch
        {
            work.Leave();
            throw;
        }
    }

    private DumpSurvey Survey(CancellationToken token)
    {
        var survey = new DumpSurvey(_options.Wanted);
        source.Prove(survey, _options.Wanted, done => _options.Moved("proving", done), token);
        survey.Compare(source);
        return survey;
    }

    private void Warn(string text)
    {
        _warnings.Add(text);
        tell(new Warned(text));
    }

    private void DemandReplayable(DumpSurvey survey)
    {
        // The survey may have read more than the target's URI turned out to want.
        if (survey.Scan?.Obstacles.FirstOrDefault(obstacle => Matters(obstacle.Namespace)) is not { } first)
            return;
        throw new BackupException(
            FailureKind.RestoreFailed,
            $"The oplog of {source.Name} holds '{first.Command}' on {first.Namespace} at {first.Timestamp}, which cannot be replayed; the last good moment before it is {first.LastGood?.ToString() ?? "none"}.",
            "Restore an older backup, or leave that collection out with -Exclude.",
            source.Name);
    }

    private bool Matters(string name) =>
        name.EndsWith(".$cmd", StringComparison.Ordinal) || !name.Contains('.', StringComparison.Ordinal)
            ? _options.Wanted.WantsDatabase(NamespaceMap.DatabaseOf(name))
            : _options.Wanted.Wants(StagedRestore.Split(name));

    private static List<DumpNamespace> Standing(MongoClient client, IReadOnlyList<DumpNamespace> targets, CancellationToken token)
    {
        var catalog = new ServerCatalog(client, token);
        var standing = targets.Select(target => target.Database).Distinct(StringComparer.Ordinal).SelectMany(database => catalog.All(database).Keys).ToHashSet();
        return [.. targets.Where(standing.Contains)];
    }
}
