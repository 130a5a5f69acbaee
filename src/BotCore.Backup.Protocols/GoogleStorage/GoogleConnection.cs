using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using BotCore.Backup.Protocols.GoogleStorage.Credentials;

namespace BotCore.Backup.Protocols.GoogleStorage;

/// <summary>Sends requests, with a token and a watch on each, and gives what goes wrong its kind. Thread-safe.</summary>
internal sealed class GoogleConnection : IDisposable
{
    private static readonly string[] Quotas = ["rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "dailyLimitExceeded", "RESOURCE_EXHAUSTED"];
    private static readonly string[] Closed = ["accountDisabled", "projectAccountClosed", "projectAccountDelinquent", "UserProjectAccountProblem", "billingDisabled"];
    private static readonly string[] Holds = ["retentionPolicyNotMet", "objectUnderActiveHold"];

    private readonly HttpClient _http;
    private readonly HttpClient _direct;
    private readonly TokenCache _tokens;

    public GoogleConnection(GoogleStorageOptions options)
    {
        (Endpoint, Timeout) = (options.Endpoint, options.Timeout);
        _http = Make(options.Timeout, !options.Endpoint.IsLoopback);
        _direct = Make(options.MetadataTimeout, useProxy: false);
        _tokens = new TokenCache(options, this);
    }

    /// <summary>The server.</summary>
    public Uri Endpoint { get; }

    /// <summary>How long nothing may move.</summary>
    public TimeSpan Timeout { get; }

    /// <summary>Sends a request, once more with a new token where the server does not take the one there is. The answer may be a refusal.</summary>
    /// <param name="make">Makes the request; asked again for the second try.</param>
    /// <param name="token">Cancels.</param>
    public HttpResponseMessage Send(Func<InactivityWatch, HttpRequestMessage> make, CancellationToken token)
    {
        for (var isAgain = false; ; isAgain = true)
        {
            var bearer = _tokens.Get(token);
            var response = SendBare(watch => Authorize(make(watch), bearer), Timeout, isDirect: false, token);
            if (response.StatusCode != HttpStatusCode.Unauthorized || isAgain || !_tokens.Drop(bearer))
                return response;
            response.Dispose();
        }
    }

    /// <summary>Sends a request as it is.</summary>
    public HttpResponseMessage SendBare(Func<InactivityWatch, HttpRequestMessage> make, TimeSpan limit, bool isDirect, CancellationToken token)
    {
        token.ThrowIfCancellationRequested();
        using var watch = new InactivityWatch(limit, token);
        using var request = make(watch);
        try
        {
            return (isDirect ? _direct : _http).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, watch.Token).GetAwaiter().GetResult();
        }
        catch (Exception wrong) when (wrong is HttpRequestException or IOException or OperationCanceledException)
        {
            throw ToFailure(wrong, watch, token, request.RequestUri!.Host);
        }
    }

    /// <summary>Reads the body of an answer, which is never long.</summary>
    public byte[] ReadBody(HttpResponseMessage response, CancellationToken token, int most = ErrorBody.MaximumLength)
    {
        using var body = new MemoryStream();
        using var stream = new GoogleDownload(this, response, 0, token);
        var buffer = new byte[16 * 1024];
        for (int read; (read = stream.Read(buffer)) > 0;)
        {
            body.Write(buffer, 0, read);
            if (body.Length > most)
                throw new GoogleStorageException(GoogleStorageError.Protocol, "An answer of the server is longer than any that the API describes.");
        }

        return body.ToArray();
    }

    /// <summary>What a refusal means; reads its body.</summary>
    public GoogleStorageException Refusal(HttpResponseMessage response, string what, CancellationToken token)
    {
        var said = ErrorBody.Parse(ReadRefusal(response, token));
        if (IsBusy(response.StatusCode, said.Reason))
            return Busy(response, said);
        var error = (response.StatusCode, said.Reason) switch
        {
            (HttpStatusCode.Unauthorized, _) => GoogleStorageError.LoginFailed,
            (HttpStatusCode.Forbidden, { } reason) when Holds.Contains(reason, StringComparer.Ordinal) => GoogleStorageError.Retained,
            (HttpStatusCode.Forbidden, { } reason) when Closed.Contains(reason, StringComparer.Ordinal) => GoogleStorageError.AccountDisabled,
            (HttpStatusCode.Forbidden, _) when said.Message.Contains("billing account", StringComparison.OrdinalIgnoreCase) => GoogleStorageError.AccountDisabled,
            (HttpStatusCode.Forbidden, _) => GoogleStorageError.AccessDenied,
            (HttpStatusCode.NotFound, _) when said.Message.Contains("bucket does not exist", StringComparison.OrdinalIgnoreCase) => GoogleStorageError.BucketNotFound,
            (HttpStatusCode.NotFound, _) => GoogleStorageError.NotFound,
            (HttpStatusCode.PreconditionFailed, _) => GoogleStorageError.PreconditionFailed,
            (HttpStatusCode.RequestedRangeNotSatisfiable, _) => GoogleStorageError.RangeNotSatisfiable,
            (HttpStatusCode.BadRequest, _) when said.Message.Contains("doesn't match calculated", StringComparison.OrdinalIgnoreCase) => GoogleStorageError.ChecksumRejected,
            _ => GoogleStorageError.Refused,
        };
        var reasoned = said.Reason is { } word ? $" {ErrorBody.Redact(word)}" : "";
        return new GoogleStorageException(error, $"{Endpoint.Host} answered {what} with {(int)response.StatusCode}{reasoned}{(said.Message.Length > 0 ? ": " : "")}{said.Message}")
        {
            Status = response.StatusCode,
            Reason = said.Reason,
        };
    }

    /// <summary>Whether a refusal is one that passes by itself.</summary>
    public static bool IsBusy(HttpStatusCode status, string? reason) =>
        status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests || (int)status >= 500
        || (status == HttpStatusCode.Forbidden && reason is not null && Quotas.Contains(reason, StringComparer.Ordinal));

    /// <summary>Such a refusal.</summary>
    public static GoogleStorageException Busy(HttpResponseMessage response, ErrorBody said)
    {
        var after = response.Headers.RetryAfter;
        var wait = after?.Delta ?? (after?.Date is { } at && response.Headers.Date is { } now ? at - now : TimeSpan.Zero);
        return new GoogleStorageException(
            GoogleStorageError.Busy,
            $"{response.RequestMessage?.RequestUri?.Host} answered {(int)response.StatusCode}{(said.Reason is { } reason ? " " + ErrorBody.Redact(reason) : "")}{(said.Message.Length > 0 ? ": " : "")}{said.Message}")
        {
            Status = response.StatusCode,
            Reason = said.Reason,
            RetryAfter = wait > TimeSpan.Zero ? wait : TimeSpan.Zero,
        };
    }

    /// <summary>What an exception of the connection means.</summary>
    public Exception ToFailure(Exception wrong, InactivityWatch watch, CancellationToken token, string? host = null)
    {
        if (token.IsCancellationRequested)
            return new OperationCanceledException(token);
        for (var inner = wrong; inner is not null; inner = inner.InnerException)
        {
            if (inner is GoogleStorageException known)
                return known;
        }

        var server = host ?? Endpoint.Host;
        return watch.HasStalled || wrong is OperationCanceledException
            ? new GoogleStorageException(GoogleStorageError.Unreachable, $"Nothing moved between this machine and {server} for too long.", wrong)
            : new GoogleStorageException(GoogleStorageError.Unreachable, $"The connection to {server} failed: {ErrorBody.Redact(wrong.InnerException?.Message ?? wrong.Message)}", wrong);
    }

    public void Dispose()
    {
        _tokens.Dispose();
        _http.Dispose();
        _direct.Dispose();
    }

    // A refusal whose text is cut off is a refusal all the same.
    private byte[] ReadRefusal(HttpResponseMessage response, CancellationToken token)
    {
        try
        {
            return ReadBody(response, token);
        }
        catch (GoogleStorageException)
        {
            return [];
        }
    }

    private HttpRequestMessage Authorize(HttpRequestMessage request, string? bearer)
    {
        if (bearer is not null)
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + bearer);
        if (_tokens.QuotaProject is { } project)
            request.Headers.TryAddWithoutValidation("x-goog-user-project", project);
        return request;
    }

    private static HttpClient Make(TimeSpan connectTimeout, bool useProxy)
    {
        var handler = new SocketsHttpHandler
        {
            // A 308 is "go on" here, and no redirection.
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = connectTimeout,
            // Whoever stops reading does not want the rest.
            MaxResponseDrainSize = 64 * 1024,
            PooledConnectionLifetime = TimeSpan.FromMinutes(15),
            UseCookies = false,
            UseProxy = useProxy,
            SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = Judge },
        };
        return new HttpClient(handler) { Timeout = System.Threading.Timeout.InfiniteTimeSpan };
    }

    private static bool Judge(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None)
            return true;
        var status = (chain?.ChainStatus ?? []).Aggregate(X509ChainStatusFlags.NoError, (flags, one) => flags | one.Status);
        var host = (sender as SslStream)?.TargetHostName ?? "the server";
        var why = errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable) ? "there is none"
            : status.HasFlag(X509ChainStatusFlags.NotTimeValid) ? "it has expired, or is not valid yet"
            : (status & (X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain)) != X509ChainStatusFlags.NoError ? "its authority is not known to this system"
            : errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) ? "it is for another host"
            : $"its chain is not valid ({status})";
        throw new GoogleStorageException(GoogleStorageError.CertificateRejected, $"The certificate of {host} is not accepted: {why}.");
    }
}
