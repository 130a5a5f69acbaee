using System.Buffers.Binary;
using System.Security.Cryptography;

namespace BotCore.Backup.Protocols.OpenPgp;

/// <summary>
/// A range of a packet's body whose chunks stand as <see cref="MessageLayout"/> says. Hops over the length headers and holds each against the
/// layout.
/// </summary>
/// <param name="source">Stands at the body's byte <paramref name="start"/>, behind its header.</param>
/// <param name="shift">log2 of the chunk length.</param>
/// <param name="length">Length of the whole body.</param>
/// <param name="start">First byte of the range.</param>
/// <param name="end">The byte after its last.</param>
internal sealed class FramedRange(Stream source, int shift, long length, long start, long end) : ReadOnlyStream
{
    private readonly long _chunk = 1L << shift;
    private long _done;

    public override int Read(Span<byte> buffer)
    {
        var position = start + _done;
        if (buffer.IsEmpty || position == end) return 0;
        var inChunk = position & (_chunk - 1);
        if (inChunk == 0 && _done > 0) RequireHeader(position);
        var count = Math.Min(Math.Min(buffer.Length, end - position), _chunk - inChunk);
        var read = source.Read(buffer[..(int)count]);
        if (read == 0) throw Ended();
        _done += read;
        return read;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) source.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>The length header of the chunk that begins at <paramref name="position"/>.</summary>
    public static byte[] Header(int shift, long length, long position)
    {
        if (position >> shift < length >> shift) return [(byte)(224 + shift)];
        var header = new byte[MessageLayout.LastHeaderLength];
        header[0] = 0xFF;
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(1), (int)(length - position));
        return header;
    }

    private void RequireHeader(long position)
    {
        Span<byte> met = stackalloc byte[MessageLayout.LastHeaderLength];
        var expected = Header(shift, length, position);
        met = met[..expected.Length];
        if (source.ReadAtLeast(met, met.Length, throwOnEndOfStream: false) < met.Length) throw Ended();
        if (!met.SequenceEqual(expected))
            throw new OpenPgpException(OpenPgpError.Corrupt, "The message is damaged: a length header inside it is not the one that stands there.");
    }

    private static OpenPgpException Ended() => new(OpenPgpError.Truncated, "The message is cut short: the range ends before its data.");
}

/// <summary>Ciphertext to plaintext from the middle of a message on. Checks nothing.</summary>
internal sealed class CfbRange : ReadOnlyStream
{
    private readonly Stream _source;
    private readonly CfbDecryptor _cfb;
    private readonly byte[] _plain;
    private int _position;
    private int _end;

    /// <summary>Begins in the middle.</summary>
    /// <param name="source">The ciphertext behind <paramref name="vector"/>; closed with this stream.</param>
    /// <param name="vector">The 16 bytes of ciphertext before, or zeros at the start.</param>
    /// <param name="key">The message's key.</param>
    /// <param name="length">Bytes of ciphertext there are: thousands of small ranges should not cost thousands of large buffers.</param>
    public CfbRange(Stream source, ReadOnlySpan<byte> vector, MessageKey key, long length)
    {
        _source = source;
        _plain = new byte[(int)Math.Min((length + Cfb.BlockLength - 1) & ~(Cfb.BlockLength - 1L), CfbDecryptor.LongestChunk)];
        _cfb = new CfbDecryptor(key.Bytes, vector, _plain.Length);
    }

    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty) return 0;
        if (_position == _end)
        {
            _position = 0;
            _end = _cfb.ReadFrom(_source, have: 0, _plain);
        }

        var count = Math.Min(buffer.Length, _end - _position);
        _plain.AsSpan(_position, count).CopyTo(buffer);
        _position += count;
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _cfb.Dispose();
            _source.Dispose();
            CryptographicOperations.ZeroMemory(_plain);
        }

        base.Dispose(disposing);
    }
}
