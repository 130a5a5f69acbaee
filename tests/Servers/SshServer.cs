using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace BotCore.Backup.TestServers;

/// <summary>
/// A real sshd on a loopback port, with keys of its own and SFTP for whoever holds <see cref="KeyFile"/>. Needs sshd, ssh and ssh-keygen; other users than one's own need root.
/// Disposing ends it with all its sessions and removes what it made. One thread.
/// </summary>
public sealed class SshServer : IDisposable
{
    private const string Alias = "botbackup-test-server";
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sshd-");
    private readonly string? _subsystem;
    private Process? _process;

    /// <summary>Starts it.</summary>
    /// <param name="subsystem">What answers to sftp: sshd itself, the path of a server, or nothing.</param>
    public SshServer(string? subsystem = "internal-sftp")
    {
        _subsystem = subsystem;
        try
        {
            // The keys that are let in are read as the user who comes, who is not always the one that runs the tests.
            if (!OperatingSystem.IsWindows())
                _folder.UnixFileMode |= UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
            MakeKey(KeyFile);
            MakeKey(StrangerKeyFile);
            MakeKey(HostKeyFile);
            File.Copy(KeyFile + ".pub", In("authorized_keys"));
            Directory.CreateDirectory(Files);
            Know();
            using (var probe = new TcpListener(IPAddress.Loopback, 0))
            {
                probe.Start();
                Port = ((IPEndPoint)probe.LocalEndpoint).Port;
            }

            Start();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Its port on loopback.</summary>
    public int Port { get; }

    /// <summary>The user that the tests run as.</summary>
    public static string User => Environment.UserName;

    /// <summary>A private key that is let in.</summary>
    public string KeyFile => In("key");

    /// <summary>A private key that is not.</summary>
    public string StrangerKeyFile => In("stranger");

    /// <summary>The server's private host key.</summary>
    public string HostKeyFile => In("host_key");

    /// <summary>A known_hosts file with the host key that the server had at first.</summary>
    public string KnownHostsFile => In("known_hosts");

    /// <summary>A folder for what is stored.</summary>
    public string Files => In("files");

    /// <summary>Arguments that make ssh know this server, whatever port leads there, and nothing else.</summary>
    public string[] Arguments => ["-F", "none", "-o", $"UserKnownHostsFile={KnownHostsFile}", "-o", "GlobalKnownHostsFile=/dev/null", "-o", $"HostKeyAlias={Alias}", "-o", "IdentityAgent=none"];

    /// <summary>What sshd has printed.</summary>
    public string Log => File.Exists(In("log")) ? File.ReadAllText(In("log")) : "";

    /// <summary>Starts it again, on its port.</summary>
    public void Start()
    {
        if (Environment.IsPrivilegedProcess)
            Directory.CreateDirectory("/run/sshd");
        File.WriteAllLines(In("config"), [
            $"Port {Port}", "ListenAddress 127.0.0.1", $"HostKey {HostKeyFile}", "PidFile none", "UsePAM no", "StrictModes no", "PermitRootLogin yes", "PasswordAuthentication no",
            "KbdInteractiveAuthentication no", $"AuthorizedKeysFile {In("authorized_keys")}", _subsystem is null ? "" : $"Subsystem sftp {_subsystem}", "MaxStartups 100", "MaxSessions 100", "UseDNS no", "PrintMotd no", "LogLevel VERBOSE",
        ]);
        var start = new ProcessStartInfo(NeedsToolsAttribute.Find("sshd")!, ["-D", "-e", "-f", In("config")]) { RedirectStandardError = true, UseShellExecute = false };
        _process = Process.Start(start)!;
        var listens = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is null)
            {
                listens.TrySetException(new InvalidOperationException("sshd ended: " + Log));
                return;
            }

            lock (_folder)
            {
                if (_folder.Exists)
                    File.AppendAllText(In("log"), line.Data + "\n");
            }

            if (line.Data.StartsWith("Server listening on", StringComparison.Ordinal))
                listens.TrySetResult();
        };
        _process.BeginErrorReadLine();
        if (!listens.Task.Wait(StartLimit))
            throw new TimeoutException("sshd does not listen: " + Log);
    }

    /// <summary>Ends it, and every session.</summary>
    public void Stop()
    {
        if (_process is null)
            return;
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
        _process = null;
    }

    /// <summary>Comes back with another host key, as a server that was set up anew, or somebody in between.</summary>
    public void ChangeHostKey()
    {
        Stop();
        File.Delete(HostKeyFile);
        File.Delete(HostKeyFile + ".pub");
        MakeKey(HostKeyFile);
        Start();
    }

    /// <summary>Writes the host key that the server has now into <see cref="KnownHostsFile"/>.</summary>
    public void Know() => File.WriteAllText(KnownHostsFile, $"{Alias} {File.ReadAllText(HostKeyFile + ".pub")}");

    /// <inheritdoc/>
    public void Dispose()
    {
        Stop();
        lock (_folder)
        {
            _folder.Delete(recursive: true);
            _folder.Refresh();
        }
    }

    private string In(string name) => Path.Combine(_folder.FullName, name);

    private static void MakeKey(string path)
    {
        using var process = Process.Start(new ProcessStartInfo("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "botbackup-test", "-f", path]) { UseShellExecute = false })!;
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException("ssh-keygen failed.");
    }
}
