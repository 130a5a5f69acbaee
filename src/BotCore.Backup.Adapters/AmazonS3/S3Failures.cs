using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Text.RegularExpressions;
using Amazon.Runtime;
using Amazon.Runtime.Internal;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores.S3;

namespace BotCore.Backup.Adapters.AmazonS3;

/// <summary>Gives what goes wrong its kind. StoreUnreachable is what passes by itself, and is tried again.</summary>
internal sealed partial class S3Failures(S3StoreOptions options, string location, S3HttpClients clients)
{
    /// <summary>A condition that did not hold: the key is taken.</summary>
    public static bool IsPrecondition(BackupException wrong) => wrong.Failure.Cause is AmazonServiceException { StatusCode: HttpStatusCode.PreconditionFailed };

    /// <summary>Whether the server answered with this code.</summary>
    public static bool Is(BackupException wrong, string code) => wrong.Failure.Cause is AmazonServiceException service && string.Equals(service.ErrorCode, code, StringComparison.Ordinal);

    /// <summary>The failure of a request for <paramref name="key"/>; null for what is no failure of a request.</summary>
    public BackupException? Of(Exception wrong, string key) => wrong switch
    {
        AmazonServiceException service => OfAnswer(service, key),
        AmazonClientException credentials when S3Credentials.IsMissing(credentials) => S3Credentials.Missing(location, "The SDK could not make any new.", null, credentials),
        AmazonClientException or OperationCanceledException or IOException or HttpRequestException or ObjectDisposedException => OfTheWay(wrong, key),
        _ => null,
    };

    private string Where => options.Endpoint is { } endpoint ? $"{location} on {endpoint.Host}:{endpoint.Port.ToString(CultureInfo.InvariantCulture)}" : location;

    private BackupException OfTheWay(Exception wrong, string key)
    {
        for (var inner = wrong; inner is not null; inner = inner.InnerException)
        {
            if (inner is AuthenticationException)
                return OfCertificate(wrong);
        }

        var reason = wrong is OperationCanceledException ? $"it showed no sign of life for {options.InactivityTimeout.TotalSeconds:0.#} s" : wrong.Message.TrimEnd('.');
        return new BackupException(
            FailureKind.StoreUnreachable, $"The store {Where} cannot be reached for '{key}': {reason}.", "Look at the network, at AWS_REGION and at S3_ENDPOINT, and run again.", location, wrong);
    }

    private BackupException OfCertificate(Exception wrong) => clients.CertificateErrors switch
    {
        SslPolicyErrors.None => new(
            FailureKind.CertificateRejected, $"No secure connection with {Where} came about: {wrong.GetBaseException().Message.TrimEnd('.')}.",
            "If the server speaks no TLS, write http:// in S3_ENDPOINT; otherwise look at its TLS settings.", location, wrong),
        var errors => new(
            FailureKind.CertificateRejected, $"The certificate of {Where} is not trusted ({errors}).",
            "Correct the name in S3_ENDPOINT, or make the server's authority known to the system (on Linux also by SSL_CERT_FILE).", location, wrong),
    };

    private BackupException OfAnswer(AmazonServiceException wrong, string key)
    {
        var code = wrong.ErrorCode ?? "";
        BackupException Failure(FailureKind kind, string message, string advice) => new(kind, message, advice, kind == FailureKind.BackupNotFound ? key : location, wrong);
        switch (code)
        {
            case "NoSuchKey":
                return Failure(FailureKind.BackupNotFound, $"There is no '{key}' in {location}.", "List what there is with Get-BotBackup.");
            case "NoSuchUpload":
                return Failure(FailureKind.Locked, $"Another run, or a rule of the bucket, ended the upload of '{key}' to {location}.", "Let one run at a time write there, and let rules spare uploads of less than a day.");
            case "NoSuchBucket":
                return Failure(FailureKind.BucketMissing, $"The bucket '{options.Bucket}' does not exist at {Where}.", "Make it, or correct S3_BACKUP_BUCKET, AWS_REGION or S3_ENDPOINT.");
            case "InvalidAccessKeyId" or "SignatureDoesNotMatch" or "AuthFailure" or "InvalidClientTokenId" or "UnrecognizedClientException":
                return Failure(FailureKind.LoginFailed, $"The server of {Where} does not know this access key, or its secret is another one ({code}).", "Correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile.");
            case "ExpiredToken" or "ExpiredTokenException" or "TokenRefreshRequired" or "InvalidToken":
                return Failure(FailureKind.LoginFailed, $"The session token for {Where} is no longer good ({code}).", "Sign in again for a new AWS_SESSION_TOKEN, or use a role that makes its tokens new by itself.");
            case "RequestTimeTooSkewed" or "RequestExpired":
                return Failure(FailureKind.ClockSkewed, $"The clock of this machine is too far from that of {Where}: {DateTime.UtcNow:HH:mm:ss} UTC here, {clients.ServerNow:HH:mm:ss} there.", "Set the clock, best by NTP, and run again.");
            case "QuotaExceeded" or "XMinioStorageFull" or "XMinioAdminBucketQuotaExceeded" or "InsufficientStorage" or "StorageFull":
                return Failure(FailureKind.StoreFull, $"The quota of {Where} is used up ({code}); '{key}' was not kept.", "Raise the quota or remove backups, and run again.");
            case "EntityTooLarge":
                return Failure(FailureKind.StoreFull, $"'{key}' is larger than {Where} takes.", "Split what is backed up into smaller backups.");
            case "BadDigest" or "InvalidDigest" or "XAmzContentSHA256Mismatch" or "XAmzContentChecksumMismatch":
                return Failure(FailureKind.ChecksumMismatch, $"What arrived of '{key}' at {Where} is not what was sent ({code}).", "Something on the way changes bytes: look at the network and at proxies, and run again.");
            case "PermanentRedirect" or "AuthorizationHeaderMalformed" or "IllegalLocationConstraintException":
                return OfRegion(wrong);
            case "PreconditionFailed":
                return Failure(FailureKind.DestinationNotEmpty, $"There is a '{key}' in {location} already.", "Nothing is ever overwritten: remove it first, or run again for another name.");
            case "InvalidObjectState":
                return Failure(FailureKind.AccessDenied, $"'{key}' in {location} lies in an archive class and cannot be read as it is.", "Restore it from the archive in the console of S3 first, and run again.");
            case "NotImplemented":
                return Failure(FailureKind.ServerUnsupported, $"The server of {Where} does not know what it was asked for with '{key}'.", "Use a server that speaks S3 more fully.");
            case "AccessDenied" or "AllAccessDisabled" or "AccountProblem" or "InvalidPayer" or "NotSignedUp":
                return Denied(key, wrong);
        }

        return OfStatus(wrong, code, key);
    }

    private BackupException OfStatus(AmazonServiceException wrong, string code, string key) => wrong.StatusCode switch
    {
        // An answer to HEAD has no code.
        HttpStatusCode.NotFound => new(FailureKind.BackupNotFound, $"There is no '{key}' in {location}.", "List what there is with Get-BotBackup.", key, wrong),
        HttpStatusCode.MovedPermanently => OfRegion(wrong),
        HttpStatusCode.PreconditionFailed => new(
            FailureKind.DestinationNotEmpty, $"There is a '{key}' in {location} already.", "Nothing is ever overwritten: remove it first, or run again for another name.", location, wrong),
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => Denied(key, wrong),
        HttpStatusCode.InsufficientStorage => new(FailureKind.StoreFull, $"The store {Where} is full; '{key}' was not kept.", "Free space there, and run again.", location, wrong),
        // Without a code of S3, or with one that no request of ours deserves, it answered to something else: the rest of a body before it, on the same connection. And the request's time is the connection's.
        HttpStatusCode.BadRequest when code is not ("" or "BadRequest" or "RequestTimeout" or "IncompleteBody") => new(
            FailureKind.ConfigurationInvalid, $"The server of {Where} refused '{key}': {code}{(wrong.Message.Length == 0 ? "" : ", " + wrong.Message.TrimEnd('.'))}.",
            "Look at the storage class, the encryption, the object lock and the bucket's name in the settings.", location, wrong),
        _ => new(
            FailureKind.StoreUnreachable, $"The store {Where} failed at '{key}': {(code.Length == 0 ? "no reason given" : code)} ({(int)wrong.StatusCode}).",
            "Wait a while and run again; if it stays so, look at the server's own log.", location, wrong),
    };

    private BackupException Denied(string key, Exception wrong) => new(
        FailureKind.AccessDenied, $"The server of {Where} refused access to '{key}'.",
        "Allow this access key s3:ListBucket, GetObject, PutObject, DeleteObject, AbortMultipartUpload and ListBucketMultipartUploads there (and PutObjectRetention for locks).", location, wrong);

    private BackupException OfRegion(AmazonServiceException wrong)
    {
        var region = RegionOf(wrong);
        return new BackupException(
            FailureKind.ConfigurationInvalid, $"The bucket '{options.Bucket}' is not in the region '{options.Region}'{(region is null ? "" : $" but in '{region}'")}.",
            region is null ? "Set AWS_REGION to the bucket's region." : $"Set AWS_REGION to {region}.", location, wrong);
    }

    private static string? RegionOf(AmazonServiceException wrong)
    {
        if ((wrong.InnerException as HttpErrorResponseException)?.Response?.GetHeaderValue("x-amz-bucket-region") is { Length: > 0 } named)
            return named;
        return Expecting().Match(wrong.Message) is { Success: true } expected ? expected.Groups["name"].Value : null;
    }

    [GeneratedRegex("expecting '(?<name>[a-z0-9-]+)'", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Expecting();
}
