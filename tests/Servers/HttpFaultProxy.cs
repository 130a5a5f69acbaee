using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace BotCore.Backup.TestServers;

/// <summary>
/// A loopback port in front of an HTTP/1.1 server, which knows one request from another: answers in the server's place, loses answers, cuts bodies, takes headers away. Thread-safe.
/// </summary>
public sealed class HttpFaultProxy : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly List<(HttpFault Fault, int[] Count)> _faults = [];
    private readonly List<SeenRequest> _seen = [];
    private readonly Uri _to;
    private readonly X509Certificate2? _certificate;

    /// <summary>Listens, and leads to <paramref name="to"/>; with <paramref name="certificate"/> it speaks TLS to whom it serves.</summary>
    public HttpFaultProxy(Uri to, X509Certificate2? certificate = null)
    {
        (_to, _certificate) = (to, certificate);
        _listener.Start();
        _ = AcceptAsync();
    }

    /// <summary>Where it answers.</summary>
    public Uri Endpoint => new(string.Create(CultureInfo.InvariantCulture, $"{(_certificate is null ? "http" : "https")}://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}"));

    /// <summary>Headers that the server never sees: the request is signed anew without them, for <see cref="Signer"/>.</summary>
    public IReadOnlyCollection<string> Without { get; set; } = [];

    /// <summary>Whose requests are signed anew.</summary>
    public S3User? Signer { get; set; }

    /// <summary>All requests so far.</summary>
    public IReadOnlyList<SeenRequest> Seen
    {
        get
        {
            lock (_gate)
                return [.. _seen];
        }
    }

    /// <summary>Times that a fault struck.</summary>
    public int Struck { get; private set; }

    /// <summary>Adds a fault.</summary>
    public void Add(HttpFault fault)
    {
        lock (_gate)
            _faults.Add((fault, [0]));
    }

    /// <summary>Forgets all faults, and what was seen.</summary>
    public void Mend()
    {
        lock (_gate)
        {
            _faults.Clear();
            _seen.Clear();
            Struck = 0;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await _listener.AcceptSocketAsync(_stop.Token));
        }
        catch (Exception over) when (over is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // Given back.
        }
    }

    private async Task ServeAsync(Socket client)
    {
        var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        client.NoDelay = true;
        try
        {
            Stream stream = new NetworkStream(client);
            if (_certificate is not null)
            {
                var secure = new SslStream(stream);
                await secure.AuthenticateAsServerAsync(_certificate);
                stream = secure;
            }

            await server.ConnectAsync(IPAddress.Parse(_to.Host), _to.Port, _stop.Token);
            var (from, to) = (new HttpWire(stream, _stop.Token), new HttpWire(new NetworkStream(server), _stop.Token));
            while (await from.ReadHeadAsync() is { } head)
                await ExchangeAsync(head, from, to);
        }
        catch (Exception broken) when (broken is SocketException or IOException or OperationCanceledException or ObjectDisposedException or System.Security.Authentication.AuthenticationException)
        {
            Reset(client);
            Reset(server);
        }
        finally
        {
            client.Dispose();
            server.Dispose();
        }
    }

    private async Task ExchangeAsync(HttpHead head, HttpWire from, HttpWire to)
    {
        var parts = head.First.Split(' ');
        var request = new SeenRequest(parts[0], parts[1], head.Headers);
        var fault = FaultOf(request);
        if (head["Expect"] is not null)
            await from.WriteAsync("HTTP/1.1 100 Continue\r\n\r\n");
        if (fault?.Status is { } status)
        {
            await from.SkipBodyAsync(head);
            await from.WriteAsync(Answer(status, fault));
            return;
        }

        await to.WriteAsync(Passed(head, request));
        await from.MoveBodyAsync(head, to, hasBody: head["Content-Length"] is not null || head.IsChunked, fault?.CutsBody ?? long.MaxValue);
        var answer = await to.ReadHeadAsync() ?? throw new IOException("The server went away.");
        if (fault?.CutsAnswer == 0)
            throw new IOException("Cut.");
        if (fault?.StallsAnswer == 0)
            await Task.Delay(Timeout.Infinite, _stop.Token);
        if (fault?.Date is { } date)
            answer.Set("Date", date.ToString("R", CultureInfo.InvariantCulture));
        if (fault?.Etag is { } etag)
            answer.Set("ETag", etag);
        await from.WriteAsync(answer.ToString());
        var hasBody = !string.Equals(request.Method, "HEAD", StringComparison.Ordinal) && answer.First.Split(' ')[1] is not ("204" or "304");
        await to.MoveBodyAsync(answer, from, hasBody, fault?.CutsAnswer ?? long.MaxValue, fault?.StallsAnswer ?? long.MaxValue);
    }

    private HttpFault? FaultOf(SeenRequest request)
    {
        lock (_gate)
        {
            _seen.Add(request);
            foreach (var (fault, count) in _faults)
            {
                if (!fault.Of(request))
                    continue;
                var number = count[0]++;
                if (number < fault.After || number >= fault.After + fault.Times)
                    continue;
                Struck++;
                return fault;
            }

            return null;
        }
    }

    private string Passed(HttpHead head, SeenRequest request)
    {
        var kept = head.Headers.Where(h => !h.Key.Equals("Expect", StringComparison.OrdinalIgnoreCase) && !Without.Contains(h.Key, StringComparer.OrdinalIgnoreCase)).ToList();
        if (Signer is { } signer && request["Authorization"] is { } authorization && Without.Any(name => request[name] is not null))
        {
            var names = authorization.Split("SignedHeaders=")[1].Split(',')[0].Split(';');
            var signed = kept.Where(h => names.Contains(h.Key, StringComparer.OrdinalIgnoreCase));
            var anew = SignatureV4.Sign(request.Method, request.Target, signed, request["x-amz-content-sha256"]!, request["x-amz-date"]!, signer.AccessKey, signer.Secret);
            kept = [.. kept.Where(h => !h.Key.Equals("Authorization", StringComparison.OrdinalIgnoreCase)), new("Authorization", anew)];
        }

        return new HttpHead(head.First, kept).ToString();
    }

    private static string Answer(int status, HttpFault fault)
    {
        var body = fault.Code is null ? "" : $"<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{fault.Code}</Code><Message>{fault.Message}</Message></Error>";
        return string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {status} Fault\r\nContent-Type: application/xml\r\n{fault.Header}Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}");
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
