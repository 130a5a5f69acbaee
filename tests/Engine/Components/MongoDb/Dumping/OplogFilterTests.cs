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
}
