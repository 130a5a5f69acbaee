using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Protocols.MongoDb.Bson;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Dumping;

public sealed class OplogFilterTests
{
    [Theory]
    [InlineData("commitTransaction", true)]
    [InlineData("abortTransaction", true)]
    [InlineData("drop", false)]
    public void What_ends_a_prepared_transaction_is_kept_for_one_database_too(string command, bool kept)
    {
        var entry = new BsonBuilder().Append("op", "c").Append("ns", "admin.$cmd").BeginDocument("o").Append(command, 1).End().ToBson();
        Assert.Equal(kept, new OplogFilter(new DumpSelection("shop")).Keep(entry.Span, out _));
    }

    [Theory]
    [InlineData("__bot_probe")]
    [InlineData("bot_scratch_0123_0")]
    public void The_working_databases_of_our_own_are_in_no_slice_of_a_server_and_a_swap_in_them_is_none(string database)
    {
        var insert = new BsonBuilder().Append("op", "i").Append("ns", database + ".trades").BeginDocument("o").Append("_id", 1).End().ToBson();
        var drop = new BsonBuilder().Append("op", "c").Append("ns", database + ".$cmd").BeginDocument("o").Append("dropDatabase", 1).End().ToBson();
        var swap = new BsonBuilder().Append("op", "c").Append("ns", database + ".$cmd").BeginDocument("o").Append("renameCollection", database + ".__bot_1.trades").Append("to", database + ".trades").End().ToBson();
        var filter = new OplogFilter(new DumpSelection(null));
        var own = new OplogFilter(new DumpSelection(database));
        foreach (var entry in new[] { insert, drop, swap })
        {
            Assert.False(filter.Keep(entry.Span, out _));
            Assert.Null(filter.Swapped);
            own.Keep(entry.Span, out _);
        }

        // Where it is asked for by its name, it is anybody's.
        Assert.True(own.Keep(insert.Span, out _));
        Assert.Equal(database + ".trades", own.Swapped);
        Assert.False(CollectionRules.WantsDatabase(database));
        Assert.True(CollectionRules.WantsDatabase("bot_scratches"));
    }

    [Fact]
    public void Operations_within_operations_are_cut_too()
    {
        var entry = new BsonBuilder().Append("op", "c").Append("ns", "admin.$cmd").BeginDocument("o").BeginArray("applyOps");
        Insert(entry, "0", "shop.a", 1);
        entry.BeginDocument("1").Append("op", "c").Append("ns", "admin.$cmd").BeginDocument("o").BeginArray("applyOps");
        Insert(entry, "0", "other.a", 2);
        Insert(entry, "1", "shop.a", 3);
        entry.End().End().End();
        Insert(entry, "2", "other.a", 4);
        entry.End().End();

        Assert.True(new OplogFilter(new DumpSelection("shop")).Keep(entry.ToBson().Span, out var cut));
        Assert.Equal(["shop.a 1", "shop.a 3"], Inserts(new RawBson(cut.ToArray())), StringComparer.Ordinal);
        Assert.True(new OplogFilter(new DumpSelection(null)).Keep(entry.ToBson().Span, out cut));
        Assert.Equal(["shop.a 1", "other.a 2", "shop.a 3", "other.a 4"], Inserts(new RawBson(cut.ToArray())), StringComparer.Ordinal);
    }

    private static void Insert(BsonBuilder builder, string name, string ns, int id) =>
        builder.BeginDocument(name).Append("op", "i").Append("ns", ns).BeginDocument("o").Append("_id", id).End().End();

    private static IEnumerable<string> Inserts(RawBson operation)
    {
        if (operation.FindString("op"u8) is "i")
            return [$"{operation.FindString("ns"u8)} {operation.FindDocument("o"u8)!.Value.FindInt64("_id"u8)}"];
        var found = new List<string>();
        var reader = operation.FindDocument("o"u8)!.Value.FindDocument("applyOps"u8)!.Value.Read();
        while (reader.Read())
            found.AddRange(Inserts(new RawBson(reader.Current.AsDocument().ToArray())));
        return found;
    }
}
