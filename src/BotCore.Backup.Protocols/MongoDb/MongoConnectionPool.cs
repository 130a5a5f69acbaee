using System.Diagnostics;

namespace BotCore.Backup.Protocols.MongoDb;

/// <summary>Logged-in connections to one server. Thread-safe.</summary>
internal sealed class MongoConnectionPool(MongoHost host, MongoConnectionString settings, MongoClientOptions options, MongoTls? tls) : IDisposable
{
    private readonly Stack<MongoConnection> _idle = new();
    private readonly HashSet<MongoConnection> _all = [];
    private readonly SemaphoreSlim _free = new(Limit(settings, options));
    private readonly Lock _lock = new();
    private bool _isDisposed;

    /// <summary>A connection of the caller's own until <see cref="Return"/>.</summary>
    public MongoConnection Rent(CancellationToken token)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (!_free.Wait(settings.WaitQueueTimeout ?? Timeout.InfiniteTimeSpan, token))
            throw new MongoException(MongoError.Unreachable, $"All connections to {host} stayed in use for too long (waitQueueTimeoutMS).");
        try
        {
            return TakeIdle() ?? Open(token);
        }
        catch
        {
            _free.Release();
            throw;
        }
    }

    /// <summary>Gives it back; a broken one is closed.</summary>
    public void Return(MongoConnection connection)
    {
        connection.Idle = Stopwatch.GetTimestamp();
        lock (_lock)
        {
            if (connection.IsBroken || _isDisposed)
            {
                _all.Remove(connection);
                connection.Dispose();
            }
            else
            {
                connection.Trim();
                _idle.Push(connection);
            }
        }

        _free.Release();
    }

    /// <summary>Closes every connection, those in use too.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            foreach (var connection in _all)
                connection.Abort();
            _all.Clear();
            _idle.Clear();
        }
    }

    private static int Limit(MongoConnectionString settings, MongoClientOptions options) =>
        Math.Max(1, settings.MaxPoolSize == 0 ? options.MaxConnections : Math.Min(settings.MaxPoolSize, options.MaxConnections));

    private MongoConnection? TakeIdle()
    {
        lock (_lock)
        {
            while (_idle.TryPop(out var connection))
            {
                var isOld = settings.MaxIdle is { } limit && Stopwatch.GetElapsedTime(connection.Idle) > limit;
                if (!isOld && connection.IsAlive())
                    return connection;
                _all.Remove(connection);
                connection.Dispose();
            }
        }

        return null;
    }

    private MongoConnection Open(CancellationToken token)
    {
        var connection = MongoConnection.Open(host, settings, tls, token);
        try
        {
            connection.Greet(settings.AppName ?? options.AppName, withLogin: true, token);
            if (options.RequirePrimary && connection.Server is { SetName: not null, IsPrimary: false })
                throw new MongoException(MongoError.NoSuitableServer, $"{host} is no longer the primary.");
            connection.LogIn(token);
            lock (_lock)
            {
                ObjectDisposedException.ThrowIf(_isDisposed, this);
                _all.Add(connection);
            }

            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}
