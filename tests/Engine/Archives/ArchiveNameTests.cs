using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Components;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Archives;

public sealed class ArchiveNameTests
{
    private static readonly Gen<ArchiveName> Names =
        from component in Gen.Elements(Component.Config, Component.Volume, Component.Model, Component.MongoDb)
        from type in Gen.Elements(BackupType.Full, BackupType.Snapshot, BackupType.Incremental)
        from letters in Gen.Elements("redis_data", "a", "a.b-c", "x_20250101_000000", "config", "llama-3_8b").ArrayOf(1)
        from seconds in Gen.Choose(0, int.MaxValue)
        from suffix in Gen.Elements(".tar", ".tar.gz", ".tar.gz.gpg", ".tar.zst.gpg", ".tar.xz", ".tar.bz2")
        from attempt in Gen.Choose(1, 20)
        select ArchiveName.Create(component, component == Component.Config ? "config" : letters[0], type, DateTimeOffset.UnixEpoch.AddSeconds(seconds), suffix, attempt);

    [Fact]
    public void A_name_is_read_back_from_its_key() => Prop.ForAll(Names.ToArbitrary(), name =>
        ArchiveName.TryParse(name.Key, out var read) && Same(read.FileName, name.FileName) && read.Taken == name.Taken && Same(read.Suffix, name.Suffix) && read.Type == name.Type
        && (name.Type == BackupType.Snapshot || read.Component == name.Component)
        && (name.Type == BackupType.Snapshot || name.Component == Component.MongoDb || Same(read.Name, name.Name))).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("config/config_20251118_030000.tar.gz", Component.Config, BackupType.Full)]
    [InlineData("mongodb/2025/11/mongodb_full_20251118_020000.tar.gz.gpg", Component.MongoDb, BackupType.Full)]
    [InlineData("mongodb_incremental_20251118_020000.tar.gz", Component.MongoDb, BackupType.Incremental)]
    [InlineData("volumes/redis_data_20251118_030000.tar.gz", Component.Volume, BackupType.Full)]
    [InlineData("pre-restore-snapshots/pre_restore_20251118_030000_2.tar.gz", Component.Config, BackupType.Snapshot)]
    [InlineData("redis_data_20251118_030000.tar.gz", Component.Unknown, BackupType.Unknown)]
    public void Known_names_tell_component_and_type(string key, Component component, BackupType type)
    {
        Assert.True(ArchiveName.TryParse(key, out var name));
        Assert.Equal((component, type), (name.Component, name.Type));
        Assert.Equal(TimeSpan.Zero, name.Taken.Offset);
    }

    [Theory]
    [InlineData("")]
    [InlineData("config/")]
    [InlineData("config/config.tar.gz")]
    [InlineData("config/config_20251318_030000.tar.gz")]
    [InlineData("config/config_20251118_250000.tar.gz")]
    [InlineData("config/config_20251118_030000.tar.gz.index")]
    [InlineData("config/config_20251118_030000.tar.gz.gpg.manifest.json")]
    [InlineData("config/config_20251118_030000.zip")]
    [InlineData("elsewhere/config_20251118_030000.tar.gz")]
    [InlineData("config/_20251118_030000.tar.gz")]
    public void Other_names_are_none_of_ours(string key) => Assert.False(ArchiveName.TryParse(key, out _));

    [Fact]
    public void No_text_makes_it_throw() =>
        Prop.ForAll<NonNull<string>>(text => ArchiveName.TryParse(text.Get, out _) || true).QuickCheckThrowOnFailure();

    private static bool Same(string one, string other) => string.Equals(one, other, StringComparison.Ordinal);
}
