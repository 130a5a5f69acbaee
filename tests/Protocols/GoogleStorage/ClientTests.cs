using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using BotCore.Backup.Protocols.GoogleStorage;
using BotCore.Backup.TestServers.GoogleStorage;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Protocols.Tests.GoogleStorage;

public sealed class ClientTests : IDisposable
{
    private const string Bucket = "backups";

    private static readonly Dictionary<string, string> NoMetadata = new(StringComparer.Ordinal);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gcs-client-");
    private readonly GoogleStorageServer _server = new GoogleStorageServer { RequiresLogin = false }.AddBucket(Bucket);

    // What the service checks of an upload, asked with parts that are wrong.
    [Fact]
    public void The_rules_of_resumable_uploads_hold()
    {
        using var client = Client();
        var upload = client.StartUpload(Bucket, "a", NoMetadata, 0, default);
        Assert.Equal(new GoogleUploadState(0, null), upload.Query(null, default));
        Assert.Equal(GoogleStorageError.Refused, Fails(() => upload.Send(new byte[1000], 0, null, null, default)).Error);
        Assert.Equal(GoogleStorageError.Refused, Fails(() => upload.Send(new byte[GoogleUpload.Granule], 5, null, null, default)).Error);
        Assert.Equal(GoogleUpload.Granule, upload.Send(new byte[GoogleUpload.Granule], 0, null, null, default).Persisted);
        // The same again, and more: only the new is taken.
        Assert.Equal(2 * GoogleUpload.Granule, upload.Send(new byte[2 * GoogleUpload.Granule], 0, null, null, default).Persisted);
        Assert.Equal(GoogleStorageError.ChecksumRejected, Fails(() => upload.Send(new byte[3], 2 * GoogleUpload.Granule, (2 * GoogleUpload.Granule) + 3, "AAAAAA==", default)).Error);
        Assert.Empty(_server.Names(Bucket));
        var done = upload.Query((2 * GoogleUpload.Granule) + 3, default).Object!;
        Assert.Equal(((2 * GoogleUpload.Granule) + 3, "a"), (done.Size, done.Name));
        Assert.Equal(done.Generation, upload.Query(null, default).Object!.Generation);
        upload.Cancel(default);
        Assert.Equal(["a"], _server.Names(Bucket), StringComparer.Ordinal);
    }

    [Fact]
    public void A_cancelled_upload_is_over()
    {
        using var client = Client();
        var upload = client.StartUpload(Bucket, "a", NoMetadata, 0, default);
        upload.Cancel(default);
        upload.Cancel(default);

        Assert.Equal(GoogleStorageError.SessionGone, Fails(() => upload.Send(new byte[GoogleUpload.Granule], 0, null, null, default)).Error);
        Assert.Equal(GoogleStorageError.SessionGone, Fails(() => upload.Query(null, default)).Error);
    }

    [Fact]
    public void Generations_are_conditions()
    {
        using var client = Client();
        var first = client.Upload(Bucket, "a", new byte[] { 1 }, NoMetadata, 0, default);
        Assert.Equal(GoogleStorageError.PreconditionFailed, Fails(() => client.Upload(Bucket, "a", new byte[] { 2 }, NoMetadata, 0, default)).Error);
        Assert.Equal(GoogleStorageError.PreconditionFailed, Fails(() => client.StartUpload(Bucket, "a", NoMetadata, 0, default)).Error);
        var second = client.Upload(Bucket, "a", new byte[] { 3 }, NoMetadata, first.Generation, default);
        Assert.Equal(GoogleStorageError.PreconditionFailed, Fails(() => client.Delete(Bucket, "a", first.Generation, default)).Error);
        Assert.Equal(GoogleStorageError.NotFound, Fails(() => client.Download(Bucket, "a", 0, first.Generation, default).Dispose()).Error);
        Assert.True(client.Delete(Bucket, "a", second.Generation, default));
        Assert.False(client.Delete(Bucket, "a", null, default));
    }

    [Theory]
    [InlineData(null, "its authority is not known")]
    [InlineData("expired", "not accepted")]
    public void A_certificate_that_is_not_trusted_is_refused_before_anything_is_sent(string? flaw, string why)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var bare = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-2), DateTimeOffset.UtcNow.AddDays(flaw is null ? 1 : -1));
        using var certificate = X509CertificateLoader.LoadPkcs12(bare.Export(X509ContentType.Pfx), null);
        using var server = new GoogleStorageServer(null, certificate);
        using var client = new GoogleStorageClient(new GoogleStorageOptions { Endpoint = server.Endpoint, CredentialsFile = Write(_server.NewKeyFile()), Variable = _ => null });
        var failure = Fails(() => client.Get(Bucket, "a", default));

        Assert.Equal(GoogleStorageError.CertificateRejected, failure.Error);
        Assert.Contains(why, failure.Message, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public void The_metadata_server_gives_the_machines_token()
    {
        using var client = new GoogleStorageClient(new GoogleStorageOptions { Endpoint = new Uri("https://127.0.0.1:1"), Variable = name => name is "GCE_METADATA_HOST" ? $"127.0.0.1:{_server.Port}" : null });

        // Past the login it is the storage that does not answer.
        Assert.Equal(GoogleStorageError.Unreachable, Fails(() => client.Get(Bucket, "a", default)).Error);
        Assert.Single(_server.Tokens);
        Assert.Equal(GoogleStorageError.Unreachable, Fails(() => client.Get(Bucket, "a", default)).Error);
        Assert.Single(_server.Tokens);
        _server.HasMachineAccount = false;
        using var other = new GoogleStorageClient(new GoogleStorageOptions { Endpoint = new Uri("https://127.0.0.1:1"), Variable = name => name is "GCE_METADATA_HOST" ? $"127.0.0.1:{_server.Port}" : null });
        Assert.Equal(GoogleStorageError.CredentialsMissing, Fails(() => other.Get(Bucket, "a", default)).Error);
    }

    [Theory]
    [InlineData(GoogleFaultKind.Stall)]
    [InlineData(GoogleFaultKind.Answer)]
    public void Where_no_metadata_server_answers_there_are_no_credentials(GoogleFaultKind kind)
    {
        _server.Break(new GoogleFault(kind, "GET", "computeMetadata") { Status = 200, Message = "a captive portal" });
        using var client = new GoogleStorageClient(new GoogleStorageOptions
        {
            Endpoint = new Uri("https://127.0.0.1:1"),
            MetadataTimeout = TimeSpan.FromMilliseconds(300),
            Variable = name => name is "GCE_METADATA_HOST" ? $"127.0.0.1:{_server.Port}" : null,
        });

        Assert.Equal(GoogleStorageError.CredentialsMissing, Fails(() => client.Get(Bucket, "a", default)).Error);
    }

    // The order of Google's tools: the variable, the login of gcloud, the machine.
    [Fact]
    public void Credentials_are_looked_for_where_googles_tools_look()
    {
        var home = Directory.CreateDirectory(Path.Combine(_folder.FullName, "home", ".config", "gcloud"));
        var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["HOME"] = Path.Combine(_folder.FullName, "home"), ["GCE_METADATA_HOST"] = $"127.0.0.1:{_server.Port}" };
        AssertAsked("computeMetadata", environment);

        if (!OperatingSystem.IsWindows())
        {
            File.WriteAllText(Path.Combine(home.FullName, "application_default_credentials.json"), _server.NewUserFile());
            AssertAsked("/token", environment);
        }

        environment["CLOUDSDK_CONFIG"] = _folder.FullName;
        File.WriteAllText(Path.Combine(_folder.FullName, "application_default_credentials.json"), "nothing");
        Assert.Contains("application_default_credentials.json", Ask(environment).Message, StringComparison.Ordinal);
        environment["GOOGLE_APPLICATION_CREDENTIALS"] = Path.Combine(_folder.FullName, "named.json");
        Assert.Contains("named.json", Ask(environment).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Credentials_are_not_sent_in_the_clear_to_another_machine()
    {
        using var client = new GoogleStorageClient(new GoogleStorageOptions { Endpoint = new Uri("http://storage.example.com"), CredentialsFile = Write(_server.NewKeyFile()) });

        Assert.Equal(GoogleStorageError.CredentialsInvalid, Fails(() => client.Get(Bucket, "a", default)).Error);
        Assert.Empty(_server.Requests);
    }

    [Fact]
    public void A_stalled_server_is_given_up()
    {
        _server.Break(new GoogleFault(GoogleFaultKind.Stall));
        using var client = Client();

        Assert.Equal(GoogleStorageError.Unreachable, Fails(() => client.Get(Bucket, "a", default)).Error);
    }

    [Fact]
    public void Resources_at_random_are_read_or_refused() => Prop.ForAll<string?, long, string?>((name, size, text) =>
    {
        foreach (var json in new[]
        {
            JsonSerializer.Serialize(new { name, size = $"{size}", generation = text, updated = text, metadata = new { a = text } }), JsonSerializer.Serialize(new { items = new[] { new { name, size } } }), JsonSerializer.Serialize(text),
        })
        {
            using var document = JsonDocument.Parse(json);
            try
            {
                _ = GoogleObject.Parse(document.RootElement);
                _ = GoogleObjectPage.Parse(document.RootElement);
            }
            catch (JsonException)
            {
                // Refused.
            }
        }
    }).QuickCheckThrowOnFailure();

    public void Dispose()
    {
        _server.Dispose();
        _folder.Delete(recursive: true);
    }

    private static GoogleStorageException Fails(Action action) => Assert.Throws<GoogleStorageException>(action);

    private GoogleStorageClient Client() => new(new GoogleStorageOptions { Endpoint = _server.Endpoint, Timeout = TimeSpan.FromSeconds(2), Variable = _ => null });

    private static GoogleStorageException Ask(Dictionary<string, string> environment)
    {
        using var client = new GoogleStorageClient(new GoogleStorageOptions { Endpoint = new Uri("https://127.0.0.1:1"), Variable = environment.GetValueOrDefault });
        return Fails(() => client.Get(Bucket, "a", default));
    }

    private void AssertAsked(string what, Dictionary<string, string> environment)
    {
        Ask(environment);
        Assert.Contains(_server.Requests, request => request.Contains(what, StringComparison.Ordinal) && request.EndsWith(" 200", StringComparison.Ordinal));
    }

    private string Write(string text)
    {
        var path = Path.Combine(_folder.FullName, "key.json");
        File.WriteAllText(path, text);
        return path;
    }
}
