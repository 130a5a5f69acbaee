using System.Buffers.Binary;
using System.Security.Cryptography;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Storage;

/// <summary>What the server does to a document that comes in: an <c>_id</c> in the first place, and empty top-level timestamps set to now.</summary>
internal static class IncomingDocument
{
    public const int MaxBytes = 16 * 1024 * 1024;

    private static readonly byte[] Process = RandomNumberGenerator.GetBytes(5);
    private static int _counter = RandomNumberGenerator.GetInt32(1 << 24);

    public static RawBson Prepare(RawBson document, OplogClockReading now)
    {
        if (document.Length > MaxBytes)
            throw new ServerException(ServerException.BadValue, $"object to insert too large. size in bytes: {document.Length}, max size: {MaxBytes}");
        var idFirst = false;
        var hasId = false;
        var hasEmptyTime = false;
        var position = 0;
        var reader = document.Read();
        for (; reader.Read(); position++)
        {
            var element = reader.Current;
            if (element.NameIs("_id"u8))
            {
                if (hasId)
                    throw new ServerException(ServerException.BadValue, "can't have multiple _id fields in one document");
                CheckId(element);
                hasId = true;
                idFirst = position == 0;
            }
            else if (element.Type == BsonType.Timestamp && BinaryPrimitives.ReadUInt64LittleEndian(element.Value) == 0)
            {
                hasEmptyTime = true;
            }
        }

        return idFirst && !hasEmptyTime ? document : Rewrite(document, hasId, now);
    }

    public static byte[] NewObjectId(DateTimeOffset time)
    {
        var id = new byte[12];
        BinaryPrimitives.WriteUInt32BigEndian(id, (uint)time.ToUnixTimeSeconds());
        Process.CopyTo(id, 4);
        var count = Interlocked.Increment(ref _counter);
        id[9] = (byte)(count >> 16);
        id[10] = (byte)(count >> 8);
        id[11] = (byte)count;
        return id;
    }

    public static void CheckId(BsonElement id)
    {
        if (id.Type is BsonType.Array or BsonType.RegularExpression or BsonType.Undefined)
            throw new ServerException(53, $"The '_id' value cannot be of type {id.Type}");
    }

    private static RawBson Rewrite(RawBson document, bool hasId, OplogClockReading now)
    {
        var builder = new BsonBuilder(document.Length + 32);
        if (hasId)
        {
            document.TryFind("_id"u8, out var id);
            builder.Append(id);
        }
        else
        {
            builder.AppendRaw(BsonType.ObjectId, "_id", NewObjectId(now.Time));
        }

        var reader = document.Read();
        while (reader.Read())
        {
            var element = reader.Current;
            if (element.NameIs("_id"u8))
                continue;
            if (element.Type == BsonType.Timestamp && BinaryPrimitives.ReadUInt64LittleEndian(element.Value) == 0)
                builder.Append(element.NameText, now.Next());
            else
                builder.Append(element);
        }

        return builder.ToBson();
    }
}

/// <summary>The clock as a document that comes in needs it.</summary>
internal readonly record struct OplogClockReading(DateTimeOffset Time, Func<BsonTimestamp> Next);
