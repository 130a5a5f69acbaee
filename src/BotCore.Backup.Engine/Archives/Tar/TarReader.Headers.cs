namespace BotCore.Backup.Engine.Archives.Tar;

/// <content>From header blocks to an <see cref="ArchiveEntry"/>.</content>
public sealed partial class TarReader
{
    private const int SmallBuffer = 4096;

    private readonly PaxFields _global = new();
    private readonly PaxFields _fields = new();
    private readonly NameCache _userNames = new();
    private readonly NameCache _groupNames = new();
    private byte[] _extended = new byte[SmallBuffer];
    private int _extendedLength;
    private bool _sawPax;

    // Returns false at the end of the archive.
    private bool ReadHeaders()
    {
        while (true)
        {
            if (!_input.TryTakeBlock(out var block))
            {
                if (!block.IsEmpty)
                    throw Corrupt("the archive ends inside of a header");
                if (_extendedLength > 0)
                    throw Corrupt("the archive ends after an extended header");
                if (_options.RequireEnd || _input.Position == 0)
                    throw Corrupt("the archive ends without its two zero blocks");
                return false;
            }

            if (TarHeaderBlock.IsZero(block))
            {
                if (_extendedLength > 0)
                    throw Corrupt("the archive ends after an extended header");
                ReadEnd();
                return false;
            }

            if (!TarNumber.ChecksumHolds(block))
                throw Corrupt("the checksum of a header does not hold");
            if (!TryReadExtended(new TarHeaderBlock(block)))
            {
                ReadEntry(block);
                return true;
            }
        }
    }

    // Headers that only speak about the next one.
    private bool TryReadExtended(TarHeaderBlock header)
    {
        switch (header.TypeFlag)
        {
            case TarFormat.TypeFlag.Extended or TarFormat.TypeFlag.SolarisExtended:
                _sawPax = true;
                ThrowIf(_fields.Parse(TakeExtended(header)));
                return true;
            case TarFormat.TypeFlag.Global:
                ReadGlobal(header);
                return true;
            case TarFormat.TypeFlag.GnuLongName:
                _fields.Path = TarText.BeforeNul(TakeExtended(header)).ToArray();
                return true;
            case TarFormat.TypeFlag.GnuLongLink:
                _fields.LinkPath = TarText.BeforeNul(TakeExtended(header)).ToArray();
                return true;
            case TarFormat.TypeFlag.GnuVolumeLabel when _extendedLength == 0:
                Skip(Number(header, TarFormat.Field.Size, "size"));
                StartEntry();
                return true;
            default:
                return false;
        }
    }

    private void ReadGlobal(TarHeaderBlock header)
    {
        _sawPax = true;
        if (_extendedLength > 0)
            throw Corrupt("a global header stands between an extended header and its entry");
        ThrowIf(_global.Parse(TakeExtended(header)));
        _global.DropEntryFields();
        StartEntry();
    }

    private ReadOnlySpan<byte> TakeExtended(TarHeaderBlock header)
    {
        var length = Number(header, TarFormat.Field.Size, "size");
        if (length < 0 || length > TarFormat.MaximumExtendedHeader - _extendedLength)
            throw Corrupt($"its extended headers take more than {TarFormat.MaximumExtendedHeader} bytes");
        // An empty one counts too, so that an entry must follow.
        _extendedLength += Math.Max(1, (int)length);

        var taken = 0;
        while (taken < length)
        {
            // Grows with what has come, not with what is promised.
            if (taken == _extended.Length)
                Array.Resize(ref _extended, 2 * taken);
            var read = _input.Read(_extended.AsSpan(taken, (int)Math.Min(length, _extended.Length) - taken));
            if (read == 0)
                throw Corrupt("the archive ends inside of an extended header");
            taken += read;
        }

        if (!_input.TrySkip(TarFormat.Padding(length)))
            throw Corrupt("the archive ends inside of an extended header");
        return _extended.AsSpan(0, taken);
    }

    private void Skip(long length)
    {
        CheckLength(length);
        if (!_input.TrySkip(TarFormat.Padded(length)))
            throw Corrupt("the archive ends inside of its data");
    }

    private void ReadEntry(ReadOnlySpan<byte> block)
    {
        var header = new TarHeaderBlock(block);
        var path = _fields.Sparse?.Name ?? _fields.Path ?? header.CopyName();
        _name = new EntryPath(path);
        var kind = KindOf(header, path);
        var stored = _fields.Size ?? Number(header, TarFormat.Field.Size, "size");
        CheckLength(stored);

        var isLink = kind is EntryKind.SymbolicLink or EntryKind.HardLink;
        var isDevice = kind is EntryKind.CharacterDevice or EntryKind.BlockDevice;
        var entry = new ArchiveEntry
        {
            Path = new EntryPath(Normalize(path, kind)),
            Kind = kind,
            Mode = (int)(Number(header, TarFormat.Field.Mode, "mode") & 0xFFF),
            UserId = Owner(_fields.UserId, header, TarFormat.Field.UserId),
            GroupId = Owner(_fields.GroupId, header, TarFormat.Field.GroupId),
            UserName = _fields.UserName ?? _userNames.Get(header.UserName),
            GroupName = _fields.GroupName ?? _groupNames.Get(header.GroupName),
            Modified = _fields.Modified ?? new UnixTime(Number(header, TarFormat.Field.Modified, "mtime"), 0),
            Size = kind == EntryKind.File ? stored : 0,
            LinkTarget = isLink ? Target(header, kind) : default,
            DeviceMajor = isDevice ? Device(_fields.DeviceMajor, header, TarFormat.Field.DeviceMajor) : 0,
            DeviceMinor = isDevice ? Device(_fields.DeviceMinor, header, TarFormat.Field.DeviceMinor) : 0,
            Attributes = _fields.Attributes.IsEmpty ? [] : _fields.Attributes.Take(_accounts ??= AccountNames.ReadSystem(), _warnings),
        };
        _name = entry.Path;

        if (header.TypeFlag == TarFormat.TypeFlag.GnuSparse)
            entry = ReadGnuSparse(entry, block, stored);
        else if (_fields.Sparse is not null)
            entry = ReadPaxSparse(entry, _fields.Sparse, stored);
        else
            SetContent(entry, header, stored);
        _current = entry;
    }

    private void SetContent(ArchiveEntry entry, TarHeaderBlock header, long stored)
    {
        if (entry.Kind == EntryKind.File)
        {
            _remaining = stored;
            _skipAfter = TarFormat.Padding(stored);
        }
        else if (header.TypeFlag == TarFormat.TypeFlag.GnuDumpDirectory || (entry.Kind == EntryKind.HardLink && LinkHasData(header, stored)))
        {
            _skipAfter = TarFormat.Padded(stored);
        }
    }

    // Before pax a hard link had no data, whatever its size said; a plain ustar header does not tell which rule its writer knew. Where a
    // header or the end follows at once there is no data (libarchive decides the same way).
    private bool LinkHasData(TarHeaderBlock header, long stored)
    {
        if (stored == 0 || !header.IsPosix)
            return false;
        return _sawPax || (_input.TryPeekBlock(out var next) && !TarHeaderBlock.IsZero(next) && !TarNumber.ChecksumHolds(next));
    }

    private EntryKind KindOf(TarHeaderBlock header, ReadOnlySpan<byte> path)
    {
        switch (header.TypeFlag)
        {
            // Before ustar only the slash told a directory.
            case TarFormat.TypeFlag.OldFile or TarFormat.TypeFlag.File or TarFormat.TypeFlag.Contiguous:
                return path.EndsWith("/"u8) && _fields.Sparse is null ? EntryKind.Directory : EntryKind.File;
            case TarFormat.TypeFlag.GnuSparse: return EntryKind.File;
            case TarFormat.TypeFlag.HardLink: return EntryKind.HardLink;
            case TarFormat.TypeFlag.SymbolicLink: return EntryKind.SymbolicLink;
            case TarFormat.TypeFlag.CharacterDevice: return EntryKind.CharacterDevice;
            case TarFormat.TypeFlag.BlockDevice: return EntryKind.BlockDevice;
            case TarFormat.TypeFlag.Directory or TarFormat.TypeFlag.GnuDumpDirectory: return EntryKind.Directory;
            case TarFormat.TypeFlag.Fifo: return EntryKind.Fifo;
            default: throw Corrupt($"it is of the type 0x{header.TypeFlag:X2}, which is not known");
        }
    }

    private byte[] Normalize(byte[] path, EntryKind kind)
    {
        if (path.Length == 0)
            throw Corrupt("it has no name");
        ReadOnlySpan<byte> rest = WithoutDotSlash(path);
        if (kind == EntryKind.Directory)
        {
            rest = rest.TrimEnd((byte)'/');
            if (rest.IsEmpty)
                return path[0] == '/' ? path : [(byte)'.'];
        }

        return rest.Length == path.Length ? path : rest.ToArray();
    }

    private static ReadOnlySpan<byte> WithoutDotSlash(ReadOnlySpan<byte> path)
    {
        while (path.StartsWith("./"u8))
            path = path[1..].TrimStart((byte)'/');
        return path;
    }

    private EntryPath Target(TarHeaderBlock header, EntryKind kind)
    {
        var target = _fields.LinkPath ?? header.LinkName.ToArray();
        if (target.Length == 0)
            throw Corrupt("it is a link without a target");
        if (kind == EntryKind.SymbolicLink)
            return new EntryPath(target);
        var path = WithoutDotSlash(target);
        return new EntryPath(path.Length == target.Length ? target : path.ToArray());
    }

    private long Owner(long? pax, TarHeaderBlock header, Range field)
    {
        var id = pax ?? Number(header, field, "owner");
        return id >= 0 ? id : throw Corrupt("its owner is a negative number");
    }

    private uint Device(long? pax, TarHeaderBlock header, Range field)
    {
        var number = pax ?? Number(header, field, "device number");
        return number is >= 0 and <= uint.MaxValue ? (uint)number : throw Corrupt("its device number is out of range");
    }

    private long Number(TarHeaderBlock header, Range field, string what)
        => header.TryGetNumber(field, out var value) ? value : throw Corrupt($"its {what} is no number");

    private void CheckLength(long length)
    {
        if (length < 0 || length > long.MaxValue - _input.Position - TarFormat.RecordSize)
            throw Corrupt("its size is out of range");
    }

    private void ThrowIf(string? flaw)
    {
        if (flaw is not null)
            throw Corrupt(flaw);
    }

    /// <summary>Files that stand together have one owner: its name becomes a string once.</summary>
    private sealed class NameCache
    {
        private readonly byte[] _bytes = new byte[32];
        private int _length;
        private string _text = "";

        internal string Get(ReadOnlySpan<byte> name)
        {
            if (name.SequenceEqual(_bytes.AsSpan(0, _length)))
                return _text;
            name.CopyTo(_bytes);
            _length = name.Length;
            return _text = TarText.Decode(name);
        }
    }
}
