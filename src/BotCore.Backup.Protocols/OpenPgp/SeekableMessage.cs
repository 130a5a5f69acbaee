namespace BotCore.Backup.Protocols.OpenPgp;

/// <summary>
/// Reads ranges of the data of a message of <see cref="SymmetricMessageWriter"/> without the bytes before them: CFB needs only the ciphertext block
/// before a range, and <see cref="MessageLayout"/> says where everything stands.
/// <para>
/// <b>The modification detection code covers the whole message and is NOT checked here</b>: data may be damaged or forged, and CFB lets a forger flip
/// chosen bits. Hold each range against a hash from an authenticated index before it is used. Only the length headers met are checked.
/// </para>
/// <para>Thread-safe where the function that opens ranges is; the streams are not.</para>
/// </summary>
public sealed class SeekableMessage
{
    private readonly Func<long, long, Stream> _openRange;
    private readonly MessageKey _key;
    private readonly MessageLayout _layout;

    private SeekableMessage(Func<long, long, Stream> openRange, MessageLayout layout, MessageKey key) => (_openRange, _layout, _key) = (openRange, layout, key);

    /// <summary>Bytes of data in the message.</summary>
    public long Length => _layout.DataLength;

    /// <summary>The key derived from the passphrase; the same object that the callback gave.</summary>
    public MessageKey Key => _key;

    /// <summary>Reads the head of the message (one range of about 50 bytes) and finds the key.</summary>
    /// <param name="openRange">Opens (offset, length) of the file; the stream gives exactly those bytes and is disposed after use.</param>
    /// <param name="fileLength">Length of the whole file.</param>
    /// <param name="keys">Gives the key of a specifier, see <see cref="PassphraseKeyring.Get"/>. It must live as long as this object is used.</param>
    /// <exception cref="OpenPgpException">WrongPassphrase; Unsupported: not laid out as ours, or damaged. <see cref="SymmetricMessageReader"/> then says which.</exception>
    public static SeekableMessage Open(Func<long, long, Stream> openRange, long fileLength, Func<S2K, CipherAlgorithm, MessageKey> keys)
    {
        ArgumentNullException.ThrowIfNull(openRange);
        ArgumentNullException.ThrowIfNull(keys);
        if (!MessageLayout.TryFromFileLength(fileLength, out var layout)) throw NotOurs();

        var outerHeader = FramedRange.Header(MessageLayout.OuterShift, layout.EncryptedLength, 0);
        var innerHeader = FramedRange.Header(MessageLayout.InnerShift, layout.LiteralLength, 0);
        byte[] expected = [MessageHead.NewFormat(PacketTag.Literal), .. innerHeader, (byte)'b', 0, 0, 0, 0, 0];
        var cipherStart = MessageLayout.HeadLength + outerHeader.Length + MessageLayout.VersionLength;
        var head = new byte[cipherStart + Cfb.PrefixLength + expected.Length];
        using (var range = openRange(0, head.Length))
        {
            if (range.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) < head.Length)
                throw new OpenPgpException(OpenPgpError.Truncated, "The message is cut short: the range ends before its data.");
        }

        if (!IsOurLayout(head) || !head.AsSpan(MessageLayout.HeadLength, outerHeader.Length).SequenceEqual(outerHeader) || head[cipherStart - 1] != 1) throw NotOurs();
        var key = keys(S2K.Read(head.AsSpan(4)), (CipherAlgorithm)head[3]);
        var cipher = head.AsSpan(cipherStart);
        if (!Cfb.QuickCheck(key.Bytes, cipher)) throw new OpenPgpException(OpenPgpError.WrongPassphrase, "The passphrase does not open the message.");

        using var plain = new CfbRange(new MemoryStream(cipher.ToArray()), stackalloc byte[Cfb.BlockLength], key, cipher.Length);
        var met = new byte[cipher.Length];
        plain.ReadExactly(met);
        return met.AsSpan(Cfb.PrefixLength).SequenceEqual(expected) ? new SeekableMessage(openRange, layout, key) : throw NotOurs();
    }

    /// <summary>Whether a file that begins so may be a message of ours: true is no proof, false is. Takes 17 bytes or more.</summary>
    public static bool IsOurLayout(ReadOnlySpan<byte> head) =>
        head.Length > MessageLayout.HeadLength
        && head[0] == MessageHead.NewFormat(PacketTag.SymmetricKeySession)
        && head[1] == MessageLayout.HeadLength - 3
        && head[2] == 4
        && ((CipherAlgorithm)head[3]).KeyLength() > 0
        && (S2KMode)head[4] == S2KMode.Iterated
        && head[MessageLayout.HeadLength - 1] == MessageHead.NewFormat(PacketTag.Encrypted)
        && head[MessageLayout.HeadLength] is MessageLayout.OuterPartial or 0xFF;

    /// <summary>Opens the data from <paramref name="offset"/> on.</summary>
    /// <param name="offset">0 to <see cref="Length"/>.</param>
    /// <param name="count">Bytes wanted; less where the data ends before; null for all the rest. Only the bytes needed are asked of the file.</param>
    /// <returns>A stream that ends after <paramref name="count"/> bytes. It throws <see cref="OpenPgpException"/> Truncated or Corrupt.</returns>
    public Stream OpenRead(long offset, long? count = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length);
        if (count is { } given) ArgumentOutOfRangeException.ThrowIfNegative(given, nameof(count));
        var available = Math.Min(count ?? long.MaxValue, Length - offset);
        if (available == 0) return new MemoryStream([], writable: false);

        var start = MessageLayout.LiteralHeadLength + offset;
        var end = start + available;
        var cipherStart = _layout.CipherOffset(start);
        var aligned = cipherStart & ~(Cfb.BlockLength - 1L);
        var cipherEnd = _layout.CipherOffset(end - 1) + 1;
        var cipher = OpenCipher(Math.Max(0, aligned - Cfb.BlockLength), cipherEnd);
        try
        {
            Span<byte> skipped = stackalloc byte[Cfb.BlockLength];
            skipped.Clear();
            if (aligned > 0) cipher.ReadExactly(skipped);
            var plain = new CfbRange(cipher, skipped, _key, cipherEnd - aligned);
            plain.ReadExactly(skipped[..(int)(cipherStart - aligned)]);
            return new FramedRange(plain, MessageLayout.InnerShift, _layout.LiteralLength, start, end);
        }
        catch
        {
            cipher.Dispose();
            throw;
        }
    }

    private FramedRange OpenCipher(long start, long end)
    {
        (start, end) = (MessageLayout.VersionLength + start, MessageLayout.VersionLength + end);
        var first = _layout.FileOffsetOfEncrypted(start);
        var raw = _openRange(first, _layout.FileOffsetOfEncrypted(end - 1) + 1 - first);
        return new FramedRange(raw, MessageLayout.OuterShift, _layout.EncryptedLength, start, end);
    }

    private static OpenPgpException NotOurs() =>
        new(OpenPgpError.Unsupported, "The message is not laid out for ranged reads, or its head is damaged: it can only be read from the start.");
}
