namespace BotCore.Backup.Engine.Archives.Tar;

/// <summary>One header block, read in the dialect that its magic names: v7 (none), POSIX, GNU or star.</summary>
internal readonly ref struct TarHeaderBlock(ReadOnlySpan<byte> block)
{
    private readonly ReadOnlySpan<byte> _block = block;

    internal byte TypeFlag => _block[TarFormat.Field.TypeFlag];

    internal bool IsGnu => _block[TarFormat.Field.Magic].StartsWith("ustar "u8);

    internal bool IsPosix => _block[TarFormat.Field.Magic].StartsWith("ustar\0"u8);

    internal bool IsV7 => !IsGnu && !IsPosix;

    internal ReadOnlySpan<byte> LinkName => TarText.BeforeNul(_block[TarFormat.Field.LinkName]);

    /// <summary>Empty in v7, which has none.</summary>
    internal ReadOnlySpan<byte> UserName => IsV7 ? default : TarText.BeforeNul(_block[TarFormat.Field.UserName]);

    /// <summary>Empty in v7, which has none.</summary>
    internal ReadOnlySpan<byte> GroupName => IsV7 ? default : TarText.BeforeNul(_block[TarFormat.Field.GroupName]);

    /// <summary>Whether all bytes are zero: half of the mark that ends an archive.</summary>
    internal static bool IsZero(ReadOnlySpan<byte> block) => !block.ContainsAnyExcept((byte)0);

    internal bool TryGetNumber(Range field, out long value) => TarNumber.TryParse(_block[field], out value);

    internal byte[] CopyName()
    {
        var name = TarText.BeforeNul(_block[TarFormat.Field.Name]);
        var prefix = IsPosix ? Prefix : default;
        if (prefix.IsEmpty)
            return name.ToArray();
        var path = new byte[prefix.Length + 1 + name.Length];
        prefix.CopyTo(path);
        path[prefix.Length] = (byte)'/';
        name.CopyTo(path.AsSpan(prefix.Length + 1));
        return path;
    }

    // Star keeps times of its own in the last bytes of the field, and says so by a second magic.
    private ReadOnlySpan<byte> Prefix => TarText.BeforeNul(
        _block[_block[TarFormat.Field.StarMagic].SequenceEqual("tar\0"u8) ? TarFormat.Field.StarPrefix : TarFormat.Field.Prefix]);
}
