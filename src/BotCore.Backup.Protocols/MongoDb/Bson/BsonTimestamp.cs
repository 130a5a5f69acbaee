using System.Globalization;

namespace BotCore.Backup.Protocols.MongoDb.Bson;

/// <summary>A place in an oplog: the second, and the ordinal within it (1 is the first). Ordered as the server orders them.</summary>
/// <param name="Seconds">Seconds since 1970, UTC.</param>
/// <param name="Ordinal">Within the second.</param>
public readonly record struct BsonTimestamp(uint Seconds, uint Ordinal) : IComparable<BsonTimestamp>
{
    /// <summary>As the 64 bits of the wire: seconds above, ordinal below.</summary>
    public ulong Value => ((ulong)Seconds << 32) | Ordinal;

    /// <summary>The second as a time.</summary>
    public DateTimeOffset Time => DateTimeOffset.FromUnixTimeSeconds(Seconds);

    /// <summary>From the 64 bits of the wire.</summary>
    public static BsonTimestamp FromValue(ulong value) => new((uint)(value >> 32), (uint)value);

    /// <summary>Reads <c>seconds:ordinal</c>, as <see cref="ToString"/> writes it.</summary>
    public static bool TryParse(string text, out BsonTimestamp timestamp)
    {
        timestamp = default;
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0
            || !uint.TryParse(text.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            || !uint.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var ordinal))
            return false;
        timestamp = new BsonTimestamp(seconds, ordinal);
        return true;
    }

    public static bool operator <(BsonTimestamp left, BsonTimestamp right) => left.Value < right.Value;

    public static bool operator >(BsonTimestamp left, BsonTimestamp right) => left.Value > right.Value;

    public static bool operator <=(BsonTimestamp left, BsonTimestamp right) => left.Value <= right.Value;

    public static bool operator >=(BsonTimestamp left, BsonTimestamp right) => left.Value >= right.Value;

    /// <inheritdoc/>
    public int CompareTo(BsonTimestamp other) => Value.CompareTo(other.Value);

    /// <summary><c>seconds:ordinal</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Seconds}:{Ordinal}");
}
