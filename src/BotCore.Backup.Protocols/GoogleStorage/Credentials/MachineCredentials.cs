namespace BotCore.Backup.Protocols.GoogleStorage.Credentials;

/// <summary>The service account of a machine in Google's cloud, which its metadata server gives tokens for.</summary>
internal sealed class MachineCredentials(string host) : GoogleCredentials
{
    /// <summary>Request and answer carry it, so that no other server is taken for one by accident.</summary>
    public const string FlavorHeader = "Metadata-Flavor";

    /// <summary>Its value.</summary>
    public const string Flavor = "Google";

    /// <summary>The host where nothing else is said.</summary>
    public const string DefaultHost = "metadata.google.internal";

    public override string Account => "service account of this machine";

    public override bool IsMachine => true;

    public override HttpRequestMessage Ask(DateTimeOffset now)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, $"http://{host}/computeMetadata/v1/instance/service-accounts/default/token");
        request.Headers.Add(FlavorHeader, Flavor);
        return request;
    }
}
