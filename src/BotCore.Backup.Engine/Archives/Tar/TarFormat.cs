namespace BotCore.Backup.Engine.Archives.Tar;

/// <summary>Sizes and limits of the tar format (IEEE Std 1003.1-2017, pax) as this engine reads and writes it.</summary>
public static class TarFormat
{
    /// <summary>Bytes of a block: headers are one block, data is padded to blocks.</summary>
    public const int BlockSize = 512;

    /// <summary>Bytes of a record: an archive of ours is padded to records, as GNU tar's are.</summary>
    public const int RecordSize = 20 * BlockSize;

    /// <summary>Bytes that the extended headers of one entry (PAX records, GNU long names) may take together. Read and written.</summary>
    public const int MaximumExtendedHeader = 8 * 1024 * 1024;

    /// <summary>Runs that the map of one sparse file may have. A file with more is stored whole.</summary>
    public const int MaximumSparseRuns = 1_000_000;

    /// <summary>Zero bytes that follow <paramref name="length"/> bytes of data up to the next block.</summary>
    public static int Padding(long length) => (int)(-length & (BlockSize - 1));

    internal static long Padded(long length) => length + Padding(length);

    /// <summary>A field of the header block. Star and GNU lay out the last 167 bytes in their own ways.</summary>
    internal static class Field
    {
        internal static readonly Range Name = 0..100;
        internal static readonly Range Mode = 100..108;
        internal static readonly Range UserId = 108..116;
        internal static readonly Range GroupId = 116..124;
        internal static readonly Range Size = 124..136;
        internal static readonly Range Modified = 136..148;
        internal static readonly Range Checksum = 148..156;
        internal static readonly Range LinkName = 157..257;
        internal static readonly Range Magic = 257..265;
        internal static readonly Range UserName = 265..297;
        internal static readonly Range GroupName = 297..329;
        internal static readonly Range DeviceMajor = 329..337;
        internal static readonly Range DeviceMinor = 337..345;
        internal static readonly Range Prefix = 345..500;

        internal static readonly Range StarPrefix = 345..476;
        internal static readonly Range StarMagic = 508..512;

        internal static readonly Range GnuSparse = 386..482;
        internal static readonly Range GnuRealSize = 483..495;

        internal const int TypeFlag = 156;
        internal const int GnuSparseGoesOn = 482;
        internal const int GnuSparseExtensionGoesOn = 504;
    }

    /// <summary>The type flag of the header block.</summary>
    internal static class TypeFlag
    {
        internal const byte OldFile = 0;
        internal const byte File = (byte)'0';
        internal const byte HardLink = (byte)'1';
        internal const byte SymbolicLink = (byte)'2';
        internal const byte CharacterDevice = (byte)'3';
        internal const byte BlockDevice = (byte)'4';
        internal const byte Directory = (byte)'5';
        internal const byte Fifo = (byte)'6';
        internal const byte Contiguous = (byte)'7';
        internal const byte Extended = (byte)'x';
        internal const byte SolarisExtended = (byte)'X';
        internal const byte Global = (byte)'g';
        internal const byte GnuLongName = (byte)'L';
        internal const byte GnuLongLink = (byte)'K';
        internal const byte GnuSparse = (byte)'S';
        internal const byte GnuDumpDirectory = (byte)'D';
        internal const byte GnuVolumeLabel = (byte)'V';
    }
}
