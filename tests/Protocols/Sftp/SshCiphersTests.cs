using BotCore.Backup.Protocols.Sftp;
using BotCore.Backup.TestServers;
using Xunit;

namespace BotCore.Backup.Protocols.Tests.Sftp;

[NeedsTools("ssh")]
public sealed class SshCiphersTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ssh-ciphers-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("chacha20-poly1305@openssh.com,aes128-ctr,aes128-gcm@openssh.com,aes256-gcm@openssh.com", "Ciphers=aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes128-ctr")]
    [InlineData("aes256-gcm@openssh.com,aes128-ctr", null)]
    [InlineData("aes128-ctr", null)]
    [InlineData("", null)]
    public void AesGcm_comes_first_and_nothing_is_added_or_lost(string ciphers, string? expected) => Assert.Equal(expected, SshCiphers.Reorder(ciphers));

    [ServerFact]
    public void What_a_configuration_says_of_ciphers_stands()
    {
        var program = SshProcess.Find("ssh")!;
        var silent = Write("silent", "Host *\n  Compression no\n");
        var strict = Write("strict", "Host *\n  Ciphers aes256-ctr\n");

        var free = SshCiphers.Preferred(program, ["-F", silent, "-s", "--", "localhost", "sftp"]);

        // Newer versions have that order by themselves, and some processors have no such instructions.
        if (free is not null)
            Assert.StartsWith("Ciphers=aes128-gcm@openssh.com", free, StringComparison.Ordinal);
        Assert.Null(SshCiphers.Preferred(program, ["-F", strict, "-s", "--", "localhost", "sftp"]));
        Assert.Null(SshCiphers.Preferred(program, ["-F", silent, "-oCiphers=aes256-ctr", "-s", "--", "localhost", "sftp"]));
        Assert.Null(SshCiphers.Preferred(program, ["-F", Path.Combine(_folder.FullName, "missing"), "-s", "--", "localhost", "sftp"]));
    }

    [Fact]
    public void A_program_that_says_nothing_leaves_it_to_ssh() => Assert.Null(SshCiphers.Preferred(Path.Combine(_folder.FullName, "none"), []));

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, text);
        return path;
    }
}
