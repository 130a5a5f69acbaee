using System.Text;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Storage;

/// <summary>Database and collection. Names compare byte by byte.</summary>
internal readonly record struct Namespace(string Database, string Collection)
{
    private static readonly System.Buffers.SearchValues<char> Forbidden = System.Buffers.SearchValues.Create("/\\. \"$\0");

    public override string ToString() => $"{Database}.{Collection}";

    /// <summary>Whether writes to it stand in the oplog.</summary>
    public bool IsReplicated => !string.Equals(Database, "local", StringComparison.Ordinal) && this is not { Database: "config", Collection: "transactions" };

    public static Namespace Parse(string text)
    {
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        if (dot <= 0 || dot == text.Length - 1)
            throw new ServerException(ServerException.InvalidNamespace, $"Invalid namespace specified '{text}'");
        return new Namespace(text[..dot], text[(dot + 1)..]);
    }

    /// <summary>As the server rules for a collection that is to be made.</summary>
    public Namespace Checked()
    {
        CheckDatabase(Database);
        if (Collection.Length == 0 || Collection.Contains('\0', StringComparison.Ordinal) || Collection[0] == '.' || (Collection.Contains('$', StringComparison.Ordinal) && !string.Equals(Collection, "oplog.$main", StringComparison.Ordinal)))
            throw new ServerException(ServerException.InvalidNamespace, $"Invalid collection name: {Collection}");
        if (Encoding.UTF8.GetByteCount(ToString()) > 255)
            throw new ServerException(ServerException.InvalidNamespace, "Fully qualified namespace is too long. Max: 255");
        return this;
    }

    public static void CheckDatabase(string name)
    {
        if (name.Length is 0 or > 63 || name.AsSpan().ContainsAny(Forbidden))
            throw new ServerException(ServerException.InvalidNamespace, $"Invalid database name: '{name}'");
    }
}
