using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Dumping;

/// <summary>The legs of a split collection are the collection: every document once, none twice, whatever its <c>_id</c>.</summary>
public sealed class IdRangesTests
{
    // Those that can be there only once, and NaN of both kinds, which is one value to the server.
    private static readonly int[] Single = [10, 11, 12, 13, 14, 15, 16, 17];

    [Fact]
    public void The_union_of_the_legs_is_the_collection_with_every_type_of_id()
    {
        using var mongo = new MongoPlatform();
        mongo.Insert("all", Single.Select(type => Values.WithId(type, 0)));
        foreach (var type in new[] { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 18, 19 })
            mongo.Insert("all", Enumerable.Range(0, 150).Select(number => Values.WithId(type, number)));

        Assert.True(Check(mongo, "all", 8) > 15);
    }

    [Theory]
    [InlineData(15)]
    [InlineData(20)]
    public void Not_a_number_is_in_exactly_one_leg(int type)
    {
        using var mongo = new MongoPlatform();
        mongo.Insert("nan", Enumerable.Range(0, 400).Select(number => Values.WithId(number % 4, number)));
        mongo.Insert("nan", [Values.WithId(type, 0)]);

        Assert.True(Check(mongo, "nan", 6) > 5);
    }

    [Fact]
    public void Whatever_the_mixture_of_ids()
    {
        using var mongo = new MongoPlatform();
        var round = 0;
        Prop.ForAll(Arb.From(Gen.Choose(0, int.MaxValue)), seed => Mixture(mongo, "mix" + round++, new Random(seed))).Check(Config.QuickThrowOnFailure.WithMaxTest(25));
    }

    [Fact]
    public void A_big_collection_is_read_by_several_legs_and_comes_whole()
    {
        var finds = 0;
        var counting = false;
        using var mongo = new MongoPlatform(new Sandbox.SandboxOptions { Fault = (command, space, _) => Count(command, space) });
        mongo.Insert("big", Enumerable.Range(0, 3000).Select(number => Values.WithId(number % 10, number)));
        counting = true;

        var dump = RawDump.Of(mongo, splitAbove: 1000);

        counting = false;
        var set = mongo.SetOf("big");
        Assert.Equal(new(set.Count, set.ToString()), dump.Sets[$"{mongo.Database}/big.bson"]);
        Assert.Equal(3000, dump.Documents($"{mongo.Database}/big.bson").Count);
        // Beside the looks whether a type is there.
        Assert.True(finds > 17 + 10, $"{finds} finds");

        Sandbox.SandboxFault? Count(string command, string space)
        {
            if (counting && command is "find" && space.EndsWith(".big", StringComparison.Ordinal))
                Interlocked.Increment(ref finds);
            return null;
        }
    }

    private static void Mixture(MongoPlatform mongo, string collection, Random random)
    {
        var types = Enumerable.Range(0, 20).Where(_ => random.Next(3) == 0).ToList();
        var documents = types.SelectMany(type => Enumerable.Range(0, Single.Contains(type) ? 1 : random.Next(1, 120)).Select(number => Values.WithId(type, number))).OrderBy(_ => random.Next()).ToList();
        if (documents.Count == 0)
            return;
        mongo.Insert(collection, documents);
        Check(mongo, collection, random.Next(2, 12));
    }

    private static int Check(MongoPlatform mongo, string collection, int legs)
    {
        var union = new DocumentSetHash();
        var filters = new IdRanges(mongo.Client, default).Split(new DumpNamespace(mongo.Database, collection), legs);
        foreach (var filter in filters)
        {
            using var cursor = mongo.Client.Open(mongo.Database, new BsonBuilder().Append("find", collection).Append("filter", filter), new CursorOptions(), default);
            while (cursor.Next() == CursorStep.Document)
                union.Add(cursor.Current);
        }

        var whole = mongo.SetOf(collection);
        Assert.Equal((whole.Count, whole.ToString()), (union.Count, union.ToString()));
        return filters.Count;
    }
}
