using System.Buffers.Binary;
using System.Text;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Protocols.MongoDb.Wire;

/// <summary>
/// One message as it was received: OP_MSG, or OP_QUERY and OP_REPLY of the old handshake. Its documents lie in the reader's buffer and are valid until the next read.
/// Sections are checked (every document's length adds up); what is inside a document is not.
/// Source: github.com/mongodb/specifications, message/OP_MSG.md.
/// </summary>
public sealed class OpMsg
{
    private const OpMsgFlags Known = OpMsgFlags.ChecksumPresent | OpMsgFlags.MoreToCome | OpMsgFlags.ExhaustAllowed;

    private OpMsg(WireOpCode opCode, int requestId, int responseTo, OpMsgFlags flags, RawBson body, IReadOnlyList<OpMsgSequence> sequences)
    {
        OpCode = opCode;
        RequestId = requestId;
        ResponseTo = responseTo;
        Flags = flags;
        Body = body;
        Sequences = sequences;
    }

    /// <summary>What it is: Msg, Query or Reply; never Compressed.</summary>
    public WireOpCode OpCode { get; }

    /// <summary>The sender's number of it.</summary>
    public int RequestId { get; }

    /// <summary>The number of the message that this one answers; zero for questions.</summary>
    public int ResponseTo { get; }

    /// <summary>The flags of an OP_MSG.</summary>
    public OpMsgFlags Flags { get; }

    /// <summary>Whether another message follows unasked.</summary>
    public bool MoreToCome => Flags.HasFlag(OpMsgFlags.MoreToCome);

    /// <summary>The document: kind 0 of OP_MSG, the query of OP_QUERY, the one document of OP_REPLY.</summary>
    public RawBson Body { get; }

    /// <summary>The kind 1 sections, in their order.</summary>
    public IReadOnlyList<OpMsgSequence> Sequences { get; }

    /// <summary>How it was compressed.</summary>
    public WireCompressor Compressor { get; private init; }

    /// <summary>The collection of an OP_QUERY, such as <c>admin.$cmd</c>.</summary>
    public string? QueryCollection { get; private init; }

    internal static OpMsg Parse(WireOpCode opCode, int requestId, int responseTo, ReadOnlyMemory<byte> payload, WireCompressor compressor, bool hasChecksum) => opCode switch
    {
        WireOpCode.Msg => ParseMsg(requestId, responseTo, payload, compressor, hasChecksum),
        WireOpCode.Query => ParseQuery(requestId, responseTo, payload, compressor),
        WireOpCode.Reply => ParseReply(requestId, responseTo, payload, compressor),
        _ => throw Broken($"its opCode {(int)opCode} is not spoken here"),
    };

    internal static OpMsgFlags FlagsOf(ReadOnlySpan<byte> payload)
    {
        if (payload.Length < 4)
            throw Broken("it has no flags");
        var flags = (OpMsgFlags)BinaryPrimitives.ReadInt32LittleEndian(payload);
        // The specification: an unknown flag in the low sixteen bits is an error, one in the high bits is to be passed over.
        return ((int)flags & 0xFFFF & ~(int)Known) == 0 ? flags : throw Broken("it has flags that are not known");
    }

    internal static MongoException Broken(string why) => new(MongoError.Protocol, $"A message is not of MongoDB's protocol: {why}.");

    private static OpMsg ParseMsg(int requestId, int responseTo, ReadOnlyMemory<byte> payload, WireCompressor compressor, bool hasChecksum)
    {
        var flags = FlagsOf(payload.Span);
        var rest = payload[4..];
        if (hasChecksum)
            rest = rest.Length >= 4 ? rest[..^4] : throw Broken("it has no room for its checksum");
        RawBson? body = null;
        List<OpMsgSequence>? sequences = null;
        while (!rest.IsEmpty)
        {
            var kind = rest.Span[0];
            rest = rest[1..];
            switch (kind)
            {
                case 0 when body is null:
                    var document = rest[..DocumentLength(rest.Span)];
                    body = new RawBson(document);
                    rest = rest[document.Length..];
                    break;
                case 1:
                    var section = rest[..SectionLength(rest.Span)];
                    (sequences ??= []).Add(OpMsgSequence.Parse(section[4..]));
                    rest = rest[section.Length..];
                    break;
                default:
                    throw Broken(kind == 0 ? "it has two bodies" : $"it has a section of kind {kind}");
            }
        }

        return new OpMsg(WireOpCode.Msg, requestId, responseTo, flags, body ?? throw Broken("it has no body"), sequences ?? (IReadOnlyList<OpMsgSequence>)[])
        {
            Compressor = compressor,
        };
    }

    private static OpMsg ParseQuery(int requestId, int responseTo, ReadOnlyMemory<byte> payload, WireCompressor compressor)
    {
        // flags, C string, skip, return, document and perhaps a selector.
        if (payload.Length < 4)
            throw Broken("an OP_QUERY is cut off");
        var rest = payload[4..];
        var end = rest.Span.IndexOf((byte)0);
        if (end < 0 || rest.Length - end - 1 < 8)
            throw Broken("an OP_QUERY is cut off");
        var collection = Encoding.UTF8.GetString(rest.Span[..end]);
        rest = rest[(end + 1 + 8)..];
        return new OpMsg(WireOpCode.Query, requestId, responseTo, OpMsgFlags.None, new RawBson(rest[..DocumentLength(rest.Span)]), [])
        {
            Compressor = compressor,
            QueryCollection = collection,
        };
    }

    private static OpMsg ParseReply(int requestId, int responseTo, ReadOnlyMemory<byte> payload, WireCompressor compressor)
    {
        // flags, cursor id, starting from, number returned: 20 bytes.
        if (payload.Length < 20 || BinaryPrimitives.ReadInt32LittleEndian(payload.Span[16..]) != 1)
            throw Broken("an OP_REPLY does not hold one document");
        var rest = payload[20..];
        return new OpMsg(WireOpCode.Reply, requestId, responseTo, OpMsgFlags.None, new RawBson(rest[..DocumentLength(rest.Span)]), []) { Compressor = compressor };
    }

    private static int SectionLength(ReadOnlySpan<byte> rest)
    {
        if (rest.Length < 4)
            throw Broken("a section is cut off");
        var length = BinaryPrimitives.ReadInt32LittleEndian(rest);
        return length >= 5 && length <= rest.Length ? length : throw Broken("a section is longer than the message");
    }

    internal static int DocumentLength(ReadOnlySpan<byte> rest)
    {
        if (rest.Length < BsonReader.ShortestDocument)
            throw Broken("a document is cut off");
        var length = BinaryPrimitives.ReadInt32LittleEndian(rest);
        return length >= BsonReader.ShortestDocument && length <= rest.Length && rest[length - 1] == 0
            ? length
            : throw Broken("a document's length does not fit");
    }
}
