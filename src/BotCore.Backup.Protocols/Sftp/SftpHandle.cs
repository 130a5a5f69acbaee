namespace BotCore.Backup.Protocols.Sftp;

/// <summary>An open file or folder of one connection; the bytes are the server's own word for it.</summary>
public sealed class SftpHandle
{
    // Section 6.2: a handle has 256 bytes at most.
    internal const int Longest = 256;

    internal SftpHandle(string path, byte[] value) => (Path, Value) = (path, value);

    /// <summary>What was opened, for people.</summary>
    public string Path { get; }

    internal byte[] Value { get; }
}

/// <summary>How a file is opened; section 6.3.</summary>
[Flags]
public enum SftpOpenModes
{
    /// <summary>Nothing; never used alone.</summary>
    None = 0,

    /// <summary>SSH_FXF_READ.</summary>
    Read = 1,

    /// <summary>SSH_FXF_WRITE.</summary>
    Write = 2,

    /// <summary>SSH_FXF_CREAT: makes it where there is none.</summary>
    Create = 8,

    /// <summary>SSH_FXF_TRUNC.</summary>
    Truncate = 16,

    /// <summary>SSH_FXF_EXCL: fails where there is one.</summary>
    Exclusive = 32,
}

/// <summary>One entry of a folder.</summary>
/// <param name="Name">Its bytes as UTF-8; a name that is not UTF-8 has U+FFFD in it.</param>
/// <param name="Attributes">Of the entry itself: a link is a link.</param>
public sealed record SftpEntry(string Name, SftpAttributes Attributes);

/// <summary>What statvfs@openssh.com says of a file system.</summary>
/// <param name="FreeBytes">That this user may still write.</param>
/// <param name="FreeFiles">That this user may still make; 0 also where the file system has no such limit.</param>
/// <param name="Files">That it can hold in all; 0 where it has no such limit.</param>
/// <param name="IsReadOnly">It takes no writes.</param>
public sealed record SftpFileSystem(long FreeBytes, ulong FreeFiles, ulong Files, bool IsReadOnly);
