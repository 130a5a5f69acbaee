using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Notices;

/// <summary>Letters, by the mail server that is configured; else by sendmail, where it is; else by the mail server of this machine.</summary>
internal sealed class EmailChannel(BotBackupConfiguration settings, string sendmail, Func<IMailCarrier> transport, TimeSpan limit, X509Certificate2? trusted) : INoticeChannel
{
    private const int ImplicitTlsPort = 465;

    public string Name => "email";

    public void Send(Notice notice, CancellationToken token)
    {
        var mail = new NoticeMail(settings.EmailFrom ?? "", settings.EmailRecipients, NoticeText.OneLine(notice.Subject), notice.Text);
        if (settings.SmtpHost is null && File.Exists(sendmail))
        {
            Sendmail.Send(sendmail, mail, token);
            return;
        }

        if (mail.From.Length == 0)
            mail = mail with { From = $"{Environment.UserName}@{Environment.MachineName}" };
        var server = ServerOf(settings) with { Trusted = trusted };
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(token);
        limited.CancelAfter(limit);
        try
        {
            transport().Send(mail, server, limited.Token);
        }
        catch (OperationCanceledException)
        {
            token.ThrowIfCancellationRequested();
            throw new BackupException(
                FailureKind.NoticeFailed,
                string.Create(CultureInfo.InvariantCulture, $"The mail server {server.Host}:{server.Port} did not take the notice within {limit.TotalSeconds:0.#} seconds."),
                "See whether this machine reaches the mail server, and whether SMTP_HOST and SMTP_PORT are right.",
                server.Host);
        }
    }

    /// <summary>The server, and how much it may be trusted with: a password leaves this machine encrypted or not at all.</summary>
    internal static MailServer ServerOf(BotBackupConfiguration settings)
    {
        var host = settings.SmtpHost ?? "localhost";
        if (settings.SmtpUser is not null && settings.SmtpPassword is null)
            throw new BackupException(FailureKind.CredentialsMissing, $"SMTP_USER is set, and there is no password for {host}.", "Set SMTP_PASSWORD_FILE.", host);
        var isLocal = IsLoopback(host);
        var tls = settings.SmtpPort == ImplicitTlsPort ? MailTls.Implicit
            : settings.SmtpUser is not null && !isLocal ? MailTls.Required
            // The machine's own server has a certificate that nobody signed, and nothing leaves the machine.
            : settings.SmtpUser is null && settings.SmtpHost is null ? MailTls.None
            : MailTls.WhenOffered;
        return new MailServer(host, settings.SmtpPort, tls) { User = settings.SmtpUser, Password = settings.SmtpUser is null ? null : settings.SmtpPassword };
    }

    private static bool IsLoopback(string host) =>
        string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase) || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));
}
