using System.Runtime.InteropServices;

namespace BotCore.Backup.Engine.Archives.Tar;

/// <summary>Extended attributes and ACLs from PAX records: names once each, in order of first appearance, the later value wins.</summary>
internal sealed class PaxAttributes
{
    // A few names are compared one by one; a crafted header with 400,000 of them must not take their square.
    private const int IndexedFrom = 16;

    private readonly List<ExtendedAttribute> _attributes = [];
    private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);
    private readonly List<(string Name, string Text)> _acls = [];
    private readonly List<string> _problems = [];

    internal bool IsEmpty => _attributes.Count == 0 && _problems.Count == 0;

    internal void Clear()
    {
        _attributes.Clear();
        _places.Clear();
        _acls.Clear();
        _problems.Clear();
    }

    internal void Apply(ReadOnlySpan<byte> keyword, ReadOnlySpan<byte> value)
    {
        if (keyword.StartsWith("SCHILY.xattr."u8))
            Set(PaxAttributeName.Unescape(keyword["SCHILY.xattr."u8.Length..]), value.ToArray(), keyword);
        else if (keyword.StartsWith("LIBARCHIVE.xattr."u8))
            Set(PaxAttributeName.UnescapeLibarchive(keyword["LIBARCHIVE.xattr."u8.Length..]), PaxAttributeName.DecodeLibarchive(value), keyword);
        else if (keyword.SequenceEqual("SCHILY.acl.access"u8))
            SetAcl(PosixAcl.AccessName, value);
        else if (keyword.SequenceEqual("SCHILY.acl.default"u8))
            SetAcl(PosixAcl.DefaultName, value);
    }

    /// <summary>The attributes, ACLs in binary form; what had to be dropped is told to <paramref name="warnings"/>.</summary>
    internal IReadOnlyList<ExtendedAttribute> Take(AccountNames accounts, List<string> warnings)
    {
        foreach (var (name, text) in _acls)
        {
            var place = Find(name);
            var binary = PosixAcl.FromText(text, accounts, out var problem);
            if (binary is null)
                _problems.Add($"the ACL {name} was dropped: {problem}");
            else if (name is not PosixAcl.AccessName || !PosixAcl.IsMinimal(binary))
                _attributes[place] = new ExtendedAttribute(name, binary);
        }

        warnings.AddRange(_problems);
        // An ACL that was dropped left its place empty.
        return _attributes.Count == 0 ? [] : _attributes.FindAll(attribute => attribute.Value is not null).ToArray();
    }

    private void SetAcl(string name, ReadOnlySpan<byte> text)
    {
        _acls.RemoveAll(acl => string.Equals(acl.Name, name, StringComparison.Ordinal));
        if (text.IsEmpty)
            return;
        _acls.Add((name, TarText.Decode(text)));
        Reserve(name);
    }

    private void Set(string? name, byte[]? value, ReadOnlySpan<byte> keyword)
    {
        if (name is null || value is null)
            _problems.Add($"the extended attribute in the record '{new EntryPath(keyword.ToArray())}' was dropped: its name or value is malformed");
        else
            _attributes[Reserve(name)] = new ExtendedAttribute(name, value);
    }

    private int Reserve(string name)
    {
        var place = Find(name);
        if (place >= 0)
            return place;
        _attributes.Add(new ExtendedAttribute(name, null!));
        if (_attributes.Count == IndexedFrom)
        {
            foreach (var attribute in _attributes)
                _places.Add(attribute.Name, _places.Count);
        }
        else if (_attributes.Count > IndexedFrom)
        {
            _places.Add(name, _attributes.Count - 1);
        }

        return _attributes.Count - 1;
    }

    private int Find(string name)
    {
        if (_attributes.Count >= IndexedFrom)
            return _places.GetValueOrDefault(name, -1);
        var attributes = CollectionsMarshal.AsSpan(_attributes);
        for (var at = 0; at < attributes.Length; at++)
        {
            if (string.Equals(attributes[at].Name, name, StringComparison.Ordinal))
                return at;
        }

        return -1;
    }
}
