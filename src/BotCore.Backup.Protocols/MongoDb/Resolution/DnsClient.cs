using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace BotCore.Backup.Protocols.MongoDb.Resolution;

/// <summary>Asks name servers over UDP, and over TCP where the answer does not fit. Blocking; thread-safe. Source: RFC 1035, sections 4.2 and 7; resolv.conf(5).</summary>
internal sealed class DnsClient(IReadOnlyList<IPEndPoint> servers)
{
    private const int Attempts = 2;

    /// <summary>How long one server may take for one answer.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The servers of <c>/etc/resolv.conf</c>; the local one where it names none.</summary>
    public static DnsClient System(string path = "/etc/resolv.conf")
    {
        var servers = new List<IPEndPoint>();
        if (File.Exists(path))
        {
            foreach (var line in File.ReadLines(path))
            {
                var words = line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
                if (words.Length >= 2 && string.Equals(words[0], "nameserver", StringComparison.Ordinal) && IPAddress.TryParse(words[1], out var address))
                    servers.Add(new IPEndPoint(address, 53));
            }
        }

        return new DnsClient(servers.Count > 0 ? servers : [new IPEndPoint(IPAddress.Loopback, 53)]);
    }

    /// <summary>The records of a name; none where the name or the type does not exist. Throws <see cref="MongoException"/> (Unreachable).</summary>
    public IReadOnlyList<DnsRecord> Ask(string name, DnsType type, CancellationToken token)
    {
        var reasons = new List<string>();
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            foreach (var server in servers)
            {
                token.ThrowIfCancellationRequested();
                try
                {
                    var answer = AskServer(server, name, type, token);
                    if (answer.Code is 0 or 3)
                        return answer.Records;
                    reasons.Add($"{server} answered with code {answer.Code}");
                }
                catch (Exception exception) when (exception is SocketException or IOException)
                {
                    reasons.Add($"{server}: {exception.Message}");
                }
                catch (OperationCanceledException) when (!token.IsCancellationRequested)
                {
                    reasons.Add($"{server} did not answer in time");
                }
            }
        }

        throw new MongoException(MongoError.Unreachable, $"The DNS records of {name} could not be read: {string.Join("; ", reasons.Distinct(StringComparer.Ordinal))}.");
    }

    private DnsMessage AskServer(IPEndPoint server, string name, DnsType type, CancellationToken token)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(token);
        limited.CancelAfter(Timeout);
        var question = DnsMessage.Question((ushort)RandomNumberGenerator.GetInt32(65536), name, type);
        var answer = AskUdp(server, question, type, limited.Token);
        return answer.IsTruncated ? AskTcp(server, question, type, limited.Token) : answer;
    }

    private static DnsMessage AskUdp(IPEndPoint server, byte[] question, DnsType type, CancellationToken token)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        // Connected: answers from elsewhere are not taken.
        socket.ConnectAsync(server, token).AsTask().GetAwaiter().GetResult();
        socket.SendAsync(question, SocketFlags.None, token).AsTask().GetAwaiter().GetResult();
        var buffer = new byte[65535];
        while (true)
        {
            var length = socket.ReceiveAsync(buffer, SocketFlags.None, token).AsTask().GetAwaiter().GetResult();
            if (DnsMessage.TryParse(buffer.AsSpan(0, length), question, type) is { } answer)
                return answer;
        }
    }

    private static DnsMessage AskTcp(IPEndPoint server, byte[] question, DnsType type, CancellationToken token)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.ConnectAsync(server, token).AsTask().GetAwaiter().GetResult();
        using var stream = new NetworkStream(socket);
        var framed = new byte[question.Length + 2];
        BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)question.Length);
        question.CopyTo(framed, 2);
        stream.WriteAsync(framed, token).AsTask().GetAwaiter().GetResult();
        var head = new byte[2];
        stream.ReadExactlyAsync(head, token).AsTask().GetAwaiter().GetResult();
        var answer = new byte[BinaryPrimitives.ReadUInt16BigEndian(head)];
        stream.ReadExactlyAsync(answer, token).AsTask().GetAwaiter().GetResult();
        return DnsMessage.TryParse(answer, question, type) is { IsTruncated: false } message
            ? message
            : throw new IOException("its answer over TCP does not belong to the question.");
    }
}
