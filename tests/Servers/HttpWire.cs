using System.Globalization;
using System.Text;

namespace BotCore.Backup.TestServers;

/// <summary>The first line of a message and its headers.</summary>
internal sealed class HttpHead(string first, IEnumerable<KeyValuePair<string, string>> headers)
{
    private readonly List<KeyValuePair<string, string>> _headers = [.. headers];

    public string First => first;

    public IReadOnlyList<KeyValuePair<string, string>> Headers => _headers;

    public bool IsChunked => this["Transfer-Encoding"] is { } coding && coding.Contains("chunked", StringComparison.OrdinalIgnoreCase);

    public string? this[string name] => _headers.Find(h => h.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;

    public void Set(string name, string value)
    {
        _headers.RemoveAll(h => h.Key.Equals(name, StringComparison.OrdinalIgnoreCase));
        _headers.Add(new(name, value));
    }

    public override string ToString() => $"{First}\r\n{string.Concat(_headers.Select(h => $"{h.Key}: {h.Value}\r\n"))}\r\n";
}

/// <summary>One side of a connection that speaks HTTP/1.1.</summary>
internal sealed class HttpWire(Stream stream, CancellationToken stop)
{
    private readonly byte[] _buffer = new byte[64 * 1024];
    private int _from;
    private int _to;

    public Task WriteAsync(string text) => stream.WriteAsync(Encoding.Latin1.GetBytes(text), stop).AsTask();

    /// <summary>The next head; null where the other side has gone.</summary>
    public async Task<HttpHead?> ReadHeadAsync()
    {
        var lines = new List<string>();
        while (await ReadLineAsync() is { } line)
        {
            if (line.Length > 0)
                lines.Add(line);
            else if (lines.Count > 0)
                return new HttpHead(lines[0], lines.Skip(1).Select(one => one.Split(':', 2)).Select(pair => new KeyValuePair<string, string>(pair[0], pair[1].Trim())));
        }

        return null;
    }

    public Task SkipBodyAsync(HttpHead head) => MoveBodyAsync(head, null, hasBody: true, long.MaxValue);

    /// <summary>Moves the body that follows <paramref name="head"/>; breaks or stands still after so many bytes.</summary>
    public async Task MoveBodyAsync(HttpHead head, HttpWire? other, bool hasBody, long cutAfter, long stallAfter = long.MaxValue)
    {
        if (!hasBody)
            return;
        var limit = new Limit(cutAfter, stallAfter);
        if (!head.IsChunked)
        {
            await MoveAsync(long.Parse(head["Content-Length"] ?? "0", CultureInfo.InvariantCulture), other, limit);
            return;
        }

        while (true)
        {
            var line = await ReadLineAsync() ?? throw new IOException("Gone.");
            if (other is not null)
                await other.WriteAsync(line + "\r\n");
            var size = long.Parse(line.Split(';')[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            await MoveAsync(size + 2, other, limit);
            if (size == 0)
                return;
        }
    }

    private async Task MoveAsync(long count, HttpWire? other, Limit limit)
    {
        while (count > 0)
        {
            if (_from == _to && !await FillAsync())
                throw new IOException("Gone.");
            var take = (int)Math.Min(Math.Min(count, _to - _from), Math.Min(limit.Cut, limit.Stall));
            if (other is not null)
                await other.WriteRawAsync(_buffer.AsMemory(_from, take));
            (_from, count) = (_from + take, count - take);
            (limit.Cut, limit.Stall) = (limit.Cut - take, limit.Stall - take);
            if (limit.Cut == 0)
                throw new IOException("Cut.");
            if (limit.Stall == 0)
                await Task.Delay(Timeout.Infinite, stop);
        }
    }

    private Task WriteRawAsync(ReadOnlyMemory<byte> bytes) => stream.WriteAsync(bytes, stop).AsTask();

    private async Task<string?> ReadLineAsync()
    {
        var line = new StringBuilder();
        while (true)
        {
            if (_from == _to && !await FillAsync())
                return null;
            var one = (char)_buffer[_from++];
            if (one == '\n')
                return line.ToString();
            if (one != '\r')
                line.Append(one);
        }
    }

    private async Task<bool> FillAsync()
    {
        (_from, _to) = (0, await stream.ReadAsync(_buffer, stop));
        return _to > 0;
    }

    private sealed class Limit(long cut, long stall)
    {
        public long Cut { get; set; } = cut;

        public long Stall { get; set; } = stall;
    }
}
