using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace BotCore.Backup.Engine.Archives.Tar;

/// <summary>Collects the records of one extended header: <c>"%d %s=%s\n", length, keyword, value</c>. Kept and cleared between entries.</summary>
internal sealed class PaxRecordWriter
{
    // Beyond this the buffer of one odd entry is not kept for the next.
    private const int KeptCapacity = 64 * 1024;

    private ArrayBufferWriter<byte> _records = new(4096);

    internal ReadOnlySpan<byte> Records => _records.WrittenSpan;

    internal int Length => _records.WrittenCount;

    internal void Clear()
    {
        if (_records.Capacity > KeptCapacity)
            _records = new ArrayBufferWriter<byte>(4096);
        else
            _records.ResetWrittenCount();
    }

    internal void Add(ReadOnlySpan<byte> keyword, ReadOnlySpan<byte> value) => Add(keyword, default, value);

    internal void Add(ReadOnlySpan<byte> keyword, long value)
    {
        Span<byte> text = stackalloc byte[20];
        Utf8Formatter.TryFormat(value, text, out var length);
        Add(keyword, text[..length]);
    }

    internal void Add(ReadOnlySpan<byte> keyword, UnixTime value)
    {
        Span<byte> text = stackalloc byte[PaxTime.MaximumLength];
        Add(keyword, text[..PaxTime.Format(value, text)]);
    }

    internal void Add(ReadOnlySpan<byte> keyword, string value) => Add(keyword, Encoding.UTF8.GetBytes(value));

    /// <summary>A record whose keyword has a part of its own, such as an attribute's name.</summary>
    internal void Add(ReadOnlySpan<byte> keyword, ReadOnlySpan<byte> suffix, ReadOnlySpan<byte> value)
    {
        // The length counts its own digits.
        var rest = keyword.Length + suffix.Length + value.Length + 3;
        var length = rest + Digits(rest);
        if (Digits(length) != Digits(rest))
            length++;

        var record = _records.GetSpan(length);
        Utf8Formatter.TryFormat(length, record, out var at);
        record[at++] = (byte)' ';
        keyword.CopyTo(record[at..]);
        at += keyword.Length;
        suffix.CopyTo(record[at..]);
        at += suffix.Length;
        record[at++] = (byte)'=';
        value.CopyTo(record[at..]);
        at += value.Length;
        record[at] = (byte)'\n';
        _records.Advance(length);
    }

    private static int Digits(int number)
    {
        var digits = 1;
        for (; number >= 10; number /= 10)
            digits++;
        return digits;
    }
}
