namespace BotCore.Backup.Protocols.MongoDb;

/// <summary>How a login is made.</summary>
public enum MongoMechanism
{
    /// <summary>What the server offers for the user: SCRAM-SHA-256 before SCRAM-SHA-1.</summary>
    Default,

    /// <summary>SCRAM-SHA-1.</summary>
    ScramSha1,

    /// <summary>SCRAM-SHA-256.</summary>
    ScramSha256,

    /// <summary>The TLS client certificate.</summary>
    X509,
}

/// <summary>
/// A connection string, read. Every option of the specification is honoured, or refused by its name; so is an option that no specification has. Five are taken
/// without effect, since nothing here could act on them: heartbeatFrequencyMS and serverMonitoringMode (no server is watched in the background), minPoolSize
/// (connections are made when they are needed), maxConnecting, and uuidRepresentation (documents are raw). Immutable.
/// Source: github.com/mongodb/specifications, connection-string and uri-options.
/// </summary>
public sealed record MongoConnectionString
{
    internal MongoConnectionString()
    {
    }

    /// <summary>The hosts as given. For SRV the one name whose records are looked up.</summary>
    public required IReadOnlyList<MongoHost> Hosts { get; init; }

    /// <summary>Whether the hosts come from DNS (<c>mongodb+srv</c>).</summary>
    public bool IsSrv { get; init; }

    /// <summary>Service of the SRV record.</summary>
    public string SrvServiceName { get; init; } = "mongodb";

    /// <summary>The most hosts taken of the SRV records; 0 for all.</summary>
    public int SrvMaxHosts { get; init; }

    /// <summary>The database; null where none is named.</summary>
    public string? Database { get; init; }

    /// <summary>Who logs in; null for nobody, or for the certificate's own name.</summary>
    public string? UserName { get; init; }

    /// <summary>How a login is made.</summary>
    public MongoMechanism Mechanism { get; init; }

    /// <summary>The database that knows the user; null where the string says nothing: then the database, else <c>admin</c> (<c>$external</c> for X.509).</summary>
    public string? AuthSource { get; init; }

    /// <summary>The replica set that the hosts must be of.</summary>
    public string? ReplicaSet { get; init; }

    /// <summary>Whether the one host is taken as it is.</summary>
    public bool DirectConnection { get; init; }

    /// <summary>Which member is read from.</summary>
    public ReadPreference ReadPreference { get; init; } = new(ReadPreferenceMode.Primary);

    /// <summary>The level of readConcern; null for the server's own.</summary>
    public string? ReadConcernLevel { get; init; }

    /// <summary>The write concern's <c>w</c>: a number or a name; null for the server's own.</summary>
    public string? WriteConcern { get; init; }

    /// <summary>The write concern's <c>j</c>.</summary>
    public bool? Journal { get; init; }

    /// <summary>The write concern's <c>wtimeout</c>.</summary>
    public TimeSpan? WriteTimeout { get; init; }

    /// <summary>Whether safe commands are sent again on a new connection.</summary>
    public bool RetryReads { get; init; } = true;

    /// <summary>Whether writes that the caller calls safe are sent again.</summary>
    public bool RetryWrites { get; init; } = true;

    /// <summary>Name for the server's log.</summary>
    public string? AppName { get; init; }

    /// <summary>Whether zlib is offered.</summary>
    public bool Zlib { get; init; }

    /// <summary>-1 (the default) to 9.</summary>
    public int ZlibLevel { get; init; } = -1;

    /// <summary>Until a connection stands, TLS included; null for ever.</summary>
    public TimeSpan? ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Until bytes come or go; null for ever.</summary>
    public TimeSpan? SocketTimeout { get; init; }

    /// <summary>Until a server is found.</summary>
    public TimeSpan ServerSelectionTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether the hosts are asked once only.</summary>
    public bool SelectOnce { get; init; }

    /// <summary>How much slower than the nearest a server may be.</summary>
    public TimeSpan LocalThreshold { get; init; } = TimeSpan.FromMilliseconds(15);

    /// <summary>The most connections at a time; 0 for as many as asked for.</summary>
    public int MaxPoolSize { get; init; } = 100;

    /// <summary>A connection that was not used for longer is not used again; null for ever.</summary>
    public TimeSpan? MaxIdle { get; init; }

    /// <summary>How long one waits for a free connection; null for ever.</summary>
    public TimeSpan? WaitQueueTimeout { get; init; }

    /// <summary>Whether TLS is spoken.</summary>
    public bool Tls { get; init; }

    /// <summary>PEM file of the authorities that are trusted instead of the system's.</summary>
    public string? TlsCaFile { get; init; }

    /// <summary>PEM file of the client's certificate and key.</summary>
    public string? TlsCertificateKeyFile { get; init; }

    /// <summary>Whether any certificate is taken.</summary>
    public bool TlsAllowInvalidCertificates { get; init; }

    /// <summary>Whether a certificate of another name is taken.</summary>
    public bool TlsAllowInvalidHostnames { get; init; }

    /// <summary>The string without secrets.</summary>
    public required string Redacted { get; init; }

    internal string? Password { get; init; }

    internal string? TlsCertificateKeyFilePassword { get; init; }

    /// <summary>The names of the options that were given, so that SRV's TXT records yield to them.</summary>
    internal IReadOnlySet<string> Given { get; init; } = new HashSet<string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether somebody logs in.</summary>
    internal bool HasLogin => UserName is not null || Mechanism == MongoMechanism.X509;

    internal string LoginDatabase => Mechanism == MongoMechanism.X509 ? "$external" : AuthSource ?? Database ?? "admin";

    /// <summary>Reads one. Throws <see cref="MongoException"/> (InvalidConnectionString), which names the option and never shows the password.</summary>
    public static MongoConnectionString Parse(string text) => ConnectionStringParser.Parse(text);

    /// <summary>The string without secrets.</summary>
    public override string ToString() => Redacted;
}
