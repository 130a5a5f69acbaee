using System.Text;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Outside.Posix;

namespace BotCore.Backup.Engine.Components.Files;

/// <summary>Reads extended attributes, ACLs among them, into buffers that it uses again. For one thread.</summary>
internal sealed class AttributeReader
{
    // The kernel's bounds for a list and for a value (linux/limits.h), so one size always does.
    private readonly byte[] _names = new byte[64 * 1024];
    private readonly byte[] _value = new byte[64 * 1024];

    /// <summary>All attributes of <paramref name="node"/>, by name; none where the file system has no such thing.</summary>
    /// <param name="node">The open node.</param>
    /// <param name="refused">Gets a sentence's end for each attribute that could not be read.</param>
    public IReadOnlyList<ExtendedAttribute> Read(NodeHandle node, Action<string> refused)
    {
        var length = node.ListAttributes(_names);
        if (length <= 0)
        {
            // A node that lies on a file system without attributes, or is reached through a /proc that is not mounted, has none to give.
            if (length is not (0 or -Errno.ENOTSUP or -Errno.ENOENT or -Errno.EPERM or -Errno.ENOSYS))
                refused($"its attributes cannot be listed: {Errno.Describe(-length)}");
            return [];
        }

        var attributes = new List<ExtendedAttribute>();
        var rest = _names.AsSpan(0, length);
        while (!rest.IsEmpty)
        {
            var end = rest.IndexOf((byte)0);
            Add(node, rest[..(end + 1)], attributes, refused);
            rest = rest[(end + 1)..];
        }

        attributes.Sort((x, y) => string.CompareOrdinal(x.Name, y.Name));
        return attributes;
    }

    private void Add(NodeHandle node, ReadOnlySpan<byte> name, List<ExtendedAttribute> attributes, Action<string> refused)
    {
        var text = Encoding.UTF8.GetString(name[..^1]);
        if (!System.Text.Unicode.Utf8.IsValid(name))
        {
            refused($"its attribute {new EntryPath(name[..^1].ToArray())} has a name that is not UTF-8");
            return;
        }

        var length = node.GetAttribute(name, _value);
        if (length >= 0)
            attributes.Add(new ExtendedAttribute(text, _value.AsSpan(0, length).ToArray()));
        else if (length != -Errno.ENODATA)
            refused($"its attribute {text} cannot be read: {Errno.Describe(-length)}");
    }
}
