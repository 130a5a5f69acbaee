using System.Net;
using System.Net.Sockets;

namespace BotCore.Backup.TestServers;

/// <summary>What a <see cref="FaultProxy"/> does to a connection.</summary>
public enum Fault
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Resets the connection.</summary>
    Reset,

    /// <summary>Ends the connection in order, as if the other side had closed it: what was under way is cut short.</summary>
    Close,

    /// <summary>Moves nothing any more, and keeps the connection open.</summary>
    Stall,
}

/// <summary>
/// A loopback port in front of a server, whose way there can break: after so many bytes in either direction, on all connections or on the next, slowly, or not at all. Thread-safe.
/// </summary>
public sealed class FaultProxy : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly List<Socket> _open = [];
    private readonly int _to;
    private Fault _fault;
    private long _toServerLeft = long.MaxValue;
    private long _toClientLeft = long.MaxValue;
    private int _timesLeft;
    private bool _refuses;
    private int _bytesPerSecond;
    private long _toServer;
    private long _toClient;
    private int _connections;

    /// <summary>Listens, and leads to <paramref name="port"/> on loopback.</summary>
    public FaultProxy(int port)
    {
        _to = port;
        _listener.Start();
        _ = AcceptAsync();
    }

    /// <summary>The port to connect to.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Bytes that went to the server.</summary>
    public long ToServer => Interlocked.Read(ref _toServer);

    /// <summary>Bytes that came from the server.</summary>
    public long ToClient => Interlocked.Read(ref _toClient);

    /// <summary>Connections that were made.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Times that a fault struck.</summary>
    public int Struck { get; private set; }

    /// <summary>
    /// Strikes when so many more bytes have gone to the server, or come from it, counted over all connections from now on; then again after as many, <paramref name="times"/> times in all.
    /// </summary>
    public void Break(Fault fault, long toServer = long.MaxValue, long toClient = long.MaxValue, int times = 1)
    {
        lock (_gate)
            (_fault, _toServerLeft, _toClientLeft, _timesLeft, ToServerEach, ToClientEach) = (fault, toServer, toClient, times, toServer, toClient);
    }

    /// <summary>Takes no connections, and breaks those that are there.</summary>
    public void Refuse()
    {
        lock (_gate)
            _refuses = true;
        CutAll();
    }

    /// <summary>Bytes a second and direction of each connection; 0 for as fast as it goes.</summary>
    public void Throttle(int bytesPerSecond) => Volatile.Write(ref _bytesPerSecond, bytesPerSecond);

    /// <summary>As good as new.</summary>
    public void Mend()
    {
        lock (_gate)
            (_refuses, _timesLeft, _bytesPerSecond) = (false, 0, 0);
    }

    /// <summary>Resets every connection that is there now.</summary>
    public void CutAll()
    {
        Socket[] open;
        lock (_gate)
        {
            open = [.. _open];
            _open.Clear();
        }

        foreach (var socket in open)
            Reset(socket);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        CutAll();
        _stop.Dispose();
    }

    private long ToServerEach { get; set; }

    private long ToClientEach { get; set; }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync(_stop.Token);
                lock (_gate)
                {
                    if (!_refuses)
                        _open.Add(client);
                }

                if (Volatile.Read(ref _refuses))
                    Reset(client);
                else
                    _ = ServeAsync(client);
            }
        }
        catch (Exception over) when (over is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // Given back.
        }
    }

    private async Task ServeAsync(Socket client)
    {
        Interlocked.Increment(ref _connections);
        var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        client.NoDelay = true;
        try
        {
            await server.ConnectAsync(IPAddress.Loopback, _to, _stop.Token);
            lock (_gate)
                _open.Add(server);
            await Task.WhenAll(MoveAsync(client, server, toServer: true), MoveAsync(server, client, toServer: false));
        }
        catch (Exception broken) when (broken is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            Reset(client);
        }
        finally
        {
            lock (_gate)
            {
                _open.Remove(client);
                _open.Remove(server);
            }

            client.Dispose();
            server.Dispose();
        }
    }

    private async Task MoveAsync(Socket from, Socket to, bool toServer)
    {
        var buffer = new byte[64 * 1024];
        while (true)
        {
            var limit = Volatile.Read(ref _bytesPerSecond);
            var read = await from.ReceiveAsync(limit > 0 ? buffer.AsMemory(0, Math.Clamp(limit / 20, 1, buffer.Length)) : buffer, _stop.Token);
            if (read == 0)
            {
                to.Shutdown(SocketShutdown.Send);
                return;
            }

            var (passes, strikes) = Pass(read, toServer);
            if (passes > 0)
                await to.SendAsync(buffer.AsMemory(0, passes), _stop.Token);
            Interlocked.Add(ref toServer ? ref _toServer : ref _toClient, passes);
            if (limit > 0)
                await Task.Delay(TimeSpan.FromSeconds((double)passes / limit), _stop.Token);
            switch (strikes)
            {
                case Fault.Reset:
                    Reset(from);
                    Reset(to);
                    return;
                case Fault.Close:
                    from.Shutdown(SocketShutdown.Both);
                    to.Shutdown(SocketShutdown.Both);
                    return;
                case Fault.Stall:
                    await Task.Delay(Timeout.Infinite, _stop.Token);
                    return;
            }
        }
    }

    // How many of the bytes still pass, and what happens behind them.
    private (int Passes, Fault Strikes) Pass(int count, bool toServer)
    {
        lock (_gate)
        {
            if (_timesLeft == 0)
                return (count, Fault.None);
            ref var left = ref toServer ? ref _toServerLeft : ref _toClientLeft;
            if (left == long.MaxValue)
                return (count, Fault.None);
            if (count < left)
            {
                left -= count;
                return (count, Fault.None);
            }

            var passes = (int)left;
            _timesLeft--;
            Struck++;
            (_toServerLeft, _toClientLeft) = (ToServerEach, ToClientEach);
            return (passes, _fault);
        }
    }

    private static void Reset(Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(true, 0);
            socket.Close();
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            // Broken already.
        }
    }
}
