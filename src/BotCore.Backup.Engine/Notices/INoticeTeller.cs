using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Journal;

namespace BotCore.Backup.Engine.Notices;

/// <summary>What became of one notice through one channel. Immutable.</summary>
/// <param name="Channel">The channel's word: <c>slack</c>, <c>email</c>, <c>webhook</c>, <c>ping</c>.</param>
/// <param name="Failure">Why it was not taken; null where it was.</param>
public sealed record RunTelling(string Channel, Failure? Failure);

/// <summary>Tells people of runs. Throws for nothing: who could not be reached is told as what it gives.</summary>
internal interface INoticeTeller
{
    /// <summary>A run begins.</summary>
    void Begin(string runId, RunKind kind);

    /// <summary>A run ended: what became of each notice that was due.</summary>
    IReadOnlyList<RunTelling> Tell(BotBackupRun run, CancellationToken token);
}
