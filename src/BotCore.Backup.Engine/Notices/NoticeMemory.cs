using System.Text.Json;
using BotCore.Backup.Engine.Journal;
using BotCore.Backup.Engine.Outside;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Engine.Notices;

/// <summary>
/// What fails and who knows it, from run to run, in a small file under LOG_DIR. Whatever is wrong with the file only ever makes more notices: what cannot be read counts as empty, and what cannot be written is told again.
/// </summary>
internal sealed class NoticeMemory(string? folder)
{
    public const string FileName = ".notices.json";

    private const int Format = 1;
    private const int MostBytes = 1 << 20;

    private static readonly Dictionary<string, FailingSubject> Nothing = new(StringComparer.Ordinal);

    /// <summary>What is known; nothing where there is no file, or it cannot be read.</summary>
    public IReadOnlyDictionary<string, FailingSubject> Read()
    {
        if (folder is null)
            return Nothing;
        try
        {
            var file = new FileInfo(Path.Combine(folder, FileName));
            if (file is not { Exists: true, Length: <= MostBytes })
                return Nothing;
            var content = JsonSerializer.Deserialize<Content>(File.ReadAllText(file.FullName), RunJson.Options);
            return content is { Format: Format, Failing: { } failing } && failing.Values.All(one => one is { Runs: >= 0 }) ? new Dictionary<string, FailingSubject>(failing, StringComparer.Ordinal) : Nothing;
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException or JsonException or ArgumentException or NotSupportedException)
        {
            return Nothing;
        }
    }

    /// <summary>Changes what is known, by one process at a time.</summary>
    public void Change(Func<IReadOnlyDictionary<string, FailingSubject>, Dictionary<string, FailingSubject>> change)
    {
        if (folder is null)
            return;
        try
        {
            if (!Directory.Exists(folder))
            {
                if (Path.GetDirectoryName(folder) is { Length: > 0 } above)
                    Directory.CreateDirectory(above);
                PrivateFiles.MakeFolder(folder);
            }

            var path = Path.Combine(folder, FileName);
            using var alone = FileLock.Take(path + ".lock", CancellationToken.None);
            var before = Read();
            var after = change(before);
            if (after.Count == 0 && before.Count == 0 && !File.Exists(path))
                return;
            var temporary = path + ".tmp";
            using (var file = new FileStream(temporary, PrivateFiles.Options(FileMode.Create, FileAccess.Write)))
                file.Write(JsonSerializer.SerializeToUtf8Bytes(new Content(Format, after), RunJson.Options));
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            // The journal, which writes to the same folder, warns of it.
        }
    }

    private sealed record Content(int Format, Dictionary<string, FailingSubject>? Failing);
}
