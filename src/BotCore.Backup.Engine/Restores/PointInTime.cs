using System.Globalization;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Restores;

/// <summary>
/// The last moment that a restore is to hold, inclusive: a time, or an entry of the oplog as <c>seconds:ordinal</c>. The oplog counts in whole seconds: of a time a fraction is
/// cut off, and the second that remains is in it whole. Immutable.
/// </summary>
public sealed record PointInTime
{
    /// <summary>An entry of the oplog.</summary>
    public PointInTime(BsonTimestamp entry) => Bound = entry;

    /// <summary>A time.</summary>
    public PointInTime(DateTimeOffset time)
    {
        var seconds = time.ToUnixTimeSeconds();
        if (seconds is < 0 or > uint.MaxValue)
            throw new BackupException(FailureKind.ConfigurationInvalid, $"No oplog holds {time:u}.", "Give a time between 1970 and 2106.", time);
        Bound = new BsonTimestamp((uint)seconds, uint.MaxValue);
    }

    /// <summary>A time; one without a zone is local.</summary>
    public PointInTime(DateTime time)
        : this(new DateTimeOffset(time))
    {
    }

    /// <summary><c>seconds:ordinal</c>, or a time in ISO 8601 or the invariant culture's form; one without a zone is local.</summary>
    /// <exception cref="BackupException">ConfigurationInvalid.</exception>
    public PointInTime(string text)
    {
        if (BsonTimestamp.TryParse(text, out var entry))
            Bound = entry;
        else if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal, out var time))
            Bound = new PointInTime(time).Bound;
        else
            throw new BackupException(FailureKind.ConfigurationInvalid, $"'{text}' is no point in time.", "Give a time such as 2026-11-22T14:05:00Z, or an entry of the oplog as seconds:ordinal.", text);
    }

    /// <summary>The last entry that is in it, whether there is one of exactly that name or not.</summary>
    public BsonTimestamp Bound { get; }

    /// <summary>The time of that entry, UTC.</summary>
    public DateTimeOffset Time => DateTimeOffset.FromUnixTimeSeconds(Bound.Seconds);

    /// <summary>For people: <c>seconds:ordinal</c>, or the time where a whole second is meant.</summary>
    public override string ToString() => Bound.Ordinal == uint.MaxValue
        ? string.Create(CultureInfo.InvariantCulture, $"{Time:yyyy-MM-dd HH:mm:ss} UTC")
        : string.Create(CultureInfo.InvariantCulture, $"{Bound} ({Time:yyyy-MM-dd HH:mm:ss} UTC)");
}
