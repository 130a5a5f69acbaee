using System.Security.Cryptography;

namespace BotCore.Backup.Protocols.OpenPgp;

/// <summary>
/// The packets inside a version 1 SEIPD packet (RFC 9580 section 5.13.1): the plaintext without its random prefix and its modification detection
/// code. Says that it ended only once the code was checked.
/// </summary>
internal sealed class EncryptedDataStream : ReadOnlyStream
{
    private readonly Stream _body;
    private readonly CfbDecryptor _cfb;
    private readonly IncrementalHash _mdc = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);

    // The last 22 bytes are held back always: they may turn out to be the code.
    private readonly byte[] _plain = new byte[MessageLayout.MdcLength + CfbDecryptor.LongestChunk];
    private int _position;
    private int _released;
    private int _end;
    private bool _last;
    private bool _verified;

    /// <summary>Reads and decrypts the first chunk.</summary>
    /// <param name="body">The packet's body behind <paramref name="prefix"/>.</param>
    /// <param name="prefix">The ciphertext that was read ahead for the quick check.</param>
    /// <param name="key">The message's key.</param>
    public EncryptedDataStream(Stream body, ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> key)
    {
        _body = body;
        _cfb = new CfbDecryptor(key, stackalloc byte[Cfb.BlockLength]);
        prefix.CopyTo(_cfb.Input);
        Fill(prefix.Length);
        if (_released < Cfb.PrefixLength) throw new OpenPgpException(OpenPgpError.Corrupt, "The encrypted data is shorter than any message.");
        _position = Cfb.PrefixLength;
    }

    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty || !HasBytes()) return 0;
        var count = Math.Min(buffer.Length, _released - _position);
        _plain.AsSpan(_position, count).CopyTo(buffer);
        _position += count;
        return count;
    }

    public override int ReadByte() => HasBytes() ? _plain[_position++] : -1;

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _cfb.Dispose();
            _mdc.Dispose();
            CryptographicOperations.ZeroMemory(_plain);
        }

        base.Dispose(disposing);
    }

    private bool HasBytes()
    {
        while (_position == _released)
        {
            if (_last)
            {
                Verify();
                return false;
            }

            Fill(have: 0);
        }

        return true;
    }

    private void Fill(int have)
    {
        var held = _end - _released;
        _plain.AsSpan(_released, held).CopyTo(_plain);
        var read = _cfb.ReadFrom(_body, have, _plain.AsSpan(held));
        _last = read < CfbDecryptor.LongestChunk;
        _end = held + read;
        _released = Math.Max(0, _end - MessageLayout.MdcLength);
        _position = 0;
        _mdc.AppendData(_plain, 0, _released);
    }

    private void Verify()
    {
        if (_verified) return;
        var code = _plain.AsSpan(_released, _end - _released);
        if (code.Length < MessageLayout.MdcLength || code[0] != MessageHead.NewFormat(PacketTag.ModificationDetection) || code[1] != SHA1.HashSizeInBytes)
            throw new OpenPgpException(OpenPgpError.Corrupt, "The message is damaged: its modification detection code is missing.");
        _mdc.AppendData(code[..2]);
        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
        _mdc.GetHashAndReset(hash);
        if (!CryptographicOperations.FixedTimeEquals(hash, code[2..]))
            throw new OpenPgpException(OpenPgpError.Corrupt, "The message is damaged: its modification detection code does not match.");
        _verified = true;
    }
}
