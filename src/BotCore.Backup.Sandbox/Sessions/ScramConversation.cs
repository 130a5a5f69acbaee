using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Sessions;

/// <summary>What is stored of a password for one mechanism (RFC 5802).</summary>
internal sealed record ScramCredential(int Iterations, byte[] Salt, byte[] StoredKey, byte[] ServerKey);

/// <summary>The server's side of SCRAM-SHA-1 and SCRAM-SHA-256 (RFC 5802, RFC 7677).</summary>
internal sealed class ScramConversation(HashAlgorithmName hash, bool skipsEmptyExchange, Func<string, string, ScramCredential?> lookUp)
{
    private string _clientFirst = "";
    private string _serverFirst = "";
    private string _nonce = "";
    private string? _claimed;
    private ScramCredential? _credential;
    private int _step;

    /// <summary>Who it is, once proven, as <c>db.name</c>.</summary>
    public string? User { get; private set; }

    public bool IsDone { get; private set; }

    public byte[] Step(byte[] payload, string database)
    {
        var text = Encoding.UTF8.GetString(payload);
        return _step++ switch
        {
            0 => Encoding.UTF8.GetBytes(First(text, database)),
            1 => Encoding.UTF8.GetBytes(Final(text)),
            2 when User is not null && payload.Length == 0 => Done(),
            _ => throw Failed(),
        };
    }

    private byte[] Done()
    {
        IsDone = true;
        return [];
    }

    private string First(string text, string database)
    {
        if (!text.StartsWith("n,", StringComparison.Ordinal) || text.IndexOf(',', 2) is var comma && comma < 0)
            throw Failed();
        _clientFirst = text[(comma + 1)..];
        var fields = Fields(_clientFirst);
        var name = fields.GetValueOrDefault('n', "").Replace("=2C", ",", StringComparison.Ordinal).Replace("=3D", "=", StringComparison.Ordinal);
        _claimed = $"{database}.{name}";
        _credential = lookUp(database, name) ?? throw Failed();
        _nonce = fields.GetValueOrDefault('r', "") + Convert.ToBase64String(RandomNumberGenerator.GetBytes(18));
        _serverFirst = string.Create(CultureInfo.InvariantCulture, $"r={_nonce},s={Convert.ToBase64String(_credential.Salt)},i={_credential.Iterations}");
        return _serverFirst;
    }

    private string Final(string text)
    {
        var fields = Fields(text);
        var proofAt = text.LastIndexOf(",p=", StringComparison.Ordinal);
        if (proofAt < 0 || !string.Equals(fields.GetValueOrDefault('r'), _nonce, StringComparison.Ordinal))
            throw Failed();
        var signed = Encoding.UTF8.GetBytes($"{_clientFirst},{_serverFirst},{text[..proofAt]}");
        var signature = CryptographicOperations.HmacData(hash, _credential!.StoredKey, signed);
        var proof = new byte[signature.Length];
        if (!Convert.TryFromBase64String(text[(proofAt + 3)..], proof, out var length) || length != signature.Length)
            throw Failed();
        for (var i = 0; i < proof.Length; i++)
            proof[i] ^= signature[i];
        if (!CryptographicOperations.FixedTimeEquals(CryptographicOperations.HashData(hash, proof), _credential.StoredKey))
            throw Failed();
        User = _claimed;
        IsDone = skipsEmptyExchange;
        return "v=" + Convert.ToBase64String(CryptographicOperations.HmacData(hash, _credential.ServerKey, signed));
    }

    private static Dictionary<char, string> Fields(string text)
    {
        var fields = new Dictionary<char, string>();
        foreach (var part in text.Split(','))
        {
            if (part.Length >= 2 && part[1] == '=')
                fields[part[0]] = part[2..];
        }

        return fields;
    }

    private static ServerException Failed() => new(ServerException.AuthenticationFailed, "Authentication failed.");
}
