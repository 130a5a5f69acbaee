using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Loader;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Journal;
using BotCore.Backup.Engine.Notices;
using BotCore.Backup.Engine.Outside.Adapters;
using BotCore.Backup.TestServers;
using Xunit;

namespace BotCore.Backup.Adapters.Tests.MailKit;

/// <summary>Letters to a real postfix.</summary>
[NeedsTools("postfix", "dovecot", "/usr/lib/postfix/sbin/master", AsRoot = true)]
public sealed class MailKitTransportTests(MailKitTransportTests.Place place) : IClassFixture<MailKitTransportTests.Place>
{
    private const string Text = "MongoDb all in local: Failed.\n.\nFrom here on: ünïcode.\n";

    private PostfixServer Postfix => place.Postfix;

    [ServerFact]
    public void A_letter_arrives_after_a_login_under_STARTTLS()
    {
        var subject = $"FAILED prod-é Invoke-BotBackup {Guid.NewGuid():N}";
        Send(Login(), subject, PostfixServer.Admin, $"The boss <{PostfixServer.Boss}>");

        var letters = Mine(subject, 2);
        Assert.All(letters, letter =>
        {
            Assert.Contains("From: BotCore <backup@botcore.test>", letter, StringComparison.Ordinal);
            Assert.Contains("auto-generated", letter, StringComparison.Ordinal);
            Assert.Contains("with ESMTPSA", letter, StringComparison.Ordinal);
            Assert.Equal(Text.TrimEnd(), Body(letter).TrimEnd());
        });
    }

    [ServerTheory]
    [InlineData(PostfixServer.Password, null)]
    [InlineData("wrong-geheim", FailureKind.LoginFailed)]
    public void A_run_that_fails_arrives_as_the_settings_say_or_is_told_why_not(string password, FailureKind? kind)
    {
        var id = Guid.NewGuid().ToString("N");
        var settings = BotBackupConfiguration.Load(null, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["EMAIL_RECIPIENT"] = PostfixServer.Admin,
            ["EMAIL_FROM"] = "backup@botcore.test",
            ["SMTP_HOST"] = "localhost",
            ["SMTP_PORT"] = Postfix.LoginPort.ToString(CultureInfo.InvariantCulture),
            ["SMTP_USER"] = PostfixServer.User,
            ["SMTP_PASSWORD"] = password,
        });
        var run = new BotBackupRun { RunId = id, Command = "Invoke-BotBackup", Kind = RunKind.Backup, Host = id, Started = DateTimeOffset.UtcNow, Ended = DateTimeOffset.UtcNow, Failures = [new Failure(FailureKind.StoreFull, "The store is full.", "Make room.")] };
        var telling = Assert.Single(NoticeSender.From(settings, TimeProvider.System, new NoticeSeams { TrustedOfMail = Postfix.Certificate })!.Tell(run, CancellationToken.None));

        Assert.Equal("email", telling.Channel);
        Assert.Equal(kind, telling.Failure?.Kind);
        Assert.DoesNotContain("geheim", $"{telling.Failure} {telling.Failure?.Cause}", StringComparison.Ordinal);
        if (kind is not null)
            return;
        var letter = Assert.Single(Mine(id, 1));
        Assert.Contains($"Subject: FAILED {id} Invoke-BotBackup", letter, StringComparison.Ordinal);
        Assert.Contains("- StoreFull: The store is full. Make room.", Body(letter), StringComparison.Ordinal);
    }

    [ServerFact]
    public void A_login_that_is_refused_ends_it()
    {
        var failure = Refused(Login() with { Password = new Secret("wrong-geheim") }, PostfixServer.Admin);

        Assert.Equal(FailureKind.LoginFailed, failure.Kind);
        Assert.Contains("bot", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("geheim", $"{failure} {failure.Cause}", StringComparison.Ordinal);
    }

    [ServerFact]
    public void A_password_is_never_sent_in_the_clear()
    {
        var failure = Refused(Login() with { Port = Postfix.PlainPort }, PostfixServer.Admin);

        Assert.Equal(FailureKind.NoticeFailed, failure.Kind);
        Assert.Contains("STARTTLS", failure.Message, StringComparison.Ordinal);
    }

    [ServerFact]
    public void A_server_without_logins_is_no_anonymous_one()
    {
        var failure = Refused(Login() with { Port = Postfix.PlainPort, Tls = MailTls.WhenOffered }, PostfixServer.Admin);

        Assert.Equal(FailureKind.LoginFailed, failure.Kind);
    }

    [ServerFact]
    public void Without_a_login_the_server_that_wants_one_refuses() =>
        Assert.Equal(FailureKind.NoticeFailed, Refused(Login() with { User = null, Password = null }, PostfixServer.Admin).Kind);

    [ServerFact]
    public void A_certificate_that_nobody_trusts_or_of_another_name_is_refused()
    {
        Assert.Equal(FailureKind.CertificateRejected, Refused(Login() with { Trusted = null }, PostfixServer.Admin).Kind);
        Assert.Equal(FailureKind.CertificateRejected, Refused(Login() with { Host = "127.0.0.1" }, PostfixServer.Admin).Kind);
    }

    [ServerFact]
    public void Tls_from_the_first_byte_and_none_at_all_work_too()
    {
        var subject = $"GOOD {Guid.NewGuid():N}";
        Send(Login() with { Port = Postfix.TlsPort, Tls = MailTls.Implicit }, subject, PostfixServer.Admin);
        Send(new MailServer("localhost", Postfix.PlainPort, MailTls.None), subject, PostfixServer.Admin);

        Assert.Equal(2, Mine(subject, 2).Count);
    }

    [ServerFact]
    public void A_recipient_who_is_refused_is_told_and_the_others_get_it()
    {
        var subject = $"GOOD {Guid.NewGuid():N}";
        var wrong = Assert.Throws<BackupException>(() => Send(Login() with { Port = Postfix.TlsPort, Tls = MailTls.Implicit }, subject, "nobody@example.test", PostfixServer.Boss)).Failure;

        Assert.Equal(FailureKind.NoticeFailed, wrong.Kind);
        Assert.Contains("nobody@example.test (550", wrong.Message, StringComparison.Ordinal);
        Assert.Single(Mine(subject, 1));
        var all = Refused(Login() with { Port = Postfix.TlsPort, Tls = MailTls.Implicit }, "nobody@example.test");
        Assert.Contains("nobody@example.test (550", all.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("other recipients", all.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_server_that_is_not_there_is_told()
    {
        var failure = Assert.Throws<BackupException>(() => AdapterLoader.Mail().Send(new NoticeMail("a@b.test", ["c@d.test"], "s", "t"), new MailServer("localhost", 1, MailTls.None), CancellationToken.None)).Failure;

        Assert.Equal(FailureKind.NoticeFailed, failure.Kind);
        Assert.Contains("localhost:1", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_server_that_says_nothing_is_left_when_time_is_up()
    {
        using var mute = new TcpListener(IPAddress.Loopback, 0);
        mute.Start();
        using var limit = new CancellationTokenSource(100);
        var server = new MailServer("127.0.0.1", ((IPEndPoint)mute.LocalEndpoint).Port, MailTls.WhenOffered);

        Assert.ThrowsAny<OperationCanceledException>(() => AdapterLoader.Mail().Send(new NoticeMail("a@b.test", ["c@d.test"], "s", "t"), server, limit.Token));
    }

    [Fact]
    public void The_packages_stay_in_the_context_of_the_adapters()
    {
        var carrier = AdapterLoader.Mail();
        Assert.Throws<BackupException>(() => carrier.Send(new NoticeMail("a@b.test", ["c@d.test"], "s", "t"), new MailServer("localhost", 1, MailTls.None), CancellationToken.None));

        var loaded = AppDomain.CurrentDomain.GetAssemblies().Where(assembly => assembly.GetName().Name is "MailKit" or "MimeKit").ToList();
        Assert.Equal(2, loaded.Count);
        Assert.All(loaded, assembly => Assert.Same(AssemblyLoadContext.GetLoadContext(carrier.GetType().Assembly), AssemblyLoadContext.GetLoadContext(assembly)));
        Assert.NotSame(AssemblyLoadContext.Default, AssemblyLoadContext.GetLoadContext(carrier.GetType().Assembly));
    }

    private MailServer Login() => new("localhost", Postfix.LoginPort, MailTls.Required) { User = PostfixServer.User, Password = new Secret(PostfixServer.Password), Trusted = Postfix.Certificate };

    private static void Send(MailServer server, string subject, params string[] recipients) =>
        AdapterLoader.Mail().Send(new NoticeMail("BotCore <backup@botcore.test>", recipients, subject, Text), server, CancellationToken.None);

    private static Failure Refused(MailServer server, params string[] recipients) => Assert.Throws<BackupException>(() => Send(server, "never", recipients)).Failure;

    private IReadOnlyList<string> Mine(string subject, int count)
    {
        var id = subject[^32..];
        for (var all = count; ; all++)
        {
            var mine = Postfix.Letters(all).Where(letter => letter.Contains(id, StringComparison.Ordinal) || Encoded(letter).Contains(id, StringComparison.Ordinal)).ToList();
            if (mine.Count >= count)
                return mine;
        }
    }

    // Enough of MIME for what is looked for.
    private static string Encoded(string letter) => string.Concat(letter.Split("=?utf-8?").Skip(1).Select(word => word.Split('?')).Where(parts => parts.Length > 1)
        .Select(parts => parts[0] is "b" or "B" ? System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(parts[1])) : parts[1]));

    private static string Body(string letter)
    {
        var parts = letter.ReplaceLineEndings("\n").Split("\n\n", 2);
        if (parts[0].Contains("base64", StringComparison.OrdinalIgnoreCase))
            return System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(parts[1].Replace("\n", "", StringComparison.Ordinal))).ReplaceLineEndings("\n");
        if (!parts[0].Contains("quoted-printable", StringComparison.OrdinalIgnoreCase))
            return parts[1];
        var bytes = new List<byte>();
        var text = parts[1].Replace("=\n", "", StringComparison.Ordinal);
        for (var at = 0; at < text.Length; at++)
        {
            bytes.Add(text[at] == '=' ? Convert.ToByte(text.Substring(at + 1, 2), 16) : (byte)text[at]);
            at += text[at] == '=' ? 2 : 0;
        }

        return System.Text.Encoding.UTF8.GetString([.. bytes]);
    }

    /// <summary>One server for the class, where it can run.</summary>
    public sealed class Place : IDisposable
    {
        private readonly Lazy<PostfixServer> _postfix = new(() => new PostfixServer());

        internal PostfixServer Postfix => _postfix.Value;

        public void Dispose()
        {
            if (_postfix.IsValueCreated)
                _postfix.Value.Dispose();
        }
    }
}
