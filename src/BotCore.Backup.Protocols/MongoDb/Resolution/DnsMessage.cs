using System.Buffers.Binary;
using System.Text;

namespace BotCore.Backup.Protocols.MongoDb.Resolution;

/// <summary>The kinds of record that are asked for.</summary>
internal enum DnsType
{
    None = 0,
    Txt = 16,
    Srv = 33,
}

/// <summary>A record of type SRV (Target and Port) or TXT (Text).</summary>
internal sealed record DnsRecord(DnsType Type, string Target, int Port, string Text);

/// <summary>A question and its answer in DNS's own bytes. Every length and pointer is checked. Source: RFC 1035, section 4; RFC 2782.</summary>
internal sealed class DnsMessage
{
    private const int HeaderLength = 12;

    private DnsMessage(int code, bool isTruncated, IReadOnlyList<DnsRecord> records)
    {
        Code = code;
        IsTruncated = isTruncated;
        Records = records;
    }

    /// <summary>RCODE: 0 is well, 3 means that there is no such name.</summary>
    public int Code { get; }

    /// <summary>Whether TCP must be asked.</summary>
    public bool IsTruncated { get; }

    /// <summary>Records of the type asked for.</summary>
    public IReadOnlyList<DnsRecord> Records { get; }

    public static byte[] Question(ushort id, string name, DnsType type)
    {
        var labels = name.TrimEnd('.').Split('.');
        var bytes = new List<byte>(HeaderLength + name.Length + 6) { (byte)(id >> 8), (byte)id, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0 };
        foreach (var label in labels)
        {
            var ascii = Encoding.ASCII.GetBytes(label);
            if (ascii.Length is 0 or > 63)
                throw Broken($"'{name}' is not a name that DNS can have");
            bytes.Add((byte)ascii.Length);
            bytes.AddRange(ascii);
        }

        if (bytes.Count - HeaderLength > 254)
            throw Broken($"'{name}' is not a name that DNS can have");
        bytes.AddRange([0, 0, (byte)type, 0, 1]);
        return [.. bytes];
    }

    /// <summary>Reads the answer to a question; null where it answers another.</summary>
    public static DnsMessage? TryParse(ReadOnlySpan<byte> answer, ReadOnlySpan<byte> question, DnsType type)
    {
        if (answer.Length < question.Length || !answer[..2].SequenceEqual(question[..2]) || (answer[2] & 0x80) == 0
            || BinaryPrimitives.ReadUInt16BigEndian(answer[4..]) != 1 || !SameQuestion(answer[HeaderLength..question.Length], question[HeaderLength..]))
            return null;
        var code = answer[3] & 0x0F;
        var isTruncated = (answer[2] & 0x02) != 0;
        if (code != 0 || isTruncated)
            return new DnsMessage(code, isTruncated, []);
        var records = new List<DnsRecord>();
        var at = question.Length;
        for (var left = BinaryPrimitives.ReadUInt16BigEndian(answer[6..]); left > 0; left--)
        {
            _ = ReadName(answer, ref at);
            if (at + 10 > answer.Length)
                throw Broken("its answer is cut off");
            var kind = BinaryPrimitives.ReadUInt16BigEndian(answer[at..]);
            var length = BinaryPrimitives.ReadUInt16BigEndian(answer[(at + 8)..]);
            at += 10;
            if (at + length > answer.Length)
                throw Broken("its answer is cut off");
            if (kind == (int)type)
                records.Add(ReadRecord(answer, at, length, type));
            at += length;
        }

        return new DnsMessage(code, isTruncated, records);
    }

    private static bool SameQuestion(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other) => Ascii.EqualsIgnoreCase(one, other) || one.SequenceEqual(other);

    private static DnsRecord ReadRecord(ReadOnlySpan<byte> answer, int at, int length, DnsType type)
    {
        if (type == DnsType.Srv)
        {
            if (length < 7)
                throw Broken("an SRV record is cut off");
            var port = BinaryPrimitives.ReadUInt16BigEndian(answer[(at + 4)..]);
            at += 6;
            return new DnsRecord(type, ReadName(answer, ref at), port, "");
        }

        // TXT: strings of up to 255 bytes, to be read as one.
        var text = new StringBuilder();
        for (var end = at + length; at < end;)
        {
            var count = answer[at];
            if (at + 1 + count > end)
                throw Broken("a TXT record is cut off");
            text.Append(Encoding.UTF8.GetString(answer.Slice(at + 1, count)));
            at += 1 + count;
        }

        return new DnsRecord(type, "", 0, text.ToString());
    }

    private static string ReadName(ReadOnlySpan<byte> message, ref int at)
    {
        var name = new StringBuilder();
        var position = at;
        var hasJumped = false;
        // A name has at most 127 labels; more steps are a loop of pointers.
        for (var steps = 0; steps < 256; steps++)
        {
            if (position >= message.Length)
                throw Broken("a name is cut off");
            var length = message[position];
            if ((length & 0xC0) == 0xC0)
            {
                if (position + 1 >= message.Length)
                    throw Broken("a name is cut off");
                if (!hasJumped)
                    at = position + 2;
                hasJumped = true;
                position = ((length & 0x3F) << 8) | message[position + 1];
                continue;
            }

            if (length == 0)
            {
                if (!hasJumped)
                    at = position + 1;
                return name.ToString();
            }

            if (length > 63 || position + 1 + length > message.Length || name.Length > 255)
                throw Broken("a name is damaged");
            if (name.Length > 0)
                name.Append('.');
            name.Append(Encoding.ASCII.GetString(message.Slice(position + 1, length)));
            position += 1 + length;
        }

        throw Broken("a name refers to itself");
    }

    private static MongoException Broken(string why) => new(MongoError.Unreachable, $"DNS could not be asked: {why}.");
}
