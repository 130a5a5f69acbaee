using System.ComponentModel;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using System.Text.Json;

namespace BotCore.Backup.Protocols.DockerEngine;

/// <summary>Sends requests, with a watch on each, and gives what goes wrong its kind. Thread-safe.</summary>
internal sealed class EngineConnection : IDisposable
{
    private const int LongestAnswer = 64 << 20;

    private readonly DockerEngineOptions _options;
    private readonly HttpClient _http;
    private readonly Uri _base;

    public EngineConnection(DockerEngineOptions options)
    {
        _options = options;
        (_http, _base) = EngineTransport.Open(options);
    }

    public TimeSpan Timeout => _options.Timeout;

    /// <summary>Sends a request; a refusal is thrown.</summary>
    /// <param name="method">The method.</param>
    /// <param name="path">Path and query, without a leading slash.</param>
    /// <param name="content">Makes the body.</param>
    /// <param name="what">What was asked for, in words.</param>
    /// <param name="token">Cancels.</param>
    /// <param name="patience">Added to how long nothing may move, where the engine is asked to wait.</param>
    public HttpResponseMessage Send(HttpMethod method, string path, Func<InactivityWatch, HttpContent?>? content, string what, CancellationToken token, TimeSpan patience = default)
    {
        token.ThrowIfCancellationRequested();
        using var watch = new InactivityWatch(Timeout + patience, token);
        using var request = new HttpRequestMessage(method, new Uri(_base, path)) { Content = content?.Invoke(watch) };
        HttpResponseMessage response;
        try
        {
            response = _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, watch.Token).GetAwaiter().GetResult();
        }
        catch (Exception wrong) when (IsOfConnection(wrong))
        {
            throw ToFailure(wrong, what, token);
        }

        if ((int)response.StatusCode is >= 200 and < 300 or 304)
            return response;
        using (response)
            throw Refusal(response, what, token);
    }

    /// <summary>Sends, and reads the answer as JSON.</summary>
    public JsonElement SendForJson(HttpMethod method, string path, Func<InactivityWatch, HttpContent?>? content, string what, CancellationToken token)
    {
        using var response = Send(method, path, content, what, token);
        return ParseJson(ReadBody(response, what, token), what);
    }

    public static JsonElement ParseJson(byte[] body, string what)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.Clone();
        }
        catch (JsonException wrong)
        {
            throw new DockerEngineException(DockerEngineError.Protocol, $"The engine's answer to {what} is no JSON.", wrong);
        }
    }

    public byte[] ReadBody(HttpResponseMessage response, string what, CancellationToken token)
    {
        using var body = new MemoryStream();
        using var stream = new EngineStream(this, response, what, token);
        var buffer = new byte[16 * 1024];
        for (int read; (read = stream.Read(buffer)) > 0;)
        {
            body.Write(buffer, 0, read);
            if (body.Length > LongestAnswer)
                throw new DockerEngineException(DockerEngineError.Protocol, $"The engine's answer to {what} does not end.");
        }

        return body.ToArray();
    }

    public static bool IsOfConnection(Exception wrong) =>
        wrong is HttpRequestException or SocketException or IOException or OperationCanceledException or ObjectDisposedException or UnauthorizedAccessException or TimeoutException or Win32Exception;

    /// <summary>What an exception of the connection means.</summary>
    public Exception ToFailure(Exception wrong, string what, CancellationToken token)
    {
        if (token.IsCancellationRequested)
            return new OperationCanceledException(token);
        var where = _options.Endpoint.OriginalString;
        for (var inner = wrong; inner is not null; inner = inner.InnerException)
        {
            switch (inner)
            {
                case DockerEngineException known:
                    return known;
                case AuthenticationException:
                    return new DockerEngineException(DockerEngineError.CertificateRejected, $"No TLS with the engine at {where}: {inner.Message}", wrong);
                case SocketException { SocketErrorCode: SocketError.AccessDenied } or UnauthorizedAccessException:
                    return new DockerEngineException(DockerEngineError.AccessDenied, $"This user may not open {where}.", wrong);
                // A socket file that is missing is "address not available" here.
                case SocketException { SocketErrorCode: SocketError.AddressNotAvailable or SocketError.ConnectionRefused or SocketError.HostNotFound } or FileNotFoundException:
                    return new DockerEngineException(DockerEngineError.NoEngine, $"No engine answers at {where}.", wrong);
                case OperationCanceledException or TimeoutException:
                    return new DockerEngineException(DockerEngineError.Unreachable, $"Nothing moved between this machine and the engine at {where} for too long, while it was asked for {what}.", wrong);
            }
        }

        return new DockerEngineException(DockerEngineError.Unreachable, $"The connection to the engine at {where} broke, while it was asked for {what}: {(wrong.InnerException ?? wrong).Message}", wrong);
    }

    public void Dispose() => _http.Dispose();

    private DockerEngineException Refusal(HttpResponseMessage response, string what, CancellationToken token)
    {
        var said = Said(response, token);
        // podman says with 500 what docker says with 409.
        var notRunning = said.Contains("is not running", StringComparison.OrdinalIgnoreCase) || said.Contains("is restarting", StringComparison.OrdinalIgnoreCase);
        var error = response.StatusCode switch
        {
            _ when said.Contains("client version", StringComparison.OrdinalIgnoreCase) && said.Contains("too", StringComparison.OrdinalIgnoreCase) => DockerEngineError.VersionUnsupported,
            HttpStatusCode.NotFound => DockerEngineError.NotFound,
            _ when notRunning => DockerEngineError.NotRunning,
            HttpStatusCode.Conflict => DockerEngineError.Conflict,
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => DockerEngineError.AccessDenied,
            _ => DockerEngineError.Refused,
        };
        return new DockerEngineException(error, $"The engine answered {what} with {(int)response.StatusCode}{(said.Length > 0 ? ": " : "")}{said}") { Status = response.StatusCode };
    }

    private string Said(HttpResponseMessage response, CancellationToken token)
    {
        byte[] body;
        try
        {
            body = ReadBody(response, "the refusal", token);
        }
        catch (DockerEngineException)
        {
            // A refusal whose text is cut off is a refusal all the same.
            return "";
        }

        string text;
        try
        {
            using var document = JsonDocument.Parse(body);
            text = document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("message", out var message) && message.ValueKind == JsonValueKind.String ? message.GetString()! : "";
        }
        catch (JsonException)
        {
            text = Encoding.UTF8.GetString(body);
        }

        text = new string([.. text.Select(one => char.IsControl(one) ? ' ' : one)]).Trim();
        return text.Length <= 500 ? text : text[..500] + "...";
    }
}
