using System.Runtime.InteropServices;
using BotCore.Backup.Engine.Archives;

namespace BotCore.Backup.Engine.Outside.Posix;

/// <summary>The kernel's <c>struct statx</c>, whose layout is the same on every architecture (linux/stat.h).</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal readonly struct FileStatus
{
    [FieldOffset(16)]
    public readonly uint Links;
    [FieldOffset(20)]
    public readonly uint UserId;
    [FieldOffset(24)]
    public readonly uint GroupId;
    [FieldOffset(28)]
    public readonly ushort RawMode;
    [FieldOffset(32)]
    public readonly ulong Inode;
    [FieldOffset(40)]
    public readonly ulong RawSize;
    [FieldOffset(48)]
    public readonly ulong Blocks;
    [FieldOffset(96)]
    public readonly long ChangedSeconds;
    [FieldOffset(104)]
    public readonly uint ChangedNanoseconds;
    [FieldOffset(112)]
    public readonly long ModifiedSeconds;
    [FieldOffset(120)]
    public readonly uint ModifiedNanoseconds;
    [FieldOffset(128)]
    public readonly uint DeviceMajor;
    [FieldOffset(132)]
    public readonly uint DeviceMinor;
    [FieldOffset(136)]
    public readonly uint HomeMajor;
    [FieldOffset(140)]
    public readonly uint HomeMinor;

    /// <summary>Permission bits with setuid, setgid and sticky.</summary>
    public int Mode => RawMode & 0xFFF;

    /// <summary>Length in bytes.</summary>
    public long Size => (long)RawSize;

    /// <summary>Bytes that the file system has given it; holes are not counted.</summary>
    public long Allocated => (long)Blocks * 512;

    /// <summary>Last change of the content.</summary>
    public UnixTime Modified => new(ModifiedSeconds, (int)ModifiedNanoseconds);

    /// <summary>Last change of the content or of the inode.</summary>
    public UnixTime Changed => new(ChangedSeconds, (int)ChangedNanoseconds);

    /// <summary>What tells this inode from every other one of the machine.</summary>
    public FileIdentity Identity => new(((ulong)HomeMajor << 32) | HomeMinor, Inode);

    /// <summary>What an index keeps of it.</summary>
    public NodeState State => new(Inode, Modified, Changed);

    /// <summary>The type bits, one of <see cref="FileType"/>.</summary>
    public FileType Type => (FileType)(RawMode & 0xF000);
}

/// <summary>Device and inode.</summary>
internal readonly record struct FileIdentity(ulong Device, ulong Inode);

/// <summary>The type bits of a mode (inode(7)).</summary>
internal enum FileType
{
    /// <summary>The system did not say.</summary>
    Unknown = 0,
    Fifo = 0x1000,
    CharacterDevice = 0x2000,
    Directory = 0x4000,
    BlockDevice = 0x6000,
    Regular = 0x8000,
    SymbolicLink = 0xA000,
    Socket = 0xC000,
}
