using System.Globalization;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Protocols.MongoDb;

/// <summary>A command as it goes out: the caller's elements, <c>$db</c>, and what the connection string says of reads and writes.</summary>
internal sealed record CommandMessage(RawBson Command, string Name, bool IsRead)
{
    private static readonly HashSet<string> WithReadConcern = new(StringComparer.Ordinal) { "find", "aggregate", "count", "distinct" };

    private static readonly HashSet<string> Reads = new(StringComparer.Ordinal)
    {
        "hello", "isMaster", "ping", "buildInfo", "find", "aggregate", "count", "distinct", "listCollections", "listDatabases", "listIndexes", "dbHash", "collStats", "dbStats",
        "serverStatus", "getParameter", "usersInfo", "rolesInfo", "connectionStatus", "dataSize", "replSetGetStatus", "getCmdLineOpts", "hostInfo",
    };

    private static readonly HashSet<string> Writes = new(StringComparer.Ordinal)
    {
        "insert", "update", "delete", "findAndModify", "create", "createIndexes", "drop", "dropDatabase", "dropIndexes", "collMod", "renameCollection", "applyOps",
        "convertToCapped", "createUser", "updateUser", "dropUser", "createRole", "updateRole", "dropRole", "grantRolesToUser", "revokeRolesFromUser",
        "_mergeAuthzCollections",
    };

    public static CommandMessage Compose(string database, BsonBuilder command, MongoServer server, MongoConnectionString settings)
    {
        var given = new RawBson(command.Finish());
        var whole = new BsonBuilder(given.Length + 128);
        var reader = given.Read();
        var name = "";
        var hasReadConcern = false;
        var hasWriteConcern = false;
        var hasPreference = false;
        var writesOut = false;
        while (reader.Read())
        {
            var element = reader.Current;
            if (name.Length == 0)
                name = element.NameText;
            hasReadConcern |= element.NameIs("readConcern"u8);
            hasWriteConcern |= element.NameIs("writeConcern"u8);
            hasPreference |= element.NameIs("$readPreference"u8);
            writesOut |= element.NameIs("pipeline"u8) && WritesOut(element);
            whole.Append(element);
        }

        if (name.Length == 0)
            throw new ArgumentException("A command needs a field.", nameof(command));
        var isRead = Reads.Contains(name) && !writesOut;
        whole.Append("$db", database);
        if (!hasReadConcern && settings.ReadConcernLevel is { } level && WithReadConcern.Contains(name) && !writesOut)
            whole.BeginDocument("readConcern").Append("level", level).End();
        if (!hasWriteConcern && (Writes.Contains(name) || writesOut))
            AppendWriteConcern(whole, settings);
        if (!hasPreference && isRead)
            AppendPreference(whole, server, settings.ReadPreference);
        // Nobody else has the builder, so its bytes need no copy: a batch of a load or a replay is megabytes.
        return new CommandMessage(new RawBson(whole.Finish()), name, isRead);
    }

    /// <summary>Whether an aggregation ends in $out or $merge.</summary>
    private static bool WritesOut(BsonElement pipeline)
    {
        if (pipeline.Type != BsonType.Array)
            return false;
        var stages = new BsonReader(pipeline.Value);
        while (stages.Read())
        {
            if (stages.Current.Type == BsonType.Document
                && (RawBson.TryFind(stages.Current.Value, "$out"u8, out _) || RawBson.TryFind(stages.Current.Value, "$merge"u8, out _)))
                return true;
        }

        return false;
    }

    private static void AppendWriteConcern(BsonBuilder whole, MongoConnectionString settings)
    {
        if (settings is { WriteConcern: null, Journal: null, WriteTimeout: null })
            return;
        whole.BeginDocument("writeConcern");
        if (settings.WriteConcern is { } members)
        {
            if (int.TryParse(members, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                whole.Append("w", number);
            else
                whole.Append("w", members);
        }

        if (settings.Journal is { } journal)
            whole.Append("j", journal);
        if (settings.WriteTimeout is { } timeout)
            whole.Append("wtimeout", (int)timeout.TotalMilliseconds);
        whole.End();
    }

    private static void AppendPreference(BsonBuilder whole, MongoServer server, ReadPreference preference)
    {
        // A member that was chosen must answer, whatever it is by then: the specification's primaryPreferred.
        if (server.IsStandalone || (preference.Mode == ReadPreferenceMode.Primary && (server.IsPrimary || server.IsSharded)))
            return;
        var mode = preference.Mode == ReadPreferenceMode.Primary ? "primaryPreferred" : preference.ModeName;
        whole.BeginDocument("$readPreference").Append("mode", mode);
        if (preference.Tags.Count > 0)
        {
            whole.BeginArray("tags");
            for (var index = 0; index < preference.Tags.Count; index++)
            {
                whole.BeginDocument(index.ToString(CultureInfo.InvariantCulture));
                foreach (var (tag, value) in preference.Tags[index])
                    whole.Append(tag, value);
                whole.End();
            }

            whole.End();
        }

        if (preference.MaxStaleness is { } staleness)
            whole.Append("maxStalenessSeconds", (int)staleness.TotalSeconds);
        whole.End();
    }
}
