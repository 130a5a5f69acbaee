namespace BotCore.Backup.Engine.Archives;

/// <summary>What the first bytes of a stream say it is.</summary>
internal enum Wrapping
{
    Unknown = 0,

    /// <summary>A bare tar.</summary>
    Tar,

    Gzip,

    Bzip2,

    Xz,

    Zstd,

    /// <summary>OpenPGP, encrypted under a passphrase.</summary>
    OpenPgpPassphrase,

    /// <summary>OpenPGP, encrypted to public keys.</summary>
    OpenPgpRecipients,
}

/// <summary>Tells wrappings by their content; names can lie.</summary>
internal static class WrappingSniffer
{
    // Enough for tar's magic.
    private const int Ahead = 512;

    /// <summary>Reads ahead and returns the wrapping and a stream that begins where <paramref name="stream"/> began.</summary>
    public static (Wrapping Wrapping, Stream Whole) Sniff(Stream stream)
    {
        var ahead = new byte[Ahead];
        var read = stream.ReadAtLeast(ahead, Ahead, throwOnEndOfStream: false);
        return (Of(ahead.AsSpan(0, read)), new PassingStream(stream, ahead.AsMemory(0, read)));
    }

    public static Wrapping Of(ReadOnlySpan<byte> head) => head switch
    {
        [0x1F, 0x8B, ..] => Wrapping.Gzip,
        [(byte)'B', (byte)'Z', (byte)'h', >= (byte)'1' and <= (byte)'9', ..] => Wrapping.Bzip2,
        [0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0, ..] => Wrapping.Xz,
        [0x28, 0xB5, 0x2F, 0xFD, ..] => Wrapping.Zstd,
        [var tag, ..] when PacketOf(tag) == 3 => Wrapping.OpenPgpPassphrase,
        [var tag, ..] when PacketOf(tag) == 1 => Wrapping.OpenPgpRecipients,
        _ when head.Length >= 262 && head.Slice(257, 5).SequenceEqual("ustar"u8) => Wrapping.Tar,
        _ => Wrapping.Unknown,
    };

    // RFC 4880 section 4.2: bit 7 is set; bit 6 tells the new format from the old.
    private static int PacketOf(byte tag) => (tag & 0xC0) switch
    {
        0xC0 => tag & 0x3F,
        0x80 => (tag >> 2) & 0x0F,
        _ => -1,
    };
}
