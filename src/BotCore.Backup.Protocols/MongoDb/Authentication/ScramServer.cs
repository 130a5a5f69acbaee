using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace BotCore.Backup.Protocols.MongoDb.Authentication;

/// <summary>The server's half of one login: <see cref="First"/>, then <see cref="TryFinish"/>. Throws <see cref="MongoException"/> (LoginFailed) on messages that are none. Source: RFC 5802.</summary>
public sealed class ScramServer
{
    private readonly Func<string, ScramCredentials?> _lookUp;
    private readonly string _nonce;
    private ScramCredentials? _credentials;
    private string _signed = "";
    private string _fullNonce = "";

    /// <summary>Begins a login; <paramref name="lookUp"/> gives a user's credentials, null where there is no such user.</summary>
    public ScramServer(Func<string, ScramCredentials?> lookUp)
        : this(lookUp, Convert.ToBase64String(RandomNumberGenerator.GetBytes(24)))
    {
    }

    internal ScramServer(Func<string, ScramCredentials?> lookUp, string nonce)
    {
        _lookUp = lookUp;
        _nonce = nonce;
    }

    /// <summary>Who logs in, known after <see cref="First"/>.</summary>
    public string User { get; private set; } = "";

    /// <summary>The server's first message, answering the client's.</summary>
    public byte[] First(ReadOnlySpan<byte> clientFirst)
    {
        if (!clientFirst.StartsWith("n,,"u8))
            throw ScramAttributes.Broken();
        var bare = clientFirst[3..];
        var parts = ScramAttributes.Parse(bare, "nr");
        User = ScramAttributes.Unescape(parts[0]);
        _credentials = _lookUp(User) ?? throw new MongoException(MongoError.LoginFailed, "The login failed: there is no such user.");
        _fullNonce = parts[1] + _nonce;
        var first = string.Create(CultureInfo.InvariantCulture, $"r={_fullNonce},s={Convert.ToBase64String(_credentials.Salt)},i={_credentials.Iterations}");
        _signed = $"{Encoding.UTF8.GetString(bare)},{first}";
        return Encoding.UTF8.GetBytes(first);
    }

    /// <summary>Checks the client's final message and gives the server's; false where the proof does not fit the password.</summary>
    public bool TryFinish(ReadOnlySpan<byte> clientFinal, out byte[] serverFinal)
    {
        if (_credentials is null)
            throw new InvalidOperationException("First comes before TryFinish.");
        serverFinal = [];
        var parts = ScramAttributes.Parse(clientFinal, "crp");
        var mechanism = _credentials.Mechanism;
        var proof = ScramAttributes.Base64(parts[2]);
        if (!string.Equals(parts[0], "biws", StringComparison.Ordinal) || !string.Equals(parts[1], _fullNonce, StringComparison.Ordinal)
            || proof.Length != ScramCredentials.LengthOf(mechanism))
            return false;
        var signed = Encoding.UTF8.GetBytes($"{_signed},c={parts[0]},r={parts[1]}");
        var clientKey = ScramAttributes.Xor(proof, ScramCredentials.Hmac(mechanism, _credentials.StoredKey, signed));
        if (!CryptographicOperations.FixedTimeEquals(ScramCredentials.Hash(mechanism, clientKey), _credentials.StoredKey))
            return false;
        serverFinal = Encoding.UTF8.GetBytes("v=" + Convert.ToBase64String(ScramCredentials.Hmac(mechanism, _credentials.ServerKey, signed)));
        return true;
    }
}
