using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Adapters.AmazonS3;

/// <summary>Makes the order of a store out of the order of S3, as the objects come.</summary>
internal static class OrdinalOrder
{
    private const char FirstSurrogate = '\ud800';

    /// <summary>
    /// S3 orders by UTF-8, where what lies beyond the first 65,536 characters comes last; ordinal order is that of UTF-16, where it comes before U+E000. Only keys that are the same up to such a character can
    /// change places, and they stand together: so much is held back and put in order.
    /// </summary>
    public static IEnumerable<StoredObject> Of(IEnumerable<StoredObject> objects)
    {
        var held = new List<StoredObject>();
        var same = "";
        foreach (var one in objects)
        {
            if (held.Count > 0 && !(one.Key.Length > same.Length && one.Key.StartsWith(same, StringComparison.Ordinal) && one.Key[same.Length] >= FirstSurrogate))
            {
                foreach (var before in held.OrderBy(o => o.Key, StringComparer.Ordinal))
                    yield return before;
                held.Clear();
            }

            if (held.Count == 0 && one.Key.AsSpan().IndexOfAnyInRange(FirstSurrogate, char.MaxValue) is >= 0 and var at)
                same = one.Key[..at];
            else if (held.Count == 0)
            {
                yield return one;
                continue;
            }

            held.Add(one);
        }

        foreach (var last in held.OrderBy(o => o.Key, StringComparer.Ordinal))
            yield return last;
    }
}
