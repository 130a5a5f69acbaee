using System.Diagnostics;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using BotCore.Backup.Protocols.Sftp;
using Xunit;

namespace BotCore.Backup.Protocols.Tests.Sftp;

/// <summary>The client against OpenSSH's own server, over pipes.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class SftpClientTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sftp-");
    private readonly List<Server> _servers = [];

    private static CancellationToken None => CancellationToken.None;

    [SftpServerFact]
    public void The_server_offers_what_a_store_wants()
    {
        var client = Connect();
        foreach (var extension in new[] { "posix-rename@openssh.com", "statvfs@openssh.com", "hardlink@openssh.com", "fsync@openssh.com", "lsetstat@openssh.com", "limits@openssh.com" })
            Assert.True(client.Offers(extension), extension);
        Assert.Equal(255 * 1024, client.WriteBlock);
        Assert.Equal(255 * 1024, client.ReadBlock);
        Assert.True(client.MostHandles > 0);
        Assert.Equal(_folder.FullName, client.RealPath(_folder.FullName + "/./", None));
    }

    [SftpServerFact]
    public void Files_are_written_read_linked_renamed_and_removed()
    {
        var client = Connect();
        var content = RandomNumberGenerator.GetBytes(9_000_001);
        var handle = client.Open(In("a"), SftpOpenModes.Write | SftpOpenModes.Create | SftpOpenModes.Exclusive, 0b110_000_000, None);
        var upload = new SftpUpload(client, handle);
        Write(upload, content);
        upload.Finish(None);
        Assert.Equal(content.Length, upload.Confirmed);
        Assert.Equal(content.Length, client.FStat(handle, None).Size);
        client.Fsync(handle, None);
        client.Close(handle, None);

        Assert.Equal(content, File.ReadAllBytes(In("a")));
        foreach (var offset in new[] { 0, 1, 261_120, 8_999_999, content.Length, content.Length + 5 })
            Assert.Equal(content[Math.Min(offset, content.Length)..], Read(client, "a", offset));
        client.HardLink(In("a"), In("b"), None);
        Assert.Equal(SftpError.Failed, ErrorOf(() => client.HardLink(In("a"), In("b"), None)));
        Assert.Equal(SftpError.Failed, ErrorOf(() => client.Rename(In("a"), In("b"), None)));
        client.Rename(In("a"), In("c"), None);
        File.WriteAllText(In("d"), "old");
        client.PosixRename(In("c"), In("d"), None);
        Assert.Equal(content.Length, new FileInfo(In("d")).Length);
        client.SetStat(In("d"), new SftpAttributes { Mode = 0b110_100_000, ModifiedAt = 1_000_000_000 }, None);
        Assert.Equal((UnixFileMode)0b110_100_000, File.GetUnixFileMode(In("d")));
        Assert.Equal(1_000_000_000u, client.Stat(In("d"), None)!.ModifiedAt);
        File.CreateSymbolicLink(In("l"), In("d"));
        client.LSetStat(In("l"), new SftpAttributes { ModifiedAt = 900_000_000 }, None);
        Assert.True(client.LStat(In("l"), None) is { IsLink: true, ModifiedAt: 900_000_000u });
        Assert.True(client.Stat(In("l"), None) is { IsFile: true, ModifiedAt: 1_000_000_000u });
        client.Remove(In("d"), None);
        Assert.Null(client.Stat(In("d"), None));
        Assert.Equal(SftpError.NoSuchFile, ErrorOf(() => client.Remove(In("d"), None)));
    }

    [SftpServerFact]
    public void Folders_are_made_listed_together_and_removed()
    {
        var client = Connect();
        var folders = Enumerable.Range(0, 40).Select(i => In($"f{i}")).ToArray();
        foreach (var folder in folders)
            client.MakeFolder(folder, 0b111_000_000, None);
        for (var i = 0; i < 1234; i++)
            File.WriteAllBytes(Path.Combine(folders[i % 3], $"{i}"), [1]);
        File.WriteAllBytes(In("file"), [1]);

        var listed = client.List([.. folders, In("gone"), In("file")], None).ToDictionary(l => l.Folder, l => l.Entries, StringComparer.Ordinal);
        Assert.Equal(42, listed.Count);
        Assert.Empty(listed[In("gone")]);
        Assert.Empty(listed[folders[39]]);
        Assert.Equal(Enumerable.Range(0, 1234).Where(i => i % 3 == 1).Select(i => $"{i}").Order(StringComparer.Ordinal), listed[folders[1]].Select(e => e.Name).Order(StringComparer.Ordinal));
        Assert.All(listed[folders[0]], entry => Assert.True(entry.Attributes is { IsFile: true, Size: 1 }));
        Assert.Equal(SftpError.Failed, ErrorOf(() => client.RemoveFolder(folders[0], None)));
        client.RemoveFolder(folders[39], None);
        Assert.False(Directory.Exists(folders[39]));
    }

    [SftpServerFact]
    public void Room_is_told()
    {
        var client = Connect();
        var disk = client.StatVfs(_folder.FullName, None)!;

        Assert.InRange(disk.FreeBytes, 1, long.MaxValue - 1);
        Assert.False(disk.IsReadOnly);
        Assert.Null(client.StatVfs(In("gone"), None));
    }

    [SftpServerFact]
    public void An_upload_goes_on_over_another_connection()
    {
        var content = RandomNumberGenerator.GetBytes(20_000_003);
        var client = Connect();
        var upload = new SftpUpload(client, client.Open(In("a"), SftpOpenModes.Write | SftpOpenModes.Create, 0b110_000_000, None));
        Write(upload, content.AsSpan(0, 11_000_000));
        _servers[0].Dispose();
        Assert.True(ErrorOf(() => upload.Finish(None)) == SftpError.ConnectionLost);

        var other = Connect();
        upload.Attach(other, other.Open(In("a"), SftpOpenModes.Write, 0, None), None);
        Write(upload, content.AsSpan(11_000_000));
        upload.Finish(None);
        Assert.Equal(content, File.ReadAllBytes(In("a")));
    }

    [SftpServerFact]
    public void A_file_that_lost_what_was_confirmed_is_not_gone_on_with()
    {
        var client = Connect();
        var handle = client.Open(In("a"), SftpOpenModes.Write | SftpOpenModes.Create, 0b110_000_000, None);
        var upload = new SftpUpload(client, handle);
        Write(upload, new byte[1_000_000]);
        upload.Finish(None);
        client.FSetStat(handle, new SftpAttributes { Size = 999_999 }, None);

        Assert.Equal(SftpError.Protocol, ErrorOf(() => upload.Attach(client, handle, None)));
    }

    [SftpServerFact]
    public void A_file_that_shrinks_while_it_is_read_ends_in_an_error()
    {
        var client = Connect();
        File.WriteAllBytes(In("a"), new byte[5_000_000]);
        using var stream = SftpReadStream.Open(client, In("a"), 0, None);
        using (var file = new FileStream(In("a"), FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            file.SetLength(2_000_000);

        Assert.Equal(SftpError.ConnectionLost, ErrorOf(() => stream.CopyTo(Stream.Null)));
    }

    [SftpServerFact]
    public void A_server_that_stops_is_given_up_and_one_that_is_slow_for_one_is_cancelled_for_him_alone()
    {
        var client = Connect(TimeSpan.FromSeconds(1));
        File.WriteAllBytes(In("a"), new byte[100]);
        Signal("STOP");
        using (var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(100)))
            Assert.ThrowsAny<OperationCanceledException>(() => client.Stat(In("a"), cancel.Token));
        Assert.False(client.IsBroken);
        Signal("CONT");
        Assert.Equal(100, client.Stat(In("a"), None)!.Size);

        Signal("STOP");
        Assert.Equal(SftpError.TimedOut, ErrorOf(() => client.Stat(In("a"), None)));
        Assert.True(client.IsBroken);
        Assert.Equal(SftpError.TimedOut, ErrorOf(() => client.Stat(In("a"), None)));
    }

    [SftpServerFact]
    public void Many_threads_ask_at_once()
    {
        var client = Connect();
        for (var i = 0; i < 50; i++)
            File.WriteAllBytes(In($"{i}"), new byte[i * 1000]);
        Parallel.For(0, 2000, i => Assert.Equal(i % 50 * 1000, client.Stat(In($"{i % 50}"), None)!.Size));
    }

    public void Dispose()
    {
        foreach (var server in _servers)
            server.Dispose();
        _folder.Delete(recursive: true);
    }

    private static SftpError ErrorOf(Action action) => Assert.Throws<SftpException>(action).Error;

    private static void Write(SftpUpload upload, ReadOnlySpan<byte> content)
    {
        while (!content.IsEmpty)
        {
            if (upload.IsFull)
                upload.Send(None);
            content = content[upload.Fill(content)..];
        }
    }

    private string In(string name) => Path.Combine(_folder.FullName, name);

    private byte[] Read(SftpClient client, string name, long offset)
    {
        using var stream = SftpReadStream.Open(client, In(name), offset, None);
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }

    private void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", $"{_servers[^1].Id}"]);
        kill.WaitForExit();
    }

    private SftpClient Connect(TimeSpan? stall = null)
    {
        var server = new Server(stall ?? TimeSpan.FromSeconds(30));
        _servers.Add(server);
        return server.Client;
    }

    private sealed class Server : IDisposable
    {
        private readonly Process _process;

        public Server(TimeSpan stall)
        {
            _process = Process.Start(new ProcessStartInfo(SftpServerFactAttribute.Program!) { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false })!;
            Id = _process.Id;
            Client = SftpClient.Open(_process.StandardOutput.BaseStream, _process.StandardInput.BaseStream, stall, new Ender(_process), None);
        }

        public int Id { get; }

        public SftpClient Client { get; }

        public void Dispose()
        {
            if (!_process.HasExited)
                _process.Kill();
            _process.WaitForExit();
            Client.Dispose();
        }
    }

    private sealed class Ender(Process process) : IDisposable
    {
        public void Dispose()
        {
            if (!process.HasExited)
                process.Kill();
        }
    }
}
