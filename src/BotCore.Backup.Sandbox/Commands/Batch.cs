using System.Buffers.Text;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Sessions;
using BotCore.Backup.Sandbox.Storage;

namespace BotCore.Backup.Sandbox.Commands;

/// <summary>Copies documents of a cursor into an answer, as many as fit.</summary>
internal static class Batch
{
    public const int First = 101;

    /// <summary>Appends the <c>cursor</c> field. The cursor's id stands in it, or zero where it is at its end. Tells how many documents went in.</summary>
    public static int Append(BsonBuilder reply, string name, ServerCursor cursor, int most, Func<bool, long> keep)
    {
        var (count, bytes, ended) = (0, 0L, false);
        Span<byte> place = stackalloc byte[12];
        reply.BeginDocument("cursor").BeginArray(name);
        while (count < most)
        {
            if (!cursor.TryNext(out var document))
            {
                ended = !cursor.IsTailable;
                break;
            }

            if (count > 0 && bytes + document.Length > IncomingDocument.MaxBytes)
            {
                cursor.Return(document);
                break;
            }

            Utf8Formatter.TryFormat(count, place, out var digits);
            reply.AppendRaw(BsonType.Document, place[..digits], document.Span);
            bytes += document.Length + digits + 2;
            count++;
        }

        reply.End().Append("id", keep(ended)).Append("ns", cursor.Namespace).End();
        return count;
    }
}
