using System.Text;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Dumps;

public sealed class DumpFileNameTests
{
    [Theory]
    [InlineData("d.ot.ted", "d.ot.ted")]
    [InlineData("name with space", "name+with+space")]
    [InlineData("per%cent", "per%25cent")]
    [InlineData("sl/ash", "sl%2Fash")]
    [InlineData("uniçøde", "uni%C3%A7%C3%B8de")]
    [InlineData("a+b", "a%2Bb")]
    [InlineData("new\nline", "new%0Aline")]
    [InlineData("$dollar", "%24dollar")]
    [InlineData("-_.~", "-_.~")]
    [InlineData("😀", "%F0%9F%98%80")]
    public void Names_are_escaped_as_the_tools_do(string name, string file)
    {
        Assert.Equal(file, DumpFileName.Escape(name));
        Assert.Equal(name, DumpFileName.Unescape(file));
    }

    [Fact]
    public void Any_name_comes_back_or_is_shortened() =>
        Prop.ForAll(Arb.From(Gen.Choose(0, int.MaxValue)), seed =>
        {
            var random = new Random(seed);
            var name = new StringBuilder();
            for (var i = random.Next(1, 120); i > 0; i--)
                name.Append(random.Next(3) == 0 ? new Rune(random.Next(0x10000, 0x1F000)).ToString() : ((char)random.Next(1, 0x300)).ToString());
            var file = DumpFileName.Escape(name.ToString());
            return file.Length <= 238
                && file.All(letter => char.IsAsciiLetterOrDigit(letter) || "-_.~%+".Contains(letter, StringComparison.Ordinal))
                && (DumpFileName.IsShortened(file) || string.Equals(DumpFileName.Unescape(file), name.ToString(), StringComparison.Ordinal));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));

    [Fact]
    public void Names_just_short_enough_stay()
    {
        Assert.Equal(new string('x', 238), DumpFileName.Escape(new string('x', 238)));
        var shortened = DumpFileName.Escape(new string('x', 239));
        Assert.Equal(238, shortened.Length);
        Assert.True(DumpFileName.IsShortened(shortened));
        Assert.False(DumpFileName.IsShortened(new string('x', 238)));
    }

    [ToolsDataFact]
    public void Long_names_are_shortened_as_the_tools_do()
    {
        var file = Directory.GetFiles(ToolsDataFactAttribute.Restore("longcollectionname", "db1"), "*.metadata.json").Single();
        var name = CollectionMetadata.Parse(File.ReadAllBytes(file), file).CollectionName!;
        Assert.Equal(Path.GetFileName(file), DumpFileName.Escape(name) + ".metadata.json");
    }

    [Theory]
    [InlineData("100%")]
    [InlineData("a%2")]
    [InlineData("a%zz")]
    [InlineData("a%FFb")]
    public void Names_that_were_never_escaped_stay(string name) => Assert.Equal(name, DumpFileName.Unescape(name));

    [Theory]
    [InlineData("bot_core/trades.bson", "", DumpFileKind.Data, "bot_core", "trades", false)]
    [InlineData("bot_core/trades.bson.gz", "", DumpFileKind.Data, "bot_core", "trades", true)]
    [InlineData("./bot_core/sl%2Fash.metadata.json.gz", "", DumpFileKind.Metadata, "bot_core", "sl/ash", true)]
    [InlineData("root/bot_core/x.metadata.raw", "root", DumpFileKind.MetadataCopy, "bot_core", "x", false)]
    [InlineData("./root/oplog.bson", "root", DumpFileKind.Oplog, "", "", false)]
    [InlineData("oplog.bson.gz", "", DumpFileKind.Oplog, "", "", true)]
    [InlineData("db/oplog.bson", "", DumpFileKind.Data, "db", "oplog", false)]
    [InlineData("local/oplog.rs.bson", "", DumpFileKind.Data, "local", "oplog.rs", false)]
    [InlineData("prelude.json.gz", "", DumpFileKind.Prelude, "", "", true)]
    [InlineData("bot_core/prelude.json", "", DumpFileKind.Prelude, "bot_core", "", false)]
    [InlineData("r/backup-metadata.json", "r", DumpFileKind.BackupMetadata, "", "", false)]
    [InlineData("db/$admin.system.users.bson", "", DumpFileKind.UsersRolesVersion, "db", "$admin.system.users", false)]
    [InlineData("db/%24admin.system.roles.bson.gz", "", DumpFileKind.UsersRolesVersion, "db", "$admin.system.roles", true)]
    [InlineData("admin/system.users.bson", "", DumpFileKind.Data, "admin", "system.users", false)]
    [InlineData("db/x.metadata.bson", "", DumpFileKind.Data, "db", "x.metadata", false)]
    [InlineData("db/.bson", "", DumpFileKind.Other, "db", "", false)]
    [InlineData("db/readme.txt", "", DumpFileKind.Other, "db", "", false)]
    [InlineData("stray.bson", "", DumpFileKind.Other, "", "", false)]
    [InlineData("a/b/c.bson", "", DumpFileKind.Other, "", "", false)]
    [InlineData("other/db/c.bson", "root", DumpFileKind.Other, "", "", false)]
    internal void Files_are_told_by_their_paths(string path, string root, DumpFileKind kind, string database, string collection, bool gzip)
    {
        var file = DumpFile.Classify(path, root);
        Assert.Equal((kind, database, collection, gzip), (file.Kind, file.Database, file.Collection, file.IsGzip));
    }

    [Theory]
    [InlineData("", "bot_core/a.bson", "oplog.bson")]
    [InlineData("mongodb_full_20251118_020000", "mongodb_full_20251118_020000/bot_core/a.bson.gz", "mongodb_full_20251118_020000/backup-metadata.json", "mongodb_full_20251118_020000/")]
    [InlineData("dump", "./dump/oplog.bson", "./dump/db/a.metadata.json", "./dump/db/b.bson")]
    [InlineData("a/b", "a/b/db/c.bson")]
    [InlineData("inc", "inc/oplog.bson", "inc/backup-metadata.json")]
    [InlineData("", "oplog.bson")]
    [InlineData("root", "root/db/oplog.bson", "root/db/oplog.metadata.json", "root/oplog.bson")]
    [InlineData("")]
    public void The_root_is_found_among_the_paths(string root, params string[] paths) => Assert.Equal(root, DumpFile.FindRoot(paths));

    [ToolFact("tar", "xz")]
    public void Every_file_of_the_tools_is_known()
    {
        using var unpacked = new Unpacked("dir-oplog-gzip");
        var paths = Directory.GetFiles(unpacked.Root, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(unpacked.Root, path)).ToList();
        var root = DumpFile.FindRoot(paths);
        Assert.Equal("dir-oplog-gzip", root);
        Assert.All(paths, path => Assert.NotEqual(DumpFileKind.Other, DumpFile.Classify(path, root).Kind));
    }
}
