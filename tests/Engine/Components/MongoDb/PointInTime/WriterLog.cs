using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.PointInTime;

/// <summary>One thing that a command did, and the oplog entry that must tell so.</summary>
/// <param name="Operation">op.</param>
/// <param name="Namespace">ns.</param>
/// <param name="Command">Name of the command, for <c>c</c>.</param>
/// <param name="Argument">What the command names in its first field, where it is a string.</param>
/// <param name="Change">What it does to the model; null where nothing is seen of it.</param>
internal sealed record WriterPart(string Operation, string Namespace, string Command = "", string Argument = "", Action<WriterModel>? Change = null)
{
    /// <summary>Parts of one number come in any order.</summary>
    public int Group { get; init; }

    /// <summary>Whether the state after it is one that can be seen from outside: false between the two halves of a time-series collection.</summary>
    public bool IsSettled { get; init; } = true;

    public bool Matches(WriterEntry entry) =>
        string.Equals(Operation, entry.Operation, StringComparison.Ordinal) && string.Equals(Namespace, entry.Namespace, StringComparison.Ordinal)
        && string.Equals(Command, entry.Command, StringComparison.Ordinal) && (Argument.Length == 0 || string.Equals(Argument, entry.Argument, StringComparison.Ordinal));

    public override string ToString() => $"{Operation} {Namespace} {Command} {Argument}";
}

/// <summary>An entry of the oplog, and no more of it than says which part of which command it is.</summary>
internal sealed record WriterEntry(BsonTimestamp Time, string Operation, string Namespace, string Command, string Argument, bool IsPartial)
{
    /// <summary>What it is of the writer's doing; null for no-ops and the beginnings of a transaction.</summary>
    public WriterPart? Part { get; set; }

    public string Kind => IsPartial ? "partial" : Part is { Command: "applyOps", Change: null } ? "prepare" : Command.Length > 0 ? Command : Operation;

    public static WriterEntry Of(RawBson entry)
    {
        var (command, argument, partial) = ("", "", false);
        if (entry.FindString("op"u8) is "c" && entry.FindDocument("o"u8) is { } o)
        {
            var reader = o.Read();
            reader.Read();
            command = reader.Current.NameText;
            argument = reader.Current.Type == BsonType.String ? reader.Current.AsString() : "";
            partial = o.Has("partialTxn"u8);
        }

        return new WriterEntry(entry.FindTimestamp("ts"u8)!.Value, entry.FindString("op"u8)!, entry.FindString("ns"u8)!, command, argument, partial);
    }
}

/// <summary>Everything the writer did, in order; and which entry of the oplog is which part of it.</summary>
internal sealed class WriterLog
{
    private readonly List<WriterPart> _parts = [];
    private readonly Lock _lock = new();

    public void Add(WriterPart part)
    {
        lock (_lock)
            _parts.Add(part);
    }

    /// <summary>Gives each entry its part. What fits nothing that the writer did ends the test.</summary>
    public void Align(IReadOnlyList<WriterEntry> entries)
    {
        List<WriterPart> left;
        lock (_lock)
            left = [.. _parts];
        var next = 0;
        foreach (var entry in entries)
        {
            if (entry.Operation is "n" || entry.IsPartial)
                continue;
            if (next == left.Count)
                throw new InvalidOperationException($"The server did more than the writer asked for: {entry}");
            var at = next;
            while (!left[at].Matches(entry))
            {
                at++;
                if (at == left.Count || left[at].Group == 0 || left[at].Group != left[next].Group)
                    throw new InvalidOperationException($"The server did {entry} where the writer asked for {left[next]}.");
            }

            (left[next], left[at]) = (left[at], left[next]);
            entry.Part = left[next++];
        }

        if (next < left.Count)
            throw new InvalidOperationException($"The oplog does not have {left[next]}.");
    }

    /// <summary>What must be there after each of <paramref name="times"/>.</summary>
    public static Dictionary<BsonTimestamp, IReadOnlyList<string>> StatesAt(IReadOnlyList<WriterEntry> entries, IEnumerable<BsonTimestamp> times)
    {
        var states = new Dictionary<BsonTimestamp, IReadOnlyList<string>>();
        var model = new WriterModel();
        var next = 0;
        foreach (var time in times.Distinct().Order())
        {
            for (; next < entries.Count && entries[next].Time <= time; next++)
                entries[next].Part?.Change?.Invoke(model);
            states.Add(time, model.Describe());
        }

        return states;
    }
}
