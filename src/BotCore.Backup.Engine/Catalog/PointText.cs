using System.Globalization;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Catalog;

/// <summary>Places in an oplog, and why there is a hole in it, for people.</summary>
internal static class PointText
{
    /// <summary>The place and its time; of a whole second only the time.</summary>
    public static string Of(BsonTimestamp at) => at.Ordinal == uint.MaxValue
        ? string.Create(CultureInfo.InvariantCulture, $"{at.Time:yyyy-MM-dd HH:mm:ss} UTC")
        : string.Create(CultureInfo.InvariantCulture, $"{at} ({at.Time:yyyy-MM-dd HH:mm:ss} UTC)");

    /// <summary>Why, as the end of a sentence.</summary>
    public static string Of(OplogGapReason reason) => reason switch
    {
        OplogGapReason.RolledOver => "the server's oplog had rolled over before an increment was made",
        OplogGapReason.RolledBack => "an election took back what had been written",
        OplogGapReason.OtherServer => "another server stood there",
        OplogGapReason.Restored => "a restore swapped in collections, which began a new history",
        OplogGapReason.ChainBroken => "an increment was lost",
        _ => "the reason was not noted",
    };
}
