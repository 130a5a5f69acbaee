using Amazon.Runtime;
using Amazon.Runtime.CredentialManagement;
using Amazon.Runtime.Credentials;
using Amazon.S3;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores.S3;

namespace BotCore.Backup.Adapters.AmazonS3;

/// <summary>Finds credentials as the AWS tools find them. Amazon's texts stay out of failures where they could quote a file.</summary>
internal static class S3Credentials
{
    private const string Advice =
        "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile in ~/.aws/credentials, or run on a machine that has a role for the bucket.";

    // A machine without a metadata service may swallow the question.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Credentials that were to be had once. Throws CredentialsMissing.</summary>
    public static AWSCredentials Find(S3StoreOptions options, string location, CancellationToken token)
    {
        try
        {
            var credentials = options.Profile is { } profile ? OfProfile(profile, location) : Wait(() => new DefaultAWSCredentialsIdentityResolver().ResolveIdentityAsync(new AmazonS3Config(), token), token);
            var found = Wait(credentials.GetCredentialsAsync, token);
            return string.IsNullOrEmpty(found.AccessKey) || string.IsNullOrEmpty(found.SecretKey) ? throw Missing(location, "They are empty.", Advice) : credentials;
        }
        catch (TimeoutException late)
        {
            throw Missing(location, "Neither settings nor the machine's metadata service gave any in time.", Advice, late);
        }
        catch (Exception wrong) when (wrong is AmazonClientException or AmazonServiceException or ArgumentException or InvalidOperationException or IOException or UnauthorizedAccessException or HttpRequestException)
        {
            throw Missing(location, Reason(options, wrong), AdviceFor(options, wrong), wrong);
        }
    }

    /// <summary>Whether a failure of a request is one of its credentials: a role that can no longer be taken, a token that cannot be made new.</summary>
    public static bool IsMissing(AmazonClientException wrong) => wrong.Message.Contains("redential", StringComparison.Ordinal) || wrong.Message.Contains("AWSSDK.", StringComparison.Ordinal);

    public static BackupException Missing(string location, string reason, string? advice = null, Exception? cause = null) =>
        new(FailureKind.CredentialsMissing, $"There are no credentials for {location}. {reason}", advice ?? Advice, location, cause);

    private static AWSCredentials OfProfile(string profile, string location)
    {
        var chain = new CredentialProfileStoreChain();
        if (chain.TryGetAWSCredentials(profile, out var credentials))
            return credentials;
        throw chain.TryGetProfile(profile, out _)
            ? Missing(location, $"The profile '{profile}' holds none that can be used.", "Give it a key and a secret, a role or a credential_process.")
            : Missing(location, $"There is no profile '{profile}'.", "Name one of ~/.aws/credentials or ~/.aws/config, or none; AWS_SHARED_CREDENTIALS_FILE says where else to look.");
    }

    private static T Wait<T>(Func<Task<T>> ask, CancellationToken token) => Task.Run(ask, token).WaitAsync(Patience, token).GetAwaiter().GetResult();

    private static string Reason(S3StoreOptions options, Exception wrong) => wrong switch
    {
        _ when wrong.Message.Contains("AWSSDK.SSO", StringComparison.Ordinal) => "The profile signs in through SSO, which this module does not speak.",
        _ when options.Profile is { } profile => $"The profile '{profile}' gave none.",
        _ when IsSet("AWS_ACCESS_KEY_ID") != IsSet("AWS_SECRET_ACCESS_KEY") => "Of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY one is set and the other is not.",
        _ when IsSet("AWS_WEB_IDENTITY_TOKEN_FILE") => "The web identity of AWS_WEB_IDENTITY_TOKEN_FILE gave none.",
        _ when IsSet("AWS_PROFILE") => "The profile that AWS_PROFILE names gave none.",
        _ => "Neither the environment, nor a profile, nor the machine's role gives any.",
    };

    private static string AdviceFor(S3StoreOptions options, Exception wrong) => wrong switch
    {
        _ when wrong.Message.Contains("AWSSDK.SSO", StringComparison.Ordinal) =>
            "Sign in with the aws tool and set credential_process = aws configure export-credentials --profile NAME in a profile of its own.",
        _ when options.Profile is not null || IsSet("AWS_PROFILE") => "Look at the profile in ~/.aws/credentials and ~/.aws/config.",
        _ when IsSet("AWS_ACCESS_KEY_ID") != IsSet("AWS_SECRET_ACCESS_KEY") => "Set both, or none to use a profile or the machine's role.",
        _ when IsSet("AWS_WEB_IDENTITY_TOKEN_FILE") => "Look at that file, and at AWS_ROLE_ARN and who may take that role.",
        _ => Advice,
    };

    private static bool IsSet(string variable) => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(variable));
}
