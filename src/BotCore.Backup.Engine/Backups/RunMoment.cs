using BotCore.Backup.Engine.Archives;

namespace BotCore.Backup.Engine.Backups;

/// <summary>
/// What all archives of a run have in common: its id and, where it is one of the whole platform, the one moment that they belong to. That is when the database was at its end, or, without
/// one, when the run began to read. See docs/decisions/0030. One thread.
/// </summary>
internal sealed class RunMoment(string runId, bool isOfPlatform, TimeProvider clock)
{
    private DateTimeOffset? _at;

    public string RunId { get; } = runId;

    /// <summary>The manifest with the run's moment, where it has one. Called when all of an archive was read.</summary>
    public Manifest Stamp(Manifest manifest)
    {
        if (!isOfPlatform)
            return manifest;
        // The oplog's last entry may be older than the moment in which it was the last one.
        _at ??= manifest.MongoDb is null ? manifest.Started : Now();
        return manifest with { PlatformTime = _at };
    }

    /// <summary>Says that a component is done or has failed: where that set no moment, this is the one.</summary>
    public void Pass() => _at ??= isOfPlatform ? Now() : null;

    private DateTimeOffset Now() => new(clock.GetUtcNow().UtcTicks / TimeSpan.TicksPerMillisecond * TimeSpan.TicksPerMillisecond, TimeSpan.Zero);
}
