using System.Net;
using System.Net.Sockets;

namespace BotCore.Backup.Protocols.MongoDb;

/// <summary>Name to addresses to a connected socket, in the order that the system gives.</summary>
internal static class HostConnector
{
    public static Socket Connect(MongoHost host, CancellationToken token)
    {
        MongoException? failure = null;
        foreach (var address in Resolve(host, token))
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
                socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 120);
                socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 10);
                socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 9);
                socket.ConnectAsync(new IPEndPoint(address, host.Port), token).AsTask().GetAwaiter().GetResult();
                return socket;
            }
            catch (SocketException exception)
            {
                socket.Dispose();
                var reason = exception.SocketErrorCode switch
                {
                    SocketError.ConnectionRefused => "refused the connection",
                    SocketError.TimedOut => "did not answer in time",
                    _ => $"cannot be reached ({exception.Message})",
                };
                failure = new MongoException(MongoError.Unreachable, $"{host} {reason}.", exception);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }

        throw failure ?? new MongoException(MongoError.Unreachable, $"The name {host.Name} has no address.");
    }

    private static IPAddress[] Resolve(MongoHost host, CancellationToken token)
    {
        if (IPAddress.TryParse(host.Name, out var address))
            return [address];
        try
        {
            return Dns.GetHostAddressesAsync(host.Name, token).WaitAsync(token).GetAwaiter().GetResult();
        }
        catch (Exception exception) when (exception is SocketException or ArgumentException)
        {
            throw new MongoException(MongoError.Unreachable, $"The name {host.Name} could not be resolved ({exception.Message}).", exception);
        }
    }
}
