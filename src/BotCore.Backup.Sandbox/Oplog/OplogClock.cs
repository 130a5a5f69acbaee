using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Sandbox.Oplog;

/// <summary>Gives timestamps, each above the last. Guarded by the server's lock for writers.</summary>
internal sealed class OplogClock(TimeProvider time)
{
    public BsonTimestamp Last { get; private set; }

    public long Milliseconds => time.GetUtcNow().ToUnixTimeMilliseconds();

    public BsonTimestamp Next()
    {
        var seconds = (uint)(Milliseconds / 1000);
        Last = seconds > Last.Seconds ? new BsonTimestamp(seconds, 1) : new BsonTimestamp(Last.Seconds, Last.Ordinal + 1);
        return Last;
    }
}
