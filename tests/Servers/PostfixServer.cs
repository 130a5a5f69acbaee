using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace BotCore.Backup.TestServers;

/// <summary>
/// A real postfix on loopback, whose logins dovecot knows: one port without TLS, one with STARTTLS that wants a login, one where TLS begins at once. What it takes it puts into a folder. Needs postfix, dovecot and root. Disposing
/// ends it and removes what it made. One thread.
/// </summary>
public sealed class PostfixServer : IDisposable
{
    /// <summary>A login that is let in.</summary>
    public const string User = "bot";

    /// <summary>Its password.</summary>
    public const string Password = "right-geheim";

    /// <summary>Addresses that it knows; of example.test no other.</summary>
    public const string Admin = "admin@example.test";

    /// <summary>The other one.</summary>
    public const string Boss = "boss@example.test";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("mail-");
    private readonly List<Process> _processes = [];

    /// <summary>Starts it.</summary>
    public PostfixServer()
    {
        try
        {
            if (!OperatingSystem.IsWindows())
                _folder.UnixFileMode |= UnixFileMode.GroupExecute | UnixFileMode.OtherExecute | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
            foreach (var name in new[] { "conf", "queue", "data", "mail", "auth" })
                _folder.CreateSubdirectory(name);
            Run("chown", ["postfix", In("data")]);
            Run("chown", ["nobody", In("mail")]);
            Certificate = MakeCertificate();
            (PlainPort, LoginPort, TlsPort) = FreePorts();
            StartDovecot();
            StartPostfix();
            foreach (var port in new[] { PlainPort, LoginPort, TlsPort })
                AwaitPort(port);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The port without TLS and without login.</summary>
    public int PlainPort { get; }

    /// <summary>The port with STARTTLS, which takes letters only after a login, and that only under TLS.</summary>
    public int LoginPort { get; }

    /// <summary>The port where TLS begins at once.</summary>
    public int TlsPort { get; }

    /// <summary>Its certificate, for localhost, signed by itself.</summary>
    public X509Certificate2? Certificate { get; }

    /// <summary>What postfix has logged.</summary>
    public string Log => File.Exists(In("log")) ? File.ReadAllText(In("log")) : "";

    /// <summary>The letters that it took, once there are <paramref name="count"/>.</summary>
    public IReadOnlyList<string> Letters(int count)
    {
        var end = Environment.TickCount64 + (long)Limit.TotalMilliseconds;
        while (true)
        {
            var folder = In("mail/all/new");
            var files = Directory.Exists(folder) ? Directory.GetFiles(folder) : [];
            if (files.Length >= count)
                return [.. files.Select(File.ReadAllText)];
            if (Environment.TickCount64 > end)
                throw new TimeoutException($"There are {files.Length} letters, not {count}: {Log}");
            Thread.Sleep(10);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var process in _processes)
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            process.Dispose();
        }

        _processes.Clear();
        Certificate?.Dispose();
        _folder.Delete(recursive: true);
    }

    private string In(string name) => Path.Combine(_folder.FullName, name);

    private void StartDovecot()
    {
        File.WriteAllText(In("auth/users"), $"{User}:{{PLAIN}}{Password}\n");
        File.WriteAllText(In("auth/dovecot.conf"), $$"""
            base_dir = {{In("auth/run")}}
            state_dir = {{In("auth/state")}}
            log_path = {{In("auth/log")}}
            protocols =
            ssl = no
            auth_mechanisms = plain login
            auth_failure_delay = 0
            passdb {
              driver = passwd-file
              args = {{In("auth/users")}}
            }
            userdb {
              driver = static
              args = uid=65534 gid=65534 home=/nonexistent
            }
            service anvil {
              unix_listener anvil-auth-penalty {
                mode = 0
              }
            }
            service auth {
              unix_listener {{In("auth/socket")}} {
                mode = 0666
              }
            }

            """);
        Start("dovecot", ["-F", "-c", In("auth/dovecot.conf")]);
    }

    private void StartPostfix()
    {
        File.WriteAllText(In("conf/main.cf"), $$"""
            compatibility_level = 3.6
            queue_directory = {{In("queue")}}
            data_directory = {{In("data")}}
            command_directory = /usr/sbin
            daemon_directory = /usr/lib/postfix/sbin
            maillog_file = {{In("log")}}
            maillog_file_prefixes = {{_folder.FullName}}
            myhostname = mail.example.test
            mydestination =
            mynetworks =
            alias_maps =
            inet_interfaces = 127.0.0.1
            inet_protocols = ipv4
            virtual_mailbox_domains = example.test
            virtual_mailbox_base = {{In("mail")}}
            virtual_mailbox_maps = inline:{ { {{Admin}} = all/ }, { {{Boss}} = all/ } }
            virtual_uid_maps = static:65534
            virtual_gid_maps = static:65534
            smtpd_relay_restrictions = reject_unauth_destination
            smtpd_error_sleep_time = 0
            smtpd_peername_lookup = no
            in_flow_delay = 0
            smtpd_sasl_type = dovecot
            smtpd_sasl_path = {{In("auth/socket")}}
            smtpd_tls_chain_files = {{In("key.pem")}}, {{In("cert.pem")}}

            """);
        File.WriteAllText(In("conf/master.cf"), string.Create(CultureInfo.InvariantCulture, $"""
            127.0.0.1:{PlainPort} inet n - n - - smtpd -o smtpd_tls_security_level=none
            127.0.0.1:{LoginPort} inet n - n - - smtpd -o smtpd_tls_security_level=may -o smtpd_tls_auth_only=yes -o smtpd_sasl_auth_enable=yes -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
            127.0.0.1:{TlsPort} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes -o smtpd_sasl_auth_enable=yes
            pickup unix n - n 60 1 pickup
            cleanup unix n - n - 0 cleanup
            qmgr unix n - n 300 1 qmgr
            tlsmgr unix - - n 1000? 1 tlsmgr
            rewrite unix - - n - - trivial-rewrite
            bounce unix - - n - 0 discard
            defer unix - - n - 0 bounce
            trace unix - - n - 0 bounce
            proxymap unix - - n - - proxymap
            virtual unix - n n - - virtual
            error unix - - n - - error
            retry unix - - n - - error
            anvil unix - - n - 1 anvil
            postlog unix-dgram n - n - 1 postlogd

            """));
        // What "postfix check" would make, in a twentieth of its time.
        Run("install", ["-d", "-o", "postfix", "-m", "700", .. new[] { "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "maildrop", "private", "public", "saved", "trace" }.Select(name => In("queue/" + name))]);
        Directory.CreateDirectory(In("queue/pid"));
        Start("/usr/lib/postfix/sbin/master", ["-d", "-c", In("conf")]);
    }

    private X509Certificate2 MakeCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(2));
        File.WriteAllText(In("key.pem"), key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(In("cert.pem"), certificate.ExportCertificatePem());
        return certificate;
    }

    private static (int First, int Second, int Third) FreePorts()
    {
        var probes = Enumerable.Range(0, 3).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        try
        {
            probes.ForEach(probe => probe.Start());
            var ports = probes.ConvertAll(probe => ((IPEndPoint)probe.LocalEndpoint).Port);
            return (ports[0], ports[1], ports[2]);
        }
        finally
        {
            probes.ForEach(probe => probe.Dispose());
        }
    }

    private static void AwaitPort(int port)
    {
        var end = Environment.TickCount64 + (long)Limit.TotalMilliseconds;
        while (true)
        {
            using var client = new TcpClient();
            try
            {
                client.Connect(IPAddress.Loopback, port);
                return;
            }
            catch (SocketException) when (Environment.TickCount64 < end)
            {
                Thread.Sleep(10);
            }
        }
    }

    private void Start(string program, IEnumerable<string> arguments) =>
        _processes.Add(Process.Start(new ProcessStartInfo(NeedsToolsAttribute.Find(program) ?? program, arguments) { UseShellExecute = false, RedirectStandardInput = true })!);

    private static void Run(string program, IEnumerable<string> arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(NeedsToolsAttribute.Find(program) ?? program, arguments) { UseShellExecute = false, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program}: {errors}");
    }
}
