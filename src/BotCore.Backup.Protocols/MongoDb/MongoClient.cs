using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Protocols.MongoDb.Resolution;
using BotCore.Backup.Protocols.MongoDb.Wire;

namespace BotCore.Backup.Protocols.MongoDb;

/// <summary>
/// A pool of logged-in connections to one server, which was selected when it was made. Thread-safe. Calls block; cancelling one closes its connection at once and
/// throws <see cref="OperationCanceledException"/>. Everything else that goes wrong is a <see cref="MongoException"/>, or a <see cref="BsonException"/> for an answer that
/// is not BSON.
/// </summary>
public sealed class MongoClient : IDisposable
{
    private readonly MongoConnectionPool _pool;
    private readonly MongoTls? _tls;
    private readonly MongoConnectionString _settings;
    private volatile MongoServer _server;

    private MongoClient(MongoServer server, MongoConnectionPool pool, MongoTls? tls, MongoConnectionString settings)
    {
        _server = server;
        _pool = pool;
        _tls = tls;
        _settings = settings;
    }

    /// <summary>What the server last said of itself.</summary>
    public MongoServer Server => _server;

    /// <summary>
    /// Finds the server, connects and logs in. Throws <see cref="MongoException"/>: Unreachable, CertificateRejected, LoginFailed, NoSuitableServer, Unsupported,
    /// InvalidConnectionString.
    /// </summary>
    public static MongoClient Connect(MongoConnectionString to, MongoClientOptions options, CancellationToken token)
    {
        var settings = to.IsSrv ? new SrvResolver(DnsClient.System()).Resolve(to, token) : to;
        var tls = settings.Tls ? new MongoTls(settings) : null;
        MongoConnectionPool? pool = null;
        try
        {
            var server = new ServerSelector(settings, options, tls).Select(token);
            pool = new MongoConnectionPool(server.Address, settings, options, tls);
            var client = new MongoClient(server, pool, tls, settings);
            var build = client.Run("admin", new BsonBuilder().Append("buildInfo", 1), token);
            client._server = server with { Version = build.FindString("version"u8) ?? "" };
            client.Refresh(token);
            return client;
        }
        catch
        {
            pool?.Dispose();
            tls?.Dispose();
            throw;
        }
    }

    /// <summary>Asks hello again: new <see cref="MongoServer.LastWrite"/> and <see cref="MongoServer.MajorityWrite"/>.</summary>
    public MongoServer Refresh(CancellationToken token)
    {
        RawBson hello;
        try
        {
            hello = Run("admin", new BsonBuilder().Append("hello", 1), token);
        }
        catch (MongoException exception) when (exception.Code == 59)
        {
            hello = Run("admin", new BsonBuilder().Append("isMaster", 1), token);
        }

        return _server = _server with { Hello = hello };
    }

    /// <summary>
    /// Runs a command and gives the answer, which owns its bytes. <c>$db</c> is added, and <c>$readPreference</c>, readConcern and writeConcern as the connection string
    /// says where the command has none. Throws CommandFailed (AccessDenied, LoginFailed by code) unless the server says ok; writeErrors are not thrown, a
    /// writeConcernError without them is. After a lost connection, commands that only read are sent once more on a new one; others only with <paramref name="retry"/>.
    /// </summary>
    public RawBson Run(string database, BsonBuilder command, CancellationToken token, bool retry = false) => Execute(database, command, null, null, retry, token);

    /// <summary>As the other, with documents as a kind 1 section under the name of the argument that they are, such as <c>documents</c>.</summary>
    public RawBson Run(string database, BsonBuilder command, string sequence, DocumentSequence documents, CancellationToken token, bool retry = false) =>
        Execute(database, command, sequence, documents, retry, token);

    /// <summary>Runs a command that answers with a cursor: find, aggregate, listCollections, listIndexes. Connection and token are the cursor's until it is disposed.</summary>
    public MongoCursor Open(string database, BsonBuilder command, CursorOptions options, CancellationToken token)
    {
        var message = Compose(database, command);
        var name = message.Name;
        for (var attempt = 0; ; attempt++)
        {
            var connection = _pool.Rent(token);
            try
            {
                var reply = connection.RoundTrip(message.Command, null, null, OpMsgFlags.None, token).Body;
                MongoReply.Check(reply, name);
                return new MongoCursor(_pool, connection, database, reply, options, _settings, token);
            }
            catch (MongoException exception) when (exception.Error == MongoError.ConnectionLost && attempt == 0 && message.IsRead && _settings.RetryReads)
            {
                _pool.Return(connection);
            }
            catch
            {
                _pool.Return(connection);
                throw;
            }
        }
    }

    /// <summary>Closes all connections, those of open cursors too.</summary>
    public void Dispose()
    {
        _pool.Dispose();
        _tls?.Dispose();
    }

    private RawBson Execute(string database, BsonBuilder command, string? sequence, DocumentSequence? documents, bool retry, CancellationToken token)
    {
        var message = Compose(database, command);
        if ((long)message.Command.Length + (documents?.Bytes ?? 0) + 1024 > Server.MaxMessage)
            throw new MongoException(MongoError.Protocol, $"The command {message.Name} is longer than the server takes.");
        var mayRepeat = message.IsRead ? _settings.RetryReads : retry && _settings.RetryWrites;
        for (var attempt = 0; ; attempt++)
        {
            var connection = _pool.Rent(token);
            try
            {
                var reply = connection.RoundTrip(message.Command, documents, sequence, OpMsgFlags.None, token).Body;
                MongoReply.Check(reply, message.Name);
                return reply.Copy();
            }
            catch (MongoException exception) when (exception.Error == MongoError.ConnectionLost && attempt == 0 && mayRepeat)
            {
                // Once more, on another connection.
            }
            finally
            {
                _pool.Return(connection);
            }
        }
    }

    private CommandMessage Compose(string database, BsonBuilder command) => CommandMessage.Compose(database, command, _server, _settings);
}
