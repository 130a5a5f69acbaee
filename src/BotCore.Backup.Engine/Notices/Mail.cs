using System.Security.Cryptography.X509Certificates;
using BotCore.Backup.Engine.Configuration;

namespace BotCore.Backup.Engine.Notices;

/// <summary>A letter of plain text. Immutable.</summary>
/// <param name="From">The sender, with or without a name; empty where the mail system is to choose one.</param>
/// <param name="Recipients">To whom, with or without names.</param>
/// <param name="Subject">One line.</param>
/// <param name="Text">Lines ended by LF.</param>
public sealed record NoticeMail(string From, IReadOnlyList<string> Recipients, string Subject, string Text);

/// <summary>How a connection to a mail server is encrypted.</summary>
public enum MailTls
{
    /// <summary>Not at all; only for what stays on this machine.</summary>
    None = 0,

    /// <summary>By STARTTLS where the server offers it.</summary>
    WhenOffered,

    /// <summary>By STARTTLS, and without it nothing is sent.</summary>
    Required,

    /// <summary>From the first byte.</summary>
    Implicit,
}

/// <summary>A mail server. Immutable.</summary>
/// <param name="Host">Its name.</param>
/// <param name="Port">Its port.</param>
/// <param name="Tls">How the connection is encrypted. A certificate is always checked.</param>
public sealed record MailServer(string Host, int Port, MailTls Tls)
{
    /// <summary>The name to log in with; null where nobody logs in.</summary>
    public string? User { get; init; }

    /// <summary>Its password.</summary>
    public Secret? Password { get; init; }

    /// <summary>An authority to trust beside the system's; null where there is none.</summary>
    public X509Certificate2? Trusted { get; init; }
}

/// <summary>Hands letters to a mail server. Stands in the adapters: get one from <see cref="Outside.Adapters.AdapterLoader.Mail"/>. Thread-safe.</summary>
public interface IMailCarrier
{
    /// <summary>
    /// Returns once the server took the letter for every recipient; else throws <see cref="Events.BackupException"/>: LoginFailed, CertificateRejected, NoticeFailed. A login that is refused is never gone on without.
    /// </summary>
    void Send(NoticeMail mail, MailServer server, CancellationToken token);
}
