using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Oplog;
using BotCore.Backup.Sandbox.Storage;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Commands;

/// <summary>Who the server is, and who the client is.</summary>
internal static class HandshakeCommands
{
    private static readonly string[] HelloOptions = ["helloOk", "client", "compression", "saslSupportedMechs", "speculativeAuthenticate", "topologyVersion", "maxAwaitTimeMS", "hostInfo", "loadBalanced", "internalClient"];

    public static IEnumerable<CommandSpec> All =>
    [
        new("hello", Access.Open, Locking.Shared, Hello, HelloOptions),
        new("isMaster", Access.Open, Locking.Shared, Hello, HelloOptions),
        new("ismaster", Access.Open, Locking.Shared, Hello, HelloOptions),
        new("buildInfo", Access.Open, Locking.Own, BuildInfo),
        new("buildinfo", Access.Open, Locking.Own, BuildInfo),
        new("ping", Access.Open, Locking.Own, _ => { }),
        new("saslStart", Access.Open, Locking.Shared, SaslStart, "mechanism", "payload", "options", "autoAuthorize", "db"),
        new("saslContinue", Access.Open, Locking.Shared, SaslContinue, "conversationId", "payload"),
        new("logout", Access.Open, Locking.Own, context => context.Client.User = null),
        new("endSessions", Access.Open, Locking.Own, _ => { }),
        new("connectionStatus", Access.Open, Locking.Shared, ConnectionStatus, "showPrivileges"),
        new("getParameter", Access.LoggedIn, Locking.Own, GetParameter, "featureCompatibilityVersion"),
        new("whatsmyuri", Access.Open, Locking.Own, context => context.Reply.Append("you", "127.0.0.1:0")),
    ];

    private static void Hello(CommandContext context)
    {
        var (server, reply) = (context.Server, context.Reply);
        if (context.Name is "hello")
            reply.Append("isWritablePrimary", value: true);
        else
            reply.Append("helloOk", value: true).Append("ismaster", value: true);
        if (server.Options.Sharded)
            reply.Append("msg", "isdbgrid");
        else if (!server.Options.Standalone)
            ReplicaSet(server, reply);
        reply.Append("maxBsonObjectSize", IncomingDocument.MaxBytes).Append("maxMessageSizeBytes", 48_000_000).Append("maxWriteBatchSize", 100_000)
            .AppendDateTime("localTime", server.Clock.Milliseconds).Append("logicalSessionTimeoutMinutes", 30).Append("connectionId", context.Client.Number)
            .Append("minWireVersion", 0).Append("maxWireVersion", 21).Append("readOnly", value: false);
        Negotiate(context);
    }

    private static void ReplicaSet(ServerState server, BsonBuilder reply)
    {
        reply.BeginArray("hosts").Append("0", server.Address).End().Append("setName", server.Options.SetName).Append("setVersion", 1).Append("secondary", value: false)
            .Append("primary", server.Address).Append("me", server.Address);
        reply.BeginDocument("lastWrite");
        OplogLog.AppendOpTime(reply, "opTime", server.Oplog.Newest, server.Oplog.Term);
        reply.AppendDateTime("lastWriteDate", server.Oplog.NewestWall);
        OplogLog.AppendOpTime(reply, "majorityOpTime", server.Majority, server.Oplog.Term);
        reply.AppendDateTime("majorityWriteDate", server.Majority.Time.ToUnixTimeMilliseconds()).End();
    }

    private static void Negotiate(CommandContext context)
    {
        if (context.Command.FindDocument("compression"u8) is { } wanted && HasZlib(wanted))
            context.Reply.BeginArray("compression").Append("0", "zlib").End();
        if (context.Command.FindString("saslSupportedMechs"u8) is { } user && context.Server.Logins.Exists(user))
            context.Reply.BeginArray("saslSupportedMechs").Append("0", "SCRAM-SHA-1").Append("1", "SCRAM-SHA-256").End();
    }

    private static bool HasZlib(RawBson names)
    {
        var reader = names.Read();
        while (reader.Read())
        {
            if (reader.Current.Type == BsonType.String && reader.Current.AsUtf8().SequenceEqual("zlib"u8))
                return true;
        }

        return false;
    }

    private static void BuildInfo(CommandContext context) => context.Reply
        .Append("version", "7.0.0").Append("gitVersion", "sandbox").BeginArray("modules").End().Append("allocator", "managed").BeginArray("versionArray")
        .Append("0", 7).Append("1", 0).Append("2", 0).Append("3", 0).End().Append("bits", 64).Append("debug", value: false).Append("maxBsonObjectSize", IncomingDocument.MaxBytes)
        .BeginArray("storageEngines").Append("0", "memory").End().Append("botCoreSandbox", value: true);

    private static void SaslStart(CommandContext context)
    {
        var mechanism = context.Command.FindString("mechanism"u8) ?? "";
        context.Client.Conversation = context.Server.Logins.Begin(mechanism, context.Command.FindDocument("options"u8) is { } options && options.IsTrue("skipEmptyExchange"u8));
        Converse(context);
    }

    private static void SaslContinue(CommandContext context) => Converse(context);

    private static void Converse(CommandContext context)
    {
        var conversation = context.Client.Conversation ?? throw new ServerException(17, "No SASL session state found");
        if (!context.Command.TryFind("payload"u8, out var payload))
            throw new ServerException(ServerException.FailedToParse, "The payload is missing.");
        byte[] answer;
        try
        {
            answer = conversation.Step(payload.Type == BsonType.String ? Convert.FromBase64String(payload.AsString()) : payload.AsBinary(out _).ToArray(), context.Database);
        }
        catch (ServerException)
        {
            context.Client.Conversation = null;
            throw;
        }

        if (conversation.User is { } user)
            context.Client.User = user;
        var done = conversation.IsDone;
        if (done)
            context.Client.Conversation = null;
        context.Reply.Append("conversationId", 1).Append("done", done).AppendBinary("payload", answer);
    }

    private static void ConnectionStatus(CommandContext context)
    {
        var reply = context.Reply.BeginDocument("authInfo").BeginArray("authenticatedUsers");
        if (context.Client.User is { } user)
        {
            var name = Namespace.Parse(user);
            reply.BeginDocument("0").Append("user", name.Collection).Append("db", name.Database).End();
        }

        reply.End().BeginArray("authenticatedUserRoles");
        context.Server.Logins.AppendRoles(reply, context.Client);
        reply.End().End();
    }

    private static void GetParameter(CommandContext context)
    {
        if (!context.Command.Has("featureCompatibilityVersion"u8))
            throw new ServerException(ServerException.InvalidOptions, "no option found to get");
        context.Reply.BeginDocument("featureCompatibilityVersion").Append("version", "7.0").End();
    }
}
