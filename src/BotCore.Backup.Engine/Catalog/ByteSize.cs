using System.Globalization;

namespace BotCore.Backup.Engine.Catalog;

/// <summary>A number of bytes that reads well and still sorts and compares as the number it is. Units are binary (1 KiB = 1,024 bytes).</summary>
/// <param name="Bytes">The number.</param>
public readonly record struct ByteSize(long Bytes) : IComparable<ByteSize>, IComparable, IFormattable
{
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

    public static implicit operator long(ByteSize size) => size.Bytes;

    public static implicit operator ByteSize(long bytes) => new(bytes);

    public static bool operator <(ByteSize left, ByteSize right) => left.Bytes < right.Bytes;

    public static bool operator >(ByteSize left, ByteSize right) => left.Bytes > right.Bytes;

    public static bool operator <=(ByteSize left, ByteSize right) => left.Bytes <= right.Bytes;

    public static bool operator >=(ByteSize left, ByteSize right) => left.Bytes >= right.Bytes;

    /// <summary>The number, for languages without operators.</summary>
    public long ToInt64() => Bytes;

    /// <inheritdoc/>
    public int CompareTo(ByteSize other) => Bytes.CompareTo(other.Bytes);

    /// <summary>Compares with another size, or with any whole number, as PowerShell's operators ask for.</summary>
    public int CompareTo(object? obj) => obj switch
    {
        null => 1,
        ByteSize other => CompareTo(other),
        IConvertible number => ((double)Bytes).CompareTo(number.ToDouble(CultureInfo.InvariantCulture)),
        _ => throw new ArgumentException("A size compares with a size or a number.", nameof(obj)),
    };

    /// <summary>For people, three figures at most: <c>1.21 GiB</c>. Invariant culture.</summary>
    public override string ToString()
    {
        double value = Bytes;
        var unit = 0;
        while (Math.Abs(value) >= 1000 && unit < Units.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        var format = unit == 0 ? "0" : Math.Abs(value) switch { >= 100 => "0", >= 10 => "0.0", _ => "0.00" };
        return value.ToString(format, CultureInfo.InvariantCulture) + " " + Units[unit];
    }

    /// <inheritdoc/>
    public string ToString(string? format, IFormatProvider? formatProvider) =>
        string.IsNullOrEmpty(format) ? ToString() : Bytes.ToString(format, formatProvider);
}
