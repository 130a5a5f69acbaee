using BotCore.Backup.Engine.Journal;

namespace BotCore.Backup.Engine.Events;

/// <summary>What a run tells while it runs. A door shows it; nothing depends on its being shown.</summary>
public abstract record BackupEvent;

/// <summary>Something worth knowing when one asks for detail.</summary>
/// <param name="Text">A full sentence.</param>
public sealed record Said(string Text) : BackupEvent;

/// <summary>Something that a person should look at, though the run goes on.</summary>
/// <param name="Text">A full sentence.</param>
public sealed record Warned(string Text) : BackupEvent;

/// <summary>Work went forward.</summary>
/// <param name="Activity">What is being done, the same text for all events of one activity.</param>
/// <param name="Status">What it is at now.</param>
/// <param name="Done">Bytes done.</param>
/// <param name="Total">Bytes in all; 0 where unknown.</param>
/// <param name="Completed">The last event of the activity.</param>
public sealed record Moved(string Activity, string Status, long Done, long Total, bool Completed = false) : BackupEvent;

/// <summary>A result that is true from now on.</summary>
/// <param name="Item">The object for the pipeline.</param>
public sealed record Made(object Item) : BackupEvent;

/// <summary>Something failed; the run may go on with other things.</summary>
/// <param name="Failure">What, on what, and what to do.</param>
public sealed record Failed(Failure Failure) : BackupEvent
{
    /// <summary>Whether it failed for one store of several, so that the run goes on whatever its kind: no command ends by it.</summary>
    public bool IsOfOneStore { get; init; }

    /// <summary>What came to nothing by it; null where nobody can tell, or where other events say so.</summary>
    public RunSubject? About { get; init; }
}
