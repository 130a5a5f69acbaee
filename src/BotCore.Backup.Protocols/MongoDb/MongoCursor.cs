using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Protocols.MongoDb.Wire;

namespace BotCore.Backup.Protocols.MongoDb;

/// <summary>
/// Documents of a cursor, one after the other, as slices of the message that they came in. Owns a connection until it is disposed or at its end. One thread.
/// What ends too early throws (ConnectionLost, CursorLost, CommandFailed ...): <see cref="CursorStep.End"/> is only what the server said.
/// </summary>
public sealed class MongoCursor : IDisposable
{
    private static readonly TimeSpan KillTimeout = TimeSpan.FromSeconds(5);

    private readonly MongoConnectionPool _pool;
    private readonly CursorOptions _options;
    private readonly MongoConnectionString _settings;
    private readonly CancellationToken _token;
    private readonly string _database;
    private readonly string _collection;
    private readonly long _id;
    private MongoConnection? _connection;
    private ReadOnlyMemory<byte> _batch;
    private int _at;
    private int _start;
    private int _length;
    private bool _isOpen;
    private bool _comesMore;
    private bool _isEmptyTold = true;
    private MongoException? _failure;

    internal MongoCursor(
        MongoConnectionPool pool, MongoConnection connection, string database, RawBson reply, CursorOptions options, MongoConnectionString settings, CancellationToken token)
    {
        _pool = pool;
        _connection = connection;
        _options = options;
        _settings = settings;
        _token = token;
        var cursor = Take(reply, "firstBatch"u8, out _id);
        _isOpen = _id != 0;
        var space = cursor.FindString("ns"u8) ?? throw OpMsg.Broken("a cursor has no namespace");
        var dot = space.IndexOf('.', StringComparison.Ordinal);
        _database = dot > 0 ? space[..dot] : database;
        _collection = space[(dot + 1)..];
    }

    /// <summary>The document that <see cref="Next"/> came to, as raw BSON: valid until the next call.</summary>
    public ReadOnlySpan<byte> Current => _batch.Span.Slice(_start, _length);

    /// <summary>The server's operationTime in its last answer.</summary>
    public BsonTimestamp? OperationTime { get; private set; }

    /// <summary>Goes to the next document, waiting for the server where its last batch is used up.</summary>
    public CursorStep Next()
    {
        if (_failure is not null)
            throw new MongoException(_failure.Error, _failure.Message, _failure);
        _length = 0;
        while (true)
        {
            if (TryAdvance())
            {
                _isEmptyTold = true;
                return CursorStep.Document;
            }

            if (!_isOpen)
            {
                Release();
                return CursorStep.End;
            }

            // A batch that came empty is told once, then the server is asked again.
            if (!_isEmptyTold)
            {
                _isEmptyTold = true;
                return CursorStep.EmptyBatch;
            }

            Fetch();
        }
    }

    /// <summary>Kills the cursor where it is still open. A connection on which answers still come is closed instead.</summary>
    public void Dispose()
    {
        if (_connection is { IsBroken: false } connection && _isOpen)
        {
            if (_comesMore || _token.IsCancellationRequested)
                connection.Dispose();
            else
                Kill(connection);
        }

        _isOpen = false;
        _failure ??= new MongoException(MongoError.CursorLost, "The cursor was closed.");
        Release();
    }

    private RawBson Take(RawBson reply, ReadOnlySpan<byte> name, out long id)
    {
        var cursor = reply.FindDocument("cursor"u8) ?? throw OpMsg.Broken("an answer has no cursor");
        id = cursor.FindInt64("id"u8) ?? throw OpMsg.Broken("a cursor has no id");
        _batch = (cursor.FindDocument(name) ?? throw OpMsg.Broken("a cursor has no batch")).Memory;
        _at = 4;
        _start = 0;
        _length = 0;
        OperationTime = reply.FindTimestamp("operationTime"u8) ?? OperationTime;
        return cursor;
    }

    /// <summary>Steps over one element of the batch: type, name, document.</summary>
    private bool TryAdvance()
    {
        var rest = _batch.Span[_at..^1];
        if (rest.IsEmpty)
            return false;
        var name = rest[1..].IndexOf((byte)0);
        if (rest[0] != (byte)BsonType.Document || name < 0)
            throw Fail(OpMsg.Broken("a batch holds something that is not a document"));
        try
        {
            _length = OpMsg.DocumentLength(rest[(name + 2)..]);
        }
        catch (MongoException exception)
        {
            throw Fail(exception);
        }

        _start = _at + name + 2;
        _at = _start + _length;
        return true;
    }

    private void Fetch()
    {
        var connection = _connection ?? throw new ObjectDisposedException(nameof(MongoCursor));
        try
        {
            if (_options.MaxAwait is { } wait && _settings.SocketTimeout is { } limit)
                connection.SetTimeout(limit + wait);
            var flags = _options.Exhaust ? OpMsgFlags.ExhaustAllowed : OpMsgFlags.None;
            var reply = _comesMore ? connection.ReadMore(_token) : connection.RoundTrip(GetMore(), null, null, flags, _token);
            _comesMore = reply.MoreToCome;
            if (_comesMore && !_options.Exhaust)
                throw OpMsg.Broken("more follows that was not asked for");
            MongoReply.Check(reply.Body, "getMore", isCursor: true);
            Take(reply.Body, "nextBatch"u8, out var id);
            if (id != _id && id != 0)
                throw OpMsg.Broken("the cursor's id changed");
            _isOpen = id != 0;
            if (!_isOpen && _comesMore)
                throw OpMsg.Broken("more follows after a cursor's end");
            _isEmptyTold = !_options.Tailable || !_isOpen || _batch.Length > BsonReader.ShortestDocument;
        }
        catch (MongoException exception)
        {
            throw Fail(exception);
        }
        catch (Exception exception)
        {
            Fail(new MongoException(MongoError.CursorLost, $"The cursor cannot be read on: {exception.Message}", exception));
            throw;
        }
    }

    private RawBson GetMore()
    {
        var command = new BsonBuilder().Append("getMore", _id).Append("collection", _collection);
        if (_options.BatchSize is { } size)
            command.Append("batchSize", size);
        if (_options.Tailable && _options.MaxAwait is { } wait)
            command.Append("maxTimeMS", (long)wait.TotalMilliseconds);
        return command.Append("$db", _database).ToBson();
    }

    /// <summary>After a failure nothing more is read: the next call fails too, and the cursor never ends well.</summary>
    private MongoException Fail(MongoException failure)
    {
        _failure = failure;
        // The server's own error ends the cursor but not the connection, unless answers still come.
        if (_comesMore || failure.Reply is null)
            _connection?.Dispose();
        _isOpen = false;
        _batch = RawBson.Empty.Memory;
        _at = 4;
        _start = _length = 0;
        Release();
        return failure;
    }

    private void Kill(MongoConnection connection)
    {
        try
        {
            connection.SetTimeout(KillTimeout);
            var command = new BsonBuilder().Append("killCursors", _collection).BeginArray("cursors").Append("0", _id).End().Append("$db", _database);
            connection.RoundTrip(command.ToBson(), null, null, OpMsgFlags.None, CancellationToken.None);
        }
        catch (MongoException)
        {
            // The connection is closed then, and the server forgets the cursor by itself in time.
            connection.Dispose();
        }
    }

    private void Release()
    {
        if (_connection is not { } connection)
            return;
        _connection = null;
        // The last document lies in the connection's buffer, which others will write to.
        _batch = RawBson.Empty.Memory;
        _at = 4;
        _start = _length = 0;
        connection.SetTimeout(_settings.SocketTimeout);
        _pool.Return(connection);
    }
}
