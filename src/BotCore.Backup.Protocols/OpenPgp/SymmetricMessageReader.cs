using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.IO.Compression;
using System.Runtime.ExceptionServices;
using System.Security.Cryptography;
using System.Text;

namespace BotCore.Backup.Protocols.OpenPgp;

/// <summary>
/// Reads the data of an OpenPGP message encrypted with a passphrase: ours, and what gpg makes with <c>--symmetric</c> (RFC 4880 and RFC 9580:
/// SEIPD version 1 with AES, one or more passphrases, ZIP, ZLIB, with help bzip2). Sequential, constant memory, not thread-safe.
/// <para>
/// <b>Read returns 0 only after the modification detection code was checked and the message ended as it must, with nothing behind it.</b> Bytes
/// handed out before that are not proven yet. Once an error was thrown, each further Read throws it again.
/// </para>
/// <para>
/// Throws <see cref="OpenPgpException"/>; errors of the source (<see cref="IOException"/> ...) and of the callback come through as they are.
/// How far a compressed message unfolds is not bounded here: it streams, and the caller counts.
/// </para>
/// </summary>
[SuppressMessage("Naming", "CA1710", Justification = "Named as the field names it; that it is a Stream is seen.")]
public sealed class SymmetricMessageReader : Stream
{
    private const int BufferLength = 1 << 16;

    private readonly Stream _source;
    private readonly bool _leaveOpen;
    private readonly Stream _outer;
    private readonly PacketBody _encrypted;
    private readonly EncryptedDataStream _inner;
    private readonly Func<Stream, Stream>? _bzip2;
    private readonly PacketBody? _compressed;
    private readonly BufferedStream? _decompressed;
    private readonly PacketBody _literal;
    private Exception? _failure;
    private bool _ended;

    private SymmetricMessageReader(Stream source, Func<S2K, CipherAlgorithm, MessageKey> keys, Func<Stream, Stream>? bzip2, bool leaveOpen)
    {
        _source = source;
        _leaveOpen = leaveOpen;
        _bzip2 = bzip2;
        _outer = new BufferedStream(source, BufferLength);
        var head = MessageHead.Read(_outer);
        _encrypted = head.Body;
        Span<byte> prefix = stackalloc byte[Cfb.PrefixLength];
        if (_encrypted.ReadAtLeast(prefix, prefix.Length, throwOnEndOfStream: false) < prefix.Length)
            throw new OpenPgpException(OpenPgpError.Corrupt, "The encrypted data is shorter than any message.");
        (Key, var session, Cipher) = head.Unlock(prefix, keys);
        using (var zeroed = new Zeroed(session)) _inner = new EncryptedDataStream(_encrypted, prefix, zeroed.Bytes);

        try
        {
            var packet = Require(_inner);
            if (packet.Tag == PacketTag.Compressed)
            {
                _compressed = packet;
                Compression = (CompressionAlgorithm)_compressed.ReadByte();
                _decompressed = new BufferedStream(Decompress(_compressed, Compression), BufferLength);
                packet = Require(_decompressed);
            }

            _literal = packet.Tag == PacketTag.Literal ? packet : throw Unexpected(packet.Tag);
            (FileName, Date) = ReadLiteralHead(_literal);
        }
        catch
        {
            _decompressed?.Dispose();
            _inner.Dispose();
            throw;
        }
    }

    /// <summary>The key derived from the passphrase; the same object that the callback gave.</summary>
    public MessageKey Key { get; }

    /// <summary>The cipher of the data.</summary>
    public CipherAlgorithm Cipher { get; }

    /// <summary>How the data is compressed inside the message.</summary>
    public CompressionAlgorithm Compression { get; }

    /// <summary>The file name inside the message, as UTF-8; often empty. Not to be trusted as a path.</summary>
    public string FileName { get; }

    /// <summary>The date inside the message, UTC; the Unix epoch where none was written.</summary>
    public DateTimeOffset Date { get; }

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Reads up to the data, so that a wrong passphrase and most foreign files are refused here.</summary>
    /// <param name="source">The message from its first byte to the end of the stream. Closed with the reader, but not when this method throws.</param>
    /// <param name="keys">Gives the key of a specifier, see <see cref="PassphraseKeyring.Get"/>. The keys stay the callback's own and must live as long as
    /// the caller uses <see cref="Key"/>.</param>
    /// <param name="bzip2">Opens a bzip2 decompressor over a stream; without it bzip2 is refused.</param>
    /// <param name="leaveOpen">Whether Dispose leaves <paramref name="source"/> open.</param>
    public static SymmetricMessageReader Open(
        Stream source, Func<S2K, CipherAlgorithm, MessageKey> keys, Func<Stream, Stream>? bzip2 = null, bool leaveOpen = false)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(keys);
        return new SymmetricMessageReader(source, keys, bzip2, leaveOpen);
    }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        if (_failure is not null) ExceptionDispatchInfo.Throw(_failure);
        if (_ended || buffer.IsEmpty) return 0;
        try
        {
            var read = _literal.Read(buffer);
            if (read == 0) Finish();
            return read;
        }
        catch (Exception error)
        {
            _failure = error;
            throw;
        }
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        return Read(buffer.AsSpan(offset, count));
    }

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _failure ??= new ObjectDisposedException(nameof(SymmetricMessageReader));
            _decompressed?.Dispose();
            _inner.Dispose();
            if (!_leaveOpen) _source.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Finish()
    {
        if (_decompressed is not null && _decompressed.ReadByte() >= 0) throw Trailing("more data follows inside the compressed packet");
        // What a decompressor leaves unread after its end is under the modification detection code all the same.
        _compressed?.Skip();
        if (_inner.ReadByte() >= 0) throw Trailing("more packets follow the data inside the message");
        if (_encrypted.ReadByte() >= 0) throw Trailing("the encrypted packet goes on after its end");
        if (_outer.ReadByte() >= 0) throw Trailing("bytes follow its end");
        _ended = true;
    }

    private DecompressedStream Decompress(PacketBody body, CompressionAlgorithm algorithm) => algorithm switch
    {
        CompressionAlgorithm.Uncompressed => new DecompressedStream(body, raw => raw, knowsItsEnd: false),
        CompressionAlgorithm.Zip => new DecompressedStream(body, raw => new DeflateStream(raw, CompressionMode.Decompress), knowsItsEnd: true),
        CompressionAlgorithm.Zlib => new DecompressedStream(body, raw => new ZLibStream(raw, CompressionMode.Decompress), knowsItsEnd: true),
        CompressionAlgorithm.Bzip2 when _bzip2 is not null => new DecompressedStream(body, _bzip2, knowsItsEnd: false),
        CompressionAlgorithm.Bzip2 => throw new OpenPgpException(
            OpenPgpError.Bzip2Missing, "The data inside the message is compressed with bzip2, which needs a bzip2 decompressor."),
        _ => throw new OpenPgpException(
            OpenPgpError.Corrupt, string.Create(CultureInfo.InvariantCulture, $"The data inside the message is compressed with algorithm {(int)algorithm}, which does not exist.")),
    };

    private static (string Name, DateTimeOffset Date) ReadLiteralHead(PacketBody literal)
    {
        var format = literal.ReadByte();
        if (format is not ('b' or 't' or 'u' or 'l' or '1' or 'm')) throw CutShort();
        var length = literal.ReadByte();
        Span<byte> rest = stackalloc byte[255 + 4];
        if (length < 0 || literal.ReadAtLeast(rest[..(length + 4)], length + 4, throwOnEndOfStream: false) < length + 4) throw CutShort();
        var date = BinaryPrimitives.ReadUInt32BigEndian(rest[length..]);
        return (Encoding.UTF8.GetString(rest[..length]), DateTimeOffset.FromUnixTimeSeconds(date));

        static OpenPgpException CutShort() => new(OpenPgpError.Corrupt, "The message is damaged, or the passphrase is wrong: its literal packet has no head.");
    }

    private static PacketBody Require(Stream packets) =>
        PacketBody.Next(packets, OpenPgpError.Corrupt, OpenPgpError.Corrupt)
            ?? throw new OpenPgpException(OpenPgpError.Corrupt, "The message holds no data packet.");

    private static OpenPgpException Unexpected(PacketTag tag) => tag switch
    {
        PacketTag.Signature or PacketTag.OnePassSignature => new(
            OpenPgpError.Unsupported, "The data inside the message is signed, which is not supported; gpg opens it."),
        PacketTag.Compressed => new(OpenPgpError.Unsupported, "The data inside the message is compressed twice, which is not supported."),
        _ => new(
            OpenPgpError.Corrupt,
            string.Create(CultureInfo.InvariantCulture, $"The message is damaged, or the passphrase is wrong: a packet of type {(int)tag} stands where the data should.")),
    };

    private static OpenPgpException Trailing(string what) => new(OpenPgpError.Corrupt, "The message is damaged: " + what + ".");

    private readonly ref struct Zeroed(byte[] bytes)
    {
        public ReadOnlySpan<byte> Bytes => bytes;

        public void Dispose() => CryptographicOperations.ZeroMemory(bytes);
    }
}
