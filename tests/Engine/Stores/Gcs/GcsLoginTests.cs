using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores.Gcs;
using BotCore.Backup.TestServers.GoogleStorage;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Stores.Gcs;

/// <summary>Every way to log in, and what is said where none leads in.</summary>
public sealed class GcsLoginTests : IDisposable
{
    private readonly GcsPlace _place = new();

    [Fact]
    public void A_key_file_logs_in_once_for_many_requests()
    {
        var store = _place.NewStore();
        Parallel.For(0, 8, number => GcsPlace.Put(store, $"config/{number}", [1]));

        Assert.Single(_place.Server.Tokens);
        Assert.Equal(8, store.List("", default).Count());
    }

    [Fact]
    public void A_login_of_gcloud_is_taken()
    {
        var file = _place.Write("user.json", _place.Server.NewUserFile());
        GcsPlace.Put(_place.NewStore(options => options with { CredentialsFile = file }), "config/a", [1]);

        Assert.Equal(["config/a"], _place.Server.Names(GcsPlace.Bucket), StringComparer.Ordinal);
    }

    [Fact]
    public void An_emulator_is_asked_without_credentials()
    {
        _place.Server.RequiresLogin = false;
        GcsPlace.Put(_place.NewStore(options => options with { CredentialsFile = null }), "config/a", new byte[1 << 20]);

        Assert.Empty(_place.Server.Tokens);
        Assert.Equal(["config/a"], _place.Server.Names(GcsPlace.Bucket), StringComparer.Ordinal);
    }

    [Fact]
    public void A_server_that_wants_a_login_where_none_was_given_says_so() =>
        Assert.Equal(FailureKind.LoginFailed, Find(options => options with { CredentialsFile = null }).Kind);

    // Far more of them than one token lives for: each time the server refuses the old one in the midst of an upload.
    [Fact]
    public void A_token_that_expires_during_an_upload_is_renewed()
    {
        var store = _place.NewStore();
        var content = GcsPlace.Noise(3_000_000);
        using (var writer = store.Create("config/a", default))
        {
            foreach (var part in content.Chunk(600_000))
            {
                _place.Server.ExpireTokens();
                writer.Write(part);
            }

            _place.Server.ExpireTokens();
            writer.Commit();
        }

        Assert.Equal(content, _place.Server.Content(GcsPlace.Bucket, "config/a"));
        Assert.True(_place.Server.Tokens.Count >= 5, $"{_place.Server.Tokens.Count} tokens.");
    }

    [Fact]
    public void A_token_is_renewed_before_its_end()
    {
        var clock = new FixedClock { Now = DateTimeOffset.UtcNow };
        using var place = new GcsPlace(clock);
        var store = place.NewStore(options => options with { Clock = clock });
        store.Find("a", default);
        clock.Now += TimeSpan.FromMinutes(50);
        store.Find("a", default);
        Assert.Single(place.Server.Tokens);
        clock.Now += TimeSpan.FromMinutes(7);
        store.Find("a", default);

        Assert.Equal(2, place.Server.Tokens.Count);
        Assert.DoesNotContain(place.Server.Requests, request => request.EndsWith(" 401", StringComparison.Ordinal));
    }

    [Fact]
    public void A_wrong_key_is_told_once()
    {
        var file = _place.Write("wrong.json", _place.Server.NewKeyFile(isWrong: true));
        var failure = Find(options => options with { CredentialsFile = file });

        Assert.Equal(FailureKind.LoginFailed, failure.Kind);
        Assert.Contains("Invalid JWT Signature", failure.Message, StringComparison.Ordinal);
        Assert.Contains("backup@project.iam.gserviceaccount.com", failure.Message, StringComparison.Ordinal);
        Assert.Single(_place.Server.Requests);
    }

    [Fact]
    public void A_login_that_was_taken_back_is_told()
    {
        var file = _place.Write("user.json", _place.Server.NewUserFile());
        _place.Server.RemoveAccounts();

        Assert.Equal(FailureKind.LoginFailed, Find().Kind);
        var user = Find(options => options with { CredentialsFile = file });
        Assert.Equal(FailureKind.LoginFailed, user.Kind);
        Assert.Contains("gcloud auth application-default login", user.Advice, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("no json at all")]
    [InlineData("[1]")]
    [InlineData("{\"type\": 7}")]
    [InlineData("{\"type\": \"service_account\"}")]
    [InlineData("{\"type\": \"service_account\", \"client_email\": \"a@b\", \"private_key\": \"-----BEGIN PRIVATE KEY-----\\nc2VjcmV0\\n-----END PRIVATE KEY-----\\n\"}")]
    [InlineData("{\"type\": \"service_account\", \"client_email\": \"a@b\", \"private_key\": \"c2VjcmV0\"}")]
    [InlineData("{\"type\": \"service_account\", \"client_email\": \"a@b\", \"private_key\": \"c2VjcmV0\", \"token_uri\": \"http://example.com/token\"}")]
    [InlineData("{\"type\": \"external_account\", \"audience\": \"c2VjcmV0\"}")]
    [InlineData("{\"type\": \"authorized_user\", \"client_id\": \"c\", \"client_secret\": \"c2VjcmV0\"}")]
    public void A_malformed_file_is_told_with_its_path_and_without_its_content(string text)
    {
        var file = _place.Write("bad.json", text);
        var failure = Find(options => options with { CredentialsFile = file });

        Assert.Equal(FailureKind.CredentialsMissing, failure.Kind);
        Assert.Contains(file, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("c2VjcmV0", failure + failure.Cause?.ToString(), StringComparison.Ordinal);
        Assert.Empty(_place.Server.Requests);
    }

    [Fact]
    public void A_file_that_is_not_there_is_told()
    {
        var failure = Find(options => options with { CredentialsFile = Path.Combine(_place.Folder, "none.json") });

        Assert.Equal(FailureKind.CredentialsMissing, failure.Kind);
        Assert.Contains("none.json", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void No_way_to_log_in_is_told_with_all_of_them()
    {
        using var store = new GcsStore(new GcsOptions { Bucket = "b", Endpoint = new Uri("https://127.0.0.1:1"), Retry = GcsPlace.Quick, Variable = name => name is "NO_GCE_CHECK" ? "true" : null });
        var failure = GcsPlace.Fails(() => store.Find("a", default));

        Assert.Equal(FailureKind.CredentialsMissing, failure.Kind);
        foreach (var way in new[] { "GOOGLE_APPLICATION_CREDENTIALS", "gcloud auth application-default login", "service account" })
            Assert.Contains(way, failure.Advice, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(-2)]
    public void A_clock_that_is_wrong_is_told(int hours)
    {
        var failure = Find(options => options with { Clock = new FixedClock { Now = DateTimeOffset.UtcNow.AddHours(hours) } });

        Assert.Equal(FailureKind.ClockSkewed, failure.Kind);
        Assert.Contains(hours > 0 ? "seconds ahead of" : "seconds behind", failure.Message, StringComparison.Ordinal);
        Assert.Single(_place.Server.Requests);
    }

    [Theory]
    [InlineData(403, "forbidden", "backup@project does not have storage.objects.get access", FailureKind.AccessDenied, "roles/storage.objectUser")]
    [InlineData(403, "accountDisabled", "The project to be billed is closed.", FailureKind.AccessDenied, "Billing")]
    [InlineData(403, "forbidden", "The billing account for the owning project is disabled in state absent", FailureKind.AccessDenied, "Billing")]
    [InlineData(403, "retentionPolicyNotMet", "Object is subject to a retention policy", FailureKind.AccessDenied, "retention")]
    [InlineData(401, "authError", "Invalid Credentials", FailureKind.LoginFailed, "key")]
    [InlineData(400, "invalidParameter", "Invalid value", FailureKind.StoreUnreachable, "GCS_ENDPOINT")]
    public void A_refusal_has_its_kind_and_advice_and_is_not_asked_again(int status, string reason, string message, FailureKind kind, string advice)
    {
        _place.Server.Break(new GoogleFault(GoogleFaultKind.Answer, "GET", "/storage/") { Status = status, Reason = reason, Message = message, Times = 1000 });
        var failure = Find();

        Assert.Equal(kind, failure.Kind);
        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
        Assert.Contains(advice, failure.Advice, StringComparison.Ordinal);
        Assert.Equal(status == 401 ? 2 : 1, _place.Server.Struck);
    }

    [Theory]
    [InlineData(429, "rateLimitExceeded")]
    [InlineData(403, "rateLimitExceeded")]
    [InlineData(403, "quotaExceeded")]
    [InlineData(503, "backendError")]
    [InlineData(408, "requestTimeout")]
    public void A_quota_is_waited_for_and_then_told(int status, string reason)
    {
        _place.Server.Break(new GoogleFault(GoogleFaultKind.Answer, "GET", "/storage/") { Status = status, Reason = reason, Times = 1000 });
        var failure = Find();

        Assert.Equal(FailureKind.StoreUnreachable, failure.Kind);
        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
        Assert.Equal(GcsPlace.Quick.Attempts, _place.Server.Struck);
    }

    // Whatever goes wrong: no key, no token, no address of an upload in any text, however deep the cause.
    [Fact]
    public void No_secret_is_in_any_text()
    {
        var texts = new List<string>();
        string[] kinds = ["/token", "uploadType=resumable", "upload_id=", "/o?fields", "/o/config"];
        foreach (var target in kinds)
        {
            foreach (var kind in new[] { GoogleFaultKind.Answer, GoogleFaultKind.Drop, GoogleFaultKind.ForgetSession })
            {
                using var place = new GcsPlace();
                place.Server.Break(new GoogleFault(kind, null, target) { Status = 400, Message = $"Bad assertion eyJhbGciOi.x.y and {place.Server.NewToken()} with upload_id=abcdef0123", Times = 1000 });
                var store = place.NewStore();
                Collect(() => GcsPlace.Put(store, "config/a", new byte[2 << 20]), texts);
                Collect(() => _ = store.List("", default).Count(), texts);
                Collect(() => store.Find("config/a", default), texts);
                Collect(() => GcsPlace.Get(store, "config/a"), texts);
                Assert.DoesNotContain(texts, text => place.Server.Tokens.Any(token => text.Contains(token, StringComparison.Ordinal)));
            }
        }

        Assert.True(texts.Count > 10, $"{texts.Count} failures.");
        foreach (var secret in new[] { "PRIVATE KEY", "ya29.", "eyJ", "abcdef0123", "Bearer" })
            Assert.DoesNotContain(texts, text => text.Contains(secret, StringComparison.Ordinal));
        Assert.DoesNotContain(texts, text => text.Replace("upload_id=\u2026", "", StringComparison.Ordinal).Contains("upload_id=", StringComparison.Ordinal));
    }

    public void Dispose() => _place.Dispose();

    private static void Collect(Action action, List<string> texts)
    {
        try
        {
            action();
        }
        catch (BackupException failed)
        {
            texts.Add(failed + " " + failed.Failure);
        }
    }

    private Failure Find(Func<GcsOptions, GcsOptions>? change = null) => GcsPlace.Fails(() => _place.NewStore(change).Find("config/a", default));
}
