using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Verification;

namespace BotCore.Backup.Engine.Reports;

/// <summary>
/// Makes a report of what the stores list and what was proven of it. Reads no archive: how well each is known to be good stands in the records of its proofs, and in verifications that are given.
/// One thread.
/// </summary>
internal sealed class ReportMaker(BackupSession session, ReportRequest request, CancellationToken token)
{
    // By store, then by key: all that lies there.
    private readonly Dictionary<string, Dictionary<string, StoredObject>> _files = new(StringComparer.Ordinal);
    private readonly List<ReportedArchive> _archives = [];
    private readonly List<BotRecoveryWindow> _windows = [];
    private readonly List<ReportedCheck> _space = [];
    private readonly Dictionary<string, IStore> _stores = new(StringComparer.Ordinal);
    private readonly DateTimeOffset _now = session.Clock.GetUtcNow();

    public BotBackupReport Make()
    {
        if (request.IsWhole)
            ReadStores();
        else
            ReadGiven();
        var freshness = new ReportFreshness(session.Configuration, request, _now);
        return new BotBackupReport
        {
            Made = _now,
            Host = Environment.MachineName,
            Tool = ToolName.Value,
            Scope = request.IsWhole ? "all archives of these stores" : "the archives that were given, and no other",
            Stores = [.. _stores.Values.Select(store => $"{store.Name} ({store.Location})")],
            Archives =
            [
                .. _archives.OrderBy(archive => archive.Component == Component.Unknown).ThenBy(archive => archive.Component).ThenBy(archive => archive.Name, StringComparer.Ordinal)
                    .ThenBy(archive => archive.Taken).ThenBy(archive => archive.Key, StringComparer.Ordinal).ThenBy(archive => archive.Store, StringComparer.Ordinal),
            ],
            Freshness = freshness.Of(_archives, [.. _stores.Values.Select(store => store.Name)]),
            Windows = _windows,
            Space = _space,
        };
    }

    private void ReadStores()
    {
        foreach (var name in request.Stores)
        {
            token.ThrowIfCancellationRequested();
            try
            {
                var store = session.StoreNamed(name);
                _stores[store.Location] = store;
                ReadStore(store);
            }
            catch (BackupException wrong)
            {
                _space.Add(new ReportedCheck(ReportStatus.Failed, name, $"{wrong.Failure.Message} What it holds is not known."));
            }
        }
    }

    private void ReadStore(IStore store)
    {
        var backups = new List<BotBackup>();
        foreach (var happened in BackupCatalog.List(store, FilesOf(store).Values, token, session.Clock))
        {
            if (happened is Made { Item: BotBackup backup } && IsWanted(backup.Component))
                backups.Add(backup);
            else if (happened is Failed failed && Unreadable(store, failed.Failure) is var unreadable && (unreadable.Component == Component.Unknown || IsWanted(unreadable.Component)))
                _archives.Add(unreadable);
        }

        foreach (var backup in backups)
            _archives.Add(Judge(backup));
        AddWindows(store, backups);
        _space.Add(SpaceOf(store, [.. _archives.Where(archive => string.Equals(archive.Store, store.Name, StringComparison.Ordinal))]));
    }

    private void ReadGiven()
    {
        var tested = request.Verifications.Where(test => test.Backup is not null).ToLookup(test => (test.Backup!.Store, test.Backup.Location));
        var given = (request.Backups ?? []).Concat(request.Verifications.Select(test => test.Backup).OfType<BotBackup>())
            .DistinctBy(backup => (backup.Store, backup.Location)).Where(backup => IsWanted(backup.Component)).ToList();
        foreach (var backup in given)
        {
            token.ThrowIfCancellationRequested();
            if (backup.PlainDump is null)
                _stores[backup.Source.Location] = backup.Source;
            _archives.Add(tested[(backup.Store, backup.Location)].LastOrDefault() is { } test ? Judge(test.Backup!, test) : Judge(backup));
        }

        _archives.AddRange(request.Verifications.Where(test => test.Backup is null)
            .Select(test => new ReportedArchive { Status = StatusOf(test.Outcome), Store = "", Key = test.Location, Text = test.Message }));
        foreach (var store in _stores.Values)
        {
            AddWindows(store, [.. given.Where(backup => backup.PlainDump is null && string.Equals(backup.Source.Location, store.Location, StringComparison.Ordinal))]);
            _space.Add(SpaceOf(store, listed: null));
        }
    }

    private ReportedArchive Judge(BotBackup backup, BotBackupVerification test)
    {
        var line = Judge(backup);
        return test.Outcome switch
        {
            Outcome.Succeeded => line,
            Outcome.Failed => line with { Status = ReportStatus.Failed, Text = test.Failure is { } failure ? $"{failure.Kind}: {failure.Message}" : test.Message },
            _ => line with { Status = ReportStatus.Unknown, Text = test.Message },
        };
    }

    private ReportedArchive Judge(BotBackup backup)
    {
        var (status, text) = Standing(backup);
        return new ReportedArchive
        {
            Status = status,
            Store = backup.Store,
            Key = backup.PlainDump ?? backup.Key,
            Id = backup.Id,
            Component = backup.Component,
            Name = backup.Name,
            Type = backup.Type,
            Taken = backup.Taken,
            Size = backup.Size,
            Text = text,
        };
    }

    private (ReportStatus Status, string Text) Standing(BotBackup backup)
    {
        var proof = backup.Proof;
        var missing = HasChecksumFile(backup) ? "" : "; there is no .sha256 beside it";
        if (backup.IsDamaged)
            return (ReportStatus.Failed, proof.ToString(_now));
        if (proof.Depth == Depth.Unknown)
            return (ReportStatus.Unknown, $"never proven{missing}");
        var age = proof.At is { } at ? _now - at : TimeSpan.MaxValue;
        var text = proof.ToString(_now);
        if (backup.Taken > _now + ProofHistory.Skew)
            return (ReportStatus.Warning, $"{text}; its date lies in the future{missing}");
        if (backup.Flaws > 0)
            return (ReportStatus.Warning, $"{text}; {backup.Flaws} entries changed or vanished while they were read{missing}");
        if (age > request.MaximumProofAge)
            return (ReportStatus.Warning, $"{text}, which is long ago{missing}");
        return (missing.Length > 0 ? ReportStatus.Warning : ReportStatus.Ok, text + missing);
    }

    // A dump of mongodump never has one.
    private bool HasChecksumFile(BotBackup backup) => backup.PlainDump is not null || FilesOf(backup.Source).ContainsKey(BackupFiles.Checksum(backup.Key));

    private Dictionary<string, StoredObject> FilesOf(IStore store)
    {
        if (!_files.TryGetValue(store.Location, out var files))
            _files.Add(store.Location, files = store.List("", token).ToDictionary(file => file.Key, StringComparer.Ordinal));
        return files;
    }

    private void AddWindows(IStore store, IReadOnlyList<BotBackup> backups) => _windows.AddRange(RecoveryWindows.Of(OplogChains.Of(backups.Where(backup => !backup.IsDamaged)), store.Name));

    private ReportedCheck SpaceOf(IStore store, IReadOnlyList<ReportedArchive>? listed)
    {
        var used = listed is null ? "" : $"{new ByteSize(listed.Sum(archive => archive.Size.Bytes))} in {(listed.Count == 1 ? "1 archive" : $"{listed.Count} archives")}, ";
        try
        {
            if (store.FreeSpace is not { } free)
                return new ReportedCheck(ReportStatus.Ok, store.Name, $"{used}what is free is not known there");
            var enough = free >= request.MinimumFreeSpace;
            return new ReportedCheck(enough ? ReportStatus.Ok : ReportStatus.Warning, store.Name, $"{used}{new ByteSize(free)} free{(enough ? "" : $", less than {new ByteSize(request.MinimumFreeSpace)}")}");
        }
        catch (BackupException wrong)
        {
            return new ReportedCheck(ReportStatus.Failed, store.Name, wrong.Failure.Message);
        }
    }

    private ReportedArchive Unreadable(IStore store, Failure failure)
    {
        var location = failure.Target as string ?? "";
        var root = store.Location.TrimEnd('/') + "/";
        var key = location.StartsWith(root, StringComparison.Ordinal) ? location[root.Length..] : location;
        var named = ArchiveName.TryParse(key, out var name);
        return new ReportedArchive
        {
            Status = ReportStatus.Failed,
            Store = store.Name,
            Key = key,
            Component = named ? name.Component : Component.Unknown,
            Name = named ? name.Name : "",
            Type = named ? name.Type : BackupType.Unknown,
            Taken = named ? name.Taken : null,
            Size = FilesOf(store).TryGetValue(key, out var file) ? file.Length : 0,
            Text = $"{failure.Kind}: {failure.Message}",
        };
    }

    private bool IsWanted(Component component) => request.Components.Count == 0 || request.Components.Contains(component);

    private static ReportStatus StatusOf(Outcome outcome) => outcome switch
    {
        Outcome.Succeeded => ReportStatus.Ok,
        Outcome.Failed => ReportStatus.Failed,
        _ => ReportStatus.Unknown,
    };
}
