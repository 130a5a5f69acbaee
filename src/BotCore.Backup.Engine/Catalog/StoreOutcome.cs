using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Catalog;

/// <summary>What became of a backup in one of the stores that it was to go to. Immutable.</summary>
/// <param name="Store">The store's word.</param>
/// <param name="Location">Path or URI of the archive there; of the store, where it has none.</param>
/// <param name="Outcome">Succeeded only where it was read back there and compared.</param>
/// <param name="Failure">What went wrong; null where nothing did.</param>
public sealed record StoreOutcome(string Store, string Location, Outcome Outcome, Failure? Failure = null)
{
    /// <summary>For people: <c>s3 Succeeded</c>, <c>sftp Failed (StoreUnreachable)</c>.</summary>
    public override string ToString() => Failure is null ? $"{Store} {Outcome}" : $"{Store} {Outcome} ({Failure.Kind})";
}
