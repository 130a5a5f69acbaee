using System.Text;

namespace BotCore.Backup.Engine.Components.MongoDb.Replay;

/// <summary>One namespace of an oplog.</summary>
/// <param name="Name">As text.</param>
/// <param name="IsWanted">Whether its documents are replayed.</param>
/// <param name="IsOldIndex">Whether an insert there makes an index, as before 3.0.</param>
internal sealed record KnownNamespace(string Name, bool IsWanted, bool IsOldIndex);

/// <summary>Remembers what is to know of each namespace: an oplog has millions of entries and few of those. One thread.</summary>
internal sealed class KnownNamespaces(NamespaceMap map)
{
    private readonly Dictionary<string, KnownNamespace> _all = new(StringComparer.Ordinal);

    public KnownNamespace Of(ReadOnlySpan<byte> ns)
    {
        Span<char> text = stackalloc char[256];
        return ns.Length <= text.Length && _all.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(text[..Encoding.UTF8.GetChars(ns, text)], out var found) ? found : Learn(Encoding.UTF8.GetString(ns));
    }

    private KnownNamespace Learn(string name)
    {
        if (!_all.TryGetValue(name, out var known))
            _all.Add(name, known = new KnownNamespace(name, map.IsWanted(name), name.EndsWith(".system.indexes", StringComparison.Ordinal)));
        return known;
    }
}
