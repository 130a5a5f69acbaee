using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Sandbox.Sessions;

/// <summary>The session and number that a command or an entry carries: of a transaction, or of a write that may be sent again.</summary>
internal sealed record TransactionTag(RawBson Session, long Number, bool IsTransaction, bool Starts)
{
    /// <summary>The session's key.</summary>
    public string Key => Convert.ToHexString(Session.FindDocument("id"u8) is null && Session.TryFind("id"u8, out var id) ? id.Value : Session.Span);

    public static TransactionTag? Of(RawBson command)
    {
        if (command.FindDocument("lsid"u8) is not { } session || command.FindInt64("txnNumber"u8) is not { } number)
            return null;
        var isTransaction = command.TryFind("autocommit"u8, out var autocommit) && !autocommit.IsTruthy;
        return new TransactionTag(WithUser(session), number, isTransaction, command.IsTrue("startTransaction"u8));
    }

    // The server keeps sessions apart by user: a digest of the user's name, here of nobody's.
    private static RawBson WithUser(RawBson session)
    {
        if (session.Has("uid"u8))
            return session.Copy();
        session.TryFind("id"u8, out var id);
        return id.Type == BsonType.None ? session.Copy() : new BsonBuilder(96).Append(id).AppendBinary("uid", System.Security.Cryptography.SHA256.HashData([])).ToBson();
    }
}
