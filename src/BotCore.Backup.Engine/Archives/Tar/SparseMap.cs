using System.Buffers;
using System.Buffers.Text;

namespace BotCore.Backup.Engine.Archives.Tar;

/// <summary>
/// The map of a sparse file in GNU's PAX format 1.0: decimal numbers, one a line (count, then offset and length of each run), at the start
/// of the data and padded to a block.
/// </summary>
internal static class SparseMap
{
    private const int LineLength = 20;

    /// <summary>Bytes of the map, padded.</summary>
    internal static long Length(ArchiveEntry entry)
    {
        var (count, length) = (0, 0L);
        foreach (var run in Lines(entry))
        {
            count++;
            length += Digits(run.Offset) + Digits(run.Length) + 2;
        }

        return TarFormat.Padded(length + Digits(count) + 1);
    }

    /// <summary>Writes the map, padded.</summary>
    internal static void Write(ArchiveEntry entry, IBufferWriter<byte> output)
    {
        long length = WriteLine(Lines(entry).LongCount(), output);
        foreach (var run in Lines(entry))
            length += WriteLine(run.Offset, output) + WriteLine(run.Length, output);
        var padding = TarFormat.Padding(length);
        output.GetSpan(TarFormat.BlockSize)[..padding].Clear();
        output.Advance(padding);
    }

    // GNU tar gives the file its length by the last run only, so a hole at the end asks for an empty run after it.
    private static IEnumerable<SparseRun> Lines(ArchiveEntry entry)
    {
        var end = 0L;
        var any = false;
        foreach (var run in entry.Sparse!)
        {
            if (run.Length == 0)
                continue;
            yield return run;
            end = run.Offset + run.Length;
            any = true;
        }

        if (!any || end != entry.Size)
            yield return new SparseRun(entry.Size, 0);
    }

    private static int WriteLine(long number, IBufferWriter<byte> output)
    {
        var line = output.GetSpan(LineLength);
        Utf8Formatter.TryFormat(number, line, out var digits);
        line[digits] = (byte)'\n';
        output.Advance(digits + 1);
        return digits + 1;
    }

    private static int Digits(long number)
    {
        var digits = 1;
        for (; number >= 10; number /= 10)
            digits++;
        return digits;
    }
}

/// <summary>Collects the runs that an archive declares and refuses maps that no file can have. A method's answer is the flaw, or null.</summary>
internal sealed class SparseRuns
{
    private readonly List<SparseRun> _runs = [];
    private int _count;
    private long _end;
    private long _sum;

    /// <summary>Takes the next run; an empty one only marks where a file ends and is not kept.</summary>
    internal string? Add(long offset, long length)
    {
        if (++_count > TarFormat.MaximumSparseRuns)
            return $"its sparse map has more than {TarFormat.MaximumSparseRuns} runs";
        if (offset < 0 || length < 0 || offset > long.MaxValue - length)
            return "its sparse map holds a number that is out of range";
        if (offset < _end)
            return "its sparse map does not ascend";
        _end = offset + length;
        // The runs do not overlap, so their sum is at most their end and cannot overflow.
        _sum += length;
        if (length > 0)
            _runs.Add(new SparseRun(offset, length));
        return null;
    }

    /// <summary>Checks the whole map against the file's length and the bytes that the archive stores for it.</summary>
    internal string? Finish(long size, long stored, out IReadOnlyList<SparseRun> runs)
    {
        runs = _runs;
        if (_end > size)
            return "its sparse map goes beyond the end of the file";
        return _sum == stored ? null : $"its sparse map speaks of {_sum} bytes of data, its header of {stored}";
    }
}
