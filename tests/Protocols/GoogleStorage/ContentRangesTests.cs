using System.Globalization;
using BotCore.Backup.Protocols.GoogleStorage;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Protocols.Tests.GoogleStorage;

public sealed class ContentRangesTests
{
    [Theory]
    [InlineData(null, 0L)]
    [InlineData("bytes=0-0", 1L)]
    [InlineData("bytes=0-262143", 262_144L)]
    [InlineData("Bytes=0-41", 42L)]
    [InlineData("bytes=1-41", null)]
    [InlineData("bytes=0-", null)]
    [InlineData("bytes=0--1", null)]
    [InlineData("bytes=0-1,5-6", null)]
    [InlineData("bytes 0-41/42", null)]
    [InlineData("bytes=0-9223372036854775807", null)]
    [InlineData("bytes=0-99999999999999999999", null)]
    [InlineData("", null)]
    public void What_the_server_keeps_is_read(string? header, long? expected) => Assert.Equal(expected, ContentRanges.ParsePersisted(header));

    [Theory]
    [InlineData("bytes 5-9/10", 5L)]
    [InlineData("bytes 0-0/*", 0L)]
    [InlineData("bytes */10", null)]
    [InlineData("bytes -9/10", null)]
    [InlineData("items 5-9/10", null)]
    [InlineData(null, null)]
    public void Where_a_download_begins_is_read(string? header, long? expected) => Assert.Equal(expected, ContentRanges.ParseStart(header));

    [Theory]
    [InlineData(0, 10, 10L, "bytes 0-9/10")]
    [InlineData(262_144, 262_144, null, "bytes 262144-524287/*")]
    [InlineData(0, 0, null, "bytes */*")]
    [InlineData(7, 0, 7L, "bytes */7")]
    public void Parts_are_named(long offset, long count, long? total, string expected) => Assert.Equal(expected, ContentRanges.Format(offset, count, total));

    [Fact]
    public void Texts_at_random_never_crash_and_good_ones_come_back() => Prop.ForAll<string?, NonNegativeInt>((text, last) =>
    {
        _ = ContentRanges.ParsePersisted(text);
        _ = ContentRanges.ParsePersisted("bytes=0-" + text);
        _ = ContentRanges.ParseStart("bytes " + text);
        return ContentRanges.ParsePersisted(string.Create(CultureInfo.InvariantCulture, $"bytes=0-{last.Get}")) == last.Get + 1L
            && ContentRanges.ParseStart(ContentRanges.Format(last.Get, 5, null)) == last.Get;
    }).QuickCheckThrowOnFailure();
}
