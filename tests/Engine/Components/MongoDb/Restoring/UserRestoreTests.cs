using BotCore.Backup.Engine.Components.MongoDb;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Restoring;

/// <summary>Users and roles are merged: those of the dump are added or replaced, all others stay, and whoever restores stays as he is.</summary>
public sealed class UserRestoreTests
{
    [Fact]
    public void Users_are_merged_and_the_one_who_restores_is_left_alone()
    {
        using var mongo = new MongoPlatform(new SandboxOptions { UserName = "root", Password = "secret" });
        mongo.Json("""{"createUser": "kept", "pwd": "x", "roles": []}""", "admin");
        mongo.Json("""{"createUser": "replaced", "pwd": "x", "roles": []}""", "admin");
        mongo.Insert("tempusers", [ExtendedJson.Read("""{"_id": "somebody's own"}""")], "admin");
        var users = new MemoryDump().Add("admin", "system.users", null,
        [
            """{"_id": "admin.root", "user": "root", "db": "admin", "credentials": {}, "roles": []}""",
            """{"_id": "admin.replaced", "user": "replaced", "db": "admin", "credentials": {}, "roles": [{"role": "read", "db": "bot"}]}""",
            """{"_id": "bot.fresh", "user": "fresh", "db": "bot", "credentials": {}, "roles": []}""",
        ]).Add("admin", "system.roles", null, ["""{"_id": "bot.clerk", "role": "clerk", "db": "bot", "privileges": [], "roles": []}"""]).Add(mongo.Database, "a", null, ["""{"_id": 1}"""]);
        var root = mongo.Texts("system.users", "admin").Single(text => text.Contains("admin.root", StringComparison.Ordinal));

        OverwriteTests.Job(mongo, users).Run(default);

        var now = mongo.Texts("system.users", "admin");
        Assert.Equal(4, now.Count);
        Assert.Contains(root, now, StringComparer.Ordinal);
        Assert.Contains(now, text => text.Contains("admin.kept", StringComparison.Ordinal));
        Assert.Contains(now, text => text.Contains("bot.fresh", StringComparison.Ordinal));
        Assert.Contains(now, text => text.Contains("admin.replaced", StringComparison.Ordinal) && text.Contains("\"read\"", StringComparison.Ordinal));
        Assert.Single(mongo.Texts("system.roles", "admin"));
        Assert.Equal(1, mongo.SetOf("tempusers", "admin").Count);
        Assert.Empty(mongo.Leftovers("admin"));
        using var again = MongoTarget.Of(SecretUri.WithPassword(mongo.Uri)).Connect(requirePrimary: true, default);
    }

    [Fact]
    public void Users_of_one_database_touch_no_other_and_none_come_under_another_name()
    {
        using var mongo = new MongoPlatform(new SandboxOptions { UserName = "root", Password = "secret" });
        var dump = new MemoryDump().Add("bot", "$admin.system.users", null, ["""{"_id": "bot.fresh", "user": "fresh", "db": "bot", "credentials": {}, "roles": []}"""]).Add("bot", "a", null, ["""{"_id": 1}"""]);

        OverwriteTests.Job(mongo, dump, options => options with { Database = mongo.Database }).Run(default);
        Assert.Single(mongo.Texts("system.users", "admin"));

        OverwriteTests.Job(mongo, dump).Run(default);
        Assert.Equal(2, mongo.Texts("system.users", "admin").Count);
        Assert.Equal(1, mongo.SetOf("a", "bot").Count);
    }
}
