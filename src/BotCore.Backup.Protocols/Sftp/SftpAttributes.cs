namespace BotCore.Backup.Protocols.Sftp;

/// <summary>What a server says of a file; what it does not say is null. Section 5.</summary>
public sealed record SftpAttributes
{
    private const uint HasSize = 1;
    private const uint HasOwner = 2;
    private const uint HasMode = 4;
    private const uint HasTimes = 8;
    private const uint HasExtensions = 0x80000000;
    private const uint TypeMask = 0xF000;

    /// <summary>Bytes.</summary>
    public long? Size { get; init; }

    /// <summary>Mode as stat has it, type included.</summary>
    public uint? Mode { get; init; }

    /// <summary>When it was last changed, by the server's clock; whole seconds since 1970.</summary>
    public uint? ModifiedAt { get; init; }

    /// <summary>Whether it is a folder.</summary>
    public bool IsFolder => (Mode & TypeMask) == 0x4000;

    /// <summary>Whether it is a regular file.</summary>
    public bool IsFile => (Mode & TypeMask) == 0x8000;

    /// <summary>Whether it is a symbolic link.</summary>
    public bool IsLink => (Mode & TypeMask) == 0xA000;

    internal static SftpAttributes Read(ref PacketReader reader)
    {
        var flags = reader.UInt32();
        long? size = null;
        uint? mode = null;
        uint? modified = null;
        if ((flags & HasSize) != 0)
            size = reader.UInt64() is var bytes and <= long.MaxValue ? (long)bytes : throw PacketReader.Broken("a size is past all bounds");
        if ((flags & HasOwner) != 0)
            reader.UInt64();
        if ((flags & HasMode) != 0)
            mode = reader.UInt32();
        if ((flags & HasTimes) != 0)
        {
            reader.UInt32();
            modified = reader.UInt32();
        }

        if ((flags & HasExtensions) != 0)
        {
            for (var left = reader.UInt32(); left > 0; left--)
            {
                reader.Bytes();
                reader.Bytes();
            }
        }

        return new SftpAttributes { Size = size, Mode = mode, ModifiedAt = modified };
    }

    internal void Write(PacketWriter writer)
    {
        writer.UInt32((Size is null ? 0 : HasSize) | (Mode is null ? 0 : HasMode) | (ModifiedAt is null ? 0 : HasTimes));
        if (Size is { } size)
            writer.UInt64((ulong)size);
        if (Mode is { } mode)
            writer.UInt32(mode);
        if (ModifiedAt is { } modified)
            writer.UInt32(modified).UInt32(modified);
    }
}
