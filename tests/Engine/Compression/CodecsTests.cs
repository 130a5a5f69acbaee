using BotCore.Backup.Engine.Compression;
using BotCore.Backup.Engine.Compression.Native;
using BotCore.Backup.Engine.Events;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Compression;

public sealed class CodecsTests
{
    [Theory]
    [InlineData("gzip")]
    [InlineData("GZIP")]
    public void Gzip_is_found_by_name(string name) => Assert.Same(Codecs.Gzip, Codecs.ByName(name));

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

    [Theory]
    [InlineData("gzip", ".gz")]
    [InlineData("bzip2", ".bz2")]
    [InlineData("xz", ".xz")]
    [InlineData("zstd", ".zst")]
    public void A_format_is_known_by_name_and_by_suffix(string name, string suffix)
    {
        Assert.Equal(name, Codecs.NameBySuffix("x.tar" + suffix));
        Assert.Contains(name, Codecs.Names, StringComparer.Ordinal);
    }

    [CodecFact]
    public void Names_are_those_that_answer() => Assert.All(Codecs.Names, name => Assert.Equal(name, Codecs.ByName(name).Name));

    // The libraries of a process are looked for once, so one without them is another process.
    [Theory]
    [InlineData("bzip2", "LIBBZ2", "libbz2-1.0")]
    [InlineData("xz", "LIBLZMA", "liblzma5")]
    [InlineData("zstd", "LIBZSTD", "libzstd1")]
    public void A_library_that_is_not_there_is_missing_and_its_package_named(string name, string library, string package)
    {
        var failure = Codecs.Missing(name).Failure;

        Assert.Equal(FailureKind.CodecMissing, failure.Kind);
        Assert.Contains(package, failure.Advice, StringComparison.Ordinal);
        Assert.Equal(name, failure.Target);
        Assert.Null(NativeLibraryFile.Load("BOTBACKUP_" + library, ["no-such-library.so.77"], handle => (object)handle));
    }
}
