using BotCore.Backup.Engine.Components.MongoDb.Restoring;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Protocols.MongoDb.Bson;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Restoring;

/// <summary>What of a backup is restored, and under which names.</summary>
public sealed class SelectionTests
{
    [Theory]
    [InlineData(new[] { "trades" }, new string[0], "trades")]
    [InlineData(new[] { "ti*", "tr*" }, new[] { "trades" }, "ticks")]
    [InlineData(new string[0], new[] { "trades", "users" }, "ticks")]
    [InlineData(new[] { "*_bot_core.users" }, new string[0], "users")]
    public void Only_what_is_asked_for_is_restored(string[] include, string[] exclude, string expected)
    {
        using var mongo = new MongoPlatform();
        Fill(mongo, mongo.Database);
        var session = mongo.Session();
        var backup = mongo.BackUp(session);
        var other = mongo.NewDatabase("other");

        var restore = Workplace.Item<BotBackupRestore>(MongoPlatform.RunRestore(
            session, backup, new RestoreRequest { Server = SecretUri.WithPassword(mongo.UriOf(other)), Include = Named(include), Exclude = exclude }));

        Assert.True(restore.Partial);
        Assert.Equal(expected, Standing(mongo, other));
        Assert.Equal(mongo.SetOf(expected).ToString(), mongo.SetOf(expected, other).ToString());

        string[] Named(string[] patterns) => [.. patterns.Select(pattern => pattern.Replace("*_bot_core", mongo.Database, StringComparison.Ordinal))];
    }

    [Fact]
    public void A_flaw_in_a_collection_that_is_not_asked_for_is_not_read()
    {
        using var mongo = new MongoPlatform();
        mongo.Insert("a", """{"_id": 1}""");
        mongo.Insert("noise", Enumerable.Range(0, 300).Select(n => new BsonBuilder().Append("_id", n).AppendBinary("x", System.Security.Cryptography.RandomNumberGenerator.GetBytes(100_000)).ToBson()));
        mongo.Insert("z", """{"_id": 1}""");
        var session = mongo.Session(encrypted: false);
        var backup = mongo.BackUp(session);
        var content = File.ReadAllBytes(backup.Location);
        content[content.Length / 2] ^= 1;
        File.WriteAllBytes(backup.Location, content);
        var other = new RestoreRequest { Server = SecretUri.WithPassword(mongo.UriOf(mongo.NewDatabase("other"))) };

        Assert.Single(MongoPlatform.RunRestore(session, backup, other).OfType<Failed>());
        Assert.True(Workplace.Item<BotBackupRestore>(MongoPlatform.RunRestore(session, backup, other with { Include = ["a"] })).Partial);
    }

    [Fact]
    public void One_collection_gets_another_name_and_the_others_keep_theirs()
    {
        using var mongo = new MongoPlatform();
        Fill(mongo, mongo.Database);
        var session = mongo.Session();
        var backup = mongo.BackUp(session);
        var before = mongo.SetOf("trades").ToString();
        mongo.Insert("trades", """{"_id": "later"}""");
        var live = mongo.SetOf("trades").ToString();

        Workplace.Item<BotBackupRestore>(MongoPlatform.RunRestore(session, backup, new RestoreRequest
        {
            Include = ["trades"],
            Renames = new Dictionary<string, string>(StringComparer.Ordinal) { [$"{mongo.Database}.trades"] = $"{mongo.Database}.trades_before" },
        }));
        Assert.Equal("ticks trades trades_before users", Standing(mongo, mongo.Database));
        Assert.Equal(before, mongo.SetOf("trades_before").ToString());
        Assert.Equal(live, mongo.SetOf("trades").ToString());
    }

    [Fact]
    public void The_database_in_the_address_picks_one_of_several_or_names_the_only_one()
    {
        using var mongo = new MongoPlatform();
        var second = mongo.NewDatabase("second");
        var dump = new MemoryDump().Add(mongo.Database, "a", null, ["""{"_id": 1}"""]).Add(second, "a", null, ["""{"_id": 2}"""]);
        var warnings = new List<string>();
        OverwriteTests.Job(mongo, dump, options => options with { Database = second }, happened => warnings.AddRange(happened is Warned warned ? [warned.Text] : [])).Run(default);
        Assert.Equal("a", Standing(mongo, second));
        Assert.Equal("", Standing(mongo, mongo.Database));
        Assert.Contains(warnings, text => text.Contains(mongo.Database, StringComparison.Ordinal));

        var third = mongo.NewDatabase("third");
        var failure = Assert.Throws<BackupException>(() => OverwriteTests.Job(mongo, dump, options => options with { Database = third }).Run(default)).Failure;
        Assert.Equal(FailureKind.ConfigurationInvalid, failure.Kind);
        Assert.Contains(second, failure.Message, StringComparison.Ordinal);

        var one = new MemoryDump().Add(mongo.Database, "a", null, ["""{"_id": 1}"""]).Add(mongo.Database, "b", null, ["""{"_id": 1}"""]);
        var mapping = new RestoreMapping(new Dictionary<string, string>(StringComparer.Ordinal) { [$"{mongo.Database}.b"] = $"{third}.c" });
        OverwriteTests.Job(mongo, one, options => options with { Database = third, Mapping = mapping }).Run(default);
        Assert.Equal("a c", Standing(mongo, third));
    }

    [Fact]
    public void Nothing_that_matches_two_of_one_name_and_renames_that_mean_nothing_are_refused()
    {
        using var mongo = new MongoPlatform();
        Fill(mongo, mongo.Database);
        var session = mongo.Session();
        var backup = mongo.BackUp(session);
        var before = mongo.Describe();
        Refused(FailureKind.BackupNotFound, new RestoreRequest { Include = ["no such collection"] });
        Refused(FailureKind.ConfigurationInvalid, new RestoreRequest { Renames = new Dictionary<string, string>(StringComparer.Ordinal) { [$"{mongo.Database}.trades"] = $"{mongo.Database}.users" } });
        Assert.Throws<BackupException>(() => MongoPlatform.RunRestore(session, backup, new RestoreRequest { Renames = new Dictionary<string, string>(StringComparer.Ordinal) { [mongo.Database] = "a.b" } }));
        Assert.Equal(before, mongo.Describe());

        void Refused(FailureKind kind, RestoreRequest request) => Assert.Equal(kind, OverwriteTests.MongoFailure(MongoPlatform.RunRestore(session, backup, request)).Kind);
    }

    [Fact]
    public void An_empty_or_missing_critical_collection_is_told()
    {
        using var mongo = new MongoPlatform();
        var dump = new MemoryDump().Add(mongo.Database, "users", null, []).Add(mongo.Database, "trades", null, ["""{"_id": 1}"""]);
        var result = OverwriteTests.Job(mongo, dump, options => options with { Critical = ["users", "trades", "portfolios"] }).Run(default);
        Assert.Equal(2, result.Warnings.Count);
        Assert.Contains(result.Warnings, text => text.Contains("'users'", StringComparison.Ordinal) && text.Contains("empty", StringComparison.Ordinal));
        Assert.Contains(result.Warnings, text => text.Contains("'portfolios'", StringComparison.Ordinal));
    }

    private static string Standing(MongoPlatform mongo, string database) => string.Join(' ', mongo.Collections(database).Where(name => !name.StartsWith("__bot_", StringComparison.Ordinal)));

    private static void Fill(MongoPlatform mongo, string database)
    {
        foreach (var name in (string[])["trades", "ticks", "users"])
            mongo.Insert(name, Enumerable.Range(0, 100).Select(n => new BsonBuilder().Append("_id", n).Append(name, n).ToBson()), database);
    }
}
