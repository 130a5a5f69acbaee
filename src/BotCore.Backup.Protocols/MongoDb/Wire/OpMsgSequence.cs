using System.Text;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Protocols.MongoDb.Wire;

/// <summary>A kind 1 section: documents one behind the other under the name of the command's argument that they are. Valid until the reader's next read.</summary>
public sealed class OpMsgSequence
{
    private readonly ReadOnlyMemory<byte> _documents;

    private OpMsgSequence(string name, ReadOnlyMemory<byte> documents, int count)
    {
        Name = name;
        _documents = documents;
        Count = count;
    }

    /// <summary>The argument, such as <c>documents</c>.</summary>
    public string Name { get; }

    /// <summary>How many documents there are.</summary>
    public int Count { get; }

    /// <summary>The documents, in their order, as slices of the message.</summary>
    public IEnumerable<RawBson> Documents
    {
        get
        {
            for (var rest = _documents; !rest.IsEmpty;)
            {
                var length = OpMsg.DocumentLength(rest.Span);
                yield return new RawBson(rest[..length]);
                rest = rest[length..];
            }
        }
    }

    internal static OpMsgSequence Parse(ReadOnlyMemory<byte> section)
    {
        var end = section.Span.IndexOf((byte)0);
        if (end < 0)
            throw OpMsg.Broken("a section's name does not end");
        var documents = section[(end + 1)..];
        var count = 0;
        for (var rest = documents.Span; !rest.IsEmpty; count++)
            rest = rest[OpMsg.DocumentLength(rest)..];
        return new OpMsgSequence(Encoding.UTF8.GetString(section.Span[..end]), documents, count);
    }
}
