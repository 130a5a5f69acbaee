using System.Text;

namespace BotCore.Backup.Protocols.Sftp;

/// <summary>
/// A client of SFTP version 3 (draft-ietf-secsh-filexfer-02) with OpenSSH's extensions, over the program ssh, which does all that concerns keys, agents, host keys and the way there. Calls block; any
/// number of threads may call at once and share the one connection. Every failure is a <see cref="SftpException"/>; a cancelled call leaves the connection as it is, and its answer is dropped.
/// A connection that broke stays broken: make another.
/// </summary>
public sealed partial class SftpClient : IDisposable
{
    private const uint Version = 3;
    private const int DefaultBlock = 32 * 1024;

    // A block, its packet's head and a handle fit into OpenSSH's 256 KiB.
    private const int LargestBlock = 255 * 1024;

    private readonly SftpConnection _connection;
    private readonly Dictionary<string, string> _extensions = new(StringComparer.Ordinal);

    private SftpClient(SftpConnection connection) => _connection = connection;

    /// <summary>Bytes that one request reads.</summary>
    public int ReadBlock { get; private set; } = DefaultBlock;

    /// <summary>Bytes that one request writes.</summary>
    public int WriteBlock { get; private set; } = DefaultBlock;

    /// <summary>Files and folders that may be open at once; 0 where the server does not say.</summary>
    public int MostHandles { get; private set; }

    /// <summary>Whether it must not be used any more.</summary>
    public bool IsBroken => _connection.IsBroken;

    /// <summary>Process id of ssh, where there is one.</summary>
    public int? ProcessId { get; private init; }

    /// <summary>Starts ssh, logs in and greets the server.</summary>
    public static SftpClient Connect(SftpOptions options, CancellationToken token)
    {
        token.ThrowIfCancellationRequested();
        var ssh = SshProcess.Start(options);
        return Greet(new SftpConnection(ssh, options.StallTimeout, options.FsyncTimeout), options.ConnectTimeout * 2, ssh.Id, token);
    }

    /// <summary>Speaks to a server over a pair of streams, which it takes over.</summary>
    /// <param name="fromServer">Read.</param>
    /// <param name="toServer">Written.</param>
    /// <param name="stallTimeout">As <see cref="SftpOptions.StallTimeout"/>.</param>
    /// <param name="owner">Disposed of when the connection ends; must make a blocked read or write of the streams end.</param>
    /// <param name="token">Cancels the greeting.</param>
    public static SftpClient Open(Stream fromServer, Stream toServer, TimeSpan stallTimeout, IDisposable? owner, CancellationToken token) =>
        Greet(new SftpConnection(new StreamTransport(fromServer, toServer, owner), stallTimeout, stallTimeout), stallTimeout, null, token);

    /// <summary>Whether the server offers an extension, such as fsync@openssh.com.</summary>
    public bool Offers(string extension) => _extensions.ContainsKey(extension);

    /// <summary>Opens a file.</summary>
    /// <param name="path">Absolute, or relative to the login folder.</param>
    /// <param name="modes">How.</param>
    /// <param name="mode">Mode of a file that is made.</param>
    /// <param name="token">Cancels waiting.</param>
    public SftpHandle Open(string path, SftpOpenModes modes, uint mode, CancellationToken token)
    {
        var made = (modes & SftpOpenModes.Create) != SftpOpenModes.None ? new SftpAttributes { Mode = mode } : new SftpAttributes();
        return Handle(Send(Packet(SftpPacketType.Open, path).UInt32((uint)modes).Attributes(made)), path, token);
    }

    /// <summary>Closes a file or folder, and tells what the server has to say of it.</summary>
    public void Close(SftpHandle handle, CancellationToken token) => Check(BeginClose(handle), handle.Path, token);

    /// <summary>Closes a file or folder that was only read, without waiting; nothing happens where the connection is gone.</summary>
    public void Forget(SftpHandle handle)
    {
        try
        {
            BeginClose(handle);
        }
        catch (SftpException)
        {
            // The server closes what a lost connection had open.
        }
    }

    /// <summary>Of a file, through links; null where there is none.</summary>
    public SftpAttributes? Stat(string path, CancellationToken token) => Attributes(Send(Packet(SftpPacketType.Stat, path)), path, token);

    /// <summary>Of a file or of the link itself; null where there is none.</summary>
    public SftpAttributes? LStat(string path, CancellationToken token) => Attributes(Send(Packet(SftpPacketType.LStat, path)), path, token);

    /// <summary>Of an open file.</summary>
    public SftpAttributes FStat(SftpHandle handle, CancellationToken token) =>
        Attributes(Send(new PacketWriter(SftpPacketType.FStat).Bytes(handle.Value)), handle.Path, token) ?? throw Gone(handle.Path);

    /// <summary>Sets what is not null in <paramref name="attributes"/>, through links.</summary>
    public void SetStat(string path, SftpAttributes attributes, CancellationToken token) => Check(Send(Packet(SftpPacketType.SetStat, path).Attributes(attributes)), path, token);

    /// <summary>Sets what is not null in <paramref name="attributes"/>, of the link itself (lsetstat@openssh.com).</summary>
    public void LSetStat(string path, SftpAttributes attributes, CancellationToken token) => Check(Send(Extended("lsetstat@openssh.com").Text(path).Attributes(attributes)), path, token);

    /// <summary>Sets what is not null in <paramref name="attributes"/>, of an open file.</summary>
    public void FSetStat(SftpHandle handle, SftpAttributes attributes, CancellationToken token) =>
        Check(Send(new PacketWriter(SftpPacketType.FSetStat).Bytes(handle.Value).Attributes(attributes)), handle.Path, token);

    /// <summary>Makes one folder; the one above it must be there.</summary>
    public void MakeFolder(string path, uint mode, CancellationToken token) => Check(Send(Packet(SftpPacketType.MakeDir, path).Attributes(new SftpAttributes { Mode = mode })), path, token);

    /// <summary>Removes an empty folder.</summary>
    public void RemoveFolder(string path, CancellationToken token) => Check(Send(Packet(SftpPacketType.RemoveDir, path)), path, token);

    /// <summary>Removes a file or a link.</summary>
    public void Remove(string path, CancellationToken token) => Check(Send(Packet(SftpPacketType.Remove, path)), path, token);

    /// <summary>Renames. The protocol says that an existing target is an error; OpenSSH holds that wherever hard links can be made, some servers do not hold it at all.</summary>
    public void Rename(string from, string to, CancellationToken token) => Check(Send(Packet(SftpPacketType.Rename, from).Text(Checked(to))), to, token);

    /// <summary>Renames, and takes the place of what is there (posix-rename@openssh.com).</summary>
    public void PosixRename(string from, string to, CancellationToken token) => Check(Send(Extended("posix-rename@openssh.com").Text(Checked(from)).Text(Checked(to))), to, token);

    /// <summary>Gives a file a second name, which must be free (hardlink@openssh.com).</summary>
    public void HardLink(string existing, string name, CancellationToken token) => Check(Send(Extended("hardlink@openssh.com").Text(Checked(existing)).Text(Checked(name))), name, token);

    /// <summary>Brings an open file to the disk (fsync@openssh.com).</summary>
    public void Fsync(SftpHandle handle, CancellationToken token) => Check(_connection.Send(Extended("fsync@openssh.com").Bytes(handle.Value).Finish(), isSlow: true), handle.Path, token);

    /// <summary>Of the file system that holds <paramref name="path"/> (statvfs@openssh.com); null where there is no such path.</summary>
    public SftpFileSystem? StatVfs(string path, CancellationToken token)
    {
        var reply = Send(Extended("statvfs@openssh.com").Text(Checked(path))).Wait(token);
        if (reply.Type == SftpPacketType.Status)
            return Status(reply, path, SftpStatus.NoSuchFile) == SftpStatus.NoSuchFile ? null : throw PacketReader.Broken("a question about a file system was answered by yes");
        var fields = Expect(reply, SftpPacketType.ExtendedReply).Read();
        fields.UInt64();
        var fragment = fields.UInt64();
        fields.UInt64();
        fields.UInt64();
        var available = fields.UInt64();
        var files = fields.UInt64();
        fields.UInt64();
        var freeFiles = fields.UInt64();
        fields.UInt64();
        var flags = fields.UInt64();
        return new SftpFileSystem((long)UInt128.Min((UInt128)available * fragment, (UInt128)long.MaxValue), freeFiles, files, (flags & 1) != 0);
    }

    /// <summary>The absolute form of a path, as the server has it.</summary>
    public string RealPath(string path, CancellationToken token)
    {
        var reply = Send(Packet(SftpPacketType.RealPath, path)).Wait(token);
        if (reply.Type == SftpPacketType.Status)
            Status(reply, path);
        var fields = Expect(reply, SftpPacketType.Name).Read();
        return fields.UInt32() == 1 ? fields.Text() : throw PacketReader.Broken("a path has not one name");
    }

    /// <inheritdoc/>
    public void Dispose() => _connection.Dispose();

    /// <summary>Ends the connection at once, without a word to the server; from any thread.</summary>
    public void Abort() => _connection.Fail(new SftpException(SftpError.ConnectionLost, "The connection was closed."));

    internal SftpPending BeginRead(SftpHandle handle, long offset, int count) =>
        Send(new PacketWriter(SftpPacketType.Read, 64).Bytes(handle.Value).UInt64((ulong)offset).UInt32((uint)count));

    internal SftpPending BeginSend(ArraySegment<byte> packet) => _connection.Send(packet);

    /// <summary>Throws where the answer is not that it was done.</summary>
    internal static void Check(SftpPending pending, string path, CancellationToken token) => Status(Expect(pending.Wait(token), SftpPacketType.Status), path);

    /// <summary>The status that an answer is; throws for all that are neither good nor <paramref name="expected"/>.</summary>
    internal static SftpStatus Status(SftpReply reply, string path, SftpStatus expected = SftpStatus.Ok)
    {
        var fields = reply.Read();
        var status = (SftpStatus)fields.UInt32();
        if (status == SftpStatus.Ok || status == expected)
            return status;
        // Some servers leave the text out.
        throw Failure(status, fields.IsAtEnd ? "" : fields.Text(), path);
    }

    internal static SftpReply Expect(SftpReply reply, SftpPacketType type) => reply.Type == type ? reply : throw PacketReader.Broken("an answer does not fit its question");

    private static SftpException Failure(SftpStatus status, string text, string path)
    {
        var words = SshDiagnosis.Shorten(new string([.. text.Select(c => char.IsControl(c) ? ' ' : c)]).Trim());
        var error = status switch
        {
            SftpStatus.NoSuchFile or SftpStatus.NoSuchPath => SftpError.NoSuchFile,
            SftpStatus.PermissionDenied or SftpStatus.WriteProtected => SftpError.PermissionDenied,
            SftpStatus.NoConnection or SftpStatus.ConnectionLost => SftpError.ConnectionLost,
            SftpStatus.Unsupported => SftpError.Unsupported,
            SftpStatus.NoSpace or SftpStatus.QuotaExceeded => SftpError.NoSpace,
            _ => Array.Exists(["no space", "quota", "disk full", "disk is full"], sign => words.Contains(sign, StringComparison.OrdinalIgnoreCase)) ? SftpError.NoSpace : SftpError.Failed,
        };
        var reason = words.Length > 0 ? words : status.ToString();
        return new SftpException(error, FormattableString.Invariant($"The server answered '{reason}' (status {(uint)status}) at '{path}'.")) { Words = words };
    }

    private static SftpException Gone(string path) => new(SftpError.NoSuchFile, $"There is no '{path}' any more.");

    private static SftpHandle Handle(SftpPending pending, string path, CancellationToken token)
    {
        var reply = pending.Wait(token);
        if (reply.Type == SftpPacketType.Status)
            Status(reply, path);
        var value = Expect(reply, SftpPacketType.Handle).Read().Bytes();
        return value.Length is > 0 and <= SftpHandle.Longest ? new SftpHandle(path, value.ToArray()) : throw PacketReader.Broken("a handle has an impossible length");
    }

    internal static SftpAttributes? Attributes(SftpPending pending, string path, CancellationToken token)
    {
        var reply = pending.Wait(token);
        if (reply.Type == SftpPacketType.Status)
            return Status(reply, path, SftpStatus.NoSuchFile) == SftpStatus.NoSuchFile ? null : throw PacketReader.Broken("a question about a file was answered by yes");
        var fields = Expect(reply, SftpPacketType.Attributes).Read();
        return SftpAttributes.Read(ref fields);
    }

    private static PacketWriter Packet(SftpPacketType type, string path) => new PacketWriter(type).Text(Checked(path));

    private static PacketWriter Extended(string name) => new PacketWriter(SftpPacketType.Extended).Text(name);

    private static string Checked(string path) =>
        path.Contains('\0', StringComparison.Ordinal) ? throw new SftpException(SftpError.NoSuchFile, "A path has a NUL character in it.") : path;

    private static SftpClient Greet(SftpConnection connection, TimeSpan limit, int? processId, CancellationToken token)
    {
        var client = new SftpClient(connection) { ProcessId = processId };
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(token);
        limited.CancelAfter(limit);
        try
        {
            client.Meet(limited.Token);
            return client;
        }
        catch (OperationCanceledException)
        {
            client.Abort();
            client.Dispose();
            token.ThrowIfCancellationRequested();
            throw new SftpException(SftpError.Unreachable, FormattableString.Invariant($"The server did not finish the login within {limit.TotalSeconds:0.#} seconds."));
        }
        catch (SftpException broken)
        {
            client.Abort();
            client.Dispose();
            throw broken.Error == SftpError.TimedOut ? new SftpException(SftpError.Unreachable, broken.Message, broken) : broken;
        }
    }

    private void Meet(CancellationToken token)
    {
        var reply = _connection.Greet(Version).Wait(token);
        var fields = reply.Read();
        var version = fields.UInt32();
        if (version != Version)
            throw new SftpException(SftpError.Protocol, FormattableString.Invariant($"The server speaks version {version} of SFTP, not {Version}."));
        while (!fields.IsAtEnd)
            _extensions[fields.Text()] = Encoding.UTF8.GetString(fields.Bytes());
        _connection.Establish();
        if (Offers("limits@openssh.com"))
            ReadLimits(token);
    }

    private void ReadLimits(CancellationToken token)
    {
        var reply = Send(Extended("limits@openssh.com")).Wait(token);
        if (reply.Type != SftpPacketType.ExtendedReply)
            return;
        var fields = reply.Read();
        fields.UInt64();
        // 0 is no limit that is known.
        ReadBlock = fields.UInt64() is > 0 and var read ? (int)Math.Min(read, LargestBlock) : DefaultBlock;
        WriteBlock = fields.UInt64() is > 0 and var write ? (int)Math.Min(write, LargestBlock) : DefaultBlock;
        MostHandles = (int)Math.Min(fields.UInt64(), int.MaxValue);
    }

    private SftpPending Send(PacketWriter packet) => _connection.Send(packet.Finish());

    private SftpPending BeginClose(SftpHandle handle) => Send(new PacketWriter(SftpPacketType.Close, 64).Bytes(handle.Value));
}
