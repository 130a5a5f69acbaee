using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Outside.Posix;

namespace BotCore.Backup.Engine.Components.Files;

/// <summary>
/// The folders from the destination down to where is being written, opened one by one from the one above and never through a symbolic
/// link. The last ones stay open, since the next entry mostly lies beside; no more than <see cref="OpenFolders"/>, however deep. For one thread.
/// </summary>
internal sealed class FolderChain(int root) : IDisposable
{
    private const int OpenFolders = 32;
    private const int DefaultMode = 0x1ED; // 0755

    private readonly List<Level> _levels = [];

    /// <summary>
    /// The open folder that <paramref name="path"/> lies in, good until the next call, or a negative error number.
    /// </summary>
    /// <param name="path">A path that <see cref="Check"/> let through.</param>
    /// <param name="make">Whether missing folders are made.</param>
    /// <param name="blocked">On ENOTDIR and ELOOP the path of what is no folder.</param>
    public int Open(EntryPath path, bool make, out EntryPath blocked)
    {
        blocked = default;
        var parent = path.Bytes[..Math.Max(0, path.Bytes.LastIndexOf((byte)'/'))];
        var kept = CommonLevels(parent);
        // Down again from the root where the levels in common were closed to save descriptors.
        if (kept > 0 && _levels[kept - 1].Descriptor < 0)
            kept = 0;
        Truncate(kept);
        var at = kept == 0 ? root : _levels[kept - 1].Descriptor;
        for (var start = kept == 0 ? 0 : _levels[kept - 1].End + 1; start < parent.Length; start = _levels[^1].End + 1)
        {
            var length = parent[start..].IndexOf((byte)'/');
            var end = length < 0 ? parent.Length : start + length;
            at = OpenOne(at, parent[start..end], make);
            if (at < 0)
            {
                blocked = new EntryPath(parent[..end].ToArray());
                return at;
            }

            Push(parent[start..end], end, at);
        }

        return at;
    }

    /// <summary>The last component of <paramref name="path"/>, with a NUL.</summary>
    public static byte[] NameOf(EntryPath path) => [.. path.Bytes[(path.Bytes.LastIndexOf((byte)'/') + 1)..], 0];

    /// <summary>Throws unless <paramref name="path"/> is one that stays inside the destination.</summary>
    public static void Check(EntryPath path)
    {
        if (path.IsEmpty)
            throw WriteFailure.Dishonest(path, "a path without a name");
        if (path.Bytes.Contains((byte)0))
            throw WriteFailure.Dishonest(path, "a path with a NUL character");
        foreach (var range in path.Bytes.Split((byte)'/'))
        {
            var part = path.Bytes[range];
            if (part.IsEmpty || part.SequenceEqual("."u8) || part.SequenceEqual(".."u8))
                throw WriteFailure.Dishonest(path, "a path that could lead out of the destination");
        }
    }

    /// <summary>Closes what is open, since a folder on the way was replaced.</summary>
    public void Reset() => Truncate(0);

    public void Dispose() => Reset();

    private static int OpenOne(int folder, ReadOnlySpan<byte> part, bool make)
    {
        byte[] name = [.. part, 0];
        var descriptor = Syscalls.Open(folder, name, Syscalls.OpenFolder | Syscalls.OpenNoFollow, 0);
        if (descriptor != -Errno.ENOENT || !make)
            return descriptor;
        var error = Syscalls.MakeFolder(folder, name, DefaultMode);
        return error < 0 && error != -Errno.EEXIST
            ? error
            : Syscalls.Open(folder, name, Syscalls.OpenFolder | Syscalls.OpenNoFollow, 0);
    }

    /// <summary>How many levels of the chain <paramref name="parent"/> goes through.</summary>
    private int CommonLevels(ReadOnlySpan<byte> parent)
    {
        var (count, start) = (0, 0);
        foreach (var level in _levels)
        {
            if (level.End > parent.Length || (level.End < parent.Length && parent[level.End] != (byte)'/')
                || !parent[start..level.End].SequenceEqual(level.Name))
                break;
            count++;
            start = level.End + 1;
        }

        return count;
    }

    private void Push(ReadOnlySpan<byte> name, int end, int descriptor)
    {
        _levels.Add(new Level(name.ToArray(), end, descriptor));
        if (_levels.Count > OpenFolders)
            Close(_levels.Count - 1 - OpenFolders);
    }

    private void Truncate(int count)
    {
        for (var i = _levels.Count - 1; i >= count; i--)
            Close(i);
        _levels.RemoveRange(count, _levels.Count - count);
    }

    private void Close(int index)
    {
        var level = _levels[index];
        if (level.Descriptor >= 0)
            _ = Syscalls.Close(level.Descriptor);
        _levels[index] = level with { Descriptor = -1 };
    }

    private readonly record struct Level(byte[] Name, int End, int Descriptor);
}
