using System.Buffers;
using System.Globalization;
using System.Text;

namespace BotCore.Backup.Protocols.MongoDb;

/// <summary>Takes a connection string apart: scheme, login, hosts, database, options. Nothing of the text is shown in an error but option names and what is surely no password.</summary>
internal static class ConnectionStringParser
{
    private const string Plain = "mongodb://";
    private const string Srv = "mongodb+srv://";

    private static readonly SearchValues<char> NeverInLogins = SearchValues.Create("@/?#[]");
    private static readonly SearchValues<char> NeverInDatabases = SearchValues.Create("/\\ \"$.\0");

    public static MongoConnectionString Parse(string text)
    {
        var isSrv = text.StartsWith(Srv, StringComparison.OrdinalIgnoreCase);
        if (!isSrv && !text.StartsWith(Plain, StringComparison.OrdinalIgnoreCase))
            throw Invalid("it does not begin with mongodb:// or mongodb+srv://");
        var rest = text[(isSrv ? Srv : Plain).Length..];
        var end = rest.AsSpan().IndexOfAny('/', '?');
        var authority = end < 0 ? rest : rest[..end];
        rest = end < 0 ? "" : rest[end..];
        var question = rest.IndexOf('?', StringComparison.Ordinal);
        var path = question < 0 ? rest : rest[..question];
        var query = question < 0 ? "" : rest[(question + 1)..];
        // An '@' behind the hosts means that a '/' or '?' of the login was not encoded: nothing may be shown then.
        if (path.Contains('@', StringComparison.Ordinal) || (query.Contains('@', StringComparison.Ordinal) && !authority.Contains('@', StringComparison.Ordinal)))
            throw Invalid("user name and password must be percent-encoded");

        var options = SplitOptions(query);
        ConnectionStringOptions.CheckTls(options);
        var at = authority.LastIndexOf('@');
        var (user, password) = at < 0 ? (null, null) : SplitLogin(authority[..at]);
        var hosts = SplitHosts(authority[(at + 1)..], isSrv);
        var parsed = new MongoConnectionString
        {
            Hosts = hosts,
            IsSrv = isSrv,
            Tls = isSrv,
            UserName = user,
            Password = password,
            Database = DatabaseOf(path),
            Given = options.Select(option => option.Name).ToHashSet(StringComparer.OrdinalIgnoreCase),
            Redacted = Redact(isSrv, user, password, hosts, path, options),
        };
        foreach (var (name, value) in options)
            parsed = ConnectionStringOptions.Apply(parsed, name, value);
        return ConnectionStringOptions.Check(parsed);
    }

    public static MongoException Invalid(string why) => new(MongoError.InvalidConnectionString, $"The connection string cannot be used: {why}.");

    /// <summary>Undoes percent-encoding; a sign that is not followed by two hexadecimal digits is refused.</summary>
    public static string Decode(string text, string what)
    {
        if (!text.Contains('%', StringComparison.Ordinal))
            return text;
        var bytes = new byte[Encoding.UTF8.GetByteCount(text)];
        var length = 0;
        for (var index = 0; index < text.Length; index++)
        {
            if (text[index] == '%')
            {
                if (index + 2 >= text.Length || !byte.TryParse(text.AsSpan(index + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out bytes[length]))
                    throw Invalid($"{what} has a % that is not followed by two hexadecimal digits");
                length++;
                index += 2;
                continue;
            }

            var count = char.IsHighSurrogate(text[index]) && index + 1 < text.Length ? 2 : 1;
            length += Encoding.UTF8.GetBytes(text.AsSpan(index, count), bytes.AsSpan(length));
            index += count - 1;
        }

        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes, 0, length);
        }
        catch (ArgumentException)
        {
            throw Invalid($"{what} is not UTF-8 when decoded");
        }
    }

    public static List<(string Name, string Value)> SplitOptions(string query)
    {
        var options = new List<(string Name, string Value)>();
        foreach (var pair in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
                throw Invalid(pair.Contains('@', StringComparison.Ordinal) ? "user name and password must be percent-encoded" : "an option has no name or no value");
            var name = Decode(pair[..equals], "an option's name");
            var value = Decode(pair[(equals + 1)..], $"the option {name}");
            if (value.Length == 0 && !name.Equals("readPreferenceTags", StringComparison.OrdinalIgnoreCase))
                throw Invalid($"the option {name} has no value");
            if (!name.Equals("readPreferenceTags", StringComparison.OrdinalIgnoreCase))
            {
                var earlier = options.Find(option => option.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
                if (earlier.Name is not null && !string.Equals(earlier.Value, value, StringComparison.Ordinal))
                    throw Invalid($"the option {name} is there twice with different values");
            }

            options.Add((name, value));
        }

        return options;
    }

    private static (string User, string? Password) SplitLogin(string login)
    {
        if (login.AsSpan().ContainsAny(NeverInLogins))
            throw Invalid("user name and password must be percent-encoded");
        var colon = login.IndexOf(':', StringComparison.Ordinal);
        var user = Decode(colon < 0 ? login : login[..colon], "the user name");
        if (user.Length == 0)
            throw Invalid("there is an @ but no user name before it");
        if (colon < 0)
            return (user, null);
        if (login.IndexOf(':', colon + 1) >= 0)
            throw Invalid("user name and password must be percent-encoded");
        return (user, Decode(login[(colon + 1)..], "the password"));
    }

    private static List<MongoHost> SplitHosts(string text, bool isSrv)
    {
        if (text.Length == 0)
            throw Invalid("it names no host");
        var hosts = new List<MongoHost>();
        foreach (var part in text.Split(','))
        {
            if (part.Contains('%', StringComparison.Ordinal) || part.EndsWith(".sock", StringComparison.Ordinal))
                throw Invalid("a host is a unix socket; only TCP is spoken here");
            hosts.Add(MongoHost.TryParse(part) ?? throw Invalid("a host is not name, name:port, [IPv6] or [IPv6]:port (user name and password must be percent-encoded)"));
        }

        if (!isSrv)
            return hosts;
        if (hosts.Count != 1)
            throw Invalid("mongodb+srv takes one host name");
        if (text.Contains(':', StringComparison.Ordinal))
            throw Invalid("mongodb+srv takes no port");
        if (System.Net.IPAddress.TryParse(hosts[0].Name, out _))
            throw Invalid("mongodb+srv takes a name, not an address");
        return hosts;
    }

    private static string? DatabaseOf(string path)
    {
        if (path.Length <= 1)
            return null;
        var name = Decode(path[1..], "the database's name");
        return name.AsSpan().ContainsAny(NeverInDatabases) ? throw Invalid("the database's name holds a character that no database may have") : name;
    }

    private static string Redact(bool isSrv, string? user, string? password, List<MongoHost> hosts, string path, List<(string Name, string Value)> options)
    {
        var text = new StringBuilder(isSrv ? Srv : Plain);
        if (user is not null)
            text.Append(Uri.EscapeDataString(user)).Append(password is null ? "@" : ":***@");
        text.Append(isSrv ? hosts[0].Name : string.Join(',', hosts)).Append(path.Length == 0 ? "/" : path);
        var sign = '?';
        foreach (var (name, value) in options)
        {
            var isSecret = name.Contains("password", StringComparison.OrdinalIgnoreCase) || !ConnectionStringOptions.IsKnown(name);
            text.Append(sign).Append(name).Append('=').Append(isSecret ? "***" : Uri.EscapeDataString(value));
            sign = '&';
        }

        return text.ToString();
    }
}
