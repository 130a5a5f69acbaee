namespace BotCore.Backup.Protocols.DockerEngine;

/// <summary>Where an engine is, and how it is spoken to.</summary>
/// <param name="Endpoint">DOCKER_HOST: <c>unix:///path</c>, <c>npipe:////./pipe/name</c>, <c>tcp://host:port</c>, http or https.</param>
public sealed record DockerEngineOptions(Uri Endpoint)
{
    /// <summary>Whether tcp is TLS, as DOCKER_TLS_VERIFY says.</summary>
    public bool UseTls { get; init; }

    /// <summary>DOCKER_CERT_PATH: the folder of ca.pem, cert.pem and key.pem, each where it is needed; null for the authorities of this system and no certificate of our own.</summary>
    public string? CertificateFolder { get; init; }

    /// <summary>How long nothing may move.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Whether the engine is reached through a socket or pipe of this machine.</summary>
    public bool IsLocal => Endpoint.Scheme is "unix" or "npipe";
}
