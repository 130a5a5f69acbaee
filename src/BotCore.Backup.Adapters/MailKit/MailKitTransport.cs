using System.Globalization;
using System.Net.Sockets;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Notices;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace BotCore.Backup.Adapters.MailKit;

/// <summary>Hands letters to mail servers through MailKit. What goes wrong gets the Engine's words; a login that is refused ends it.</summary>
public sealed class MailKitTransport : IMailCarrier
{
    /// <inheritdoc/>
    public void Send(NoticeMail mail, MailServer server, CancellationToken token)
    {
        using var message = Letter(mail);
        using var client = new RecipientClient(server.Trusted);
        var step = Step.Connect;
        try
        {
            client.Connect(server.Host, server.Port, Options(server.Tls), token);
            if (server.User is { } user)
            {
                step = Step.Login;
                // Tokens are no passwords, and a server that prefers them would get ours as one.
                client.AuthenticationMechanisms.Remove("XOAUTH2");
                client.AuthenticationMechanisms.Remove("OAUTHBEARER");
                client.Authenticate(user, server.Password?.Reveal() ?? "", token);
            }

            step = Step.Send;
            client.Send(message, token);
        }
        catch (Exception wrong) when (IsOfMail(wrong))
        {
            throw Told(wrong, step, client, server);
        }

        if (client.Refused.Count > 0)
            throw Refused(client, server, all: false);
        Quit(client, token);
    }

    private static MimeMessage Letter(NoticeMail mail)
    {
        var message = new MimeMessage();
        message.From.Add(MailboxAddress.Parse(mail.From));
        foreach (var recipient in mail.Recipients)
            message.To.Add(MailboxAddress.Parse(recipient));
        message.Subject = mail.Subject;
        // No out-of-office answer is wanted.
        message.Headers.Add("Auto-Submitted", "auto-generated");
        message.Body = new TextPart("plain") { Text = mail.Text };
        return message;
    }

    private static SecureSocketOptions Options(MailTls tls) => tls switch
    {
        MailTls.None => SecureSocketOptions.None,
        MailTls.WhenOffered => SecureSocketOptions.StartTlsWhenAvailable,
        MailTls.Implicit => SecureSocketOptions.SslOnConnect,
        _ => SecureSocketOptions.StartTls,
    };

    private static bool IsOfMail(Exception e) => e is CommandException or ProtocolException or AuthenticationException or SslHandshakeException or SocketException or IOException or NotSupportedException or InvalidOperationException;

    private static BackupException Told(Exception wrong, Step step, RecipientClient client, MailServer server)
    {
        var place = Place(server);
        return wrong switch
        {
            _ when client.Refused.Count > 0 && wrong is SmtpCommandException => Refused(client, server, all: true, wrong),
            SslHandshakeException when client.CertificateWasRefused => new(
                FailureKind.CertificateRejected, $"The certificate of the mail server {place} was not accepted, so nothing was sent.", "Make the certificate's authority known to this machine, or name the server as its certificate does.", place, wrong),
            SslHandshakeException => Failed($"TLS with the mail server {place} failed, so nothing was sent.", "Take the port where TLS begins at once (465) only where the server has it; 587 begins with STARTTLS.", place, wrong),
            AuthenticationException => new(
                FailureKind.LoginFailed, $"The mail server {place} refused the login of {server.User}, so nothing was sent.", "Correct SMTP_USER and the password; some providers want a password for programs.", place, wrong),
            NotSupportedException when step == Step.Login => new(
                FailureKind.LoginFailed, $"The mail server {place} offers no login that is known here, so nothing was sent.", "Take the port for submission (587), or remove SMTP_USER where the server wants no login.", place, wrong),
            NotSupportedException when step == Step.Connect => Failed($"The mail server {place} does not offer STARTTLS, so nothing was sent: a password is never sent in the clear.", "Take a port with TLS (587, or 465), or remove SMTP_USER.", place, wrong),
            SmtpCommandException command => Failed(string.Create(CultureInfo.InvariantCulture, $"The mail server {place} did not take the notice: {(int)command.StatusCode} {OneLine(command.Message)}"), "Correct what the server names, EMAIL_FROM and EMAIL_RECIPIENT first.", place, wrong),
            SocketException socket => Failed($"The mail server {place} could not be reached: {socket.SocketErrorCode}.", "See whether this machine reaches the mail server, and whether SMTP_HOST and SMTP_PORT are right.", place, wrong),
            _ => Failed($"The mail server {place} broke off: {OneLine(wrong.Message)}", "See whether SMTP_HOST and SMTP_PORT are right, and what the server's log says.", place, wrong),
        };
    }

    private static BackupException Refused(RecipientClient client, MailServer server, bool all, Exception? cause = null)
    {
        var names = string.Join("; ", client.Refused.Select(one => $"{one.Address} ({one.Answer})"));
        return Failed($"The mail server {Place(server)} refused {names}.{(all ? "" : " The other recipients got the notice.")}", "Correct EMAIL_RECIPIENT.", Place(server), cause);
    }

    private static BackupException Failed(string message, string advice, string place, Exception? cause) => new(FailureKind.NoticeFailed, message, advice, place, cause);

    private static string Place(MailServer server) => string.Create(CultureInfo.InvariantCulture, $"{server.Host}:{server.Port}");

    internal static string OneLine(string text) => string.Join(' ', text.Split((char[])['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));

    private static void Quit(RecipientClient client, CancellationToken token)
    {
        try
        {
            client.Disconnect(quit: true, token);
        }
        catch (Exception wrong) when (IsOfMail(wrong) || wrong is OperationCanceledException)
        {
            // It has the letter already.
        }
    }

    private enum Step
    {
        Connect,
        Login,
        Send,
    }
}
