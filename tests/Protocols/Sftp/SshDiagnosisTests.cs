using BotCore.Backup.Protocols.Sftp;
using Xunit;

namespace BotCore.Backup.Protocols.Tests.Sftp;

/// <summary>The words of OpenSSH 9, as it printed them.</summary>
public sealed class SshDiagnosisTests
{
    [Theory]
    [InlineData(SftpError.HostKeyChanged, "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @", "Host key verification failed.")]
    [InlineData(SftpError.HostKeyUnknown, "No ED25519 host key is known for vault and you have requested strict checking.", "Host key verification failed.")]
    [InlineData(SftpError.LoginRefused, "root@vault: Permission denied (publickey,password).")]
    [InlineData(SftpError.LoginRefused, "Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures", "Disconnected from 10.0.0.1 port 22")]
    [InlineData(SftpError.Unreachable, "ssh: Could not resolve hostname vault: Name or service not known")]
    [InlineData(SftpError.Unreachable, "ssh: connect to host vault port 22: Connection timed out")]
    [InlineData(SftpError.Unreachable, "kex_exchange_identification: Connection closed by remote host", "Connection closed by 127.0.0.1 port 22")]
    [InlineData(SftpError.InvalidOptions, "command-line: line 0: Bad configuration option: nosuchoption")]
    [InlineData(SftpError.InvalidOptions, "Can't open user config file /no/such/config: No such file or directory")]
    [InlineData(SftpError.NotOffered, "subsystem request failed on channel 0")]
    [InlineData(SftpError.NotOffered, "Unable to negotiate with 10.0.0.1 port 22: no matching host key type found. Their offer: ssh-rsa")]
    [InlineData(SftpError.Unreachable)]
    public void The_words_of_ssh_tell_why_it_did_not_come_through(SftpError error, params string[] lines) =>
        Assert.Equal(error, SshDiagnosis.Of("vault", lines, 255, wasEstablished: false, null).Error);

    [Fact]
    public void A_connection_that_stood_is_lost_whatever_ssh_says()
    {
        var lost = SshDiagnosis.Of("vault", ["Timeout, server vault not responding."], 255, wasEstablished: true, null);

        Assert.Equal(SftpError.ConnectionLost, lost.Error);
        Assert.Contains("not responding", lost.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_that_cannot_be_read_is_told_with_the_refusal()
    {
        var refused = SshDiagnosis.Of("vault", ["Load key \"/k\": bad permissions", "root@vault: Permission denied (publickey)."], 255, wasEstablished: false, null);

        Assert.Contains("Load key \"/k\": bad permissions", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Words_are_shortened() => Assert.InRange(SshDiagnosis.Of("vault", [new string('x', 5000)], 255, wasEstablished: false, null).Message.Length, 1, 400);

    [Fact]
    public void No_prompt_no_password_and_strict_host_keys_stand_before_what_the_user_adds()
    {
        var arguments = SshArguments.Of(new SftpOptions { Host = "vault", Port = 2222, User = "backup", KeyFile = "/k", Arguments = ["-oStrictHostKeyChecking=no"] });

        Assert.True(arguments.IndexOf("StrictHostKeyChecking=yes") < arguments.IndexOf("-oStrictHostKeyChecking=no"));
        Assert.Contains("BatchMode=yes", arguments, StringComparer.Ordinal);
        Assert.Contains("NumberOfPasswordPrompts=0", arguments, StringComparer.Ordinal);
        Assert.Equal(["-s", "--", "vault", "sftp"], arguments[^4..], StringComparer.Ordinal);
    }
}
