using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Protocols.MongoDb.Wire;

namespace BotCore.Backup.Protocols.MongoDb.Authentication;

/// <summary>Logs a connection in: SCRAM over saslStart and saslContinue, or the TLS certificate. Source: github.com/mongodb/specifications, auth.</summary>
internal static class MongoLogin
{
    /// <summary>Whether a command carries what no compressor may see (specification of OP_COMPRESSED).</summary>
    public static bool IsSecret(RawBson command)
    {
        var reader = command.Read();
        return reader.Read() && reader.Current.NameText.ToUpperInvariant() is "HELLO" or "ISMASTER" or "SASLSTART" or "SASLCONTINUE" or "GETNONCE" or "AUTHENTICATE"
            or "CREATEUSER" or "UPDATEUSER" or "COPYDBSASLSTART" or "COPYDBGETNONCE" or "COPYDB";
    }

    public static void LogIn(MongoConnection connection, MongoConnectionString settings, CancellationToken token)
    {
        if (settings.Mechanism == MongoMechanism.X509)
        {
            var command = new BsonBuilder().Append("authenticate", 1).Append("mechanism", "MONGODB-X509");
            if (settings.UserName is { } name)
                command.Append("user", name);
            Send(connection, command, "$external", settings, token);
            return;
        }

        var mechanism = settings.Mechanism switch
        {
            MongoMechanism.ScramSha1 => ScramMechanism.ScramSha1,
            MongoMechanism.ScramSha256 => ScramMechanism.ScramSha256,
            _ => connection.Offers("saslSupportedMechs"u8, "SCRAM-SHA-256"u8) ? ScramMechanism.ScramSha256 : ScramMechanism.ScramSha1,
        };
        Scram(connection, new ScramClient(mechanism, settings.UserName!, settings.Password!), settings, token);
    }

    private static void Scram(MongoConnection connection, ScramClient scram, MongoConnectionString settings, CancellationToken token)
    {
        var database = settings.LoginDatabase;
        var start = new BsonBuilder().Append("saslStart", 1).Append("mechanism", scram.MechanismName).AppendBinary("payload", scram.First());
        start.BeginDocument("options").Append("skipEmptyExchange", true).End();
        var reply = Send(connection, start, database, settings, token);
        var conversation = reply.TryFind("conversationId"u8, out var id) && id.IsNumber ? id.AsInt32() : throw ScramAttributes.Broken();
        reply = Continue(connection, conversation, scram.Final(Payload(reply)), settings, token);
        scram.Verify(Payload(reply));
        // Some servers want one more, empty, exchange.
        if (!reply.IsTrue("done"u8))
            reply = Continue(connection, conversation, [], settings, token);
        if (!reply.IsTrue("done"u8))
            throw ScramAttributes.Broken();
    }

    private static RawBson Continue(MongoConnection connection, int conversation, byte[] payload, MongoConnectionString settings, CancellationToken token) => Send(
        connection,
        new BsonBuilder().Append("saslContinue", 1).Append("conversationId", conversation).AppendBinary("payload", payload),
        settings.LoginDatabase,
        settings,
        token);

    private static ReadOnlySpan<byte> Payload(RawBson reply) =>
        reply.TryFind("payload"u8, out var payload) && payload.Type == BsonType.Binary ? payload.AsBinary(out _) : throw ScramAttributes.Broken();

    private static RawBson Send(MongoConnection connection, BsonBuilder command, string database, MongoConnectionString settings, CancellationToken token)
    {
        var reply = connection.RoundTrip(command.Append("$db", database).ToBson(), null, null, OpMsgFlags.None, token).Body.Copy();
        if (reply.IsTrue("ok"u8))
            return reply;
        var who = settings.UserName is { } user ? $"user '{user}'" : "the certificate";
        throw new MongoException(
            MongoError.LoginFailed,
            $"{connection.Host} did not log {who} in on database '{database}': {reply.FindString("errmsg"u8) ?? "no reason given"}",
            reply.FindInt64("code"u8) is { } code && code is >= int.MinValue and <= int.MaxValue ? (int?)code : null,
            reply.FindString("codeName"u8),
            reply);
    }
}
