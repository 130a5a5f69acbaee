namespace BotCore.Backup.Engine.Archives.Tar;

/// <summary>The <c>GNU.sparse.*</c> records in all three versions (GNU tar manual, "Storing Sparse Files").</summary>
internal sealed class PaxSparse
{
    private long? _major;
    private long? _offset;
    private SparseRuns? _runs;

    internal byte[]? Name { get; private set; }

    internal long? RealSize { get; private set; }

    /// <summary>Version 1.0: the map stands at the start of the data.</summary>
    internal bool MapIsInData => _major == 1;

    /// <summary>Versions 0.0 and 0.1: the map from the records.</summary>
    internal SparseRuns Runs => _runs ??= new SparseRuns();

    internal string? Apply(ReadOnlySpan<byte> keyword, ReadOnlySpan<byte> value)
    {
        if (keyword.SequenceEqual("name"u8))
        {
            Name = value.ToArray();
            return null;
        }

        if (keyword.SequenceEqual("map"u8))
            return ParseMap(value);
        return TarText.TryParseNumber(value, out var number) ? Apply(keyword, number) : "a PAX record of its sparse map is no number";
    }

    private string? Apply(ReadOnlySpan<byte> keyword, long number)
    {
        if (keyword.SequenceEqual("major"u8))
        {
            _major = number;
            return number is 0 or 1 ? null : "its sparse map has a version that is not known";
        }

        if (keyword.SequenceEqual("size"u8) || keyword.SequenceEqual("realsize"u8))
            RealSize = number;
        else if (keyword.SequenceEqual("offset"u8))
            _offset = number;
        else if (keyword.SequenceEqual("numbytes"u8))
            return AddRun(number);
        return null;
    }

    private string? AddRun(long length)
    {
        if (_offset is not { } offset)
            return "its sparse map names a length without an offset";
        _offset = null;
        return Runs.Add(offset, length);
    }

    // 0.1: "offset,length,offset,length"
    private string? ParseMap(ReadOnlySpan<byte> map)
    {
        long? offset = null;
        foreach (var range in map.Split((byte)','))
        {
            if (!TarText.TryParseNumber(map[range], out var number))
                return "its sparse map is malformed";
            if (offset is null)
            {
                offset = number;
                continue;
            }

            if (Runs.Add(offset.Value, number) is { } flaw)
                return flaw;
            offset = null;
        }

        return offset is null ? null : "its sparse map names an offset without a length";
    }
}
