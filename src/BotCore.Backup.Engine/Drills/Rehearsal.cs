using System.Globalization;
using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Components.MongoDb;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Engine.Drills;

/// <summary>One disaster, rehearsed once. All times are by the session's clock. One thread.</summary>
internal sealed class Rehearsal(BackupSession session, DrillRequest request, DrillScenario scenario, Action<BackupEvent> tell, CancellationToken token)
{
    private static readonly Component[] Order = [Component.Config, Component.MongoDb, Component.Volume, Component.Model];

    private readonly List<BotDrillStep> _steps = [];
    private readonly List<string> _read = [];
    private readonly DateTimeOffset _started = session.Clock.GetUtcNow();
    private DateTimeOffset? _database;
    private DateTimeOffset? _files;

    public BotBackupDrill Run()
    {
        TimeSpan? rto = null;
        var inSandbox = false;
        if (scenario == DrillScenario.KeyLoss)
        {
            new KeyRehearsal(session, request.KeyCopy, Step, token).Run();
        }
        else
        {
            DrillScratch? scratch = null;
            if (Step("Prepare", "scratch", () =>
            {
                scratch = new DrillScratch(session, request.Server, request.Folder);
                return $"{scratch.Folder} was made.";
            }))
            {
                using (scratch)
                {
                    try
                    {
                        if (BringBack(scratch!))
                        {
                            rto = session.Clock.GetUtcNow() - _started;
                            // Who has lost the machine may have lost this module: not a part of the recovery, so it is not measured.
                            if (scenario is DrillScenario.CompleteFailure or DrillScenario.RegionalOutage)
                                Step("BreakGlass", "stock tools", () => BreakGlassRehearsal.Run(session, scratch!, token));
                        }
                        inSandbox = scratch!.HasSandbox;
                    }
                    finally
                    {
                        Step("CleanUp", "scratch", () =>
                        {
                            scratch!.Clean();
                            return "Nothing of it is left.";
                        });
                    }
                }
            }
        }

        return new BotBackupDrill
        {
            Scenario = scenario,
            Steps = _steps,
            Started = _started,
            Host = Environment.MachineName,
            Rto = rto,
            // What the platform writes is in the database, so the objective is of that; files are as old as their last backup, which is told and not judged.
            Rpo = (_database ?? _files) is { } moment ? _started - moment : null,
            Target = DrillTargets.Of(scenario, session.Configuration.DrillTargets) is var target && _database is null ? target with { Rpo = null } : target,
            Stores = [.. _read.Distinct(StringComparer.OrdinalIgnoreCase)],
            InSandbox = inSandbox,
        };
    }

    private bool BringBack(DrillScratch scratch)
    {
        IStore? store = null;
        IReadOnlyList<BotBackup> all = [];
        IReadOnlyList<(Component Component, string Name)> things = [];
        if (!Step("Find", "backups", () =>
        {
            store = Choose();
            _read.Add(store.Name);
            all = [.. BackupCatalog.List(store, "", token, session.Clock).OfType<Made>().Select(made => (BotBackup)made.Item)];
            things = Things(all);
            return string.Create(CultureInfo.InvariantCulture, $"{store.Name} has {things.Count} things to bring back.");
        }))
        {
            return false;
        }

        var good = true;
        foreach (var (component, name) in things)
            good &= new ThingRehearsal(session, store!, all, scratch, Step, tell, token) { Database = moment => _database = moment, Files = moment => _files = _files < moment ? _files : moment }.Run(component, name);
        if (session.Configuration.DrillChecks is { } checks)
            good &= Check(DrillChecks.Read(checks), scratch, things);
        return good;
    }

    // The store that would still be there: of a region that is lost never the local one, of a machine that is lost another one where there is one.
    private IStore Choose()
    {
        var names = session.Configuration.EnabledStores.Where(name => !session.IsLocal(name)).ToList();
        if (scenario is DrillScenario.CompleteFailure or DrillScenario.RegionalOutage && names.Count > 0)
            return session.StoreNamed(names[0]);
        if (scenario == DrillScenario.RegionalOutage)
            throw new BackupException(FailureKind.ConfigurationMissing, "There is no store but the local one, which would be lost with its region.", "Enable S3, Google Cloud Storage or SFTP, and name it in STORES_*.", scenario);
        if (scenario == DrillScenario.CompleteFailure)
            tell(new Warned("There is no store but the local one: CompleteFailure is rehearsed from it, as if its disk had survived the machine."));
        return session.StoreNamed(session.Local.Name);
    }

    private List<(Component Component, string Name)> Things(IReadOnlyList<BotBackup> all)
    {
        Component[] asked = request.Components.Count > 0 ? [.. request.Components] : scenario switch
        {
            DrillScenario.DatabaseCorruption => [Component.MongoDb],
            DrillScenario.ServiceFailure => [Component.Config, Component.Volume],
            _ => Order,
        };
        var found = all.Where(backup => asked.Contains(backup.Component) && backup.Type != BackupType.Snapshot).Select(backup => (backup.Component, backup.Name)).Distinct()
            .OrderBy(thing => Array.IndexOf(Order, thing.Component)).ThenBy(thing => thing.Name, StringComparer.Ordinal).ToList();
        var missing = ConfiguredComponents.Named(session.Configuration).Where(component => asked.Contains(component) && found.TrueForAll(thing => thing.Component != component)).ToList();
        if (found.Count == 0 || missing.Count > 0)
        {
            throw new BackupException(
                FailureKind.BackupNotFound, $"There is no backup of {string.Join(", ", missing.Count > 0 ? missing : asked)} to bring back.", "Make one: Invoke-BotBackup; for another store Copy-BotBackup, or STORES_*.", scenario);
        }

        return found;
    }

    private bool Check(IReadOnlyList<DrillCheck> checks, DrillScratch scratch, IReadOnlyList<(Component Component, string Name)> things)
    {
        var good = true;
        foreach (var check in checks)
        {
            var isOfDatabase = check.Collection is not null;
            // What the disaster did not touch was not brought back, and there is nothing to ask.
            if ((isOfDatabase && !things.Any(thing => thing.Component == Component.MongoDb)) || (check.File is not null && !things.Any(thing => thing.Component == Component.Config)))
                continue;
            good &= Step("Check", check.Name, () => check switch
            {
                { Collection: { } collection } => AskDatabase(check, scratch, collection),
                { File: not null } => DrillChecks.AskFile(check, ThingRehearsal.FolderOf(scratch, Component.Config, "config")),
                _ => DrillChecks.AskPage(check, token),
            });
        }

        return good;
    }

    private string AskDatabase(DrillCheck check, DrillScratch scratch, string collection)
    {
        var dot = collection.IndexOf('.', StringComparison.Ordinal);
        var target = MongoTarget.Of(scratch.Server).WithoutDatabase();
        return target.Guard("asking what was restored", () =>
        {
            using var client = target.Connect(requirePrimary: false, token);
            return DrillChecks.AskCollection(check, client, scratch.NameOf(collection[..dot]), collection[(dot + 1)..], token);
        });
    }

    private bool Step(string name, string subject, Func<string> work)
    {
        token.ThrowIfCancellationRequested();
        var began = session.Clock.GetUtcNow();
        try
        {
            var message = work();
            Add(Outcome.Succeeded, message, failure: null);
            return true;
        }
        catch (BackupException wrong)
        {
            Add(Outcome.Failed, wrong.Failure.Message, wrong.Failure);
            return false;
        }

        void Add(Outcome outcome, string message, Failure? failure)
        {
            _steps.Add(new BotDrillStep(name, subject, outcome, session.Clock.GetUtcNow() - began, message, failure));
            tell(failure is null ? new Said($"{name} {subject}: {message}") : new Warned($"{name} {subject} failed: {message}"));
        }
    }
}
