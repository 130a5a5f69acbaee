using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Restoring;

/// <summary>Looks whether the collections that a platform lives by are there after a restore, and not empty.</summary>
internal static class CriticalCollections
{
    /// <summary>What is missing or empty, for people; nothing where no database of the restore has any of them. Of a partial restore nothing is missing.</summary>
    public static IEnumerable<string> Look(MongoClient client, MongoRestorePlan plan, IReadOnlyList<DumpNamespace> swapped, IReadOnlyList<string> critical, bool partial, CancellationToken token)
    {
        foreach (var database in plan.Items.Select(item => item.To.Database).Distinct(StringComparer.Ordinal))
        {
            var there = swapped.Where(name => string.Equals(name.Database, database, StringComparison.Ordinal)).Select(name => name.Collection).ToHashSet(StringComparer.Ordinal);
            // A database of something else is not measured by the platform's names.
            if (!critical.Any(there.Contains))
                continue;
            foreach (var name in critical)
            {
                if (!there.Contains(name) && partial)
                    continue;
                if (!there.Contains(name))
                    yield return $"The backup has no collection '{name}' in '{database}', and the platform needs it.";
                else if (IsEmpty(client, new DumpNamespace(database, name), token))
                    yield return $"The collection '{name}' in '{database}' is empty after the restore, and the platform needs it.";
            }
        }
    }

    private static bool IsEmpty(MongoClient client, DumpNamespace name, CancellationToken token)
    {
        using var cursor = client.Open(name.Database, new BsonBuilder().Append("find", name.Collection).Append("limit", 1), new CursorOptions(), token);
        return cursor.Next() != CursorStep.Document;
    }
}
