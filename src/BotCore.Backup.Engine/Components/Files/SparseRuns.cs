using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Archives.Tar;
using BotCore.Backup.Engine.Outside.Posix;

namespace BotCore.Backup.Engine.Components.Files;

/// <summary>Finds where a file has data and where it has holes.</summary>
internal static class SparseRuns
{
    private const long Page = 4096;

    /// <summary>
    /// The runs of data in the open file; null where it has no holes that matter or its file system does not tell. A file system
    /// that compresses gives fewer blocks without any hole: that is one run, and null.
    /// </summary>
    public static IReadOnlyList<SparseRun>? Find(int descriptor, in FileStatus status)
    {
        var size = status.Size;
        if (size == 0 || status.Allocated >= size)
            return null;
        var runs = new List<SparseRun>();
        for (var at = 0L; at < size;)
        {
            var data = Syscalls.Seek(descriptor, at, Syscalls.SeekData);
            if (data == -Errno.ENXIO || data >= size)
                break;
            if (data < 0)
                return null;
            var hole = Syscalls.Seek(descriptor, data, Syscalls.SeekHole);
            if (hole == -Errno.ENXIO)
                break; // It was truncated meanwhile; the reader comes upon that by itself.
            if (hole < 0)
                return null;
            at = Math.Min(hole, size);
            Add(runs, data & ~(Page - 1), Math.Min((at + Page - 1) & ~(Page - 1), size));
        }

        // Such a map costs more than it saves.
        if (runs.Count > TarFormat.MaximumSparseRuns)
            return null;

        return runs is [{ Offset: 0 } only] && only.Length == size ? null : runs;
    }

    // GNU tar takes each run from a block of its own, so runs begin and end at whole pages, whatever the file system says.
    private static void Add(List<SparseRun> runs, long start, long end)
    {
        if (runs.Count > 0 && runs[^1] is var last && last.Offset + last.Length >= start)
            runs[^1] = last with { Length = end - last.Offset };
        else
            runs.Add(new SparseRun(start, end - start));
    }
}
