using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace BotCore.Backup.Engine.Archives.Tar;

/// <summary>
/// POSIX ACLs between the kernel's binary form (linux/posix_acl_xattr.h: version 2, entries of tag, permissions and id, little-endian)
/// and the text of the PAX records <c>SCHILY.acl.access</c> and <c>SCHILY.acl.default</c>.
/// </summary>
internal static class PosixAcl
{
    internal const string AccessName = "system.posix_acl_access";
    internal const string DefaultName = "system.posix_acl_default";

    private const int HeaderLength = 4;
    private const int EntryLength = 8;
    private const uint Version = 2;
    private const uint NoId = uint.MaxValue;

    private enum Tag : ushort
    {
        UserObject = 0x01,
        User = 0x02,
        GroupObject = 0x04,
        Group = 0x08,
        Mask = 0x10,
        Other = 0x20,
    }

    private readonly record struct Entry(Tag Tag, int Permissions, uint Id);

    /// <summary>
    /// The text with numeric ids, or null where the bytes are not what the kernel gives out, so that <see cref="FromText"/> would not
    /// give the same bytes back.
    /// </summary>
    internal static string? ToText(ReadOnlySpan<byte> binary)
    {
        if (binary.Length <= HeaderLength || (binary.Length - HeaderLength) % EntryLength != 0
            || BinaryPrimitives.ReadUInt32LittleEndian(binary) != Version)
            return null;

        var text = new StringBuilder();
        var last = default(Tag);
        for (var rest = binary[HeaderLength..]; !rest.IsEmpty; rest = rest[EntryLength..])
        {
            var entry = new Entry(
                (Tag)BinaryPrimitives.ReadUInt16LittleEndian(rest),
                BinaryPrimitives.ReadUInt16LittleEndian(rest[2..]),
                BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]));
            if (!IsCanonical(entry) || entry.Tag < last)
                return null;
            last = entry.Tag;
            Append(text, entry);
        }

        return text.ToString();
    }

    private static bool IsCanonical(Entry entry)
        => Enum.IsDefined(entry.Tag) && entry.Permissions is >= 0 and <= 7 && IsNamed(entry.Tag) == (entry.Id != NoId);

    private static bool IsNamed(Tag tag) => tag is Tag.User or Tag.Group;

    private static void Append(StringBuilder text, Entry entry)
    {
        if (text.Length > 0)
            text.Append(',');
        text.Append(entry.Tag switch
        {
            Tag.UserObject or Tag.User => "user:",
            Tag.GroupObject or Tag.Group => "group:",
            Tag.Mask => "mask:",
            _ => "other:",
        });
        if (IsNamed(entry.Tag))
            text.Append(entry.Id.ToString(CultureInfo.InvariantCulture));
        text.Append(':');
        text.Append((entry.Permissions & 4) != 0 ? 'r' : '-');
        text.Append((entry.Permissions & 2) != 0 ? 'w' : '-');
        text.Append((entry.Permissions & 1) != 0 ? 'x' : '-');
    }

    /// <summary>
    /// The binary form of <paramref name="text"/>, entries in the kernel's order whatever order the text has; null, and the reason in
    /// <paramref name="problem"/>, where the text is malformed or names somebody who is not in <paramref name="accounts"/>.
    /// </summary>
    internal static byte[]? FromText(string text, AccountNames accounts, out string? problem)
    {
        var entries = new List<Entry>();
        foreach (var line in text.Split([',', '\n'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var comment = line.IndexOf('#', StringComparison.Ordinal);
            var said = comment < 0 ? line : line[..comment].TrimEnd();
            if (said.Length == 0)
                continue;
            problem = Parse(said, accounts, out var entry);
            if (problem is not null)
                return null;
            entries.Add(entry);
        }

        problem = entries.Count == 0 ? "it has no entries" : null;
        return problem is null ? ToBinary(entries) : null;
    }

    /// <summary>
    /// Whether the ACL says no more than the mode does. GNU tar writes such ones as access ACLs; no file system keeps them.
    /// </summary>
    internal static bool IsMinimal(ReadOnlySpan<byte> binary) => binary.Length == HeaderLength + (3 * EntryLength);

    private static byte[] ToBinary(List<Entry> entries)
    {
        var binary = new byte[HeaderLength + (EntryLength * entries.Count)];
        BinaryPrimitives.WriteUInt32LittleEndian(binary, Version);
        var rest = binary.AsSpan(HeaderLength);
        // A stable sort: the kernel refuses other orders of tags, and star and bsdtar write one.
        foreach (var entry in entries.OrderBy(entry => entry.Tag))
        {
            BinaryPrimitives.WriteUInt16LittleEndian(rest, (ushort)entry.Tag);
            BinaryPrimitives.WriteUInt16LittleEndian(rest[2..], (ushort)entry.Permissions);
            BinaryPrimitives.WriteUInt32LittleEndian(rest[4..], entry.Id);
            rest = rest[EntryLength..];
        }

        return binary;
    }

    // tag ":" [name] ":" permissions [":" id]; mask and other may leave out the empty name.
    private static string? Parse(string text, AccountNames accounts, out Entry entry)
    {
        entry = default;
        var fields = text.Split(':', StringSplitOptions.TrimEntries);
        if (fields[0] is "default" or "d")
            fields = fields[1..];
        if (fields is ["mask" or "m" or "other" or "o", { Length: > 0 } only])
            fields = [fields[0], "", only];
        if (fields.Length is < 3 or > 4 || ParsePermissions(fields[2]) is not { } permissions)
            return $"its entry '{text}' is malformed";

        var name = fields[1];
        Tag? tag = fields[0] switch
        {
            "user" or "u" => name.Length == 0 ? Tag.UserObject : Tag.User,
            "group" or "g" => name.Length == 0 ? Tag.GroupObject : Tag.Group,
            "mask" or "m" when name.Length == 0 => Tag.Mask,
            "other" or "o" when name.Length == 0 => Tag.Other,
            _ => null,
        };
        if (tag is null)
            return $"its entry '{text}' is malformed";
        if (!IsNamed(tag.Value))
            entry = new Entry(tag.Value, permissions, NoId);
        else if (FindId(tag.Value, name, fields is [_, _, _, var number] ? number : "", accounts) is { } id)
            entry = new Entry(tag.Value, permissions, id);
        else
            return $"it names the {(tag == Tag.User ? "user" : "group")} '{name}', which this machine does not know";
        return null;
    }

    // The number of the star form stands before the name, as numbers do for owners: it is what the file system had.
    private static uint? FindId(Tag tag, string name, string number, AccountNames accounts)
    {
        if (ParseId(name) is { } direct)
            return direct;
        if (ParseId(number) is { } declared)
            return declared;
        return tag == Tag.User ? accounts.FindUser(name) : accounts.FindGroup(name);
    }

    private static uint? ParseId(string text)
        => uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id) && id != NoId ? id : null;

    private static int? ParsePermissions(string text)
    {
        if (text is [>= '0' and <= '7' and var digit])
            return digit - '0';
        var permissions = 0;
        foreach (var letter in text)
        {
            switch (letter)
            {
                case 'r': permissions |= 4; break;
                case 'w': permissions |= 2; break;
                case 'x': permissions |= 1; break;
                case '-': break;
                default: return null;
            }
        }

        return text.Length is 0 or > 3 ? null : permissions;
    }
}
