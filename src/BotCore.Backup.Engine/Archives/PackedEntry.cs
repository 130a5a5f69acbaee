namespace BotCore.Backup.Engine.Archives;

/// <summary>What the documents of one collection are, whatever their order: how many, and the hash of their set.</summary>
/// <param name="Documents">How many.</param>
/// <param name="Hash">Sum modulo 2^256 of the SHA-256 of every document's bytes, lower-case hexadecimal.</param>
public sealed record DocumentSet(long Documents, string Hash);

/// <summary>
/// A file whose size was not known until all of it was read, and which was compressed meanwhile: its members are handed over as they are. They were made by the
/// archive's own codec, each from <see cref="Compression.ICodec.BlockSize"/> bytes at most.
/// </summary>
internal abstract class PackedEntry : SourceItem
{
    /// <summary>Its header; a regular file without holes.</summary>
    public abstract ArchiveEntry Entry { get; }

    /// <inheritdoc/>
    public sealed override EntryPath Path => Entry.Path;

    /// <summary>SHA-256 of the content, lower-case hexadecimal.</summary>
    public abstract string Sha256 { get; }

    /// <summary>What its documents are; null where it holds none.</summary>
    public virtual DocumentSet? Set => null;

    /// <summary>How many members there are; their plain lengths add up to the entry's size.</summary>
    public abstract int Members { get; }

    /// <summary>Bytes of member <paramref name="number"/>, compressed and plain.</summary>
    public abstract (int Packed, int Plain) LengthOf(int number);

    /// <summary>Fills <paramref name="member"/>, which has its packed length, with member <paramref name="number"/>.</summary>
    public abstract void Read(int number, Span<byte> member);
}
