using System.Diagnostics;
using System.Security.Cryptography;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Stores.Sftp;
using BotCore.Backup.TestServers;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Stores.Sftp;

/// <summary>The way to the server breaks.</summary>
[NeedsTools("sshd", "ssh", "ssh-keygen")]
public sealed class SftpFaultTests : IClassFixture<SftpPlaceFixture>, IDisposable
{
    private const long Megabyte = 1 << 20;
    private static readonly TimeSpan Stall = TimeSpan.FromSeconds(4);

    private readonly SftpPlaceFixture _place;
    private readonly string _folder;
    private readonly FaultProxy _proxy;
    private readonly byte[] _content = RandomNumberGenerator.GetBytes(24 << 20);

    public SftpFaultTests(SftpPlaceFixture place)
    {
        _place = place;
        _folder = place.NewFolder();
        _proxy = new FaultProxy(place.Server.Port);
    }

    private static CancellationToken None => CancellationToken.None;

    [ServerTheory]
    [InlineData(Fault.Reset)]
    [InlineData(Fault.Close)]
    [InlineData(Fault.Stall)]
    public void An_upload_goes_on_where_the_line_broke(Fault fault)
    {
        using var store = Open();
        _proxy.Break(fault, toServer: 9 * Megabyte, times: 2);
        SftpStoreTests.PutIn(store, "config/a", _content);

        Assert.True(_proxy.Struck >= 2);
        Assert.Equal(_content, File.ReadAllBytes(Path.Combine(_folder, "config", "a")));
        Assert.Equal(["a"], Directory.GetFiles(Path.Combine(_folder, "config")).Select(Path.GetFileName), StringComparer.Ordinal);
        // What was there was not sent again from the beginning.
        Assert.InRange(_proxy.ToServer, _content.Length, _content.Length + (2 * 9 * Megabyte));
    }

    [ServerTheory]
    [InlineData(Fault.Reset)]
    [InlineData(Fault.Close)]
    [InlineData(Fault.Stall)]
    public void A_download_goes_on_where_the_line_broke(Fault fault)
    {
        using var store = Open();
        SftpStoreTests.PutIn(store, "config/a", _content);
        _proxy.Break(fault, toClient: 9 * Megabyte, times: 2);

        Assert.Equal(_content, SftpStoreTests.Read(store, "config/a", 0));
        Assert.True(_proxy.Struck >= 2);
        Assert.Equal(_content[12_345_678..], SftpStoreTests.Read(store, "config/a", 12_345_678));
    }

    [ServerTheory]
    [InlineData(Fault.Reset)]
    [InlineData(Fault.Close)]
    [InlineData(Fault.Stall)]
    public void A_connection_that_breaks_while_it_is_made_is_made_again(Fault fault)
    {
        _proxy.Break(fault, toServer: 1000, times: 2);
        using var store = Open(connect: TimeSpan.FromSeconds(3));
        SftpStoreTests.PutIn(store, "config/a", [1, 2, 3]);

        Assert.Equal(2, _proxy.Struck);
        Assert.Equal(3, store.Find("config/a", None)!.Length);
    }

    [ServerFact]
    public void Whatever_byte_the_line_breaks_at_a_commit_is_all_or_nothing()
    {
        // How much goes over the line for a whole object, login included.
        using (var store = Open())
            SftpStoreTests.PutIn(store, "config/probe", [1, 2, 3]);
        var whole = _proxy.ToServer;
        var answers = _proxy.ToClient;
        for (var part = 1; part <= 24; part++)
        {
            var key = $"config/{part}";
            if (part % 2 == 0)
                _proxy.Break(Fault.Reset, toServer: whole * part / 25);
            else
                _proxy.Break(Fault.Reset, toClient: answers * part / 25);
            using var store = Open();
            SftpStoreTests.PutIn(store, key, [1, 2, 3]);

            Assert.Equal([1, 2, 3], File.ReadAllBytes(Path.Combine(_folder, key)));
            Assert.Equal(part + 1, Directory.GetFiles(Path.Combine(_folder, "config"), "*", new EnumerationOptions { AttributesToSkip = default }).Length);
        }

        Assert.InRange(_proxy.Struck, 20, 24);
    }

    [ServerFact]
    public void A_line_that_stays_dead_ends_in_StoreUnreachable_and_soon()
    {
        using var store = Open(attempts: 2);
        var watch = Stopwatch.StartNew();
        using (var writer = store.Create("config/a", None))
        {
            writer.Write(_content);
            _proxy.Refuse();
            var failure = Assert.Throws<BackupException>(() =>
            {
                writer.Write(_content);
                writer.Commit();
            }).Failure;
            Assert.Equal(FailureKind.StoreUnreachable, failure.Kind);
        }

        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(30));
        _proxy.Mend();
        Assert.Null(store.Find("config/a", None));
        Assert.Single(store.RemovePartials("config", _ => true, None));
    }

    [ServerFact]
    public void A_stalled_line_is_left_at_once_when_the_user_stops()
    {
        using var store = Open(stall: TimeSpan.FromSeconds(20));
        SftpStoreTests.PutIn(store, "config/a", _content);
        using var cancel = new CancellationTokenSource();
        using var stream = store.OpenRead("config/a", 0, cancel.Token);
        _proxy.Break(Fault.Stall, toClient: Megabyte);
        var buffer = new byte[Megabyte];
        var watch = new Stopwatch();
        cancel.Token.Register(watch.Start);
        Assert.ThrowsAny<OperationCanceledException>(() =>
        {
            // By then the line is stalled, and the reader waits.
            using var struck = new Timer(_ =>
            {
                if (_proxy.Struck > 0)
                    cancel.Cancel();
            }, null, 50, 50);
            while (stream.Read(buffer) > 0)
            {
            }
        });

        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    [ServerFact]
    public void A_stalled_upload_is_left_at_once_when_the_user_stops()
    {
        using var store = Open(stall: TimeSpan.FromSeconds(3));
        using var cancel = new CancellationTokenSource();
        _proxy.Break(Fault.Stall, toServer: 2 * Megabyte);
        var watch = new Stopwatch();
        cancel.Token.Register(watch.Start);
        using var writer = store.Create("config/a", cancel.Token);
        Assert.ThrowsAny<OperationCanceledException>(() =>
        {
            using var struck = new Timer(_ =>
            {
                if (_proxy.Struck > 0)
                    cancel.Cancel();
            }, null, 50, 50);
            writer.Write(_content);
            writer.Write(_content);
        });

        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(2));
    }

    [ServerFact]
    public void An_ssh_that_is_killed_is_started_again()
    {
        using var store = Open();
        using var writer = store.Create("config/a", None);
        writer.Write(_content.AsSpan(0, 10_000_000));
        var first = store.ProcessId!.Value;
        using (var ssh = Process.GetProcessById(first))
            ssh.Kill();
        writer.Write(_content.AsSpan(10_000_000));
        writer.Commit();

        Assert.NotEqual(first, store.ProcessId);
        Assert.Equal(_content, File.ReadAllBytes(Path.Combine(_folder, "config", "a")));
    }

    [ServerFact]
    public void No_ssh_is_left_behind()
    {
        int process;
        using (var store = Open())
        {
            store.Find("a", None);
            process = store.ProcessId!.Value;
            Assert.True(Directory.Exists($"/proc/{process}") || !OperatingSystem.IsLinux());
        }

        Assert.Throws<ArgumentException>(() => Process.GetProcessById(process));
    }

    [LinuxServerFact]
    public void A_partial_that_lost_confirmed_bytes_is_not_gone_on_with()
    {
        using var store = Open();
        using var writer = store.Create("config/a", None);
        writer.Write(_content);
        var partial = Directory.GetFiles(Path.Combine(_folder, "config"), ".*.partial", new EnumerationOptions { AttributesToSkip = default }).Single();
        _proxy.Refuse();
        // What the server had received it still writes.
        Assert.True(SpinWait.SpinUntil(() => !IsOpen(partial), TimeSpan.FromSeconds(30)));
        using (var file = new FileStream(partial, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            file.SetLength(10);
        _proxy.Mend();

        var failure = Assert.Throws<BackupException>(() =>
        {
            writer.Write(_content);
            writer.Commit();
        }).Failure;
        Assert.Equal(FailureKind.StoreUnreachable, failure.Kind);
        Assert.False(File.Exists(Path.Combine(_folder, "config", "a")));
    }

    public void Dispose() => _proxy.Dispose();

    private static bool IsOpen(string path) => Directory.GetDirectories("/proc").Where(folder => char.IsAsciiDigit(Path.GetFileName(folder)[0])).Any(process =>
    {
        try
        {
            return Directory.GetFileSystemEntries(Path.Combine(process, "fd")).Any(link => string.Equals(new FileInfo(link).LinkTarget, path, StringComparison.Ordinal));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    });

    private SftpStore Open(TimeSpan? stall = null, TimeSpan? connect = null, int attempts = 5) => new(
        new SftpStoreOptions(_place.Options(_proxy.Port) with { StallTimeout = stall ?? Stall, ConnectTimeout = connect ?? TimeSpan.FromSeconds(15) }, _folder),
        new StoreRetry { Attempts = attempts, FirstPause = TimeSpan.FromMilliseconds(50), LongestPause = TimeSpan.FromMilliseconds(400) });
}
