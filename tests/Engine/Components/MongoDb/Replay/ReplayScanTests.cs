using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb.Bson;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Replay;

public sealed class ReplayScanTests
{
    [Fact]
    public void It_counts_by_kind_and_namespace_and_looks_into_transactions()
    {
        var oplog = new OplogWriter();
        oplog.Insert("a.x", null, 1, 1);
        var inner = oplog.TakeOperation();
        var first = oplog.NoOp();
        oplog.Transaction(1, [inner, inner, inner], each: 2);
        oplog.Delete("a.y", null, 1);
        var last = oplog.Create("a.z", null);
        var scan = Scan(oplog.Entries, NamespaceMap.All);
        Assert.Equal((5, first, last, 1L), (scan.Entries, scan.First, scan.Last, scan.Term));
        Assert.Equal((2, 3, 1, 1), (scan.Kinds[OplogKind.Transaction], scan.Kinds[OplogKind.Insert], scan.Kinds[OplogKind.Delete], scan.Kinds[OplogKind.Create]));
        Assert.Equal((3, 1), (scan.Namespaces["a.x"], scan.Namespaces["a.y"]));
        Assert.Empty(scan.Obstacles);
    }

    [Fact]
    public void What_cannot_be_replayed_is_named_with_the_last_good_time()
    {
        var oplog = new OplogWriter();
        var good = oplog.Insert("a.x", null, 1, 1);
        var bad = oplog.Command("a.x", null, o => o.Append("importCollection", "x"));
        oplog.Command("b.x", null, o => o.Append("importCollection", "x"));
        var odd = oplog.Command("a.x", null, o => o.Append("somethingNew", 1));
        var scan = Scan(oplog.Entries, new NamespaceMap(ns => ns.StartsWith("a.", StringComparison.Ordinal)));
        Assert.Equal([new ReplayObstacle(bad, good, "a.x", "importCollection"), new ReplayObstacle(odd, new BsonTimestamp(odd.Seconds - 1, 1), "a.$cmd", "somethingNew")], scan.Obstacles);
    }

    [Fact]
    public void Entries_out_of_order_are_damage()
    {
        var oplog = new OplogWriter();
        oplog.NoOp();
        oplog.NoOp();
        foreach (var entries in (List<RawBson>[])[[oplog.Entries[1], oplog.Entries[0]], [oplog.Entries[0], oplog.Entries[0]]])
            Assert.Equal(FailureKind.ArchiveCorrupt, Assert.Throws<BackupException>(() => Scan(entries, NamespaceMap.All)).Failure.Kind);
    }

    [Fact]
    public void Entries_that_are_no_entries_are_damage()
    {
        var whole = new OplogWriter();
        whole.Insert("a.x", null, 1, 1);
        var bytes = whole.Entries[0].Memory.ToArray();
        for (var length = 0; length < bytes.Length; length++)
        {
            var cut = new RawBson(bytes.AsMemory(0, length));
            Assert.Equal(FailureKind.ArchiveCorrupt, Assert.Throws<BackupException>(() => Scan([cut], NamespaceMap.All)).Failure.Kind);
        }

        foreach (var odd in (RawBson[])[new BsonBuilder().Append("ts", new BsonTimestamp(1, 1)).ToBson(), new BsonBuilder().Append("op", "i").Append("ns", "a.b").BeginDocument("o").End().ToBson(), new BsonBuilder().Append("ts", new BsonTimestamp(1, 1)).Append("op", 1).ToBson()])
            Assert.Equal(FailureKind.ArchiveCorrupt, Assert.Throws<BackupException>(() => Scan([odd], NamespaceMap.All)).Failure.Kind);
    }

    [MongoToolsFact]
    public void Oplogs_of_real_servers_are_read_to_their_end()
    {
        var read = 0L;
        foreach (var file in (string[])["collMod_ttl_index/oplog", "oplog_partial_skips/oplog", "oplog_ignore_index/oplog", "dump_with_noop_in_oplog/oplog", "oplogs/bson/collMod_indexUniqueness"])
        {
            var scan = Scan(MongoToolsData.Bson($"mongorestore/testdata/{file}.bson"), NamespaceMap.All);
            Assert.Empty(scan.Obstacles);
            Assert.False(scan.Kinds.ContainsKey(OplogKind.Unknown), file);
            read += scan.Entries;
        }

        Assert.True(read > 50);
        // Put together by hand: time goes back in it.
        Assert.Throws<BackupException>(() => Scan(MongoToolsData.Bson("mongorestore/testdata/create_indexes/oplog.bson"), NamespaceMap.All));
    }

    private static ReplayScan Scan(IEnumerable<RawBson> entries, NamespaceMap map)
    {
        var scan = new ReplayScan(map);
        foreach (var entry in entries)
            scan.Add(entry.IsEmpty && entry.Length != 5 ? [] : entry.Span);
        return scan;
    }
}
