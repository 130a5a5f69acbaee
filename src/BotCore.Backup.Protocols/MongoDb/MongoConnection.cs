using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Net.Sockets;
using System.Security.Authentication;
using BotCore.Backup.Protocols.MongoDb.Authentication;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Protocols.MongoDb.Wire;

namespace BotCore.Backup.Protocols.MongoDb;

/// <summary>
/// One connection to one server. Every failure of the transport comes out as a <see cref="MongoException"/>, and cancelling closes the socket at once. One thread at a
/// time; only <see cref="Abort"/> may come from another.
/// </summary>
internal sealed class MongoConnection : IDisposable
{
    private readonly Socket _socket;
    private readonly Stream _stream;
    private readonly WireReader _reader;
    private readonly WireWriter _writer;
    private readonly MongoConnectionString _settings;
    private WireCompressor _compressor;
    private int _requestId;
    private int _expected;
    private volatile bool _isBroken;

    private MongoConnection(MongoHost host, Socket socket, Stream stream, MongoConnectionString settings)
    {
        Host = host;
        _socket = socket;
        _stream = stream;
        _settings = settings;
        _reader = new WireReader(stream);
        _writer = new WireWriter(stream, LevelOf(settings.ZlibLevel));
        SetTimeout(settings.SocketTimeout);
    }

    public MongoHost Host { get; }

    /// <summary>What the server said first; set by <see cref="Greet"/>.</summary>
    public MongoServer Server { get; private set; } = null!;

    /// <summary>Whether it must not be used again.</summary>
    public bool IsBroken => _isBroken;

    /// <summary>When it went back to its pool (<see cref="Stopwatch"/>).</summary>
    public long Idle { get; set; }

    /// <summary>Connects, and speaks TLS where the settings say so; nothing is said yet.</summary>
    public static MongoConnection Open(MongoHost host, MongoConnectionString settings, MongoTls? tls, CancellationToken token)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(token);
        if (settings.ConnectTimeout is { } limit)
            limited.CancelAfter(limit);
        Socket? socket = null;
        try
        {
            socket = HostConnector.Connect(host, limited.Token);
            Stream stream = new NetworkStream(socket, ownsSocket: true);
            if (tls is not null)
                stream = tls.Authenticate(stream, host, limited.Token);
            return new MongoConnection(host, socket, stream, settings);
        }
        catch (OperationCanceledException exception)
        {
            socket?.Dispose();
            token.ThrowIfCancellationRequested();
            throw new MongoException(MongoError.Unreachable, $"{host} did not answer in time (connectTimeoutMS).", exception);
        }
        catch (Exception exception)
        {
            socket?.Dispose();
            if (exception is MongoException)
                throw;
            if (!IsTransport(exception))
                throw;
            token.ThrowIfCancellationRequested();
            throw new MongoException(MongoError.Unreachable, $"{host} broke the connection off while it was made: {exception.Message}", exception);
        }
    }

    /// <summary>Says hello. Until it is answered, connectTimeoutMS holds.</summary>
    public void Greet(string appName, bool withLogin, CancellationToken token)
    {
        SetTimeout(_settings.ConnectTimeout);
        RawBson hello;
        try
        {
            hello = Ask("hello", appName, withLogin, token);
        }
        catch (MongoException exception) when (exception.Code == 59)
        {
            hello = Ask("isMaster", appName, withLogin, token);
        }

        Server = new MongoServer { Address = Host, Hello = hello };
        SetTimeout(_settings.SocketTimeout);
        if (Server.MaxWireVersion < 8)
        {
            throw new MongoException(
                MongoError.Unsupported,
                string.Create(CultureInfo.InvariantCulture, $"{Host} speaks version {Server.MaxWireVersion} of the protocol; 8 (MongoDB 4.2) is the oldest that is supported."));
        }

        // A reply may be a document of the largest size and what stands around it.
        _reader.MaxMessage = Math.Max(Server.MaxMessage, WireReader.DefaultMaxMessage);
    }

    /// <summary>Logs in as the settings say, and only then compresses: passwords never go through a compressor.</summary>
    public void LogIn(CancellationToken token)
    {
        if (_settings.HasLogin && !Server.Hello.IsTrue("arbiterOnly"u8))
            MongoLogin.LogIn(this, _settings, token);
        if (_settings.Zlib && _settings.ZlibLevel != 0 && Offers("compression"u8, "zlib"u8))
            _compressor = WireCompressor.Zlib;
    }

    /// <summary>Whether an array of strings in hello holds this one.</summary>
    public bool Offers(ReadOnlySpan<byte> field, ReadOnlySpan<byte> value)
    {
        if (Server.Hello.FindDocument(field) is not { } array)
            return false;
        var reader = array.Read();
        while (reader.Read())
        {
            if (reader.Current.Type == BsonType.String && reader.Current.AsUtf8().SequenceEqual(value))
                return true;
        }

        return false;
    }

    /// <summary>Sends a command and reads its answer, whose bytes are valid until the next call. The answer is not judged.</summary>
    public OpMsg RoundTrip(RawBson command, DocumentSequence? documents, string? sequence, OpMsgFlags flags, CancellationToken token) => Guard(
        () =>
        {
            _expected = ++_requestId;
            var compressor = MongoLogin.IsSecret(command) ? WireCompressor.None : _compressor;
            _writer.Write(_requestId, 0, flags, command.Span, sequence, documents is null ? default : documents.All, compressor);
            return Receive();
        },
        token);

    /// <summary>Reads the answer that follows unasked.</summary>
    public OpMsg ReadMore(CancellationToken token) => Guard(Receive, token);

    /// <summary>How long bytes may take; null for ever.</summary>
    public void SetTimeout(TimeSpan? limit)
    {
        var milliseconds = limit is { } span ? (int)Math.Clamp(span.TotalMilliseconds, 1, int.MaxValue) : 0;
        try
        {
            _socket.ReceiveTimeout = milliseconds;
            _socket.SendTimeout = milliseconds;
        }
        catch (Exception exception) when (IsTransport(exception))
        {
            _isBroken = true;
        }
    }

    /// <summary>Whether an idle connection still stands. Bytes that nobody asked for count as dead.</summary>
    public bool IsAlive()
    {
        try
        {
            return !_isBroken && !_socket.Poll(0, SelectMode.SelectRead);
        }
        catch (Exception exception) when (IsTransport(exception))
        {
            return false;
        }
    }

    /// <summary>Gives back memory of large messages.</summary>
    public void Trim() => _reader.Trim();

    /// <summary>Closes the socket, whoever is reading. From any thread.</summary>
    public void Abort()
    {
        _isBroken = true;
        _socket.Dispose();
    }

    public void Dispose()
    {
        _isBroken = true;
        try
        {
            _socket.Dispose();
            _stream.Dispose();
        }
        catch (Exception exception) when (IsTransport(exception))
        {
            // It is closed; that the other side did not hear it does not matter.
        }
    }

    private static bool IsTransport(Exception exception) =>
        exception is IOException or SocketException or ObjectDisposedException or AuthenticationException;

    private static CompressionLevel LevelOf(int zlibLevel) => zlibLevel switch
    {
        0 => CompressionLevel.NoCompression,
        < 0 => CompressionLevel.Optimal,
        <= 3 => CompressionLevel.Fastest,
        <= 6 => CompressionLevel.Optimal,
        _ => CompressionLevel.SmallestSize,
    };

    private RawBson Ask(string command, string appName, bool withLogin, CancellationToken token)
    {
        var hello = new BsonBuilder().Append(command, 1).Append("helloOk", true);
        hello.BeginDocument("client").BeginDocument("application").Append("name", appName).End();
        hello.BeginDocument("driver").Append("name", "BotCore.Backup").Append("version", typeof(MongoConnection).Assembly.GetName().Version?.ToString(3)).End();
        hello.BeginDocument("os").Append("type", OperatingSystem.IsWindows() ? "Windows" : OperatingSystem.IsMacOS() ? "Darwin" : "Linux").End().End();
        hello.BeginArray("compression");
        if (_settings.Zlib)
            hello.Append("0", "zlib");
        hello.End();
        if (withLogin && _settings.UserName is { } user && _settings.Mechanism == MongoMechanism.Default)
            hello.Append("saslSupportedMechs", $"{_settings.LoginDatabase}.{user}");
        hello.Append("$db", "admin");
        var reply = RoundTrip(hello.ToBson(), null, null, OpMsgFlags.None, token).Body;
        MongoReply.Check(reply, command);
        return reply.Copy();
    }

    private OpMsg Receive()
    {
        var message = _reader.Read();
        if (message.OpCode != WireOpCode.Msg)
            throw OpMsg.Broken("it is not an OP_MSG");
        if (message.ResponseTo != _expected)
            throw OpMsg.Broken("it answers another question");
        // What follows unasked answers the answer before it.
        if (message.MoreToCome)
            _expected = message.RequestId;
        return message;
    }

    private T Guard<T>(Func<T> work, CancellationToken token)
    {
        token.ThrowIfCancellationRequested();
        using var registration = token.UnsafeRegister(static state => ((MongoConnection)state!).Abort(), this);
        try
        {
            return work();
        }
        catch (Exception exception)
        {
            // Whatever was left on the wire, nobody could tell what belongs to which question.
            _isBroken = true;
            token.ThrowIfCancellationRequested();
            if (!IsTransport(exception))
                throw;
            var reason = exception.GetBaseException() is SocketException { SocketErrorCode: SocketError.TimedOut or SocketError.WouldBlock }
                ? "it did not answer in time (socketTimeoutMS)" : exception.Message;
            throw new MongoException(MongoError.ConnectionLost, $"The connection to {Host} was lost: {reason}", exception);
        }
    }
}
