using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Replay;

/// <summary>The server that a replay writes to. Thread-safe.</summary>
internal interface IReplayTarget
{
    /// <summary>Runs a command and gives the reply, <c>ok: 0</c> too. A server that cannot be reached is a BackupException.</summary>
    RawBson Run(string database, BsonBuilder command, CancellationToken token);
}

/// <summary>Reads replies of servers.</summary>
internal static class ServerReply
{
    public const int NamespaceNotFound = 26;
    public const int IndexNotFound = 27;
    public const int NamespaceExists = 48;

    public static bool IsOk(RawBson reply) => reply.IsTrue("ok"u8);

    public static long Code(RawBson reply) => reply.FindInt64("code"u8) ?? 0;

    /// <summary>The server's own words, up to where they may begin to quote a document.</summary>
    public static string Reason(RawBson reply)
    {
        var text = reply.FindString("errmsg"u8) ?? "the server gives no reason";
        var quote = text.AsSpan().IndexOfAny('{', '[');
        if (quote >= 0)
            text = text[..quote] + "...";
        var name = reply.FindString("codeName"u8);
        return name is null ? text : $"{name}: {text}";
    }

    /// <summary>The documents of the first batch of a cursor.</summary>
    public static List<RawBson> FirstBatch(RawBson reply)
    {
        var found = new List<RawBson>();
        if (reply.FindDocument("cursor"u8)?.FindDocument("firstBatch"u8) is not { } batch)
            return found;
        var reader = batch.Read();
        while (reader.Read())
            found.Add(new RawBson(reader.Current.AsDocument().ToArray()));
        return found;
    }
}
