using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using MailKit.Net.Smtp;
using MimeKit;

namespace BotCore.Backup.Adapters.MailKit;

/// <summary>A connection that notes recipients who are refused and goes on with the others, and that checks certificates as the system does, with one more authority where one is given.</summary>
internal sealed class RecipientClient : SmtpClient
{
    private readonly X509Certificate2? _trusted;

    public RecipientClient(X509Certificate2? trusted)
    {
        _trusted = trusted;
        // As HttpClient has it: an authority that cannot be asked about revocation is no reason to keep silent.
        CheckCertificateRevocation = false;
        ServerCertificateValidationCallback = IsAccepted;
    }

    public List<(string Address, string Answer)> Refused { get; } = [];

    public bool CertificateWasRefused { get; private set; }

    protected override void OnRecipientNotAccepted(MimeMessage message, MailboxAddress mailbox, SmtpResponse response) =>
        Refused.Add((mailbox.Address, $"{(int)response.StatusCode} {MailKitTransport.OneLine(response.Response)}"));

    private bool IsAccepted(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None)
            return true;
        var isAccepted = errors == SslPolicyErrors.RemoteCertificateChainErrors && _trusted is not null && certificate is X509Certificate2 offered && IsOf(_trusted, offered, chain);
        CertificateWasRefused |= !isAccepted;
        return isAccepted;
    }

    private static bool IsOf(X509Certificate2 authority, X509Certificate2 offered, X509Chain? chain)
    {
        using var anew = new X509Chain();
        anew.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        anew.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        anew.ChainPolicy.CustomTrustStore.Add(authority);
        if (chain is not null)
        {
            foreach (var element in chain.ChainElements)
                anew.ChainPolicy.ExtraStore.Add(element.Certificate);
        }

        return anew.Build(offered);
    }
}
