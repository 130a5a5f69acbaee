using System.Buffers.Text;
using System.Text;

namespace BotCore.Backup.Engine.Archives.Tar;

/// <summary>
/// What the extended headers before an entry say. Later records win, an empty value takes a record back. One is kept and reset between
/// entries. A method's answer is the flaw that makes the archive corrupt, or null.
/// </summary>
internal sealed class PaxFields
{
    internal byte[]? Path { get; set; }

    internal byte[]? LinkPath { get; set; }

    internal long? Size { get; private set; }

    internal long? UserId { get; private set; }

    internal long? GroupId { get; private set; }

    internal long? DeviceMajor { get; private set; }

    internal long? DeviceMinor { get; private set; }

    internal UnixTime? Modified { get; private set; }

    internal string? UserName { get; private set; }

    internal string? GroupName { get; private set; }

    internal string? Comment { get; private set; }

    internal PaxSparse? Sparse { get; private set; }

    internal PaxAttributes Attributes { get; } = new();

    /// <summary>Starts an entry with what the global headers say. Attributes and sparse maps belong to one entry and are not taken over.</summary>
    internal void ResetTo(PaxFields global)
    {
        Path = global.Path;
        LinkPath = global.LinkPath;
        Size = global.Size;
        UserId = global.UserId;
        GroupId = global.GroupId;
        DeviceMajor = global.DeviceMajor;
        DeviceMinor = global.DeviceMinor;
        Modified = global.Modified;
        UserName = global.UserName;
        GroupName = global.GroupName;
        Comment = null;
        Sparse = null;
        Attributes.Clear();
    }

    /// <summary>Drops what a global header may not say for all entries.</summary>
    internal void DropEntryFields()
    {
        Sparse = null;
        Attributes.Clear();
    }

    /// <summary>Reads all records of one extended header.</summary>
    internal string? Parse(ReadOnlySpan<byte> records)
    {
        while (!records.IsEmpty)
        {
            if (!Utf8Parser.TryParse(records, out int length, out var digits) || length <= digits || length > records.Length
                || records[digits] != ' ' || records[length - 1] != '\n')
                return "a PAX record is malformed";
            var record = records[(digits + 1)..(length - 1)];
            var equals = record.IndexOf((byte)'=');
            if (equals <= 0)
                return "a PAX record has no keyword";
            if (Apply(record[..equals], record[(equals + 1)..]) is { } flaw)
                return flaw;
            records = records[length..];
        }

        return null;
    }

    private string? Apply(ReadOnlySpan<byte> keyword, ReadOnlySpan<byte> value)
    {
        if (keyword.SequenceEqual("mtime"u8))
            return SetModified(value);
        if (keyword.SequenceEqual("path"u8))
            Path = value.IsEmpty ? null : value.ToArray();
        else if (keyword.SequenceEqual("linkpath"u8))
            LinkPath = value.IsEmpty ? null : value.ToArray();
        else if (keyword.SequenceEqual("uname"u8))
            UserName = value.IsEmpty ? null : TarText.Decode(value);
        else if (keyword.SequenceEqual("gname"u8))
            GroupName = value.IsEmpty ? null : TarText.Decode(value);
        else if (keyword.SequenceEqual("comment"u8))
            Comment = TarText.Decode(value);
        else if (keyword.StartsWith("GNU.sparse."u8))
            return (Sparse ??= new PaxSparse()).Apply(keyword["GNU.sparse."u8.Length..], value);
        else if (keyword.SequenceEqual("size"u8) || keyword.SequenceEqual("uid"u8) || keyword.SequenceEqual("gid"u8) || keyword.StartsWith("SCHILY.dev"u8))
            return SetNumber(keyword, value);
        else
            Attributes.Apply(keyword, value);
        return null;
    }

    private string? SetModified(ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty)
            Modified = null;
        else if (PaxTime.TryParse(value, out var time))
            Modified = time;
        else
            return "its PAX mtime is no time";
        return null;
    }

    private string? SetNumber(ReadOnlySpan<byte> keyword, ReadOnlySpan<byte> value)
    {
        var valid = TarText.TryParseNumber(value, out var parsed) || value.IsEmpty;
        long? number = value.IsEmpty ? null : parsed;
        if (keyword.SequenceEqual("size"u8))
            Size = number;
        else if (keyword.SequenceEqual("uid"u8))
            UserId = number;
        else if (keyword.SequenceEqual("gid"u8))
            GroupId = number;
        else if (keyword.SequenceEqual("SCHILY.devmajor"u8))
            DeviceMajor = number;
        else if (keyword.SequenceEqual("SCHILY.devminor"u8))
            DeviceMinor = number;
        else
            return null;
        return valid ? null : $"its PAX {TarText.Decode(keyword)} is no number";
    }
}

/// <summary>Texts and decimal numbers in headers.</summary>
internal static class TarText
{
    /// <summary>UTF-8; where the bytes are none, each becomes the character of its number, so that nothing is lost silently.</summary>
    internal static string Decode(ReadOnlySpan<byte> bytes)
        => (System.Text.Unicode.Utf8.IsValid(bytes) ? Encoding.UTF8 : Encoding.Latin1).GetString(bytes);

    /// <summary>Digits alone: no sign, no blanks.</summary>
    internal static bool TryParseNumber(ReadOnlySpan<byte> text, out long number)
    {
        number = 0;
        return !text.IsEmpty && char.IsAsciiDigit((char)text[0])
            && Utf8Parser.TryParse(text, out number, out var used) && used == text.Length;
    }

    /// <summary>The bytes before the first NUL.</summary>
    internal static ReadOnlySpan<byte> BeforeNul(ReadOnlySpan<byte> field)
    {
        var end = field.IndexOf((byte)0);
        return end < 0 ? field : field[..end];
    }
}
