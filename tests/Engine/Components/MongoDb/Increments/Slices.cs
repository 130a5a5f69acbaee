using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Tests.Components.MongoDb.Dumping;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Increments;

/// <summary>Increments as the tests of this folder make and read them.</summary>
internal static class Slices
{
    /// <summary>All events of an increment.</summary>
    public static IReadOnlyList<BackupEvent> Run(BackupSession session, GapAction onGap = GapAction.Fail, CancellationToken token = default)
    {
        var steps = Plan(session, onGap);
        return [.. BackupRunner.Run(session, steps, token).ToBlockingEnumerable(CancellationToken.None)];
    }

    public static IReadOnlyList<BackupStep> Plan(BackupSession session, GapAction onGap = GapAction.Fail)
    {
        var request = new BackupRequest { Components = [Component.MongoDb], Type = BackupType.Incremental, OnGap = onGap };
        return BackupPlanner.Plan(session, request, failure => throw new BackupException(failure), CancellationToken.None);
    }

    /// <summary>An increment that must succeed.</summary>
    public static BotBackup Take(BackupSession session) => Workplace.Item<BotBackup>(Run(session));

    /// <summary>An increment that must fail, and leave nothing but a note.</summary>
    public static Failure Refuse(BackupSession session)
    {
        var before = Backups(session);
        var failure = Workplace.Failure(Run(session));
        Assert.Equal(before, Backups(session));
        return failure;
    }

    /// <summary>Keys of all backups in the store; nothing that is wrong may be in it.</summary>
    public static IReadOnlyList<string> Backups(BackupSession session)
    {
        var events = BackupCatalog.List(session.Local, CancellationToken.None).ToList();
        Assert.Empty(events.OfType<Failed>());
        return [.. events.OfType<Made>().Select(made => ((BotBackup)made.Item).Key)];
    }

    /// <summary>The notes of gaps in the store.</summary>
    public static IReadOnlyList<OplogGapRecord> Gaps(BackupSession session) => OplogGapRecord.ReadAll(session.Local, failure => throw new BackupException(failure), CancellationToken.None);

    /// <summary>The entries of a slice, unpacked by the stock tools.</summary>
    public static List<byte[]> Entries(MongoPlatform mongo, BotBackup increment)
    {
        var folder = mongo.Unpack(increment);
        return PlainBson.Documents(File.ReadAllBytes(Path.Combine(Directory.GetDirectories(folder).Single(), "oplog.bson")));
    }

    /// <summary>The whole oplog of the server.</summary>
    public static List<byte[]> Oplog(MongoPlatform mongo)
    {
        var entries = new List<byte[]>();
        using var cursor = mongo.Client.Open("local", new BsonBuilder().Append("find", "oplog.rs"), new CursorOptions(), default);
        while (cursor.Next() == CursorStep.Document)
            entries.Add(cursor.Current.ToArray());
        return entries;
    }

    public static ulong Time(string text) => BsonTimestamp.TryParse(text, out var at) ? at.Value : 0;

    public static void Write(MongoPlatform mongo, int count = 3, string collection = "trades", int size = 10) =>
        mongo.Insert(collection, Enumerable.Range(0, count).Select(_ => new BsonBuilder().Append("text", new string('x', size)).ToBson()));

    /// <summary>What an increment that follows another one must be.</summary>
    public static void AssertFollows(BotBackup next, BotBackup before)
    {
        Assert.Equal(BackupType.Incremental, next.Type);
        Assert.Equal(before.Oplog!.End, next.Oplog!.Start);
        Assert.Equal(before.Oplog.EndSha256, next.Oplog.StartSha256);
        Assert.Equal(before.Timeline, next.Timeline);
        Assert.Equal(before.Id, next.Manifest!.Chain!.Previous);
    }

    /// <summary>Fails nothing: the collections' swap that a restore over existing ones ends with.</summary>
    public static void SwapIn(MongoPlatform mongo, string collection)
    {
        mongo.Insert($"__bot_0123.{collection}", Trouble.Numbered(2, "restored"));
        mongo.Client.Run("admin", new BsonBuilder().Append("renameCollection", $"{mongo.Database}.__bot_0123.{collection}").Append("to", $"{mongo.Database}.{collection}").Append("dropTarget", value: true), default);
    }
}
