namespace BotCore.Backup.Protocols.Sftp;

/// <content>Files that fit into one request.</content>
public sealed partial class SftpClient
{
    /// <summary>The first 32 KiB of a file, and what the server says of it; null where there is none.</summary>
    public (byte[] Content, SftpAttributes Attributes)? ReadSmall(string path, CancellationToken token)
    {
        SftpHandle handle;
        try
        {
            handle = Open(path, SftpOpenModes.Read, 0, token);
        }
        catch (SftpException missing) when (missing.Error == SftpError.NoSuchFile)
        {
            return null;
        }

        try
        {
            var reading = BeginRead(handle, 0, DefaultBlock);
            var attributes = FStat(handle, token);
            var reply = reading.Wait(token);
            if (reply.Type == SftpPacketType.Status)
            {
                Status(reply, path, SftpStatus.EndOfFile);
                return ([], attributes);
            }

            var content = Expect(reply, SftpPacketType.Data).Data().ToArray();
            reply.Return();
            return (content, attributes);
        }
        finally
        {
            Forget(handle);
        }
    }

    /// <summary>Writes the beginning of an open file.</summary>
    public void WriteSmall(SftpHandle handle, ReadOnlySpan<byte> content, CancellationToken token) =>
        Check(Send(new PacketWriter(SftpPacketType.Write, content.Length + 64).Bytes(handle.Value).UInt64(0).Bytes(content)), handle.Path, token);
}
