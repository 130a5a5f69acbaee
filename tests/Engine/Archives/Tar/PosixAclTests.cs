using BotCore.Backup.Engine.Archives.Tar;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Archives.Tar;

public sealed class PosixAclTests
{
    private static readonly AccountNames Accounts = new("root:x:0:0::/:/bin/sh\nalice:x:1001:5::/:/bin/sh\nbroken\n", "staff:x:50:\n");

    // getfattr -e hex of a file after: setfacl -m u:1000:rw-,g:50:r-x,m::rwx
    private const string Binary =
        "02000000" + "01000600ffffffff" + "02000600e8030000" + "04000400ffffffff" + "0800050032000000" + "10000700ffffffff" + "20000000ffffffff";

    private const string Text = "user::rw-,user:1000:rw-,group::r--,group:50:r-x,mask::rwx,other::---";

    [Fact]
    public void The_kernels_form_becomes_text_with_numbers() => Assert.Equal(Text, PosixAcl.ToText(Convert.FromHexString(Binary)));

    [Theory]
    [InlineData(Text)]
    [InlineData("user::rw-\nuser:1000:rw-\ngroup::r--\ngroup:50:r-x\nmask::rwx\nother::---\n")]
    [InlineData("user::rw-,group::r--,other::---,user:nobody-here:rw-:1000,group:staff:r-x:50,mask::rwx")]
    [InlineData("u::6,u:1000:6,g::4,g:staff:5,m:rwx,o:--- # end")]
    [InlineData("default:user::rw-,default:user:1000:rw-,default:group::r--,default:group:50:r-x,default:mask::rwx,default:other::---")]
    public void All_forms_of_the_text_become_the_kernels(string text)
    {
        var binary = PosixAcl.FromText(text, Accounts, out var problem);

        Assert.Null(problem);
        Assert.Equal(Binary, Convert.ToHexStringLower(binary!));
    }

    [Theory]
    [InlineData("user::rwx,user:mallory:rwx,group::r--,other::---", "mallory")]
    [InlineData("user::rwx,group:wheel:rwx", "wheel")]
    [InlineData("user:rwx", "malformed")]
    [InlineData("user::rwxr", "malformed")]
    [InlineData("user::rwz", "malformed")]
    [InlineData("nobody::rwx", "malformed")]
    [InlineData("mask:x:rwx", "malformed")]
    [InlineData(" , ", "no entries")]
    [InlineData("user:4294967295:rwx", "does not know")]
    public void What_cannot_be_told_is_refused_with_the_reason(string text, string reason)
    {
        Assert.Null(PosixAcl.FromText(text, Accounts, out var problem));
        Assert.Contains(reason, problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("02000000")]
    [InlineData("0300000001000600ffffffff")]
    [InlineData("0200000001000600ffffff")]
    [InlineData("0200000001000800ffffffff")]
    [InlineData("0200000003000600ffffffff")]
    [InlineData("020000000100060000000000")]
    [InlineData("0200000002000600ffffffff")]
    [InlineData("0200000020000600ffffffff01000600ffffffff")]
    public void Bytes_that_the_text_could_not_give_back_are_no_text(string binary) => Assert.Null(PosixAcl.ToText(Convert.FromHexString(binary)));
}
