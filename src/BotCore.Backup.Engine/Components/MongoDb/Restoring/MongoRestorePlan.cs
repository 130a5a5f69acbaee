using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Components.MongoDb.Restoring;

/// <summary>What of a dump goes where. Immutable.</summary>
/// <param name="Items">Collections and views.</param>
/// <param name="Users">Files of users and roles in the dump that are merged.</param>
/// <param name="LeftOut">What the dump has and no restore writes, for people.</param>
internal sealed record MongoRestorePlan(IReadOnlyList<RestoreItem> Items, IReadOnlyList<DumpNamespace> Users, IReadOnlyList<string> LeftOut)
{
    /// <summary>Sorts out what a survey found.</summary>
    public static MongoRestorePlan Of(DumpSurvey survey, NamespaceFilter wanted, RestoreMapping mapping)
    {
        var items = new List<RestoreItem>();
        var users = new List<DumpNamespace>();
        var leftOut = new List<string>();
        var names = survey.Collections.Keys.Concat(survey.Sets.Keys).Select(OwnName).Concat(survey.Slice.TimeSeries.Keys).Concat(survey.Slice.Views.Keys);
        foreach (var name in names.Distinct().Where(wanted.Wants).OrderBy(name => name.ToString(), StringComparer.Ordinal))
        {
            if (IsUsers(name))
                users.Add(name);
            else if (name.Collection.StartsWith("$admin.", StringComparison.Ordinal) || !CollectionRules.WantsDatabase(name.Database) || name.Database is "config" || !CollectionRules.WantsCollection(name.Database, name.Collection)
                || name is { Database: "admin", Collection: "system.version" })
                leftOut.Add(name.ToString());
            else if (ItemOf(survey, name, mapping) is { } item)
                items.Add(item);
        }

        DemandDistinct(items);
        return new MongoRestorePlan(items, users, leftOut);
    }

    /// <summary>Where the restore writes at the target: what the dump has, and what its oplog makes beside it.</summary>
    public IReadOnlyList<DumpNamespace> Targets(DumpSurvey survey, NamespaceFilter wanted, RestoreMapping mapping) =>
    [
        .. Items.Select(item => item.To)
            .Concat(survey.Slice.Made.Where(name => wanted.Wants(name) && NamespaceMap.IsReplayable(name.ToString())).Select(mapping.Target))
            .Distinct().OrderBy(name => name.ToString(), StringComparer.Ordinal),
    ];

    /// <summary>Users and roles, of a whole server or of one database.</summary>
    private static bool IsUsers(DumpNamespace name) =>
        name is { Database: "admin", Collection: "system.users" or "system.roles" } || name.Collection is "$admin.system.users" or "$admin.system.roles";

    private static DumpNamespace OwnName(DumpNamespace name) => name.Collection.StartsWith(CollectionRules.BucketPrefix, StringComparison.Ordinal)
        ? name with { Collection = name.Collection[CollectionRules.BucketPrefix.Length..] }
        : name;

    // Null for a view that is gone at the end of the oplog.
    private static RestoreItem? ItemOf(DumpSurvey survey, DumpNamespace name, RestoreMapping mapping)
    {
        var metadata = survey.Collections.GetValueOrDefault(name) ?? new CollectionMetadata { CollectionName = name.Collection };
        if (survey.Slice.TimeSeries.TryGetValue(name, out var made))
            metadata = metadata with { Options = made, Type = CollectionMetadata.TimeSeries };
        if (survey.Slice.Views.TryGetValue(name, out var view))
        {
            if (view is { } last)
                metadata = new CollectionMetadata { CollectionName = name.Collection, Options = last, Type = CollectionMetadata.View };
            else if (!survey.Sets.ContainsKey(name))
                return null;
        }

        var way = metadata.EffectiveType switch
        {
            CollectionMetadata.View => RestoreWay.View,
            CollectionMetadata.TimeSeries => RestoreWay.Plain,
            _ when name.Collection.StartsWith("system.", StringComparison.Ordinal) => RestoreWay.Plain,
            _ => RestoreWay.Staged,
        };
        var item = new RestoreItem(name, mapping.Target(name), way, metadata, Set: null);
        return way == RestoreWay.View ? item : item with { Set = survey.Sets.GetValueOrDefault(item.Data) ?? new DocumentSetHash() };
    }

    private static void DemandDistinct(List<RestoreItem> items)
    {
        if (items.GroupBy(item => item.To).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw new BackupException(
                FailureKind.ConfigurationInvalid,
                $"{string.Join(" and ", twice.Select(item => item.From))} would both become {twice.Key}.",
                "Give each collection a name of its own.",
                twice.Key.ToString());
        }
    }
}
