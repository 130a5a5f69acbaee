namespace BotCore.Backup.Protocols.OpenPgp;

/// <summary>
/// The passphrase inside the content of a passphrase file: its first line. Bytes are taken as they are: no encoding, no trimming.
/// <para>
/// gpg 2.2 (<c>--passphrase-file</c>) reads up to the first LF, keeps a CR before it, and cuts at a NUL. So the two rules here differ for a file
/// with CRLF line ends, and for such a file only.
/// </para>
/// </summary>
public static class PassphraseLine
{
    /// <summary>Our rule: the first line without its LF or CRLF.</summary>
    /// <returns>A slice of <paramref name="content"/>: no copy of the secret is made.</returns>
    /// <exception cref="OpenPgpException">PassphraseUnusable: it is empty or holds a NUL.</exception>
    public static ReadOnlySpan<byte> Read(ReadOnlySpan<byte> content)
    {
        var line = FirstLine(content, out var ended);
        return Usable(ended && line is [.., (byte)'\r'] ? line[..^1] : line);
    }

    /// <summary>What gpg 2.2 takes from the same file: the first line without its LF, a CR kept. Differs from <see cref="Read"/> only after a CRLF.</summary>
    /// <inheritdoc cref="Read"/>
    public static ReadOnlySpan<byte> ReadAsGpg(ReadOnlySpan<byte> content) => Usable(FirstLine(content, out _));

    private static ReadOnlySpan<byte> FirstLine(ReadOnlySpan<byte> content, out bool ended)
    {
        var end = content.IndexOf((byte)'\n');
        ended = end >= 0;
        return ended ? content[..end] : content;
    }

    private static ReadOnlySpan<byte> Usable(ReadOnlySpan<byte> line)
    {
        if (line.IsEmpty) throw new OpenPgpException(OpenPgpError.PassphraseUnusable, "The first line of the passphrase file is empty.");
        // gpg would use the part before it without a word: a weaker passphrase than the file seems to hold (UTF-16 files are the usual case).
        if (line.Contains((byte)0))
            throw new OpenPgpException(OpenPgpError.PassphraseUnusable, "The passphrase file holds a NUL in its first line, at which gpg cuts; is it UTF-16?");
        return line;
    }
}
