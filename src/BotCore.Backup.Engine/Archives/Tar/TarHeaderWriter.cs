using System.Buffers;
using System.Text;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Archives.Tar;

/// <summary>
/// Writes the header blocks of entries in the pax interchange format (IEEE Std 1003.1-2017, "pax"), so that GNU tar, bsdtar and any
/// POSIX pax read them. A ustar block alone where it can say everything, otherwise an extended header before it. Bytes of names go out
/// as they are. The output depends on the entry alone. Not thread-safe.
/// </summary>
/// <remarks>The caller writes <see cref="ArchiveEntry.DataLength"/> bytes of content after the header, then <see cref="TarFormat.Padding"/> zeros.</remarks>
public sealed class TarHeaderWriter
{
    private const int MaximumAccountName = 31;

    private readonly PaxRecordWriter _pax = new();
    private readonly ArrayBufferWriter<byte> _name = new(512);

    /// <summary>
    /// Bytes of the data area, before padding: the content and, for a sparse file, the map that <see cref="Write"/> puts before it.
    /// </summary>
    public static long DataSize(ArchiveEntry entry)
        => entry.Sparse is null ? entry.DataLength : SparseMap.Length(entry) + entry.DataLength;

    /// <summary>
    /// Whether a file of <paramref name="size"/> bytes can be stored with this map; otherwise it is stored whole. The runs ascend and do not
    /// overlap, are at most <see cref="TarFormat.MaximumSparseRuns"/>, and all but the last are whole blocks of 512 bytes long, because GNU tar
    /// takes each run from a block of its own. What file systems report is so.
    /// </summary>
    public static bool CanStoreSparse(IReadOnlyList<SparseRun> map, long size)
    {
        var runs = new SparseRuns();
        var atBlock = true;
        foreach (var run in map)
        {
            if (runs.Add(run.Offset, run.Length) is not null || (run.Length > 0 && !atBlock))
                return false;
            atBlock &= run.Length % TarFormat.BlockSize == 0;
        }

        return runs.Add(size, 0) is null;
    }

    /// <summary>Length of the end that an archive of <paramref name="length"/> bytes needs: two zero blocks, and zeros up to a whole record.</summary>
    public static int EndLength(long length)
    {
        var beyond = (int)((length + (2 * TarFormat.BlockSize)) % TarFormat.RecordSize);
        return (2 * TarFormat.BlockSize) + (beyond == 0 ? 0 : TarFormat.RecordSize - beyond);
    }

    /// <summary>Writes the end of an archive that has <paramref name="length"/> bytes so far.</summary>
    public static void WriteEnd(long length, IBufferWriter<byte> output)
    {
        var end = EndLength(length);
        output.GetSpan(end)[..end].Clear();
        output.Advance(end);
    }

    /// <summary>
    /// Writes a global header whose one record is <c>comment=</c><paramref name="comment"/>. Stands before the first entry; readers
    /// pass over it in silence.
    /// </summary>
    public void WriteGlobalComment(string comment, IBufferWriter<byte> output)
    {
        _pax.Clear();
        _pax.Add("comment"u8, comment);
        WriteExtended("pax_global_header"u8, TarFormat.TypeFlag.Global, default, output);
    }

    /// <summary>
    /// Writes all that stands before the content of <paramref name="entry"/>: the extended header where one is needed, the header block, and
    /// the map of a sparse file. Throws <see cref="ArgumentException"/> for an entry that breaks the rules of <see cref="ArchiveEntry"/>, and
    /// <see cref="BackupException"/> (Suspect) where the attributes take more than <see cref="TarFormat.MaximumExtendedHeader"/>.
    /// </summary>
    public void Write(ArchiveEntry entry, IBufferWriter<byte> output)
    {
        Check(entry);
        var name = ComposeName(entry);
        AddRecords(entry, name);
        if (_pax.Length > TarFormat.MaximumExtendedHeader)
            throw TooManyAttributes(entry);
        if (_pax.Length > 0)
            WriteExtended(Beside(entry.Path, "PaxHeaders/"u8), TarFormat.TypeFlag.Extended, entry.Modified, output);

        var block = NextBlock(output);
        UstarName.Write(block, entry.Sparse is null ? ComposeName(entry) : Beside(entry.Path, "GNUSparseFile.0/"u8));
        WriteFields(block, entry);
        TarNumber.WriteChecksum(block);
        output.Advance(TarFormat.BlockSize);
        if (entry.Sparse is not null)
            SparseMap.Write(entry, output);
    }

    private BackupException TooManyAttributes(ArchiveEntry entry) => new(
        FailureKind.Suspect,
        $"The extended attributes of '{entry.Path}' take {_pax.Length} bytes; an archive holds at most {TarFormat.MaximumExtendedHeader}.",
        "Remove attributes from the file, or leave the file out of the backup.",
        entry.Path);

    private static Span<byte> NextBlock(IBufferWriter<byte> output)
    {
        var block = output.GetSpan(TarFormat.BlockSize)[..TarFormat.BlockSize];
        block.Clear();
        return block;
    }

    private void WriteExtended(ReadOnlySpan<byte> name, byte typeFlag, UnixTime modified, IBufferWriter<byte> output)
    {
        var block = NextBlock(output);
        UstarName.Write(block, name);
        TarNumber.WriteOctal(block[TarFormat.Field.Mode], Convert.ToInt32("644", 8));
        TarNumber.WriteOctal(block[TarFormat.Field.UserId], 0);
        TarNumber.WriteOctal(block[TarFormat.Field.GroupId], 0);
        WriteFitting(block[TarFormat.Field.Size], _pax.Length);
        WriteFitting(block[TarFormat.Field.Modified], modified.Seconds);
        block[TarFormat.Field.TypeFlag] = typeFlag;
        "ustar\000"u8.CopyTo(block[TarFormat.Field.Magic]);
        TarNumber.WriteChecksum(block);
        output.Advance(TarFormat.BlockSize);

        output.Write(_pax.Records);
        var padding = TarFormat.Padding(_pax.Length);
        output.GetSpan(TarFormat.BlockSize)[..padding].Clear();
        output.Advance(padding);
    }

    private static void WriteFields(Span<byte> block, ArchiveEntry entry)
    {
        TarNumber.WriteOctal(block[TarFormat.Field.Mode], entry.Mode);
        WriteFitting(block[TarFormat.Field.UserId], entry.UserId);
        WriteFitting(block[TarFormat.Field.GroupId], entry.GroupId);
        WriteFitting(block[TarFormat.Field.Size], DataSize(entry));
        WriteFitting(block[TarFormat.Field.Modified], entry.Modified.Seconds);
        block[TarFormat.Field.TypeFlag] = TypeFlagOf(entry.Kind);
        var link = entry.LinkTarget.Bytes;
        var room = block[TarFormat.Field.LinkName];
        link[..Math.Min(link.Length, room.Length)].CopyTo(room);
        "ustar\000"u8.CopyTo(block[TarFormat.Field.Magic]);
        WriteAccount(block[TarFormat.Field.UserName], entry.UserName);
        WriteAccount(block[TarFormat.Field.GroupName], entry.GroupName);
        WriteFitting(block[TarFormat.Field.DeviceMajor], entry.DeviceMajor);
        WriteFitting(block[TarFormat.Field.DeviceMinor], entry.DeviceMinor);
    }

    private static byte TypeFlagOf(EntryKind kind) => kind switch
    {
        EntryKind.File => TarFormat.TypeFlag.File,
        EntryKind.Directory => TarFormat.TypeFlag.Directory,
        EntryKind.SymbolicLink => TarFormat.TypeFlag.SymbolicLink,
        EntryKind.HardLink => TarFormat.TypeFlag.HardLink,
        EntryKind.Fifo => TarFormat.TypeFlag.Fifo,
        EntryKind.CharacterDevice => TarFormat.TypeFlag.CharacterDevice,
        EntryKind.BlockDevice => TarFormat.TypeFlag.BlockDevice,
        _ => throw new ArgumentException($"An entry of kind {kind} cannot be written.", nameof(kind)),
    };

    // A number that does not fit stands in a PAX record; the field then says 0.
    private static void WriteFitting(Span<byte> field, long value)
        => TarNumber.WriteOctal(field, TarNumber.FitsOctal(value, field.Length) ? value : 0);

    private static void WriteAccount(Span<byte> field, string name)
    {
        if (FitsAccount(name))
            Encoding.UTF8.GetBytes(name, field);
    }

    private static bool FitsAccount(string name)
        => name.Length <= MaximumAccountName / 3 || Encoding.UTF8.GetByteCount(name) <= MaximumAccountName;

    private void AddRecords(ArchiveEntry entry, ReadOnlySpan<byte> name)
    {
        _pax.Clear();
        if (entry.Sparse is not null)
        {
            _pax.Add("GNU.sparse.major"u8, 1);
            _pax.Add("GNU.sparse.minor"u8, 0);
            _pax.Add("GNU.sparse.name"u8, name);
            _pax.Add("GNU.sparse.realsize"u8, entry.Size);
        }
        else if (!UstarName.Fits(name))
        {
            _pax.Add("path"u8, name);
        }

        if (entry.LinkTarget.Length > 100)
            _pax.Add("linkpath"u8, entry.LinkTarget.Bytes);
        AddUnlessFitting("size"u8, DataSize(entry), 12);
        AddUnlessFitting("uid"u8, entry.UserId, 8);
        AddUnlessFitting("gid"u8, entry.GroupId, 8);
        AddUnlessFitting("SCHILY.devmajor"u8, entry.DeviceMajor, 8);
        AddUnlessFitting("SCHILY.devminor"u8, entry.DeviceMinor, 8);
        if (entry.Modified.Nanoseconds != 0 || !TarNumber.FitsOctal(entry.Modified.Seconds, 12))
            _pax.Add("mtime"u8, entry.Modified);
        if (!FitsAccount(entry.UserName))
            _pax.Add("uname"u8, entry.UserName);
        if (!FitsAccount(entry.GroupName))
            _pax.Add("gname"u8, entry.GroupName);
        foreach (var attribute in entry.Attributes)
            AddAttribute(attribute);
    }

    private void AddUnlessFitting(ReadOnlySpan<byte> keyword, long value, int width)
    {
        if (!TarNumber.FitsOctal(value, width))
            _pax.Add(keyword, value);
    }

    private void AddAttribute(ExtendedAttribute attribute)
    {
        if (attribute.Name is PosixAcl.AccessName && !PosixAcl.IsMinimal(attribute.Value) && PosixAcl.ToText(attribute.Value) is { } access)
            _pax.Add("SCHILY.acl.access"u8, access);
        else if (attribute.Name is PosixAcl.DefaultName && PosixAcl.ToText(attribute.Value) is { } inherited)
            _pax.Add("SCHILY.acl.default"u8, inherited);
        else
            _pax.Add("SCHILY.xattr."u8, Encoding.UTF8.GetBytes(PaxAttributeName.Escape(attribute.Name)), attribute.Value);
    }

    // The name as the tar has it: the root is "./", directories end with a slash.
    private ReadOnlySpan<byte> ComposeName(ArchiveEntry entry)
    {
        if (entry.Kind != EntryKind.Directory)
            return entry.Path.Bytes;
        _name.ResetWrittenCount();
        _name.Write(entry.Path.Bytes);
        _name.Write("/"u8);
        return _name.WrittenSpan;
    }

    // dir/NAME/file: what readers that know no PAX unpack does not stand on the place of the file itself.
    private ReadOnlySpan<byte> Beside(EntryPath path, ReadOnlySpan<byte> folder)
    {
        var name = path.Bytes;
        var slash = name.LastIndexOf((byte)'/') + 1;
        _name.ResetWrittenCount();
        _name.Write(name[..slash]);
        _name.Write(folder);
        _name.Write(name[slash..]);
        return _name.WrittenSpan;
    }

    private static void Check(ArchiveEntry entry)
    {
        if (entry.Path.IsEmpty || entry.Path.Bytes.Contains((byte)0) || entry.LinkTarget.Bytes.Contains((byte)0))
            throw new ArgumentException($"The path '{entry.Path}' is empty, or it or its link target holds a NUL byte.", nameof(entry));
        if (entry.Mode is < 0 or > 0xFFF)
            throw new ArgumentException($"The mode of '{entry.Path}' is outside of 0 to 07777.", nameof(entry));
        if (entry.UserId < 0 || entry.GroupId < 0 || entry.Size < 0 || (entry.Size > 0 && entry.Kind != EntryKind.File))
            throw new ArgumentException($"The owner or the size of '{entry.Path}' is out of range.", nameof(entry));
        if (entry.Modified.Nanoseconds is < 0 or > 999_999_999)
            throw new ArgumentException($"The time of '{entry.Path}' is out of range.", nameof(entry));
        if (entry.LinkTarget.IsEmpty == (entry.Kind is EntryKind.SymbolicLink or EntryKind.HardLink))
            throw new ArgumentException($"'{entry.Path}' is a link without a target, or no link and has one.", nameof(entry));
        if (entry.Sparse is not null)
            CheckSparse(entry, entry.Sparse);
    }

    private static void CheckSparse(ArchiveEntry entry, IReadOnlyList<SparseRun> sparse)
    {
        if (entry.Kind != EntryKind.File || !CanStoreSparse(sparse, entry.Size))
            throw new ArgumentException($"The map of '{entry.Path}' cannot be stored, or it is no file.", nameof(entry));
    }
}
