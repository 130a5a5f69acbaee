using System.Globalization;
using System.Security.Cryptography;

namespace BotCore.Backup.Protocols.OpenPgp;

/// <summary>
/// What stands in front of the ciphertext: the symmetric-key encrypted session key packets (RFC 9580 section 5.3) and the encrypted data packet's
/// header.
/// </summary>
internal sealed class MessageHead
{
    // Each costs a derivation: a file of nothing but these must not keep the processor busy for hours.
    private const int MostSessionKeys = 8;

    private readonly List<SessionKey> _sessionKeys = [];
    private OpenPgpException? _refusal;
    private bool _hasPublicKeySession;

    private MessageHead(PacketBody body) => Body = body;

    /// <summary>The encrypted data packet, its version octet read.</summary>
    public PacketBody Body { get; private set; }

    /// <summary>The first 16 bytes of a message of ours: session key packet and the tag of the encrypted data packet.</summary>
    public static byte[] Create(MessageKey key)
    {
        var head = new byte[MessageLayout.HeadLength];
        head[0] = NewFormat(PacketTag.SymmetricKeySession);
        head[1] = MessageLayout.HeadLength - 3;
        head[2] = 4;
        head[3] = (byte)key.Cipher;
        key.S2K.Write(head.AsSpan(4));
        head[^1] = NewFormat(PacketTag.Encrypted);
        return head;
    }

    /// <summary>The first octet of a packet with a new format header.</summary>
    public static byte NewFormat(PacketTag tag) => (byte)(0xC0 | (int)tag);

    /// <summary>Reads up to the ciphertext.</summary>
    public static MessageHead Read(Stream source)
    {
        var packet = PacketBody.Next(source, OpenPgpError.NotOpenPgp, OpenPgpError.Truncated)
            ?? throw new OpenPgpException(OpenPgpError.Truncated, "The file is empty.");
        var head = new MessageHead(packet);
        for (var first = true; !head.Accept(packet, first); first = false)
        {
            packet = PacketBody.Next(source, OpenPgpError.Corrupt, OpenPgpError.Truncated)
                ?? throw new OpenPgpException(OpenPgpError.Truncated, "The message is cut short: the file ends before the encrypted data.");
        }

        head.Body = packet;
        return head;
    }

    /// <summary>Finds the key that fits the first bytes of the ciphertext.</summary>
    /// <param name="prefix">The first <see cref="Cfb.PrefixLength"/> bytes of ciphertext.</param>
    /// <param name="keys">Derives, or has derived, the key of a specifier.</param>
    /// <returns>The key of the passphrase, and the key of the message, which is another where the session key is encrypted. The caller zeroes that one.</returns>
    public (MessageKey Key, byte[] Session, CipherAlgorithm Cipher) Unlock(ReadOnlySpan<byte> prefix, Func<S2K, CipherAlgorithm, MessageKey> keys)
    {
        if (_sessionKeys.Count == 0)
        {
            throw _refusal ?? (_hasPublicKeySession
                ? new OpenPgpException(OpenPgpError.PublicKey, "The message is encrypted to a public key: it takes the private key, no passphrase opens it.")
                : new OpenPgpException(OpenPgpError.Unsupported, "The message has no packet that says how to derive its key (a form of PGP before 1998)."));
        }

        foreach (var candidate in _sessionKeys)
        {
            var key = keys(candidate.S2K, candidate.Cipher);
            if (candidate.Open(key) is not var (cipher, session)) continue;
            if (Cfb.QuickCheck(session, prefix)) return (key, session, cipher);
            CryptographicOperations.ZeroMemory(session);
        }

        throw _refusal ?? new OpenPgpException(OpenPgpError.WrongPassphrase, "The passphrase does not open the message.");
    }

    /// <summary>True where the packet is the encrypted data that we read.</summary>
    private bool Accept(PacketBody packet, bool first)
    {
        switch (packet.Tag)
        {
            case PacketTag.SymmetricKeySession:
                AddSessionKey(packet.ReadShort(256));
                return false;
            case PacketTag.PublicKeySession:
                if (!packet.IsDefinite) throw new OpenPgpException(OpenPgpError.Corrupt, "A session key packet has no definite length.");
                _hasPublicKeySession = true;
                packet.Skip();
                return false;
            case PacketTag.Marker:
                if (!packet.ReadShort(3).AsSpan().SequenceEqual("PGP"u8)) throw new OpenPgpException(OpenPgpError.Corrupt, "A marker packet is damaged.");
                return false;
            case PacketTag.Encrypted:
                RequireVersion1(packet.ReadByte());
                return true;
            default:
                throw Refuse(packet.Tag, first);
        }
    }

    private void AddSessionKey(byte[] body)
    {
        if (_sessionKeys.Count == MostSessionKeys)
            throw new OpenPgpException(OpenPgpError.Unsupported, "The message has more passphrases than this reader tries.");
        try
        {
            _sessionKeys.Add(SessionKey.Parse(body));
        }
        catch (OpenPgpException refusal) when (refusal.Error != OpenPgpError.Corrupt)
        {
            // Another passphrase's packet may be one that we know.
            _refusal ??= refusal;
        }
    }

    private static void RequireVersion1(int version)
    {
        switch (version)
        {
            case 1:
                return;
            case 2:
                throw new OpenPgpException(OpenPgpError.SeipdVersion2, "The message is encrypted as RFC 9580 has it (SEIPD version 2), which is not supported.");
            case < 0:
                throw new OpenPgpException(OpenPgpError.Corrupt, "The encrypted data packet is empty.");
            default:
                throw new OpenPgpException(
                    OpenPgpError.Unsupported, string.Create(CultureInfo.InvariantCulture, $"The encrypted data packet has version {version}, which is not supported."));
        }
    }

    private static OpenPgpException Refuse(PacketTag tag, bool first) => tag switch
    {
        PacketTag.EncryptedWithoutIntegrity => new(
            OpenPgpError.NoIntegrity, "The message is encrypted without modification detection (packet type 9): damage would stay unseen, so it is refused."),
        PacketTag.Aead => new(
            OpenPgpError.Aead, "The message is encrypted with AEAD as GnuPG 2.3 and later do (packet type 20), which is not supported; gpg opens it."),
        PacketTag.Literal or PacketTag.Compressed or PacketTag.Signature or PacketTag.OnePassSignature when first => new(
            OpenPgpError.NotEncrypted, "The OpenPGP message is not encrypted."),
        _ when first => new(OpenPgpError.NotOpenPgp, "This is no encrypted OpenPGP message."),
        _ => new(OpenPgpError.Corrupt, string.Create(CultureInfo.InvariantCulture, $"The message is damaged: a packet of type {(int)tag} stands before the encrypted data.")),
    };

    /// <summary>A symmetric-key encrypted session key, version 4.</summary>
    private sealed record SessionKey(S2K S2K, CipherAlgorithm Cipher, byte[] Encrypted)
    {
        public static SessionKey Parse(ReadOnlySpan<byte> body)
        {
            if (body.Length < 4) throw new OpenPgpException(OpenPgpError.Corrupt, "A session key packet is cut short.");
            if (body[0] is 5 or 6) throw new OpenPgpException(OpenPgpError.Aead, "The session key of the message is encrypted with AEAD, which is not supported.");
            if (body[0] != 4) throw Unsupported("session key packet version", body[0]);
            var cipher = (CipherAlgorithm)body[1];
            if (cipher.KeyLength() == 0) throw Unsupported("cipher", body[1]);
            var s2k = S2K.Read(body[2..]);
            var encrypted = body[(2 + s2k.Length)..];
            if (encrypted.Length is not (0 or 17 or 25 or 33)) throw new OpenPgpException(OpenPgpError.Corrupt, "An encrypted session key has a length that no key of AES has.");
            return new SessionKey(s2k, cipher, encrypted.ToArray());
        }

        /// <summary>The message's key, or null where the passphrase does not fit.</summary>
        public (CipherAlgorithm Cipher, byte[] Session)? Open(MessageKey key)
        {
            if (Encrypted.Length == 0) return (Cipher, key.Bytes.ToArray());
            var padded = new byte[(Encrypted.Length + Cfb.BlockLength - 1) & ~(Cfb.BlockLength - 1)];
            Encrypted.CopyTo(padded, 0);
            using var aes = Cfb.CreateAes(key.Bytes);
            aes.DecryptCfb(padded, new byte[Cfb.BlockLength], padded, PaddingMode.None, 8 * Cfb.BlockLength);
            var cipher = (CipherAlgorithm)padded[0];
            var session = padded[1..Encrypted.Length];
            CryptographicOperations.ZeroMemory(padded);
            return cipher.KeyLength() == session.Length ? (cipher, session) : null;
        }

        private static OpenPgpException Unsupported(string what, int number) =>
            new(OpenPgpError.Unsupported, string.Create(CultureInfo.InvariantCulture, $"The message uses {what} {number}, which is not supported."));
    }
}
