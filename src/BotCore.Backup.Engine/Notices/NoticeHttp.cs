using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Authentication;
using System.Text;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Notices;

/// <summary>
/// Posts a notice to a URL that is a secret: no redirect is followed, and what is told of a failure names the host and nothing else of the URL. What the server cannot take at the moment is tried again, twice, with as long a pause
/// as it asks for, if that is short; all of it ends at the time limit. Thread-safe.
/// </summary>
internal sealed class NoticeHttp(TimeProvider clock, TimeSpan limit)
{
    private const int Attempts = 3;
    private const int MostOfAnswer = 200;
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(500);

    /// <summary>Posts <paramref name="body"/>: what the server answered, cut short.</summary>
    public string Post(NoticeAddress address, string suffix, string body, string mediaType, CancellationToken token)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(token);
        limited.CancelAfter(limit);
        try
        {
            return PostAsync(address, suffix, body, mediaType, limited.Token).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException)
        {
            token.ThrowIfCancellationRequested();
            throw Failed(address, string.Create(CultureInfo.InvariantCulture, $"{address.Host} did not answer within {limit.TotalSeconds:0.#} seconds."), $"See whether this machine reaches {address.Host}.");
        }
    }

    private async Task<string> PostAsync(NoticeAddress address, string suffix, string body, string mediaType, CancellationToken token)
    {
        using var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            // As the environment says, but what stays on this machine goes through nobody.
            UseProxy = !address.IsLoopback,
        };
        using var client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        for (var attempt = 1; ; attempt++)
        {
            var (answer, failure, asked) = await TryAsync(client, address, suffix, body, mediaType, token);
            if (failure is null)
                return answer;
            if (asked is not { } pause || attempt == Attempts || pause > LongestPause)
                throw new BackupException(failure);
            if (pause <= TimeSpan.Zero)
                pause = FirstPause * attempt;
            await Task.Delay(pause, clock, token);
        }
    }

    // A pause where it may be tried again, zero for one of our own choice.
    private async Task<(string Answer, Failure? Failure, TimeSpan? Pause)> TryAsync(HttpClient client, NoticeAddress address, string suffix, string body, string mediaType, CancellationToken token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, address.To(suffix)) { Content = new StringContent(body, Encoding.UTF8, mediaType) };
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("BotCore.Backup", null));
        if (address.Login is { } login)
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", login);
        try
        {
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token);
            if (response.IsSuccessStatusCode)
                return (await ReadAsync(response, token), null, null);
            var status = (int)response.StatusCode;
            return ("", Refused(address, status), status is 429 or >= 500 ? RetryAfter(response) : null);
        }
        catch (HttpRequestException wrong) when (wrong.InnerException is AuthenticationException)
        {
            return ("", new Failure(FailureKind.CertificateRejected, $"The certificate of {address.Host} was not accepted, so the notice was not sent there.", "Make the certificate's authority known to this machine, or correct its clock.", address.Host, wrong), null);
        }
        catch (HttpRequestException wrong)
        {
            return ("", Failed(address, $"{address.Host} could not be reached: {Reason(wrong.HttpRequestError)}.", $"See whether this machine reaches {address.Host}, and whether {address.Key} is right.", wrong).Failure, TimeSpan.Zero);
        }
        catch (IOException wrong)
        {
            return ("", Failed(address, $"{address.Host} broke the connection off.", $"See whether this machine reaches {address.Host}.", wrong).Failure, TimeSpan.Zero);
        }
    }

    private TimeSpan RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date - clock.GetUtcNow(),
        _ => TimeSpan.Zero,
    };

    private static async Task<string> ReadAsync(HttpResponseMessage response, CancellationToken token)
    {
        var stream = await response.Content.ReadAsStreamAsync(token);
        var buffer = new byte[MostOfAnswer];
        var read = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, token);
        return Encoding.UTF8.GetString(buffer, 0, read);
    }

    private static Failure Refused(NoticeAddress address, int status)
    {
        var message = string.Create(CultureInfo.InvariantCulture, $"{address.Host} did not take the notice: it answered {status}.");
        var advice = status switch
        {
            < 400 => $"Redirects are not followed, since the URL is a secret: set {address.Key} to where it leads, such as https in place of http.",
            401 or 403 or 404 or 410 => $"Make a new URL there and set {address.Key}; this one is wrong or no longer valid.",
            429 => "It had too many notices in a short time; nothing need be done if it stays with one.",
            >= 500 => $"{address.Host} has trouble of its own; nothing need be done if it stays with one.",
            _ => $"See whether {address.Key} is the right URL for this channel.",
        };
        return Failed(address, message, advice).Failure;
    }

    private static string Reason(HttpRequestError error) => error switch
    {
        HttpRequestError.NameResolutionError => "its name is not known",
        HttpRequestError.ConnectionError => "it does not accept the connection",
        HttpRequestError.SecureConnectionError => "TLS failed",
        HttpRequestError.ProxyTunnelError => "the proxy does not let it through",
        _ => "the connection broke or was not HTTP",
    };

    private static BackupException Failed(NoticeAddress address, string message, string advice, Exception? cause = null) =>
        new(FailureKind.NoticeFailed, message, advice, address.Host, cause);
}
