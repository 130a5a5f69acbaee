using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace BotCore.Backup.Protocols.OpenPgp;

/// <summary>
/// CFB with full blocks and a zero first vector, as OpenPGP uses it (RFC 9580 section 12.9), forward.
/// <para>
/// Done by CBC, since the platforms' CBC code is half as fast again as their CFB code. With X the key stream, CFB is C[i] = P[i] xor X[i] and
/// X[i+1] = E(C[i]) = E(P[i] xor X[i]): X is the CBC encryption of P with the first vector X[0] = E(0).
/// </para>
/// </summary>
internal sealed class CfbEncryptor : IDisposable
{
    private readonly ICryptoTransform _cbc;
    private readonly byte[] _stream;

    public CfbEncryptor(ReadOnlySpan<byte> key, int longest)
    {
        _stream = new byte[Cfb.BlockLength + longest];
        using var aes = Cfb.CreateAes(key);
        aes.Mode = CipherMode.CBC;
        aes.EncryptEcb(new byte[Cfb.BlockLength], _stream, PaddingMode.None);
        aes.IV = _stream[..Cfb.BlockLength];
        _cbc = aes.CreateEncryptor();
    }

    /// <summary>Encrypts whole blocks, or, at the very end only, any number of bytes.</summary>
    public void Encrypt(byte[] plain, int offset, int count, Span<byte> cipher)
    {
        var whole = count & ~(Cfb.BlockLength - 1);
        if (whole > 0) _cbc.TransformBlock(plain, offset, whole, _stream, Cfb.BlockLength);
        // The key stream of a last, short block is already there: it depends on the blocks before only.
        Cfb.Xor(plain.AsSpan(offset, count), _stream.AsSpan(0, count), cipher);
        _stream.AsSpan(whole, Cfb.BlockLength).CopyTo(_stream);
    }

    public void Dispose()
    {
        _cbc.Dispose();
        CryptographicOperations.ZeroMemory(_stream);
    }
}

/// <summary>CFB backward: the key stream is the ECB encryption of the ciphertext one block late, so it runs at the full width of the processor.</summary>
internal sealed class CfbDecryptor : IDisposable
{
    /// <summary>The longest chunk worth having: larger ones are no faster, and lie in the large object heap.</summary>
    public const int LongestChunk = 1 << 16;

    private readonly Aes _aes;
    private readonly byte[] _cipher;

    /// <summary>Begins behind <paramref name="vector"/>.</summary>
    /// <param name="key">The message's key.</param>
    /// <param name="vector">The 16 bytes of ciphertext before, or zeros at the start.</param>
    /// <param name="chunkLength">Ciphertext bytes a call takes at most, whole blocks; the plaintext buffer needs as much room.</param>
    public CfbDecryptor(ReadOnlySpan<byte> key, ReadOnlySpan<byte> vector, int chunkLength = LongestChunk)
    {
        _cipher = new byte[Cfb.BlockLength + chunkLength];
        _aes = Cfb.CreateAes(key);
        vector.CopyTo(_cipher);
    }

    /// <summary>Where the caller puts ciphertext.</summary>
    public Span<byte> Input => _cipher.AsSpan(Cfb.BlockLength);

    /// <summary>Fills <see cref="Input"/> behind <paramref name="have"/> bytes and decrypts. Fewer than a chunk means that the source ended.</summary>
    /// <returns>Bytes of plaintext; <paramref name="plain"/> has room for a chunk.</returns>
    public int ReadFrom(Stream source, int have, Span<byte> plain)
    {
        var count = have + source.ReadAtLeast(Input[have..], Input.Length - have, throwOnEndOfStream: false);
        Decrypt(count, plain);
        return count;
    }

    private void Decrypt(int count, Span<byte> plain)
    {
        var padded = (count + Cfb.BlockLength - 1) & ~(Cfb.BlockLength - 1);
        if (padded == 0) return;
        _aes.EncryptEcb(_cipher.AsSpan(0, padded), plain[..padded], PaddingMode.None);
        Cfb.Xor(plain[..count], Input[..count], plain);
        _cipher.AsSpan(count, Cfb.BlockLength).CopyTo(_cipher);
    }

    public void Dispose() => _aes.Dispose();
}

internal static class Cfb
{
    public const int BlockLength = 16;

    /// <summary>Random octets in front of the plaintext, and the repeat of their last two.</summary>
    public const int PrefixLength = BlockLength + 2;

    public static Aes CreateAes(ReadOnlySpan<byte> key)
    {
        var aes = Aes.Create();
        aes.SetKey(key);
        aes.Padding = PaddingMode.None;
        return aes;
    }

    /// <summary>Whether the prefix decrypts to octets whose last two repeat (RFC 9580 section 5.13.1): a wrong key passes once in 65,536 times.</summary>
    public static bool QuickCheck(ReadOnlySpan<byte> key, ReadOnlySpan<byte> prefix)
    {
        Span<byte> stream = stackalloc byte[2 * BlockLength];
        Span<byte> vectors = stackalloc byte[2 * BlockLength];
        vectors[..BlockLength].Clear();
        prefix[..BlockLength].CopyTo(vectors[BlockLength..]);
        using var aes = CreateAes(key);
        aes.EncryptEcb(vectors, stream, PaddingMode.None);
        Xor(stream[..PrefixLength], prefix[..PrefixLength], stream);
        return stream[14..16].SequenceEqual(stream[16..18]);
    }

    /// <summary>target = a xor b; target may be a or b.</summary>
    public static void Xor(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b, Span<byte> target)
    {
        target = target[..a.Length];
        var wideA = MemoryMarshal.Cast<byte, Vector<byte>>(a);
        var wideB = MemoryMarshal.Cast<byte, Vector<byte>>(b[..a.Length]);
        var wideTarget = MemoryMarshal.Cast<byte, Vector<byte>>(target);
        for (var i = 0; i < wideTarget.Length; i++) wideTarget[i] = wideA[i] ^ wideB[i];
        for (var i = wideTarget.Length * Vector<byte>.Count; i < target.Length; i++) target[i] = (byte)(a[i] ^ b[i]);
    }
}
