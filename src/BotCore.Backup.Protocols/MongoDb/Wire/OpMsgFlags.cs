namespace BotCore.Backup.Protocols.MongoDb.Wire;

/// <summary>The flag bits of OP_MSG. Of the low sixteen, a receiver must refuse those that it does not know.</summary>
[Flags]
public enum OpMsgFlags
{
    /// <summary>No flag.</summary>
    None = 0,

    /// <summary>The message ends with a CRC-32C.</summary>
    ChecksumPresent = 1,

    /// <summary>Another message follows without being asked for.</summary>
    MoreToCome = 2,

    /// <summary>The sender takes replies with <see cref="MoreToCome"/>.</summary>
    ExhaustAllowed = 1 << 16,
}

/// <summary>The kinds of message that are spoken here.</summary>
public enum WireOpCode
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Legacy answer, to <see cref="Query"/>.</summary>
    Reply = 1,

    /// <summary>Legacy question, still used for the first handshake.</summary>
    Query = 2004,

    /// <summary>Another message, compressed.</summary>
    Compressed = 2012,

    /// <summary>Everything else.</summary>
    Msg = 2013,
}

/// <summary>Ids of compressors on the wire.</summary>
public enum WireCompressor
{
    /// <summary>Not compressed.</summary>
    None = 0,

    /// <summary>Not spoken here.</summary>
    Snappy = 1,

    /// <summary>RFC 1950.</summary>
    Zlib = 2,

    /// <summary>Not spoken here.</summary>
    Zstd = 3,
}
