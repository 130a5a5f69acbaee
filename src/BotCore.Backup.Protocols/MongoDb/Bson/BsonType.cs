namespace BotCore.Backup.Protocols.MongoDb.Bson;

/// <summary>The type byte of a BSON element (bsonspec.org, version 1.1). Subtypes of binary are not told apart here.</summary>
public enum BsonType : byte
{
    /// <summary>No element.</summary>
    None = 0,

    /// <summary>64-bit IEEE 754.</summary>
    Double = 0x01,

    /// <summary>UTF-8 with its length; may hold NUL.</summary>
    String = 0x02,

    /// <summary>An embedded document.</summary>
    Document = 0x03,

    /// <summary>An array: a document whose names are "0", "1", and so on.</summary>
    Array = 0x04,

    /// <summary>Bytes with a subtype.</summary>
    Binary = 0x05,

    /// <summary>Deprecated; old data holds it.</summary>
    Undefined = 0x06,

    /// <summary>Twelve bytes.</summary>
    ObjectId = 0x07,

    /// <summary>One byte, 0 or 1.</summary>
    Boolean = 0x08,

    /// <summary>Milliseconds since 1970, UTC, signed.</summary>
    DateTime = 0x09,

    /// <summary>Null.</summary>
    Null = 0x0A,

    /// <summary>Pattern and options, two C strings.</summary>
    RegularExpression = 0x0B,

    /// <summary>Deprecated; a namespace and an ObjectId.</summary>
    DbPointer = 0x0C,

    /// <summary>JavaScript source.</summary>
    JavaScript = 0x0D,

    /// <summary>Deprecated; as a string.</summary>
    Symbol = 0x0E,

    /// <summary>Deprecated; source and a document of variables.</summary>
    JavaScriptWithScope = 0x0F,

    /// <summary>32-bit signed.</summary>
    Int32 = 0x10,

    /// <summary>The server's own clock: seconds and ordinal, see <see cref="BsonTimestamp"/>.</summary>
    Timestamp = 0x11,

    /// <summary>64-bit signed.</summary>
    Int64 = 0x12,

    /// <summary>128-bit IEEE 754-2008 decimal.</summary>
    Decimal128 = 0x13,

    /// <summary>Above everything.</summary>
    MaxKey = 0x7F,

    /// <summary>Below everything.</summary>
    MinKey = 0xFF,
}
