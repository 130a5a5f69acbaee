using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Components.Files;

/// <summary>One selected path or glob, and what a walk found out about it.</summary>
internal sealed class Selection
{
    private Selection(EntryPath text, NamePattern[] parts)
    {
        Text = text;
        Parts = parts;
    }

    /// <summary>What was asked for.</summary>
    public EntryPath Text { get; }

    /// <summary>Its components; none means the whole tree.</summary>
    public NamePattern[] Parts { get; }

    /// <summary>Whether something it names was found, or its trouble was told already.</summary>
    public bool Settled { get; set; }

    /// <summary>Why nothing can be found: the rest of a sentence.</summary>
    public string? Hindrance { get; set; }

    /// <summary>Reads the selections of <paramref name="scope"/>.</summary>
    public static List<Selection> Parse(FileTreeScope scope) => [.. scope.Selections.Select(text => Parse(text, scope))];

    /// <summary>What to say when the walk is over and nothing was found; null when all is well.</summary>
    public SourceProblem? Complaint(FileTreeScope scope)
    {
        if (Settled || Parts.Length == 0)
            return null;
        if (Array.Exists(Parts, part => part.IsGlob))
            return new SourceProblem(Text, EntryMark.None, $"{scope.Setting} names {Text}, which matches nothing in {scope.Root}.");
        var text = $"{scope.Setting} names {Text}, " + (Hindrance is null ? $"which does not exist in {scope.Root}." : $"but {Hindrance}.");
        var failure = new Failure(FailureKind.SourceUnreachable, text, $"Create it, or take it out of {scope.Setting}.", Text);
        return new SourceProblem(Text, EntryMark.None, text, failure);
    }

    private static Selection Parse(EntryPath text, FileTreeScope scope)
    {
        var path = text.Bytes;
        if (path is [(byte)'/', ..])
            path = Below(path, scope.Root.Bytes) ?? throw Invalid(text, scope, $"which lies outside {scope.Root}");
        var parts = new List<NamePattern>();
        foreach (var range in path.Split((byte)'/'))
        {
            var part = path[range];
            if (part.IsEmpty || part.SequenceEqual("."u8))
                continue;
            if (part.SequenceEqual(".."u8))
                throw Invalid(text, scope, "which goes up by \"..\"");
            if (part.Contains((byte)0))
                throw Invalid(text, scope, "which holds a NUL character");
            var pattern = new NamePattern(part, scope.Exact);
            if (!(pattern.IsAnyDepth && parts.Count > 0 && parts[^1].IsAnyDepth))
                parts.Add(pattern);
        }

        // A folder brings everything in it, so "x/**" is "x".
        if (parts.Count > 0 && parts[^1].IsAnyDepth)
            parts.RemoveAt(parts.Count - 1);
        return new Selection(text, [.. parts]);
    }

    /// <summary>What of <paramref name="path"/> lies below <paramref name="root"/>; null where it lies elsewhere.</summary>
    public static byte[]? Below(ReadOnlySpan<byte> path, ReadOnlySpan<byte> root)
    {
        root = root.TrimEnd((byte)'/');
        if (!path.StartsWith(root))
            return null;
        path = path[root.Length..];
        return path.IsEmpty || path[0] == (byte)'/' ? path.Trim((byte)'/').ToArray() : null;
    }

    private static BackupException Invalid(EntryPath text, FileTreeScope scope, string reason) => new(
        FailureKind.ConfigurationInvalid,
        $"{scope.Setting} names {text}, {reason}.",
        $"Name paths inside {scope.Root} in {scope.Setting}.",
        text);
}

/// <summary>A selection on its way down: its next component is number <paramref name="Part"/>.</summary>
internal readonly record struct SelectionState(Selection Selection, int Part)
{
    public NamePattern Pattern => Selection.Parts[Part];

    public bool IsLast => Part == Selection.Parts.Length - 1;

    /// <summary>Adds <paramref name="state"/>, and past a <c>**</c> also what follows, since that may be no folder at all.</summary>
    public static void Add(List<SelectionState> states, SelectionState state)
    {
        if (states.Contains(state))
            return;
        states.Add(state);
        if (state.Pattern.IsAnyDepth)
            Add(states, new SelectionState(state.Selection, state.Part + 1));
    }

    /// <summary>
    /// Whether <paramref name="name"/> in a folder with <paramref name="states"/> is selected; <paramref name="next"/> gets the states
    /// for what is in it.
    /// </summary>
    public static bool Advance(IReadOnlyList<SelectionState> states, ReadOnlySpan<byte> name, List<SelectionState> next)
    {
        var selected = false;
        for (var i = 0; i < states.Count; i++)
        {
            var state = states[i];
            if (state.Pattern.IsAnyDepth)
            {
                if (name[0] != (byte)'.')
                    Add(next, state);
            }
            else if (state.Pattern.Matches(name))
            {
                if (state.IsLast)
                    selected = true;
                else
                    Add(next, new SelectionState(state.Selection, state.Part + 1));
            }
        }

        return selected;
    }

    /// <summary>Marks the selections that <paramref name="name"/> completes.</summary>
    public static void Settle(IReadOnlyList<SelectionState> states, ReadOnlySpan<byte> name)
    {
        for (var i = 0; i < states.Count; i++)
            if (states[i].IsLast && !states[i].Pattern.IsAnyDepth && states[i].Pattern.Matches(name))
                states[i].Selection.Settled = true;
    }
}
