using System.Globalization;
using System.Net;
using System.Text;

namespace BotCore.Backup.TestServers.GoogleStorage;

/// <summary>The head of a request.</summary>
internal sealed record HttpHead(string Method, string Target, Dictionary<string, string> Headers)
{
    public string Path => Target.Split('?', 2)[0];

    public string? this[string header] => Headers.GetValueOrDefault(header);

    public string? Query(string name)
    {
        foreach (var pair in Target.Split('?', 2).Skip(1).SelectMany(query => query.Split('&')))
        {
            var parts = pair.Split('=', 2);
            if (string.Equals(Uri.UnescapeDataString(parts[0]), name, StringComparison.Ordinal))
                return parts.Length > 1 ? Uri.UnescapeDataString(parts[1].Replace('+', ' ')) : "";
        }

        return null;
    }
}

/// <summary>An answer.</summary>
internal sealed record HttpAnswer(int Status)
{
    public Dictionary<string, string> Headers { get; } = new(StringComparer.OrdinalIgnoreCase);

    public byte[] Body { get; init; } = [];

    /// <summary>Writes a body of <see cref="Length"/> bytes, where it is not in memory.</summary>
    public Func<Stream, Task>? Write { get; init; }

    public long Length { get; init; } = -1;

    public HttpAnswer With(string header, string value)
    {
        Headers[header] = value;
        return this;
    }
}

/// <summary>One connection of an HTTP/1.1 server, with nothing between a test and the bytes.</summary>
internal sealed class HttpPeer(Stream stream)
{
    private const int LongestHead = 64 * 1024;

    private readonly byte[] _buffer = new byte[64 * 1024];
    private int _from;
    private int _to;
    private long _bodyLeft;
    private bool _isChunked;

    /// <summary>The next request; null where the client is done.</summary>
    public async Task<HttpHead?> ReadHeadAsync(CancellationToken token)
    {
        if (await ReadLineAsync(token) is not { Length: > 0 } first)
            return null;
        var parts = first.Split(' ');
        if (parts.Length != 3)
            throw new InvalidDataException($"No request: {first}");
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        while (await ReadLineAsync(token) is { Length: > 0 } line)
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            headers[line[..colon].Trim()] = line[(colon + 1)..].Trim();
        }

        _isChunked = string.Equals(headers.GetValueOrDefault("Transfer-Encoding"), "chunked", StringComparison.OrdinalIgnoreCase);
        _bodyLeft = _isChunked ? 0 : long.Parse(headers.GetValueOrDefault("Content-Length", "0"), CultureInfo.InvariantCulture);
        return new HttpHead(parts[0], parts[1], headers);
    }

    /// <summary>Some bytes of the body; 0 at its end. Throws where the connection ends before.</summary>
    public async Task<int> ReadBodyAsync(Memory<byte> destination, CancellationToken token)
    {
        if (_bodyLeft == 0 && (!_isChunked || !await NextChunkAsync(token)))
            return 0;
        if (_from == _to && !await FillAsync(token))
            throw new EndOfStreamException();
        var count = (int)Math.Min(Math.Min(destination.Length, _to - _from), _bodyLeft);
        _buffer.AsMemory(_from, count).CopyTo(destination);
        _from += count;
        _bodyLeft -= count;
        if (_isChunked && _bodyLeft == 0)
            await ReadLineAsync(token);
        return count;
    }

    /// <summary>The whole body.</summary>
    public async Task<byte[]> ReadBodyAsync(CancellationToken token)
    {
        using var body = new MemoryStream();
        var part = new byte[16 * 1024];
        for (int read; (read = await ReadBodyAsync(part, token)) > 0;)
            body.Write(part, 0, read);
        return body.ToArray();
    }

    public async Task AnswerAsync(HttpAnswer answer, DateTimeOffset now, CancellationToken token)
    {
        var length = answer.Write is null ? answer.Body.Length : answer.Length;
        var head = new StringBuilder(string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {answer.Status} {(HttpStatusCode)answer.Status}\r\nDate: {now:R}\r\nContent-Length: {length}\r\n"));
        foreach (var (name, value) in answer.Headers)
            head.Append(name).Append(": ").Append(value).Append("\r\n");
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head.Append("\r\n").ToString()), token);
        if (answer.Write is null)
            await stream.WriteAsync(answer.Body, token);
        else
            await answer.Write(stream);
        await stream.FlushAsync(token);
    }

    private async Task<bool> NextChunkAsync(CancellationToken token)
    {
        var line = await ReadLineAsync(token) ?? throw new EndOfStreamException();
        _bodyLeft = long.Parse(line.Split(';')[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        if (_bodyLeft > 0)
            return true;
        await ReadLineAsync(token);
        _isChunked = false;
        return false;
    }

    private async Task<string?> ReadLineAsync(CancellationToken token)
    {
        var line = new List<byte>();
        while (true)
        {
            if (_from == _to && !await FillAsync(token))
                return line.Count == 0 ? null : throw new EndOfStreamException();
            var value = _buffer[_from++];
            if (value == '\n')
                return Encoding.UTF8.GetString([.. line]).TrimEnd('\r');
            line.Add(value);
            if (line.Count > LongestHead)
                throw new InvalidDataException("A line that does not end.");
        }
    }

    private async Task<bool> FillAsync(CancellationToken token)
    {
        (_from, _to) = (0, await stream.ReadAsync(_buffer, token));
        return _to > 0;
    }
}
