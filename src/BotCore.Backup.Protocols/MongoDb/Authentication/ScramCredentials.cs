using System.Security.Cryptography;
using System.Text;

namespace BotCore.Backup.Protocols.MongoDb.Authentication;

/// <summary>The two SCRAM mechanisms that servers have.</summary>
public enum ScramMechanism
{
    /// <summary>None.</summary>
    None,

    /// <summary>RFC 5802, over the MD5 of user and password as MongoDB has it.</summary>
    ScramSha1,

    /// <summary>RFC 7677, over the SASLprep of the password.</summary>
    ScramSha256,
}

/// <summary>What a server stores of a password: enough to check it and to prove itself, not enough to log in elsewhere. Source: RFC 5802, section 3.</summary>
public sealed class ScramCredentials
{
    private static readonly byte[] ClientKeyLabel = "Client Key"u8.ToArray();
    private static readonly byte[] ServerKeyLabel = "Server Key"u8.ToArray();

    private ScramCredentials(ScramMechanism mechanism, byte[] salt, int iterations, byte[] clientKey, byte[] serverKey)
    {
        Mechanism = mechanism;
        Salt = salt;
        Iterations = iterations;
        ClientKey = clientKey;
        ServerKey = serverKey;
        StoredKey = Hash(mechanism, clientKey);
    }

    /// <summary>For which mechanism.</summary>
    public ScramMechanism Mechanism { get; }

    /// <summary>The salt, at random.</summary>
    public byte[] Salt { get; }

    /// <summary>Rounds of PBKDF2.</summary>
    public int Iterations { get; }

    /// <summary>Hash of the client's key.</summary>
    public byte[] StoredKey { get; }

    /// <summary>The key that the server proves itself with.</summary>
    public byte[] ServerKey { get; }

    /// <summary>Only the one who knows the password has this.</summary>
    internal byte[] ClientKey { get; }

    /// <summary>Credentials of a user, with a new salt.</summary>
    public static ScramCredentials Create(ScramMechanism mechanism, string user, string password, int iterations = 15000) =>
        Create(mechanism, user, password, RandomNumberGenerator.GetBytes(mechanism == ScramMechanism.ScramSha1 ? 16 : 28), iterations);

    /// <summary>Credentials of a user. Throws <see cref="MongoException"/> where the password holds what SASLprep forbids.</summary>
    public static ScramCredentials Create(ScramMechanism mechanism, string user, string password, byte[] salt, int iterations)
    {
        var secret = mechanism switch
        {
            ScramMechanism.ScramSha1 => Encoding.UTF8.GetBytes(PasswordDigest(user, password)),
            ScramMechanism.ScramSha256 => Encoding.UTF8.GetBytes(SaslPrep.Apply(password)),
            _ => throw new ArgumentOutOfRangeException(nameof(mechanism)),
        };
        return FromSecret(mechanism, secret, salt, iterations);
    }

    internal static ScramCredentials FromSecret(ScramMechanism mechanism, byte[] secret, byte[] salt, int iterations)
    {
        var name = NameOf(mechanism);
        var salted = Rfc2898DeriveBytes.Pbkdf2(secret, salt, iterations, name, LengthOf(mechanism));
        CryptographicOperations.ZeroMemory(secret);
        var credentials = new ScramCredentials(
            mechanism,
            salt,
            iterations,
            CryptographicOperations.HmacData(name, salted, ClientKeyLabel),
            CryptographicOperations.HmacData(name, salted, ServerKeyLabel));
        CryptographicOperations.ZeroMemory(salted);
        return credentials;
    }

    internal static byte[] Hash(ScramMechanism mechanism, byte[] bytes) => CryptographicOperations.HashData(NameOf(mechanism), bytes);

    internal static byte[] Hmac(ScramMechanism mechanism, byte[] key, byte[] bytes) => CryptographicOperations.HmacData(NameOf(mechanism), key, bytes);

    internal static int LengthOf(ScramMechanism mechanism) => mechanism == ScramMechanism.ScramSha1 ? 20 : 32;

    private static HashAlgorithmName NameOf(ScramMechanism mechanism) =>
        mechanism == ScramMechanism.ScramSha1 ? HashAlgorithmName.SHA1 : HashAlgorithmName.SHA256;

#pragma warning disable CA5351 // The mechanism is defined so; the digest is only an input of PBKDF2.
    private static string PasswordDigest(string user, string password) =>
        Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes($"{user}:mongo:{password}")));
#pragma warning restore CA5351
}
