using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Notices;
using BotCore.Backup.Engine.Tests.Configuration;
using BotCore.Backup.Engine.Tests.Stores;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Notices;

/// <summary>How letters go: the server and how far it is trusted, or sendmail.</summary>
public sealed class EmailChannelTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly Carrier _carrier = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("", MailTls.None)]
    [InlineData("SMTP_HOST=mail.test", MailTls.WhenOffered)]
    [InlineData("SMTP_HOST=localhost", MailTls.WhenOffered)]
    [InlineData("SMTP_HOST=mail.test\nSMTP_USER=u\nSMTP_PASSWORD=p", MailTls.Required)]
    [InlineData("SMTP_HOST=localhost.evil.test\nSMTP_USER=u\nSMTP_PASSWORD=p", MailTls.Required)]
    [InlineData("SMTP_HOST=127.0.0.1\nSMTP_USER=u\nSMTP_PASSWORD=p", MailTls.WhenOffered)]
    [InlineData("SMTP_HOST=mail.test\nSMTP_PORT=465", MailTls.Implicit)]
    [InlineData("SMTP_HOST=mail.test\nSMTP_PORT=465\nSMTP_USER=u\nSMTP_PASSWORD=p", MailTls.Implicit)]
    public void A_password_leaves_the_machine_encrypted_or_not_at_all(string text, MailTls tls) =>
        Assert.Equal(tls, EmailChannel.ServerOf(_folder.Load(text)).Tls);

    [Fact]
    public void A_login_without_a_password_is_told_and_nothing_is_sent()
    {
        var told = Tell("SMTP_HOST=mail.test\nSMTP_USER=u");

        Assert.Equal(FailureKind.CredentialsMissing, told.Failure!.Kind);
        Assert.Empty(_carrier.Sent);
    }

    [Fact]
    public void The_server_gets_the_whole_letter()
    {
        Assert.Null(Tell("SMTP_HOST=mail.test\nSMTP_PORT=587\nEMAIL_FROM='BotCore <backup@botcore.test>'").Failure);

        var (mail, server) = Assert.Single(_carrier.Sent);
        Assert.Equal(("mail.test", 587), (server.Host, server.Port));
        Assert.Equal("BotCore <backup@botcore.test>", mail.From);
        Assert.Equal(["a@b.test", "c@d.test"], mail.Recipients, StringComparer.Ordinal);
        Assert.Equal("FAILED prod-1 Invoke-BotBackup: MongoDb a in local", mail.Subject);
        Assert.Contains("- StoreFull: The store is full. Make room.", mail.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_the_server_does_nothing_is_thrown()
    {
        _carrier.Wrong = new InvalidOperationException("pw-geheim");
        var failure = Tell("SMTP_HOST=mail.test\nSMTP_USER=u\nSMTP_PASSWORD=pw-geheim").Failure!;
        Assert.Equal(FailureKind.NoticeFailed, failure.Kind);
        Assert.DoesNotContain("geheim", $"{failure}", StringComparison.Ordinal);

        _carrier.Wrong = new BackupException(FailureKind.LoginFailed, "The password pw-geheim is wrong.", "Do not say pw-geheim.");
        failure = Tell("SMTP_HOST=mail.test\nSMTP_USER=u\nSMTP_PASSWORD=pw-geheim").Failure!;
        Assert.Equal(FailureKind.LoginFailed, failure.Kind);
        Assert.DoesNotContain("geheim", $"{failure}", StringComparison.Ordinal);
    }

    [Fact]
    public void Sendmail_gets_the_letter_on_its_input_and_no_recipient_among_its_arguments()
    {
        if (OperatingSystem.IsWindows())
            return;
        var program = Program("printf '%s\\n' \"$@\" > \"$(dirname \"$0\")/arguments\"\ncat > \"$(dirname \"$0\")/letter\"");
        Assert.Null(Tell("EMAIL_FROM='Böt <backup@botcore.test>'", program).Failure);

        Assert.Equal(["-t", "-i", "-f", "backup@botcore.test"], File.ReadAllLines(Path.Combine(_folder.Path, "arguments")), StringComparer.Ordinal);
        var letter = File.ReadAllText(Path.Combine(_folder.Path, "letter")).Split("\n\n", 2);
        Assert.Equal(
            ["From: =?utf-8?B?QsO2dA==?= <backup@botcore.test>", "To: a@b.test,", " c@d.test", "Subject: FAILED prod-1 Invoke-BotBackup: MongoDb a in local", "Auto-Submitted: auto-generated", "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 7bit"],
            letter[0].Split('\n'), StringComparer.Ordinal);
        Assert.Contains("What failed:\n", letter[1], StringComparison.Ordinal);
        Assert.Empty(_carrier.Sent);
    }

    [Fact]
    public void Sendmail_that_fails_is_told()
    {
        if (OperatingSystem.IsWindows())
            return;
        var failure = Tell("", Program("cat >/dev/null; echo 'queue file write error' >&2; exit 75")).Failure!;

        Assert.Equal(FailureKind.NoticeFailed, failure.Kind);
        Assert.Contains("ended with 75: queue file write error", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_sendmail_the_machines_own_server_is_asked()
    {
        Assert.Null(Tell("", Path.Combine(_folder.Path, "absent")).Failure);
        Assert.Equal(("localhost", 25), (_carrier.Sent[0].Server.Host, _carrier.Sent[0].Server.Port));
        Assert.Contains('@', _carrier.Sent[0].Mail.From);
    }

    [Fact]
    public void No_header_can_be_slipped_in_and_what_is_not_ascii_arrives_whole()
    {
        var letter = Sendmail.Letter(new NoticeMail("a@b.test", ["Ünï <c@d.test>"], "Größe: " + new string('ü', 100), "zwölf\n.\n"));
        var (head, body) = (letter.Split("\n\n")[0], letter.Split("\n\n", 2)[1]);

        Assert.All(head.Split('\n'), line => Assert.True(line.Length <= 78 && line.All(char.IsAscii), line));
        Assert.Equal("zwölf\n.\n", System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(body)));
        Assert.Equal("a b: c", NoticeText.OneLine("a\r\nb:\nc"));
    }

    private string Program(string script) => _folder.Write("sendmail", "#!/bin/sh\n" + script + "\n", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

    private RunTelling Tell(string settings, string sendmail = "/absent")
    {
        var seams = new NoticeSeams { Sendmail = sendmail, Mail = () => _carrier, TimeLimit = TimeSpan.FromSeconds(10) };
        var sender = NoticeSender.From(_folder.Load("LOG_DIR=logs\nEMAIL_RECIPIENT=a@b.test,c@d.test\n" + settings), new LeapingClock(), seams)!;
        return Assert.Single(sender.Tell(Runs.Of(Runs.Night, Runs.Bad("a")), CancellationToken.None));
    }

    private sealed class Carrier : IMailCarrier
    {
        public List<(NoticeMail Mail, MailServer Server)> Sent { get; } = [];

        public Exception? Wrong { get; set; }

        public void Send(NoticeMail mail, MailServer server, CancellationToken token)
        {
            if (Wrong is not null)
                throw Wrong;
            Sent.Add((mail, server));
        }
    }
}
