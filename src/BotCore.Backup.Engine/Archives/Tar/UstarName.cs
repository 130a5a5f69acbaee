namespace BotCore.Backup.Engine.Archives.Tar;

/// <summary>Names in the header block: 100 bytes, or a folder of up to 155 and a name of up to 100 with a slash between them left out.</summary>
internal static class UstarName
{
    private const int NameLength = 100;
    private const int PrefixLength = 155;

    /// <summary>Puts <paramref name="name"/> into the block, cut where it does not fit; then false, and a PAX record has to tell it.</summary>
    internal static bool Write(Span<byte> block, ReadOnlySpan<byte> name)
    {
        if (name.Length <= NameLength)
        {
            name.CopyTo(block[TarFormat.Field.Name]);
            return true;
        }

        var split = FindSplit(name);
        if (split < 0)
        {
            // A cut name must not look like a directory's.
            name[..NameLength].TrimEnd((byte)'/').CopyTo(block[TarFormat.Field.Name]);
            return false;
        }

        name[..split].CopyTo(block[TarFormat.Field.Prefix]);
        name[(split + 1)..].CopyTo(block[TarFormat.Field.Name]);
        return true;
    }

    /// <summary>Whether the block holds <paramref name="name"/> whole.</summary>
    internal static bool Fits(ReadOnlySpan<byte> name) => name.Length <= NameLength || FindSplit(name) >= 0;

    private static int FindSplit(ReadOnlySpan<byte> name)
    {
        // The slash leaves 1 to 155 bytes before it and 1 to 100 after it; a directory's last slash ends its name and splits nothing.
        var first = Math.Max(1, name.Length - NameLength - 1);
        var last = Math.Min(PrefixLength, name.Length - 2);
        if (first > last)
            return -1;
        var found = name[first..(last + 1)].IndexOf((byte)'/');
        return found < 0 ? -1 : first + found;
    }
}
