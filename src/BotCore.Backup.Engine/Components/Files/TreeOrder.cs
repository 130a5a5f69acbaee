using BotCore.Backup.Engine.Archives;

namespace BotCore.Backup.Engine.Components.Files;

/// <summary>The order in which a walk gives paths: the root, then each folder before what is in it, names by their bytes. So a slash comes before every other byte.</summary>
internal static class TreeOrder
{
    public static int Compare(EntryPath one, EntryPath other)
    {
        var left = one.Bytes;
        var right = other.Bytes;
        if (IsRoot(left) || IsRoot(right))
            return IsRoot(right).CompareTo(IsRoot(left));
        var same = left.CommonPrefixLength(right);
        if (same == left.Length || same == right.Length)
            return left.Length.CompareTo(right.Length);
        return Rank(left[same]).CompareTo(Rank(right[same]));
    }

    /// <summary>Whether <paramref name="path"/> lies below <paramref name="folder"/>.</summary>
    public static bool IsBelow(EntryPath path, EntryPath folder) =>
        path.Length > folder.Length && path.Bytes[folder.Length] == (byte)'/' && path.Bytes.StartsWith(folder.Bytes);

    private static bool IsRoot(ReadOnlySpan<byte> path) => path.SequenceEqual("."u8);

    // No name holds a NUL.
    private static byte Rank(byte value) => value == (byte)'/' ? (byte)0 : value;
}
