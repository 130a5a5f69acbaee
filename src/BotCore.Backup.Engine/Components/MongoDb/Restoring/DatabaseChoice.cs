using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Components.MongoDb.Restoring;

/// <summary>What a database in the target's URI means for a dump: the dump's database of that name, or another name for its only one.</summary>
internal static class DatabaseChoice
{
    public static MongoRestoreOptions Apply(MongoRestoreOptions options, DumpSurvey survey, string source, Action<string> warn)
    {
        if (options.Database is not { } database)
            return options;
        var wanted = options.Wanted;
        var held = survey.Collections.Keys.Concat(survey.Sets.Keys).Where(name => wanted.Wants(name) && name.Database is not ("admin" or "config") && CollectionRules.WantsDatabase(name.Database))
            .Select(name => name.Database).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        if (held.Contains(database, StringComparer.Ordinal))
        {
            if (held.Count > 1)
                warn($"The URI names the database '{database}', so the others of {source} are not restored: {string.Join(", ", held.Where(one => !string.Equals(one, database, StringComparison.Ordinal)))}.");
            return options with { Wanted = wanted.Within(database) };
        }

        // Users alone go where they belong; names given one by one say for themselves where each goes.
        if (held.Count == 0 || (held.Count > 1 && !options.Mapping.IsNone))
            return options;
        if (held is not [var only])
        {
            throw new BackupException(
                FailureKind.ConfigurationInvalid,
                $"The URI names the database '{database}', and {source} holds {string.Join(", ", held)}.",
                "Leave the database out of the URI to restore all under their own names, or choose with -Rename and -Include.",
                source);
        }

        return options with { Wanted = wanted.Within(only), Mapping = options.Mapping.With(only, database), Users = false };
    }
}
