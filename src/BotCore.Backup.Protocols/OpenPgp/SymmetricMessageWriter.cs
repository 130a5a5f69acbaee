using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace BotCore.Backup.Protocols.OpenPgp;

/// <summary>
/// Writes one OpenPGP message encrypted with a passphrase (RFC 9580, RFC 4880): literal data without compression in a version 1 SEIPD packet with
/// its modification detection code. <c>gpg -d</c> opens it. Write only, not thread-safe, about 1.5 MiB of buffers at any size.
/// <para>
/// <see cref="Complete"/> ends the message. Dispose without it leaves the message unfinished, which every reader refuses, and never throws.
/// </para>
/// <para>
/// The layout follows from the length of the data alone (<see cref="MessageLayout"/>), all numbers big-endian:
/// </para>
/// <code>
/// file                                      offset
///   C3 0D                                   0      tag 3 SKESK, 13 bytes
///   04 09                                   2      version 4, AES-256 (07, 08: AES-128, AES-192)
///   03 08 salt[8] count                     4      S2K iterated and salted, SHA-256, coded count; no encrypted session key
///   D2                                      15     tag 18 SEIPD
///   chunks of the SEIPD body                16     (F4 body[1048576])*  FF length[4] body[length], length &lt; 1048576
/// SEIPD body, O bytes
///   01                                      0      version 1
///   ciphertext                              1      AES in CFB, first vector zero, no resynchronisation
/// plaintext of it
///   random[16], the last 2 of them again    0
///   CB                                      18     tag 11 literal
///   chunks of the literal body              19     (F0 body[65536])*  FF length[4] body[length], length &lt; 65536
///   D3 14 sha1[20]                                 tag 19 MDC: SHA-1 of all the plaintext before, with D3 14
/// literal body, L = 6 + data length
///   'b' 00 00000000                         0      binary, no name, no date
///   data                                    6
/// </code>
/// <para>
/// A partial chunk is written as soon as it is full, so the last chunk may have length 0. Hence, with / rounding down:
/// L = 6 + n; O = 42 + L + L/65536 + 5; file length = 16 + O + O/1048576 + 5. The data byte n stands in the ciphertext at
/// c = 19 + b + i + (i &lt; L/65536 ? 1 : 5) with b = 6 + n, i = b/65536, and in the file at
/// 16 + o + j + (j &lt; O/1048576 ? 1 : 5) with o = 1 + c, j = o/1048576.
/// </para>
/// </summary>
[SuppressMessage("Naming", "CA1710", Justification = "Named as the field names it; that it is a Stream is seen.")]
public sealed class SymmetricMessageWriter : Stream
{
    private const int InnerLength = 1 << MessageLayout.InnerShift;
    private const int OuterLength = 1 << MessageLayout.OuterShift;

    // In front of a chunk's data there is room for what the blocks before left over (19 bytes at most) and for its length header.
    private const int StageStart = 32;

    private readonly Stream _output;
    private readonly bool _leaveOpen;
    private readonly CfbEncryptor _cfb;
    private readonly IncrementalHash _mdc = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
    private readonly byte[] _stage = new byte[StageStart + InnerLength + MessageLayout.MdcLength];
    private readonly byte[] _body = new byte[MessageLayout.LastHeaderLength + OuterLength + InnerLength + StageStart + MessageLayout.MdcLength];
    private readonly byte[] _carry = new byte[StageStart];
    private int _staged;
    private int _bodied;
    private int _carried;
    private State _state;

    /// <summary>Begins a message. The first bytes are written at once.</summary>
    /// <param name="output">Where it goes, from its present position on; need not seek.</param>
    /// <param name="key">An iterated and salted key, see <see cref="MessageKey.Create"/>. Not kept: it may be disposed after the constructor.</param>
    /// <param name="leaveOpen">Whether Dispose leaves <paramref name="output"/> open.</param>
    public SymmetricMessageWriter(Stream output, MessageKey key, bool leaveOpen = false)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(key);
        if (key.S2K.Mode != S2KMode.Iterated) throw new ArgumentException("The layout needs an iterated and salted key.", nameof(key));
        _output = output;
        _leaveOpen = leaveOpen;
        _cfb = new CfbEncryptor(key.Bytes, _stage.Length);
        _output.Write(MessageHead.Create(key));
        _body[MessageLayout.LastHeaderLength] = 1;
        _bodied = MessageLayout.VersionLength;
        BeginPlaintext();
    }

    private enum State
    {
        Open = 0,
        Completed,
        Failed,
        Disposed,
    }

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => _state == State.Open;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        RequireOpen();
        while (!buffer.IsEmpty)
        {
            var taken = Math.Min(buffer.Length, InnerLength - _staged);
            buffer[..taken].CopyTo(_stage.AsSpan(StageStart + _staged));
            buffer = buffer[taken..];
            _staged += taken;
            if (_staged == InnerLength) Guarded(last: false);
        }
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        Write(buffer.AsSpan(offset, count));
    }

    /// <summary>Writes the end of the message. To be called once, after the last Write; the output is not flushed.</summary>
    /// <exception cref="InvalidOperationException">It was completed before, or a write failed before.</exception>
    public void Complete()
    {
        RequireOpen();
        Guarded(last: true);
        _state = State.Completed;
    }

    /// <summary>Does nothing: a chunk can only be written whole.</summary>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && _state != State.Disposed)
        {
            var completed = _state == State.Completed;
            _state = State.Disposed;
            _cfb.Dispose();
            _mdc.Dispose();
            CryptographicOperations.ZeroMemory(_stage);
            CryptographicOperations.ZeroMemory(_carry);
            if (!_leaveOpen) DisposeOutput(completed);
        }

        base.Dispose(disposing);
    }

    private void BeginPlaintext()
    {
        RandomNumberGenerator.Fill(_carry.AsSpan(0, Cfb.BlockLength));
        _carry.AsSpan(Cfb.BlockLength - 2, 2).CopyTo(_carry.AsSpan(Cfb.BlockLength));
        _carry[Cfb.PrefixLength] = MessageHead.NewFormat(PacketTag.Literal);
        _carried = Cfb.PrefixLength + 1;
        _mdc.AppendData(_carry, 0, _carried);
        _stage[StageStart] = (byte)'b';
        _staged = MessageLayout.LiteralHeadLength;
    }

    private void Guarded(bool last)
    {
        // Whoever catches the output's error and goes on must not get a message that looks whole.
        _state = State.Failed;
        EmitInner(last);
        WriteWholeChunks();
        if (last) WriteLastChunk();
        _state = State.Open;
    }

    /// <summary>Hashes and encrypts the staged chunk, all but a rest of less than a block unless it is the last.</summary>
    private void EmitInner(bool last)
    {
        var header = StageStart - (last ? MessageLayout.LastHeaderLength : 1);
        if (last) PutLastHeader(_stage.AsSpan(header), _staged);
        else _stage[header] = MessageLayout.InnerPartial;
        var end = StageStart + _staged;
        if (last) end = PutMdc(header, end);
        else _mdc.AppendData(_stage, header, end - header);

        var start = header - _carried;
        _carry.AsSpan(0, _carried).CopyTo(_stage.AsSpan(start));
        var count = last ? end - start : (end - start) & ~(Cfb.BlockLength - 1);
        _cfb.Encrypt(_stage, start, count, _body.AsSpan(MessageLayout.LastHeaderLength + _bodied));
        _bodied += count;
        _carried = end - start - count;
        _stage.AsSpan(start + count, _carried).CopyTo(_carry);
        _staged = 0;
    }

    private int PutMdc(int header, int end)
    {
        _stage[end] = MessageHead.NewFormat(PacketTag.ModificationDetection);
        _stage[end + 1] = SHA1.HashSizeInBytes;
        _mdc.AppendData(_stage, header, end + 2 - header);
        return end + 2 + _mdc.GetHashAndReset(_stage.AsSpan(end + 2));
    }

    private void WriteWholeChunks()
    {
        const int header = MessageLayout.LastHeaderLength - 1;
        if (_bodied < OuterLength) return;
        _body[header] = MessageLayout.OuterPartial;
        _output.Write(_body, header, 1 + OuterLength);
        _bodied -= OuterLength;
        _body.AsSpan(MessageLayout.LastHeaderLength + OuterLength, _bodied).CopyTo(_body.AsSpan(MessageLayout.LastHeaderLength));
    }

    private void WriteLastChunk()
    {
        PutLastHeader(_body, _bodied);
        _output.Write(_body, 0, MessageLayout.LastHeaderLength + _bodied);
    }

    private static void PutLastHeader(Span<byte> target, int length)
    {
        target[0] = 0xFF;
        BinaryPrimitives.WriteInt32BigEndian(target[1..], length);
    }

    private void RequireOpen()
    {
        ObjectDisposedException.ThrowIf(_state == State.Disposed, this);
        if (_state == State.Completed) throw new InvalidOperationException("The message is complete.");
        if (_state == State.Failed) throw new InvalidOperationException("An earlier write failed: the message cannot be completed.");
    }

    private void DisposeOutput(bool completed)
    {
        try
        {
            _output.Dispose();
        }
        catch (Exception) when (!completed)
        {
            // Unfinished anyway; the error that matters is the one that ended the writing.
        }
    }
}
