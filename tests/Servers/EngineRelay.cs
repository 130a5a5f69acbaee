using System.Net;
using System.Net.Sockets;

namespace BotCore.Backup.TestServers;

/// <summary>A loopback port that leads to a unix socket: an engine behind it is one of another machine.</summary>
public sealed class EngineRelay : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly string _socket;
    private readonly Task _accepting;

    /// <summary>Listens.</summary>
    public EngineRelay(string socket)
    {
        _socket = socket;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>For DOCKER_HOST.</summary>
    public string Endpoint => $"tcp://{_listener.LocalEndpoint}";

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Cancel();
        _listener.Stop();
        _accepting.GetAwaiter().GetResult();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var relays = new List<Task>();
        try
        {
            while (true)
                relays.Add(RelayAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (Exception over) when (over is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(relays);
        }
    }

    private async Task RelayAsync(TcpClient client)
    {
        using var one = client;
        using var other = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await other.ConnectAsync(new UnixDomainSocketEndPoint(_socket), _stop.Token);
            await using var engine = new NetworkStream(other, ownsSocket: false);
            await Task.WhenAny(client.GetStream().CopyToAsync(engine, _stop.Token), engine.CopyToAsync(client.GetStream(), _stop.Token));
        }
        catch (Exception broken) when (broken is OperationCanceledException or IOException or SocketException)
        {
            // One side went away.
        }
    }
}
