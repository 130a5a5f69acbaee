using System.IO.Compression;
using System.Text;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components.MongoDb;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;

namespace BotCore.Backup.Engine.Exports;

/// <summary>Exports a backup of a database as what the stock tools read. Reads it twice: to prove it and learn what is in it, and to write. One thread.</summary>
internal sealed class DatabaseExport(BackupSession session, ExportStep step, ExportPlace place, Action<BackupEvent> tell)
{
    private const int BufferSize = 1 << 20;

    private readonly IDumpSource _source = DatabaseRestore.SourceOf(session, step.Backup);

    public void Run(CancellationToken token)
    {
        var found = Prove(token);
        if (!step.Request.Gzip && found.Bytes > place.FreeSpace)
        {
            throw new BackupException(
                FailureKind.TooLittleSpace,
                $"The export needs more than the {new ByteSize(place.FreeSpace)} that are free at {step.Request.Destination}.",
                "Free space there, or give another -Destination; nothing was written.",
                step.Request.Destination);
        }

        using (var progress = new RunProgress($"Exporting {step.Backup.Key}", _source.Size, tell))
        {
            if (step.Request.Form == ExportForm.Folder)
                WriteFolder(found, progress, token);
            else
                WriteArchive(found, progress, token);
        }

        Compare(found, token);
        tell(new Said($"{found.Sets.Count} collections, {found.Documents} documents of {_source.Name} were written, read back and compared."));
    }

    private DumpSurvey Prove(CancellationToken token)
    {
        var survey = new DumpSurvey(NamespaceFilter.Everything);
        using var progress = new RunProgress($"Proving {step.Backup.Key}", _source.Size, tell);
        _source.Prove(survey, NamespaceFilter.Everything, done => progress.Move(done, () => step.Backup.Key), token);
        survey.Compare(_source);
        return survey;
    }

    private void WriteFolder(DumpSurvey found, RunProgress progress, CancellationToken token)
    {
        using var folder = new DumpFolderWriter(place.Partial);
        folder.Begin(found);
        _source.Read(folder, _ => true, oplog: true, done => progress.Move(done, () => step.Target), token);
        folder.Complete();
    }

    private void WriteArchive(DumpSurvey found, RunProgress progress, CancellationToken token)
    {
        var namespaces = Namespaces(found);
        using var file = ExportPlace.Create(place.Partial);
        using (var content = step.Request.Gzip ? new GZipStream(file, CompressionLevel.Fastest, leaveOpen: true) : null)
        {
            // Never disposed, as that would close the file before it is synced: completing flushes it.
            var buffer = new BufferedStream(content ?? (Stream)file, BufferSize);
            var visitor = new ArchiveExport(new ArchiveStreamWriter(buffer, found.From ?? new DumpVersions(null, null), namespaces), [.. namespaces.Select(one => one.Data)]);
            _source.Read(visitor, _ => true, oplog: true, done => progress.Move(done, () => step.Target), token);
            visitor.Complete();
        }

        ExportPlace.Close(file);
    }

    private List<ArchiveNamespace> Namespaces(DumpSurvey found)
    {
        var all = new List<ArchiveNamespace>();
        foreach (var (name, metadata) in found.Collections)
        {
            all.Add(new ArchiveNamespace(name, Encoding.UTF8.GetString(metadata.ToJson()), 0, metadata.EffectiveType));
            if (metadata.NeedsBsonCopy)
                tell(new Warned($"The options of {name} hold what JSON cannot, so the stock tools may refuse it or restore other options; -As Folder keeps an exact copy beside them."));
        }

        // Users of one database, and collections of old dumps, come without metadata.
        var listed = all.Select(one => one.Data).ToHashSet();
        all.AddRange(found.Sets.Keys.Where(name => !listed.Contains(name)).Select(name => new ArchiveNamespace(name, "", 0, "")));
        all.Sort(static (a, b) => string.CompareOrdinal(a.Name.ToString(), b.Name.ToString()));
        if (found.Scan is not null)
            all.Add(new ArchiveNamespace(ArchiveNamespace.Oplog, "", 0, ""));
        return all;
    }

    // What counts is what the next reader will find, so it is read from the disk.
    private void Compare(DumpSurvey found, CancellationToken token)
    {
        IDumpSource written = step.Request.Form == ExportForm.Folder ? new FolderDump(place.Partial) : new StreamDump(place.Partial);
        var again = new DumpSurvey(NamespaceFilter.Everything);
        using (var progress = new RunProgress($"Reading back {step.Request.Destination}", 0, tell))
            written.Prove(again, NamespaceFilter.Everything, done => progress.Move(done, () => step.Target), token);
        var wrong = Difference(found, again);
        if (wrong is not null)
        {
            throw new BackupException(
                FailureKind.RestoreMismatch, $"The export of {_source.Name}, read back, is not what the backup holds: {wrong}.", "Look at the disk and at the system's log, and run again; nothing of it was kept.", step.Request.Destination);
        }
    }

    private string? Difference(DumpSurvey found, DumpSurvey again)
    {
        foreach (var name in found.Sets.Keys.Union(again.Sets.Keys))
        {
            var (was, has) = (found.Sets.GetValueOrDefault(name), again.Sets.GetValueOrDefault(name));
            if ((was?.Count ?? 0) != (has?.Count ?? 0) || (was?.Count > 0 && !string.Equals(was.ToString(), has?.ToString(), StringComparison.Ordinal)))
                return $"{name} has {has?.Count ?? 0} documents ({has}), not {was?.Count ?? 0} ({was})";
        }

        foreach (var (name, metadata) in found.Collections)
        {
            if (again.Collections.GetValueOrDefault(name) is not { } has)
                return $"the options and indexes of {name} are missing";
            var exact = step.Request.Form == ExportForm.Folder || !metadata.NeedsBsonCopy;
            if (exact && !has.ToBson().Span.SequenceEqual(metadata.ToBson().Span))
                return $"the options and indexes of {name} are others";
        }

        return (found.Scan?.Entries ?? 0, found.Scan?.First, found.Scan?.Last) == (again.Scan?.Entries ?? 0, again.Scan?.First, again.Scan?.Last)
            ? null
            : $"the oplog has {again.Scan?.Entries ?? 0} entries, not {found.Scan?.Entries ?? 0}";
    }
}
