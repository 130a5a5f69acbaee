using BotCore.Backup.Engine.Archives;
using Xunit;

namespace BotCore.Backup.Engine.Tests;

public sealed class EntryPathTests
{
    [Fact]
    public void Bytes_that_are_not_utf8_are_kept_and_shown_escaped()
    {
        var path = new EntryPath([(byte)'a', 0xE9, (byte)'/', 0x0A, (byte)'b']);

        Assert.Equal("a\\xE9/\\x0Ab", path.ToString());
        Assert.Null(path.ToExactString());
        Assert.False(path.IsUtf8);
        Assert.Equal(5, path.Length);
    }

    [Fact]
    public void Utf8_is_shown_as_it_is()
    {
        var path = new EntryPath("Köln/日本");

        Assert.Equal("Köln/日本", path.ToString());
        Assert.Equal("Köln/日本", path.ToExactString());
    }

    [Fact]
    public void Join_puts_a_slash_between_unless_the_first_is_empty()
    {
        Assert.Equal(new EntryPath("a/b"), new EntryPath("a").Join("b"u8));
        Assert.Equal(new EntryPath("b"), default(EntryPath).Join("b"u8));
    }

    [Fact]
    public void Order_is_by_byte()
    {
        Assert.True(new EntryPath("B") < new EntryPath("a"));
        Assert.True(new EntryPath("a") < new EntryPath([(byte)'a', 0xFF]));
    }
}
