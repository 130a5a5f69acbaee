using System.Globalization;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.PointInTime;

/// <summary>
/// An update by operators, with semantics of its own: read in the manual, not in the Sandbox. A server applies the paths of an update in their order of names, whatever
/// operators they are under; who makes one of several paths gives them in that order.
/// </summary>
internal sealed record WriterUpdate(params IReadOnlyList<(string Operator, string Path, object? Argument)> Changes)
{
    /// <summary>The update as the command takes it.</summary>
    public WriterDocument ToDocument() => new(Changes.GroupBy(change => change.Operator, StringComparer.Ordinal)
        .Select(group => (group.Key, (object?)new WriterDocument(group.Select(change => (change.Path, change.Argument))))));

    /// <summary>The document after it; null where a server refuses it.</summary>
    public WriterDocument? Apply(WriterDocument old)
    {
        var changed = old.Copy();
        foreach (var (name, path, argument) in Changes)
        {
            if (!Apply(changed, name, path.Split('.'), argument))
                return null;
        }

        return changed;
    }

    private static bool Apply(WriterDocument root, string name, string[] path, object? argument)
    {
        var makes = name is "$set" or "$inc" or "$push" or "$addToSet" or "$max";
        if (!TryDescend(root, path, makes, out var parent))
            return false;
        if (parent is null)
            return true;
        var last = path[^1];
        var old = Get(parent, last);
        switch (name)
        {
            case "$set":
                return Put(parent, last, argument);
            case "$unset":
                return parent is WriterDocument owner ? owner.Remove(last) || true : old is null || Put(parent, last, null);
            case "$inc":
                return Sum(Has(parent, last) ? old : 0, argument) is { } sum && Put(parent, last, sum);
            case "$max":
                return Has(parent, last) && Convert.ToDouble(old, CultureInfo.InvariantCulture) >= Convert.ToDouble(argument, CultureInfo.InvariantCulture) || Put(parent, last, argument);
            case "$rename":
                return Rename(root, (WriterDocument)parent, last, (string)argument!);
            default:
                return ChangeList(parent, last, name, argument);
        }
    }

    private static bool ChangeList(object parent, string name, string how, object? argument)
    {
        if (!Has(parent, name))
            return how is "$pull" or "$pop" || Put(parent, name, Changed([], how, argument));
        return Get(parent, name) is List<object?> list && Put(parent, name, Changed(list, how, argument));
    }

    private static List<object?> Changed(List<object?> old, string how, object? argument)
    {
        var list = old.ToList();
        switch (how)
        {
            case "$push" when argument is WriterDocument each && each.Has("$each"):
                var at = each["$position"] is int position ? Math.Min(position, list.Count) : list.Count;
                list.InsertRange(at, (List<object?>)each["$each"]!);
                // Below zero the last ones stay, above it the first ones.
                return each["$slice"] is not int slice ? list : slice < 0 ? [.. list.TakeLast(-slice)] : [.. list.Take(slice)];
            case "$push":
                list.Add(argument);
                return list;
            case "$addToSet":
                return list.Contains(argument) ? list : [.. list, argument];
            case "$pull":
                list.RemoveAll(value => Equals(value, argument));
                return list;
            default:
                if (list.Count > 0)
                    list.RemoveAt(argument is < 0 ? 0 : list.Count - 1);
                return list;
        }
    }

    private static bool Rename(WriterDocument root, WriterDocument parent, string name, string to)
    {
        if (!parent.Has(name))
            return true;
        var value = parent[name];
        parent.Remove(name);
        root.Remove(to);
        root.Set(to, value);
        return true;
    }

    // Whole numbers stay whole; what no longer fits into 32 bits grows.
    private static object? Sum(object? left, object? right) => (left, right) switch
    {
        (int a, int b) => (long)a + b is >= int.MinValue and <= int.MaxValue ? (object)(a + b) : (long)a + b,
        (int or long, int or long) => Convert.ToInt64(left, CultureInfo.InvariantCulture) + Convert.ToInt64(right, CultureInfo.InvariantCulture),
        (int or long or double, int or long or double) => Convert.ToDouble(left, CultureInfo.InvariantCulture) + Convert.ToDouble(right, CultureInfo.InvariantCulture),
        _ => null,
    };

    // The container of the path's last name; null where there is none and none is wanted. False where a value is in the way.
    private static bool TryDescend(WriterDocument root, string[] path, bool makes, out object? parent)
    {
        object at = root;
        parent = null;
        foreach (var name in path.AsSpan(0, path.Length - 1))
        {
            if (!Has(at, name))
            {
                if (!makes)
                    return true;
                if (!Put(at, name, new WriterDocument()))
                    return false;
            }

            if (Get(at, name) is not { } next || next is not (WriterDocument or List<object?>))
                return !makes;
            at = next;
        }

        parent = at;
        return at is WriterDocument || int.TryParse(path[^1], NumberStyles.None, CultureInfo.InvariantCulture, out _) || !makes;
    }

    private static bool Has(object container, string name) =>
        container is WriterDocument document ? document.Has(name) : int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var at) && at < ((List<object?>)container).Count;

    private static object? Get(object container, string name) =>
        !Has(container, name) ? null : container is WriterDocument document ? document[name] : ((List<object?>)container)[int.Parse(name, CultureInfo.InvariantCulture)];

    private static bool Put(object container, string name, object? value)
    {
        if (container is WriterDocument document)
        {
            document.Set(name, value);
            return true;
        }

        if (!int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var at))
            return false;
        var list = (List<object?>)container;
        while (list.Count <= at)
            list.Add(null);
        list[at] = value;
        return true;
    }
}
