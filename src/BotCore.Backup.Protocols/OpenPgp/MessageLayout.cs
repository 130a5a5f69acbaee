namespace BotCore.Backup.Protocols.OpenPgp;

/// <summary>
/// Where everything stands in a message of <see cref="SymmetricMessageWriter"/>: a function of the data's length alone. The layout is described
/// there.
/// </summary>
/// <param name="DataLength">Bytes of plaintext.</param>
public readonly record struct MessageLayout(long DataLength)
{
    /// <summary>log2 of the partial chunks of the encrypted data packet: 1 MiB.</summary>
    internal const int OuterShift = 20;

    /// <summary>log2 of the partial chunks of the literal packet: 64 KiB.</summary>
    internal const int InnerShift = 16;

    /// <summary>A partial body length octet is 224 plus the log2 of its length.</summary>
    internal const byte OuterPartial = 224 + OuterShift;

    /// <inheritdoc cref="OuterPartial"/>
    internal const byte InnerPartial = 224 + InnerShift;

    /// <summary>The last chunk of either packet has the five-octet length.</summary>
    internal const int LastHeaderLength = 5;

    /// <summary>The session key packet, 15 bytes, and the encrypted data packet's tag.</summary>
    internal const int HeadLength = 16;

    /// <summary>Format, empty name and date of the literal packet.</summary>
    internal const int LiteralHeadLength = 6;

    /// <summary>Tag, length and SHA-1.</summary>
    internal const int MdcLength = 22;

    /// <summary>The version octet in front of the ciphertext.</summary>
    internal const int VersionLength = 1;

    /// <summary>The random prefix and the literal packet's tag.</summary>
    private const int InnerStart = Cfb.PrefixLength + 1;

    /// <summary>Bytes of the literal packet's body: its head and the data.</summary>
    internal long LiteralLength => LiteralHeadLength + DataLength;

    /// <summary>Bytes of the encrypted data packet's body: version and ciphertext.</summary>
    internal long EncryptedLength => VersionLength + InnerStart + Framed(LiteralLength, InnerShift) + MdcLength;

    /// <summary>Bytes of the whole message.</summary>
    public long FileLength => HeadLength + Framed(EncryptedLength, OuterShift);

    /// <summary>Finds the layout of a message of ours by the length of its file; false when no message of ours has that length.</summary>
    public static bool TryFromFileLength(long fileLength, out MessageLayout layout)
    {
        layout = default;
        var encrypted = Unframed(fileLength - HeadLength, OuterShift);
        if (encrypted < 0) return false;
        var literal = Unframed(encrypted - VersionLength - InnerStart - MdcLength, InnerShift);
        if (literal < LiteralHeadLength) return false;
        layout = new MessageLayout(literal - LiteralHeadLength);
        return true;
    }

    /// <summary>Where in the file the ciphertext of the data byte at <paramref name="dataOffset"/> stands.</summary>
    /// <param name="dataOffset">0 up to but not including <see cref="DataLength"/>.</param>
    public long FileOffset(long dataOffset)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(dataOffset);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(dataOffset, DataLength);
        return FileOffsetOfEncrypted(VersionLength + CipherOffset(LiteralHeadLength + dataOffset));
    }

    /// <summary>Where in the ciphertext the literal body's byte at <paramref name="position"/> stands.</summary>
    internal long CipherOffset(long position) => InnerStart + FramedOffset(position, LiteralLength, InnerShift);

    /// <summary>Where in the file the encrypted body's byte at <paramref name="position"/> stands.</summary>
    internal long FileOffsetOfEncrypted(long position) => HeadLength + FramedOffset(position, EncryptedLength, OuterShift);

    private static long Framed(long length, int shift) => length + (length >> shift) + LastHeaderLength;

    private static long Unframed(long framed, int shift)
    {
        var (chunks, rest) = Math.DivRem(framed - LastHeaderLength, (1L << shift) + 1);
        // A rest of a whole chunk would have been a partial chunk: such a length does not occur.
        return framed < LastHeaderLength || rest == 1L << shift ? -1 : (chunks << shift) + rest;
    }

    private static long FramedOffset(long position, long length, int shift)
    {
        var chunk = position >> shift;
        return position + chunk + (chunk < length >> shift ? 1 : LastHeaderLength);
    }
}
