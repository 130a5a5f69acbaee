using System.Net;
using System.Net.Sockets;
using BotCore.Backup.Engine.Outside.Scratch;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Wire;

namespace BotCore.Backup.Sandbox;

/// <summary>
/// An in-process server on a free loopback port that speaks MongoDB's protocol honestly enough for a whole backup and restore. **All data is kept in memory** and is gone when it
/// is disposed of; <see cref="SandboxOptions.MemoryCap"/> bounds it. It answers what it does not know with CommandNotFound or another error, never with a made-up success. It is no
/// proof of what mongod does. Thread-safe.
/// </summary>
public sealed class SandboxServer : IScratchServer
{
    private readonly ServerState _state;
    private readonly TcpListener _listener;
    private readonly Lock _gate = new();
    private readonly HashSet<ClientConnection> _connections = [];
    private readonly List<Thread> _threads = [];
    private readonly ITimer? _noOps;
    private int _lastConnection;
    private bool _isDisposed;

    /// <summary>Starts one that lets everybody in.</summary>
    public SandboxServer()
        : this(new SandboxOptions())
    {
    }

    /// <summary>Starts one.</summary>
    public SandboxServer(SandboxOptions options)
    {
        Options = options;
        _state = new ServerState(options);
        _listener = new TcpListener(IPAddress.Loopback, 0);
        _listener.Start(512);
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _state.Address = $"127.0.0.1:{Port}";
        _state.Write(() =>
        {
            _state.Logins.MakeUsers();
            return true;
        });
        new Thread(Accept) { IsBackground = true, Name = "Sandbox listener" }.Start();
        if (options.NoOpEvery is { } every)
            _noOps = options.Time.CreateTimer(_ => WriteNoOp(), null, every, every);
    }

    /// <summary>How it was started.</summary>
    public SandboxOptions Options { get; }

    /// <summary>Where it listens, on 127.0.0.1.</summary>
    public int Port { get; }

    /// <inheritdoc/>
    public string ConnectionString
    {
        get
        {
            var login = Options.UserName is { } user ? $"{Uri.EscapeDataString(user)}:{Uri.EscapeDataString(Options.Password ?? "")}@" : "";
            var set = Options.Standalone || Options.Sharded ? "" : $"replicaSet={Uri.EscapeDataString(Options.SetName)}";
            var tls = Options.Certificate is null ? "" : "tls=true";
            var query = string.Join('&', new[] { set, tls }.Where(part => part.Length > 0));
            return $"mongodb://{login}127.0.0.1:{Port}/{(query.Length > 0 ? "?" + query : "")}";
        }
    }

    /// <summary>Timestamp of the newest oplog entry.</summary>
    public BsonTimestamp NewestEntry => _state.Read(() => _state.Oplog.Newest);

    /// <summary>While set, majority reads of the oplog, and hello's majority point, end here.</summary>
    public BsonTimestamp? MajorityLag
    {
        get => _state.MajorityHold;
        set
        {
            _state.MajorityHold = value;
            _state.SayGrown();
        }
    }

    /// <summary>The election term of the entries that come.</summary>
    public long Term
    {
        get => _state.Oplog.Term;
        set => _state.Oplog.Term = value;
    }

    /// <summary>Cursors that are open.</summary>
    public int OpenCursors => _state.Cursors.Count;

    /// <summary>Connections that are open.</summary>
    public int OpenConnections
    {
        get
        {
            lock (_gate)
                return _connections.Count;
        }
    }

    /// <summary>Writes a no-op to the oplog, as an idle server does every ten seconds.</summary>
    public BsonTimestamp WriteNoOp() => _state.Write(() => _state.Oplog.WriteNoOp("periodic noop"));

    /// <summary>Closes every connection; the server goes on.</summary>
    public void CloseConnections()
    {
        lock (_gate)
        {
            foreach (var connection in _connections)
                connection.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
        }

        _noOps?.Dispose();
        _listener.Stop();
        _state.Stop();
        CloseConnections();
        Thread[] threads;
        lock (_gate)
            threads = [.. _threads];
        foreach (var thread in threads)
            thread.Join();
        _state.Dispose();
    }

    private void Accept()
    {
        while (true)
        {
            TcpClient socket;
            try
            {
                socket = _listener.AcceptTcpClient();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                return;
            }

            Serve(socket);
        }
    }

    private void Serve(TcpClient socket)
    {
        var connection = new ClientConnection(_state, socket, Interlocked.Increment(ref _lastConnection));
        lock (_gate)
        {
            if (_isDisposed)
            {
                connection.Dispose();
                return;
            }

            _connections.Add(connection);
            _threads.RemoveAll(thread => !thread.IsAlive);
            var thread = new Thread(() => Serve(connection)) { IsBackground = true, Name = "Sandbox connection" };
            _threads.Add(thread);
            thread.Start();
        }
    }

    private void Serve(ClientConnection connection)
    {
        try
        {
            connection.Serve();
        }
        finally
        {
            lock (_gate)
                _connections.Remove(connection);
        }
    }
}
