using System.Text;

namespace BotCore.Backup.Engine.Archives;

/// <summary>
/// A path inside an archive, or on a Unix file system, as the bytes it is. Names need not be UTF-8 and are never
/// re-encoded; <see cref="ToString"/> is for people and marks other bytes as <c>\xNN</c>. Immutable, compared ordinally by byte.
/// </summary>
public readonly struct EntryPath : IEquatable<EntryPath>, IComparable<EntryPath>
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly byte[]? _bytes;

    /// <summary>Takes the bytes as they are; the caller must not change the array afterwards.</summary>
    public EntryPath(byte[] bytes) => _bytes = bytes;

    /// <summary>The UTF-8 bytes of <paramref name="text"/>.</summary>
    public EntryPath(string text) => _bytes = Encoding.UTF8.GetBytes(text);

    /// <summary>The bytes, without a terminator.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>Length in bytes.</summary>
    public int Length => _bytes?.Length ?? 0;

    /// <summary>Whether there is no byte.</summary>
    public bool IsEmpty => Length == 0;

    /// <summary>Whether the bytes are well-formed UTF-8, so that <see cref="ToString"/> loses nothing.</summary>
    public bool IsUtf8 => System.Text.Unicode.Utf8.IsValid(Bytes);

    public static bool operator ==(EntryPath left, EntryPath right) => left.Equals(right);

    public static bool operator !=(EntryPath left, EntryPath right) => !left.Equals(right);

    public static bool operator <(EntryPath left, EntryPath right) => left.CompareTo(right) < 0;

    public static bool operator >(EntryPath left, EntryPath right) => left.CompareTo(right) > 0;

    public static bool operator <=(EntryPath left, EntryPath right) => left.CompareTo(right) <= 0;

    public static bool operator >=(EntryPath left, EntryPath right) => left.CompareTo(right) >= 0;

    /// <summary>This path, a slash, and <paramref name="name"/>; <paramref name="name"/> alone when this is empty.</summary>
    public EntryPath Join(ReadOnlySpan<byte> name)
    {
        if (IsEmpty)
            return new EntryPath(name.ToArray());
        var joined = new byte[Length + 1 + name.Length];
        Bytes.CopyTo(joined);
        joined[Length] = (byte)'/';
        name.CopyTo(joined.AsSpan(Length + 1));
        return new EntryPath(joined);
    }

    /// <inheritdoc/>
    public bool Equals(EntryPath other) => Bytes.SequenceEqual(other.Bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is EntryPath other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(Bytes);
        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public int CompareTo(EntryPath other) => Bytes.SequenceCompareTo(other.Bytes);

    /// <summary>For people: the text, with bytes that are not UTF-8, and control characters, as <c>\xNN</c>.</summary>
    public override string ToString()
    {
        var rest = Bytes;
        var text = new StringBuilder(rest.Length);
        while (!rest.IsEmpty)
        {
            var valid = Rune.DecodeFromUtf8(rest, out var rune, out var taken) == System.Buffers.OperationStatus.Done;
            if (valid && !Rune.IsControl(rune))
                text.Append(rune.ToString());
            else
                foreach (var value in rest[..taken])
                    text.Append("\\x").Append(value.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
            rest = rest[taken..];
        }

        return text.ToString();
    }

    /// <summary>The text when the bytes are UTF-8; otherwise null.</summary>
    public string? ToExactString()
    {
        try
        {
            return Strict.GetString(Bytes);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}
