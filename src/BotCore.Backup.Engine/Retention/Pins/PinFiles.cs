using System.Text.Json;
using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Journal;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Engine.Retention.Pins;

/// <summary>Pins as they stand beside archives.</summary>
internal static class PinFiles
{
    private const int Longest = 64 << 10;

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, WriteIndented = true };

    /// <summary>What <paramref name="keys"/>, the pins of one archive, say together: the one that holds longest. Null where there are none.</summary>
    public static BackupPin? Read(IStore store, IEnumerable<string> keys, CancellationToken token)
    {
        var longest = keys.Select(key => (Key: key, Name: PinName.Parse(key))).OrderByDescending(pin => pin.Name.Until is null).ThenByDescending(pin => pin.Name.Until).ThenByDescending(pin => pin.Name.Set).FirstOrDefault();
        return longest.Key is null ? null : new BackupPin(longest.Name.Until, ReasonOf(store, longest.Key, token));
    }

    /// <summary>Whether <paramref name="archive"/> is pinned at <paramref name="now"/>, as the store stands.</summary>
    public static bool IsPinned(IStore store, string archive, DateTimeOffset now, CancellationToken token) =>
        store.List(PinName.PrefixOf(archive), token).Any(one => PinName.IsOne(one.Key) && (PinName.Parse(one.Key).Until is not { } until || until > now));

    /// <summary>Puts a pin beside <paramref name="backup"/>, then takes those away that it stands in for.</summary>
    public static void Write(BotBackup backup, BackupPin pin, DateTimeOffset now, CancellationToken token)
    {
        var store = backup.Source;
        var before = Keys(store, backup.Key, token);
        var name = new PinName(pin.Until, now);
        // Nothing is ever overwritten: two pins of one second are a second apart.
        while (before.Contains(name.KeyOf(backup.Key)))
            name = name with { Set = name.Set.AddSeconds(1) };
        var key = name.KeyOf(backup.Key);
        var content = JsonSerializer.SerializeToUtf8Bytes(
            new { Format = 1, Backup = backup.Id, Archive = backup.Key[(backup.Key.LastIndexOf('/') + 1)..], Until = pin.Until?.UtcDateTime, Set = now.UtcDateTime, pin.Reason, Host = Environment.MachineName, Tool = ToolName.Value }, Json);
        Publication.Put(store, key, content, null, token);

        // A clean-up that looked before the pin stood there has left its intent before it removes anything.
        if (store.Find(backup.Key, token) is null || store.Find(BackupFiles.Intent(backup.Key), token) is not null)
        {
            store.Delete(key, CancellationToken.None);
            throw new BackupException(FailureKind.BackupNotFound, $"{backup.Location} is being removed, or is gone, so it cannot be pinned.", "List what there is with Get-BotBackup.", backup);
        }

        foreach (var old in before.Where(old => !string.Equals(old, key, StringComparison.Ordinal)))
            store.Delete(old, CancellationToken.None);
    }

    /// <summary>Takes all pins of <paramref name="backup"/> away, and proves it.</summary>
    public static void Remove(BotBackup backup, CancellationToken token)
    {
        foreach (var key in Keys(backup.Source, backup.Key, token))
            backup.Source.Delete(key, CancellationToken.None);
        if (Keys(backup.Source, backup.Key, token) is [var left, ..])
            throw new BackupException(FailureKind.AccessDenied, $"{backup.Source.Location} still has '{left}' after it was removed.", "Look at that store with its own tools: a lock on objects may keep it.", backup);
    }

    private static List<string> Keys(IStore store, string archive, CancellationToken token) => [.. store.List(PinName.PrefixOf(archive), token).Select(one => one.Key).Where(PinName.IsOne)];

    private static string ReasonOf(IStore store, string key, CancellationToken token)
    {
        const string Unreadable = "(its reason cannot be read)";
        try
        {
            using var stream = store.OpenRead(key, 0, token);
            var content = new byte[Longest];
            var length = stream.ReadAtLeast(content, Longest, throwOnEndOfStream: false);
            using var document = JsonDocument.Parse(content.AsMemory(0, length));
            return document.RootElement.TryGetProperty("reason", out var reason) && reason.ValueKind == JsonValueKind.String ? LogLine.OneLine(reason.GetString()!) : Unreadable;
        }
        catch (Exception wrong) when (wrong is BackupException or JsonException or IOException)
        {
            return Unreadable;
        }
    }
}
