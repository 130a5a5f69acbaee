using System.Buffers;
using System.Globalization;

namespace BotCore.Backup.Protocols.MongoDb;

/// <summary>Where a server listens: a DNS name or an IP address (IPv6 without brackets), and a TCP port.</summary>
public sealed record MongoHost(string Name, int Port)
{
    /// <summary>The port where none is given.</summary>
    public const int DefaultPort = 27017;

    private static readonly SearchValues<char> NeverInNames = SearchValues.Create(" /?#@[]\\\0");

    /// <summary><c>name:port</c>, an IPv6 address in brackets.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{(Name.Contains(':', StringComparison.Ordinal) ? $"[{Name}]" : Name)}:{Port}");

    /// <summary>Whether both are the same place: names without regard to case.</summary>
    public bool Equals(MongoHost? other) => other is not null && Port == other.Port && string.Equals(Name, other.Name, StringComparison.OrdinalIgnoreCase);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(StringComparer.OrdinalIgnoreCase.GetHashCode(Name), Port);

    /// <summary>Reads <c>name</c>, <c>name:port</c>, <c>[ipv6]</c> or <c>[ipv6]:port</c>; null where it is neither.</summary>
    internal static MongoHost? TryParse(string text)
    {
        var name = text;
        var port = "";
        if (text.StartsWith('['))
        {
            var end = text.IndexOf(']', StringComparison.Ordinal);
            if (end < 0 || !System.Net.IPAddress.TryParse(text.AsSpan(1, end - 1), out var address)
                || address.AddressFamily != System.Net.Sockets.AddressFamily.InterNetworkV6)
                return null;
            name = text[1..end];
            port = text[(end + 1)..];
        }
        else if (text.IndexOf(':', StringComparison.Ordinal) is >= 0 and var colon)
        {
            name = text[..colon];
            port = text[colon..];
        }

        if (name.Length == 0 || name.AsSpan().ContainsAny(NeverInNames))
            return null;
        if (port.Length == 0)
            return new MongoHost(name, DefaultPort);
        return port[0] == ':' && int.TryParse(port.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= 65535
            ? new MongoHost(name, number)
            : null;
    }
}
