using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace BotCore.Backup.Engine.Tests.Notices;

/// <summary>What came.</summary>
internal sealed record Posted(string Target, IReadOnlyDictionary<string, string> Headers, string Body);

/// <summary>An HTTP server on loopback that answers as it is told, one request a connection.</summary>
internal sealed class NoticeServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<Posted> _posted = new();
    private readonly ConcurrentQueue<string> _answers;
    private readonly Task _work;

    /// <summary>Listens.</summary>
    /// <param name="answers">The heads of the answers, such as <c>500 Sorry</c>, with headers behind <c>|</c> and a body behind <c>#</c>; after the last one 200. <c>never</c> does not answer, <c>cut</c> breaks off.</param>
    public NoticeServer(params string[] answers)
    {
        _answers = new ConcurrentQueue<string>(answers);
        _listener.Start();
        _work = ServeAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public IReadOnlyList<Posted> Posted => [.. _posted];

    public string Url(string rest) => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Port}{rest}");

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        _work.GetAwaiter().GetResult();
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        var open = new List<Task>();
        try
        {
            while (true)
                open.Add(AnswerAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or InvalidOperationException)
        {
            await Task.WhenAll(open);
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        using var closing = client;
        try
        {
            await using var stream = client.GetStream();
            if (await ReadAsync(stream) is not { } posted)
                return;
            var answer = _answers.TryDequeue(out var told) ? told : "200 OK";
            _posted.Enqueue(posted);
            if (answer is "never")
                await Task.Delay(Timeout.Infinite, _stop.Token);
            if (answer is "cut")
                return;
            var (head, body) = (answer.Split('#')[0], answer.Contains('#', StringComparison.Ordinal) ? answer.Split('#')[1] : "ok");
            var lines = head.Split('|');
            var text = $"HTTP/1.1 {lines[0]}\r\n{string.Concat(lines.Skip(1).Select(line => line + "\r\n"))}Content-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}";
            await stream.WriteAsync(Encoding.UTF8.GetBytes(text), _stop.Token);
        }
        catch (Exception end) when (end is OperationCanceledException or IOException)
        {
            // The other side has gone, or the test is over.
        }
    }

    private async Task<Posted?> ReadAsync(NetworkStream stream)
    {
        var received = new List<byte>();
        var buffer = new byte[8192];
        while (true)
        {
            var text = Encoding.Latin1.GetString([.. received]);
            var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end >= 0)
            {
                var lines = text[..end].Split("\r\n");
                var headers = lines.Skip(1).Select(line => line.Split(':', 2)).ToDictionary(pair => pair[0], pair => pair[1].Trim(), StringComparer.OrdinalIgnoreCase);
                var length = int.Parse(headers.GetValueOrDefault("Content-Length", "0"), CultureInfo.InvariantCulture);
                if (received.Count >= end + 4 + length)
                    return new Posted(lines[0], headers, Encoding.UTF8.GetString([.. received.Skip(end + 4).Take(length)]));
            }

            var read = await stream.ReadAsync(buffer, _stop.Token);
            if (read == 0)
                return null;
            received.AddRange(buffer.AsSpan(0, read));
        }
    }
}
