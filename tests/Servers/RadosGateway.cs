using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace BotCore.Backup.TestServers;

/// <summary>
/// A whole Ceph of one monitor, one disk and one S3 gateway, on loopback, in a temporary folder of its own. It is up after about ten seconds. Dispose ends its processes and removes the folder.
/// </summary>
public sealed class RadosGateway : IDisposable
{
    private const int Tries = 5;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly string _folder;
    private readonly string _configuration;
    private readonly List<Process> _daemons = [];
    private readonly int _monitor = FreePort();
    private readonly int _port = FreePort();

    /// <summary>Starts it. With <paramref name="diskBytes"/> objects lie in a sparse file of that size, without in memory, 4 GiB at most.</summary>
    public RadosGateway(long? diskBytes = null)
    {
        _folder = Directory.CreateTempSubdirectory("botbackup-rgw-").FullName;
        _configuration = Path.Combine(_folder, "ceph.conf");
        try
        {
            Start(diskBytes);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Where it answers.</summary>
    public Uri Endpoint => new($"http://127.0.0.1:{_port.ToString(CultureInfo.InvariantCulture)}");

    /// <summary>The port of <see cref="Endpoint"/>.</summary>
    public int Port => _port;

    /// <summary>Its first user.</summary>
    public S3User User { get; private set; } = null!;

    /// <summary>Makes a user; <paramref name="quota"/> is how many bytes it may store.</summary>
    public S3User AddUser(long? quota = null)
    {
        var user = new S3User("AK" + RandomNumberGenerator.GetHexString(18), RandomNumberGenerator.GetHexString(40));
        Run("radosgw-admin", "user", "create", $"--uid={user.AccessKey}", "--display-name=test", $"--access-key={user.AccessKey}", $"--secret={user.Secret}");
        if (quota is null)
            return user;
        Run("radosgw-admin", "quota", "set", "--quota-scope=user", $"--uid={user.AccessKey}", string.Create(CultureInfo.InvariantCulture, $"--max-size={quota}"));
        Run("radosgw-admin", "quota", "enable", "--quota-scope=user", $"--uid={user.AccessKey}");
        return user;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        for (var i = _daemons.Count - 1; i >= 0; i--)
        {
            _daemons[i].Kill(entireProcessTree: true);
            _daemons[i].WaitForExit();
            _daemons[i].Dispose();
        }

        _daemons.Clear();
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, recursive: true);
    }

    private void Start(long? diskBytes)
    {
        AppDomain.CurrentDomain.ProcessExit += OnExit;
        foreach (var name in new[] { "mon", "osd", "rgw", "run", "log" })
            Directory.CreateDirectory(Path.Combine(_folder, name));
        var id = Guid.NewGuid().ToString();
        File.WriteAllText(_configuration, Configuration(id, diskBytes));
        var keyring = Path.Combine(_folder, "keyring");
        var map = Path.Combine(_folder, "monmap");
        Run("ceph-authtool", "--create-keyring", keyring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *");
        Run("ceph-authtool", keyring, "--gen-key", "-n", "client.admin", "--cap", "mon", "allow *", "--cap", "osd", "allow *", "--cap", "mgr", "allow *");
        Run("monmaptool", "--create", "--clobber", "--fsid", id, "--addv", "a", string.Create(CultureInfo.InvariantCulture, $"[v1:127.0.0.1:{_monitor}]"), map);
        Run("ceph-mon", "--mkfs", "-i", "a", "--monmap", map, "--keyring", keyring);
        Launch("ceph-mon", "-f", "-i", "a");
        var osd = Guid.NewGuid().ToString();
        AskMonitor("osd", "new", osd, "0");
        Run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd);
        StartDisk();
        Launch("radosgw", "-f", "-n", "client.rgw");
        Until(Answers, "its gateway");
        User = AddUser();
    }

    private void AskMonitor(params string[] question)
    {
        for (var left = Tries; ; left--)
        {
            try
            {
                Run("ceph", question);
                return;
            }
            catch (InvalidOperationException refused) when (left > 1 && refused.Message.Contains("EPERM", StringComparison.Ordinal))
            {
                // As below.
            }
        }
    }

    // While the monitor elects itself it now and then refuses the disk ("Operation not permitted"), which then ends.
    private void StartDisk()
    {
        for (var left = Tries; ; left--)
        {
            var disk = Launch("ceph-osd", "-f", "-i", "0");
            try
            {
                Until(() => Run("ceph", "osd", "stat").Contains("1 up", StringComparison.Ordinal), "its disk");
                return;
            }
            catch (InvalidOperationException) when (left > 1 && disk.HasExited)
            {
                _daemons.Remove(disk);
                disk.Dispose();
            }
        }
    }

    private string Configuration(string id, long? diskBytes) => FormattableString.Invariant($"""
        [global]
        fsid = {id}
        mon_initial_members = a
        mon_host = v1:127.0.0.1:{_monitor}
        public_addr = 127.0.0.1
        cluster_addr = 127.0.0.1
        ms_bind_msgr2 = false
        auth_cluster_required = none
        auth_service_required = none
        auth_client_required = none
        osd_pool_default_size = 1
        osd_pool_default_min_size = 1
        osd_pool_default_pg_num = 4
        osd_pool_default_pgp_num = 4
        osd_pool_default_pg_autoscale_mode = off
        mon_tick_interval = 1
        paxos_propose_interval = 0.1
        paxos_min_wait = 0.01
        mon_warn_on_pool_no_redundancy = false
        mon_allow_pool_size_one = true
        mon_max_pg_per_osd = 4000
        osd_crush_chooseleaf_type = 0
        mon_osd_full_ratio = .98
        mon_osd_backfillfull_ratio = .97
        mon_osd_nearfull_ratio = .96
        mon_data_avail_crit = 1
        mon_data_avail_warn = 2
        run_dir = {_folder}/run
        admin_socket = {_folder}/run/$name.$pid.asok
        pid_file = {_folder}/run/$name.pid
        log_file = {_folder}/log/$name.log
        keyring = {_folder}/keyring
        [mon]
        mon_data = {_folder}/mon
        [osd]
        osd_data = {_folder}/osd
        osd_objectstore = {(diskBytes is null ? "memstore" : "bluestore")}
        bluestore_block_size = {diskBytes ?? 0}
        bluestore_block_create = true
        memstore_device_bytes = 4294967296
        osd_memory_target = 939524096
        osd_class_load_list = *
        osd_class_default_list = *
        # Of use to a cluster only.
        osd_class_update_on_start = false
        [client.rgw]
        rgw_frontends = beast endpoint=127.0.0.1:{_port}
        rgw_data = {_folder}/rgw
        rgw_dns_name = localhost
        rgw_zone = default
        rgw_enable_usage_log = false
        rgw_enable_quota_threads = false
        rgw_run_sync_thread = false
        # Small parts, so that many of them fit into a test.
        rgw_multipart_min_part_size = 65536

        """);

    private bool Answers()
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Connect(IPAddress.Loopback, _port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private void Until(Func<bool> isSo, string what)
    {
        var began = Stopwatch.StartNew();
        while (!isSo())
        {
            if (_daemons.Find(daemon => daemon.HasExited) is { } dead)
                throw new InvalidOperationException($"{dead.StartInfo.FileName} ended with {dead.ExitCode}.");
            if (began.Elapsed > Patience)
                throw new TimeoutException($"Ceph did not bring up {what} in {Patience}.");
            Thread.Sleep(50);
        }
    }

    private Process Launch(string program, params string[] arguments)
    {
        var process = Process.Start(Info(program, arguments)) ?? throw new InvalidOperationException($"{program} does not start.");
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _daemons.Add(process);
        return process;
    }

    private string Run(string program, params string[] arguments)
    {
        using var process = Process.Start(Info(program, arguments)) ?? throw new InvalidOperationException($"{program} does not start.");
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        if (!process.WaitForExit(Patience))
        {
            process.Kill();
            throw new TimeoutException($"{program} {string.Join(' ', arguments)} does not end.");
        }

        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {errors.Result}");
    }

    private ProcessStartInfo Info(string program, string[] arguments)
    {
        var info = new ProcessStartInfo(program, [.. arguments, "-c", _configuration]) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        if (program is "ceph-authtool" or "monmaptool")
            (info.ArgumentList[^2], info.ArgumentList[^1]) = ("--conf", _configuration);
        info.Environment["CEPH_CONF"] = _configuration;
        return info;
    }

    private void OnExit(object? sender, EventArgs e) => Dispose();

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

/// <summary>A user of an S3 server.</summary>
/// <param name="AccessKey">Its name there.</param>
/// <param name="Secret">What it signs with.</param>
public sealed record S3User(string AccessKey, string Secret);
