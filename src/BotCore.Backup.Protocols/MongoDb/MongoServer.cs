using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Protocols.MongoDb;

/// <summary>What a server said of itself (<c>hello</c> and <c>buildInfo</c>). Immutable: see <c>MongoClient.Refresh</c>.</summary>
public sealed record MongoServer
{
    /// <summary>Where it was reached.</summary>
    public required MongoHost Address { get; init; }

    /// <summary>The whole hello, owning its bytes.</summary>
    public required RawBson Hello { get; init; }

    /// <summary>The version, such as <c>7.0.14</c>.</summary>
    public string Version { get; init; } = "";

    /// <summary>The replica set; null for others.</summary>
    public string? SetName => Hello.FindString("setName"u8);

    /// <summary>Whether it takes writes as the primary of a replica set.</summary>
    public bool IsPrimary => SetName is not null && (Hello.IsTrue("isWritablePrimary"u8) || Hello.IsTrue("ismaster"u8));

    /// <summary>Whether it is a secondary of a replica set.</summary>
    public bool IsSecondary => SetName is not null && Hello.IsTrue("secondary"u8);

    /// <summary>Whether it is the router of a sharded cluster.</summary>
    public bool IsSharded => string.Equals(Hello.FindString("msg"u8), "isdbgrid", StringComparison.Ordinal);

    /// <summary>Whether it is neither of a replica set nor a router.</summary>
    public bool IsStandalone => SetName is null && !IsSharded && !Hello.IsTrue("isreplicaset"u8);

    /// <summary>The protocol's newest version that it speaks; 8 is MongoDB 4.2.</summary>
    public int MaxWireVersion => Limit("maxWireVersion"u8, 0, 0);

    /// <summary>The longest document that it stores, bytes.</summary>
    public int MaxDocument => Limit("maxBsonObjectSize"u8, 16 << 20, 1 << 10);

    /// <summary>The longest message that it takes, bytes.</summary>
    public int MaxMessage => Limit("maxMessageSizeBytes"u8, Wire.WireReader.DefaultMaxMessage, 1 << 10);

    /// <summary>The most documents that it takes in one write.</summary>
    public int MaxWriteBatch => Limit("maxWriteBatchSize"u8, 100_000, 1);

    /// <summary>Its newest oplog entry.</summary>
    public BsonTimestamp? LastWrite => OpTime("opTime"u8)?.FindTimestamp("ts"u8);

    /// <summary>The newest oplog entry that a majority holds, as far as it knows.</summary>
    public BsonTimestamp? MajorityWrite => OpTime("majorityOpTime"u8)?.FindTimestamp("ts"u8);

    /// <summary>The election term of <see cref="MajorityWrite"/>.</summary>
    public long? MajorityTerm => OpTime("majorityOpTime"u8)?.FindInt64("t"u8);

    /// <summary>When <see cref="LastWrite"/> was written by the server's clock, milliseconds since 1970, UTC; for staleness.</summary>
    internal long? LastWriteDate =>
        Hello.FindDocument("lastWrite"u8) is { } lastWrite && lastWrite.TryFind("lastWriteDate"u8, out var date) && date.Type == BsonType.DateTime ? date.AsDateTime() : null;

    private RawBson? OpTime(ReadOnlySpan<byte> name) => Hello.FindDocument("lastWrite"u8)?.FindDocument(name);

    private int Limit(ReadOnlySpan<byte> name, int otherwise, int least) =>
        Hello.FindInt64(name) is { } value && value >= least && value <= int.MaxValue ? (int)value : otherwise;
}
