using System.Globalization;
using System.Security.Cryptography;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Replay;

/// <summary>Finds out, on a collection of its own that it drops again, what a server does with an update whose document is not there.</summary>
internal static class UpdateProbe
{
    /// <summary>Bytes of a command's operations that every server takes.</summary>
    public const int LargestCommand = 16 * 1024 * 1024;

    private const string Database = "__bot_probe";
    private const string Prefix = "missing_";

    // A probe takes a second. No clock is a day wrong on a machine that restores.
    private static readonly TimeSpan Dead = TimeSpan.FromDays(1);

    /// <summary>Whether the server says nothing, or makes a document, so that it must be asked first.</summary>
    public static bool MustCheck(IReplayTarget target, CancellationToken token)
    {
        var name = NewName(DateTimeOffset.UtcNow);
        var create = Begin().Append("op", "c").Append("ns", Database + ".$cmd").BeginDocument("o").Append("create", name).End().End().End();
        var created = target.Run("admin", create, token);
        if (!ServerReply.IsOk(created))
        {
            throw new BackupException(
                FailureKind.RestoreFailed,
                $"The server did not let the restore make a collection of its own in the database {Database}: {ServerReply.Reason(created)}",
                "Give the restoring user the role restore, or root, on the admin database: replaying an oplog needs applyOps on every database.",
                Database);
        }

        try
        {
            var update = Begin().Append("op", "u").Append("ns", Database + "." + name).BeginDocument("o").Append("$v", 2).BeginDocument("diff").BeginDocument("u").Append("a", 1).End().End().End()
                .BeginDocument("o2").Append("_id", 1).End().End().End();
            ReplayBatch.AppendOptions(update, atomic: false);
            return BatchSender.FirstFailure(target.Run("admin", update, token), 1) < 0;
        }
        finally
        {
            target.Run(Database, new BsonBuilder().Append("drop", name), token);
            DropWhenEmpty(target, token);
        }
    }

    /// <summary>A collection's name, with the time that it was made at.</summary>
    internal static string NewName(DateTimeOffset now) =>
        string.Create(CultureInfo.InvariantCulture, $"{Prefix}{now.ToUnixTimeSeconds()}_{RandomNumberGenerator.GetHexString(8, lowercase: true)}");

    private static BsonBuilder Begin() => new BsonBuilder().BeginArray("applyOps").BeginDocument(0.ToString(CultureInfo.InvariantCulture));

    // Another restore may be probing at this moment; its collection must stay. What was left by one that was killed tells its age by its name; a name that does not is left alone.
    private static void DropWhenEmpty(IReplayTarget target, CancellationToken token)
    {
        var collections = target.Run(Database, new BsonBuilder().Append("listCollections", 1).Append("nameOnly", true), token);
        if (!ServerReply.IsOk(collections))
            return;
        var left = ServerReply.FirstBatch(collections);
        var dead = left.Select(one => one.FindString("name"u8)).OfType<string>().Where(name => IsDead(name, DateTimeOffset.UtcNow)).ToList();
        foreach (var name in dead)
            target.Run(Database, new BsonBuilder().Append("drop", name), token);
        if (left.Count == dead.Count)
            target.Run(Database, new BsonBuilder().Append("dropDatabase", 1), token);
    }

    private static bool IsDead(string name, DateTimeOffset now)
    {
        var parts = name.Split('_');
        return parts.Length == 3 && name.StartsWith(Prefix, StringComparison.Ordinal)
            && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && now.ToUnixTimeSeconds() - seconds > (long)Dead.TotalSeconds;
    }
}
