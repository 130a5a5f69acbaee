using System.Runtime.Versioning;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Stores.Sftp;
using BotCore.Backup.Protocols.Sftp;
using BotCore.Backup.TestServers;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Stores.Sftp;

/// <summary>What stands between this machine and a store: keys, names, rights, room. Each test has a server of its own where it changes it.</summary>
[NeedsTools("sshd", "ssh", "ssh-keygen")]
[UnsupportedOSPlatform("windows")]
public sealed class SftpLoginTests(SftpPlaceFixture place) : IClassFixture<SftpPlaceFixture>
{
    private static CancellationToken None => CancellationToken.None;

    [ServerFact]
    public void A_changed_host_key_is_told_and_nothing_is_sent()
    {
        using var server = new SshServer();
        server.ChangeHostKey();
        var failure = FailureOf(Options(server));

        Assert.Equal(FailureKind.HostKeyChanged, failure.Kind);
        Assert.Contains("not the one in known_hosts", failure.Message, StringComparison.Ordinal);
        Assert.Contains($"ssh-keygen -R \"[127.0.0.1]:{server.Port}\"", failure.Advice, StringComparison.Ordinal);
        Assert.DoesNotContain("Accepted", server.Log, StringComparison.Ordinal);

        server.Know();
        using var store = Open(Options(server));
        Assert.Null(store.Find("a", None));
    }

    [ServerFact]
    public void A_host_key_that_changes_in_the_midst_of_a_run_ends_it()
    {
        using var server = new SshServer();
        using var store = Open(Options(server));
        Assert.Null(store.Find("a", None));
        server.ChangeHostKey();

        Assert.Equal(FailureKind.HostKeyChanged, Assert.Throws<BackupException>(() => store.Find("a", None)).Failure.Kind);
    }

    [ServerFact]
    public void An_unknown_host_key_is_not_accepted_and_the_advice_says_how_to_add_it()
    {
        using var server = new SshServer();
        File.WriteAllText(server.KnownHostsFile, "");
        var failure = FailureOf(Options(server));

        Assert.Equal(FailureKind.HostKeyChanged, failure.Kind);
        Assert.Contains("not known here yet", failure.Message, StringComparison.Ordinal);
        Assert.Contains($"ssh-keyscan -p {server.Port} 127.0.0.1 >> ~/.ssh/known_hosts", failure.Advice, StringComparison.Ordinal);
        Assert.Equal("", File.ReadAllText(server.KnownHostsFile));
    }

    [ServerFact]
    public void A_key_that_is_not_let_in_is_LoginFailed() =>
        Assert.Equal(FailureKind.LoginFailed, FailureOf(place.Options() with { KeyFile = place.Server.StrangerKeyFile }).Kind);

    [ServerFact]
    public void A_key_file_that_is_not_there_or_open_to_all_is_LoginFailed_and_named()
    {
        Assert.Equal(FailureKind.LoginFailed, FailureOf(place.Options() with { KeyFile = "/nowhere/key" }).Kind);
        var open = Path.Combine(place.Server.Files, "open-key");
        File.Copy(place.Server.KeyFile, open);
        File.SetUnixFileMode(open, (UnixFileMode)0b110_100_100);
        var failure = FailureOf(place.Options() with { KeyFile = open });
        File.Delete(open);

        Assert.Equal(FailureKind.LoginFailed, failure.Kind);
        Assert.Contains("bad permissions", failure.Message, StringComparison.Ordinal);
    }

    [ServerFact]
    public void A_user_that_is_not_there_is_LoginFailed() =>
        Assert.Equal(FailureKind.LoginFailed, FailureOf(place.Options() with { User = "nobody-of-that-name" }).Kind);

    [ServerFact]
    public void Nobody_listens_is_StoreUnreachable()
    {
        int port;
        using (var proxy = new FaultProxy(1))
            port = proxy.Port;
        var failure = FailureOf(place.Options(port));

        Assert.Equal(FailureKind.StoreUnreachable, failure.Kind);
        Assert.Contains("Connection refused", failure.Message, StringComparison.Ordinal);
    }

    [ServerFact]
    public void A_name_that_is_not_there_is_StoreUnreachable()
    {
        var failure = FailureOf(place.Options() with { Host = "no-such-host.invalid" });

        Assert.Equal(FailureKind.StoreUnreachable, failure.Kind);
        Assert.Contains("Could not resolve hostname", failure.Message, StringComparison.Ordinal);
    }

    [ServerFact]
    public void A_machine_without_ssh_is_told_what_to_install()
    {
        var failure = FailureOf(place.Options() with { Program = "no-such-ssh" });

        Assert.Equal(FailureKind.ToolMissing, failure.Kind);
        Assert.Contains("openssh-client", failure.Advice, StringComparison.Ordinal);
    }

    [ServerTheory]
    [InlineData("-oNoSuchOption=yes")]
    [InlineData("-F/no/such/config")]
    public void Options_that_ssh_does_not_take_are_a_wrong_configuration(string option) =>
        Assert.Equal(FailureKind.ConfigurationInvalid, FailureOf(place.Options() with { Arguments = [option] }).Kind);

    [ServerTheory]
    [InlineData("-oProxyCommand=touch /tmp/bad")]
    [InlineData("a b")]
    [InlineData("")]
    public void A_host_that_is_none_never_reaches_ssh(string host) =>
        Assert.Equal(FailureKind.ConfigurationInvalid, FailureOf(place.Options() with { Host = host }).Kind);

    [ServerTheory]
    [InlineData(null)]
    [InlineData("/no/such/server")]
    [InlineData("/bin/echo")]
    public void A_server_without_sftp_is_unsupported(string? subsystem)
    {
        using var server = new SshServer(subsystem);
        Assert.Equal(FailureKind.ServerUnsupported, FailureOf(Options(server)).Kind);
    }

    [ServerFact]
    public void Settings_of_the_user_cannot_weaken_the_check_of_host_keys()
    {
        using var server = new SshServer();
        server.ChangeHostKey();
        var config = Path.Combine(server.Files, "config");
        File.WriteAllText(config, $"Host *\n  StrictHostKeyChecking no\n  UserKnownHostsFile {server.KnownHostsFile}\n  HostKeyAlias botbackup-test-server\n");

        Assert.Equal(FailureKind.HostKeyChanged, FailureOf(Options(server) with { Arguments = ["-F", config, "-o", "StrictHostKeyChecking=no"] }).Kind);
    }

    [ServerFact]
    public void A_host_of_ssh_config_is_enough()
    {
        var config = Path.Combine(place.Server.Files, "config");
        File.WriteAllText(config, $"Host vault\n  HostName 127.0.0.1\n  Port {place.Server.Port}\n  User {SshServer.User}\n  IdentityFile {place.Server.KeyFile}\n  UserKnownHostsFile {place.Server.KnownHostsFile}\n  HostKeyAlias botbackup-test-server\n");
        using var store = Open(new SftpOptions { Host = "vault", Arguments = ["-F", config] });

        Assert.Null(store.Find("a", None));
        Assert.Equal("sftp://vault/~/x", store.Location);
    }

    [LinuxServerFact(asRoot: true)]
    public void A_folder_of_somebody_else_is_AccessDenied()
    {
        var folder = place.NewFolder();
        Directory.CreateDirectory(folder);
        File.SetUnixFileMode(folder, (UnixFileMode)0b111_101_101);
        File.WriteAllBytes(Path.Combine(folder, "secret"), [1]);
        File.SetUnixFileMode(Path.Combine(folder, "secret"), (UnixFileMode)0b110_000_000);
        using var store = Open(place.Options() with { User = "nobody" }, folder);

        Assert.Equal(FailureKind.AccessDenied, Kind(() => store.Create("config/a", None).Dispose()));
        Assert.Equal(FailureKind.AccessDenied, Kind(() => store.Create("a", None).Dispose()));
        Assert.Equal(FailureKind.AccessDenied, Kind(() => store.OpenRead("secret", 0, None).Dispose()));
        Assert.Equal(FailureKind.AccessDenied, Kind(() => store.Delete("secret", None)));
        Assert.Equal(FailureKind.AccessDenied, Kind(() => store.AcquireLease("config", None).Dispose()));
        Assert.Equal(1, store.Find("secret", None)!.Length);
    }

    [MountServerFact]
    public void A_full_disk_is_StoreFull_and_keeps_nothing()
    {
        using var disk = new SmallDisk("size=5m");
        using var store = Open(place.Options(), Path.Combine(disk.Folder, "store"));
        SftpStoreTests.PutIn(store, "config/fits", new byte[1 << 20]);
        Assert.Equal(FailureKind.StoreFull, Kind(() => SftpStoreTests.PutIn(store, "config/a", new byte[20 << 20])));

        Assert.Equal(["config/fits"], store.List("", None).Select(o => o.Key), StringComparer.Ordinal);
        Assert.Empty(store.RemovePartials("", _ => true, None));
        Assert.InRange(store.FreeSpace!.Value, 3 << 20, 5 << 20);
    }

    [MountServerFact]
    public void A_disk_without_room_for_another_file_is_StoreFull()
    {
        using var disk = new SmallDisk("size=5m,nr_inodes=5");
        using var store = Open(place.Options(), disk.Folder);

        Assert.Equal(FailureKind.StoreFull, Kind(() =>
        {
            for (var i = 0; i < 10; i++)
                SftpStoreTests.PutIn(store, $"{i}", [1]);
        }));
    }

    [MountServerFact]
    public void A_read_only_disk_is_AccessDenied()
    {
        using var disk = new SmallDisk("size=5m");
        using var store = Open(place.Options(), disk.Folder);
        SftpStoreTests.PutIn(store, "a", [1]);
        disk.Remount("ro");

        Assert.Equal(FailureKind.AccessDenied, Kind(() => SftpStoreTests.PutIn(store, "b", [1])));
        Assert.Equal([1], SftpStoreTests.Read(store, "a", 0));
    }

    private static SftpOptions Options(SshServer server) => new() { Host = "127.0.0.1", Port = server.Port, User = SshServer.User, KeyFile = server.KeyFile, Arguments = server.Arguments };

    private static SftpStore Open(SftpOptions options, string folder = "x") => new(new SftpStoreOptions(options, folder), new StoreRetry { Attempts = 2, FirstPause = TimeSpan.FromMilliseconds(20) });

    private static FailureKind Kind(Action action) => Assert.Throws<BackupException>(action).Failure.Kind;

    private static Failure FailureOf(SftpOptions options)
    {
        using var store = Open(options);
        return Assert.Throws<BackupException>(() => store.Find("a", None)).Failure;
    }
}
