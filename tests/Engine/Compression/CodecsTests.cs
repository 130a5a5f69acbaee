using BotCore.Backup.Engine.Compression;
using BotCore.Backup.Engine.Events;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Compression;

public sealed class CodecsTests
{
    [Theory]
    [InlineData("gzip")]
    [InlineData("GZIP")]
    public void Gzip_is_found_by_name(string name) => Assert.Same(Codecs.Gzip, Codecs.ByName(name));

    [Theory]
    [InlineData("bzip2")]
    [InlineData("xz")]
    [InlineData("zstd")]
    public void Formats_of_later_versions_are_missing_and_said_so(string name)
    {
        var failure = Assert.Throws<BackupException>(() => Codecs.ByName(name)).Failure;

        Assert.Equal(FailureKind.CodecMissing, failure.Kind);
        Assert.Contains("gzip only", failure.Message, StringComparison.Ordinal);
        Assert.Equal(name, failure.Target);
    }

    [Fact]
    public void No_codec_has_an_unknown_name()
    {
        var failure = Assert.Throws<BackupException>(() => Codecs.ByName("rar")).Failure;

        Assert.Equal(FailureKind.ConfigurationInvalid, failure.Kind);
        Assert.Contains("gzip", failure.Advice, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(".gz")]
    [InlineData(".tar.gz")]
    [InlineData("config_20251118_040000.tar.gz")]
    public void Gzip_is_found_by_suffix(string suffix) => Assert.Same(Codecs.Gzip, Codecs.BySuffix(suffix));

    [Fact]
    public void A_suffix_of_no_compression_has_no_codec() => Assert.Null(Codecs.BySuffix("x.tar"));

    [Fact]
    public void A_suffix_of_a_later_version_has_a_name_but_no_codec()
    {
        Assert.Equal("xz", Codecs.NameBySuffix("x.tar.xz"));
        var e = Assert.Throws<BackupException>(() => Codecs.BySuffix("x.tar.xz"));
        Assert.Equal(FailureKind.CodecMissing, e.Failure.Kind);
    }

    [Fact]
    public void Names_are_those_that_answer() => Assert.All(Codecs.Names, name => Assert.Equal(name, Codecs.ByName(name).Name));
}
