using BotCore.Backup.Engine.Configuration;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Configuration;

public sealed class RedactionTests
{
    [Theory]
    [InlineData("mongodb://user:pw@host", "mongodb://user:***@host")]
    [InlineData("mongodb://user:p@w/x@h1:27017,h2/db?replicaSet=r", "mongodb://user:***@h1:27017,h2/db?replicaSet=r")]
    [InlineData("mongodb+srv://user@host/db", "mongodb+srv://user@host/db")]
    [InlineData("mongodb://host/db?tlsCertificateKeyFilePassword=pw&w=1", "mongodb://host/db?tlsCertificateKeyFilePassword=***&w=1")]
    [InlineData("mongodb://host/?authMechanismProperties=AWS_SESSION_TOKEN:pw", "mongodb://host/?authMechanismProperties=***")]
    [InlineData("https://pw@host/x", "https://***@host/x")]
    [InlineData("mongodb://h/?x=pw@y", "mongodb://***@y")]
    [InlineData("user:pw@host", "user:***@host")]
    [InlineData("mongodb://host", "mongodb://host")]
    public void Passwords_are_hidden(string uri, string expected) => Assert.Equal(expected, SecretUri.Redact(uri));

    [Theory]
    [InlineData("https://hooks.test/services/pw", "https://hooks.test/***")]
    [InlineData("https://u:pw@hooks.test:8443?pw", "https://u:***@hooks.test:8443/***")]
    [InlineData("pw", "***")]
    public void Of_a_secret_path_only_the_host_is_shown(string uri, string expected)
    {
        var it = SecretUri.WithSecretPath(uri);

        Assert.Equal((expected, expected, uri), (it.Redacted, $"{it}", it.Reveal()));
    }

    [Fact]
    public void No_secret_appears_in_any_text_of_the_configuration()
    {
        using var folder = new TestFolder();
        folder.Write("pw", "geheim-smtp\nx");
        folder.Write("phrase", "geheim-phrase\n");
        const string Text = "DATABASE_URL='mongodb://bot:geheim-db@h1,h2/bot?tlsCertificateKeyFilePassword=geheim-q'\nSLACK_WEBHOOK=http://hooks.test/geheim-slack\nWEBHOOK_URL=https://hooks.test/geheim-web\n"
            + "HEALTHCHECK_URL=https://hc.test/geheim-ping\nSMTP_PASSWORD_FILE=pw\nSMTP_USER=bot\nGPG_PASSPHRASE_FILE=phrase\nUNKNOWN_TOKEN=geheim-other";
        var it = folder.Load(Text);
        var copy = it with { };

        Assert.Equal("geheim-smtp", it.SmtpPassword!.Reveal());
        Assert.Equal("mongodb://bot:geheim-db@h1,h2/bot?tlsCertificateKeyFilePassword=geheim-q", it.DatabaseUrl!.Reveal());
        Assert.Equal("mongodb://bot:***@h1,h2/bot?tlsCertificateKeyFilePassword=***", it.DatabaseUrl.Redacted);
        var texts = new[] { $"{it}", $"{copy}", $"{it.SmtpPassword} {it.SlackWebhook} {it.Webhook} {it.HealthcheckUrl} {it.DatabaseUrl}" }
            .Concat(it.Settings.Select(setting => $"{setting}"))
            .Concat(it.Check().Select(finding => $"{finding}"))
            .Concat(typeof(BotBackupConfiguration).GetProperties().Where(property => property.GetIndexParameters().Length == 0).Select(property => $"{property.GetValue(it)}"));
        Assert.All(texts, text => Assert.DoesNotContain("geheim", text, StringComparison.Ordinal));
        Assert.Contains("SMTP_PASSWORD=*** (File)", it.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Secrets_are_equal_by_text()
    {
        Assert.Equal(new Secret("a"), new Secret("a"));
        Assert.NotEqual(new Secret("a"), new Secret("b"));
        Assert.Equal("***", new Secret("a").ToString());
    }
}
