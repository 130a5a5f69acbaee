using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace BotCore.Backup.Protocols.MongoDb.Authentication;

/// <summary>
/// The client's half of one login: First, Final, Verify, in this order. The server is proven too: without <see cref="Verify"/> nothing has been logged in to.
/// Throws <see cref="MongoException"/> (LoginFailed). Source: RFC 5802, RFC 7677, MongoDB's auth specification.
/// </summary>
public sealed class ScramClient
{
    /// <summary>Fewer rounds are refused, so that a false server cannot have the password made cheap to guess.</summary>
    public const int LeastIterations = 4096;

    /// <summary>More rounds are refused, so that a false server cannot keep this process busy.</summary>
    public const int MostIterations = 1_000_000;

    private readonly string _user;
    private readonly string _password;
    private readonly string _nonce;
    private byte[]? _serverSignature;

    /// <summary>Begins a login with a nonce at random.</summary>
    public ScramClient(ScramMechanism mechanism, string user, string password)
        : this(mechanism, user, password, Convert.ToBase64String(RandomNumberGenerator.GetBytes(24)))
    {
    }

    internal ScramClient(ScramMechanism mechanism, string user, string password, string nonce)
    {
        Mechanism = mechanism;
        _user = user;
        _password = password;
        _nonce = nonce;
    }

    /// <summary>The mechanism.</summary>
    public ScramMechanism Mechanism { get; }

    /// <summary>Its name in saslStart.</summary>
    public string MechanismName => Mechanism == ScramMechanism.ScramSha1 ? "SCRAM-SHA-1" : "SCRAM-SHA-256";

    /// <summary>Where given, the secret as it goes into PBKDF2: test vectors are not over MongoDB's digest.</summary>
    internal byte[]? Secret { get; init; }

    private string FirstBare => $"n={ScramAttributes.Escape(_user)},r={_nonce}";

    /// <summary>The client's first message.</summary>
    public byte[] First() => Encoding.UTF8.GetBytes("n,," + FirstBare);

    /// <summary>The client's final message, answering the server's first.</summary>
    public byte[] Final(ReadOnlySpan<byte> serverFirst)
    {
        var parts = ScramAttributes.Parse(serverFirst, "rsi");
        if (!parts[0].StartsWith(_nonce, StringComparison.Ordinal) || parts[0].Length == _nonce.Length)
            throw new MongoException(MongoError.LoginFailed, "The login failed: the server's nonce does not go on from ours.");
        var salt = ScramAttributes.Base64(parts[1]);
        var iterations = ScramAttributes.Number(parts[2]);
        if (salt.Length == 0 || iterations is < LeastIterations or > MostIterations)
        {
            throw new MongoException(
                MongoError.LoginFailed,
                string.Create(CultureInfo.InvariantCulture, $"The login was broken off: the server asks for {iterations} rounds; {LeastIterations} to {MostIterations} are taken."));
        }

        var credentials = Secret is null
            ? ScramCredentials.Create(Mechanism, _user, _password, salt, iterations)
            : ScramCredentials.FromSecret(Mechanism, (byte[])Secret.Clone(), salt, iterations);
        var withoutProof = $"c=biws,r={parts[0]}";
        var signed = Encoding.UTF8.GetBytes($"{FirstBare},{Encoding.UTF8.GetString(serverFirst)},{withoutProof}");
        var proof = ScramAttributes.Xor(credentials.ClientKey, ScramCredentials.Hmac(Mechanism, credentials.StoredKey, signed));
        _serverSignature = ScramCredentials.Hmac(Mechanism, credentials.ServerKey, signed);
        return Encoding.UTF8.GetBytes($"{withoutProof},p={Convert.ToBase64String(proof)}");
    }

    /// <summary>Checks the server's final message: that it, too, knows the password.</summary>
    public void Verify(ReadOnlySpan<byte> serverFinal)
    {
        if (_serverSignature is null)
            throw new InvalidOperationException("Final comes before Verify.");
        if (serverFinal.StartsWith("e="u8))
            throw new MongoException(MongoError.LoginFailed, "The login failed: the server did not accept the user's proof.");
        if (!CryptographicOperations.FixedTimeEquals(ScramAttributes.Base64(ScramAttributes.Parse(serverFinal, "v")[0]), _serverSignature))
            throw new MongoException(MongoError.LoginFailed, "The login was broken off: the server could not prove that it knows the password. It may not be the server it says it is.");
    }
}
