using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Journal;

/// <summary>What a run is to do, said before it does it: what ends without a word about it has failed. Immutable.</summary>
/// <param name="Component">Of which component.</param>
/// <param name="Name">Which one of its component; empty where the whole component is meant.</param>
/// <param name="Type">Full or incremental.</param>
/// <param name="Stores">Where to, by the stores' words.</param>
public sealed record RunSubject(Component Component, string Name, BackupType Type, IReadOnlyList<string> Stores)
{
    /// <summary>A result for each of its stores that says that nothing came of it.</summary>
    internal IEnumerable<RunResult> Failed(Failure? failure) => Stores.Select(store => new RunResult
    {
        Component = Component,
        Name = Name,
        Type = Type,
        Store = store,
        Outcome = Outcome.Failed,
        Failure = failure,
    });
}
