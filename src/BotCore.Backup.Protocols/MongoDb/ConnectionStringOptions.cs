using System.Globalization;

namespace BotCore.Backup.Protocols.MongoDb;

/// <summary>What each option of a connection string does, and which cannot stand together.</summary>
internal static class ConnectionStringOptions
{
    private delegate MongoConnectionString Setter(MongoConnectionString to, string name, string value);

    // Options that cannot be honoured, with the reason that the error gives.
    private static readonly Dictionary<string, string> Refused = new(StringComparer.OrdinalIgnoreCase)
    {
        ["authMechanismProperties"] = "none of the mechanisms spoken here has properties",
        ["gssapiServiceName"] = "GSSAPI is not spoken here",
        ["proxyHost"] = "proxies are not spoken to",
        ["proxyPort"] = "proxies are not spoken to",
        ["proxyUsername"] = "proxies are not spoken to",
        ["proxyPassword"] = "proxies are not spoken to",
        ["timeoutMS"] = "there is no limit for a whole operation; use socketTimeoutMS",
        ["waitQueueMultiple"] = "it is deprecated; use waitQueueTimeoutMS",
        ["slaveOk"] = "it is deprecated; use readPreference",
        ["fsync"] = "it is deprecated; use journal",
    };

    private static readonly Dictionary<string, Setter> Setters = new(StringComparer.OrdinalIgnoreCase)
    {
        ["appName"] = (to, name, value) => System.Text.Encoding.UTF8.GetByteCount(value) <= 128 ? to with { AppName = value } : throw Wrong(name, "at most 128 bytes"),
        ["authMechanism"] = (to, name, value) => to with { Mechanism = Mechanism(name, value) },
        ["authSource"] = (to, _, value) => to with { AuthSource = value },
        ["compressors"] = Compressors,
        ["connectTimeoutMS"] = (to, name, value) => to with { ConnectTimeout = Limit(name, value) },
        ["directConnection"] = (to, name, value) => to with { DirectConnection = Truth(name, value) },
        ["heartbeatFrequencyMS"] = (to, name, value) => Checked(to, name, value, 500),
        ["journal"] = (to, name, value) => to with { Journal = Truth(name, value) },
        ["loadBalanced"] = (to, name, value) => Truth(name, value) ? throw Unsupported(name, "clusters behind a load balancer are not supported") : to,
        ["localThresholdMS"] = (to, name, value) => to with { LocalThreshold = TimeSpan.FromMilliseconds(Number(name, value, 0)) },
        ["maxConnecting"] = (to, name, value) => Checked(to, name, value, 1),
        ["maxIdleTimeMS"] = (to, name, value) => to with { MaxIdle = Limit(name, value) },
        ["maxPoolSize"] = (to, name, value) => to with { MaxPoolSize = Number(name, value, 0) },
        ["maxStalenessSeconds"] = MaxStaleness,
        ["minPoolSize"] = (to, name, value) => Checked(to, name, value, 0),
        ["readConcernLevel"] = (to, name, value) => value is "local" or "majority" or "available" or "linearizable" or "snapshot"
            ? to with { ReadConcernLevel = value } : throw Wrong(name, "local, majority, available, linearizable or snapshot"),
        ["readPreference"] = (to, name, value) => to with { ReadPreference = to.ReadPreference with { Mode = Mode(name, value) } },
        ["readPreferenceTags"] = Tags,
        ["replicaSet"] = (to, _, value) => to with { ReplicaSet = value },
        ["retryReads"] = (to, name, value) => to with { RetryReads = Truth(name, value) },
        ["retryWrites"] = (to, name, value) => to with { RetryWrites = Truth(name, value) },
        ["serverMonitoringMode"] = (to, name, value) => value is "stream" or "poll" or "auto" ? to : throw Wrong(name, "stream, poll or auto"),
        ["serverSelectionTimeoutMS"] = (to, name, value) => to with { ServerSelectionTimeout = TimeSpan.FromMilliseconds(Number(name, value, 1)) },
        ["serverSelectionTryOnce"] = (to, name, value) => to with { SelectOnce = Truth(name, value) },
        ["socketTimeoutMS"] = (to, name, value) => to with { SocketTimeout = Limit(name, value) },
        ["srvMaxHosts"] = (to, name, value) => to with { SrvMaxHosts = Number(name, value, 0) },
        ["srvServiceName"] = (to, name, value) => value.Length <= 62 && value.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '-')
            ? to with { SrvServiceName = value } : throw Wrong(name, "letters, digits and hyphens"),
        ["ssl"] = (to, name, value) => to with { Tls = Truth(name, value) },
        ["tls"] = (to, name, value) => to with { Tls = Truth(name, value) },
        ["tlsAllowInvalidCertificates"] = (to, name, value) => to with { TlsAllowInvalidCertificates = Truth(name, value) },
        ["tlsAllowInvalidHostnames"] = (to, name, value) => to with { TlsAllowInvalidHostnames = Truth(name, value) },
        ["tlsCAFile"] = (to, _, value) => to with { TlsCaFile = value },
        ["tlsCertificateKeyFile"] = (to, _, value) => to with { TlsCertificateKeyFile = value },
        ["tlsCertificateKeyFilePassword"] = (to, _, value) => to with { TlsCertificateKeyFilePassword = value },
        ["tlsDisableCertificateRevocationCheck"] = NoRevocation,
        ["tlsDisableOCSPEndpointCheck"] = NoRevocation,
        ["tlsInsecure"] = (to, name, value) => Truth(name, value) ? to with { TlsAllowInvalidCertificates = true, TlsAllowInvalidHostnames = true } : to,
        ["uuidRepresentation"] = (to, _, _) => to,
        ["w"] = (to, name, value) => value is "0" || value.StartsWith('-') ? throw Unsupported(name, "writes are always acknowledged") : to with { WriteConcern = value },
        ["waitQueueTimeoutMS"] = (to, name, value) => to with { WaitQueueTimeout = Limit(name, value) },
        ["wTimeoutMS"] = (to, name, value) => to with { WriteTimeout = Limit(name, value) },
        ["zlibCompressionLevel"] = (to, name, value) => Number(name, value, -1) is var level && level <= 9 ? to with { ZlibLevel = level } : throw Wrong(name, "-1 to 9"),
    };

    public static bool IsKnown(string name) => Setters.ContainsKey(name);

    public static MongoConnectionString Apply(MongoConnectionString to, string name, string value)
    {
        if (Setters.TryGetValue(name, out var setter))
            return setter(to, name, value);
        throw Refused.TryGetValue(name, out var reason) ? Unsupported(name, reason) : ConnectionStringParser.Invalid($"the option {name} is not known");
    }

    /// <summary>What options mean together.</summary>
    public static MongoConnectionString Check(MongoConnectionString parsed)
    {
        var given = parsed.Given;
        if (given.Contains("tlsInsecure") && (given.Contains("tlsAllowInvalidCertificates") || given.Contains("tlsAllowInvalidHostnames")))
            throw Together("tlsInsecure", "tlsAllowInvalidCertificates or tlsAllowInvalidHostnames");
        if (given.Contains("tlsDisableOCSPEndpointCheck")
            && (given.Contains("tlsInsecure") || given.Contains("tlsAllowInvalidCertificates") || given.Contains("tlsDisableCertificateRevocationCheck")))
            throw Together("tlsDisableOCSPEndpointCheck", "tlsInsecure, tlsAllowInvalidCertificates or tlsDisableCertificateRevocationCheck");
        // Who names certificates wants TLS, and must not get a plain connection for want of one more word.
        if (!given.Contains("tls") && !given.Contains("ssl") && given.Any(name => name.StartsWith("tls", StringComparison.OrdinalIgnoreCase)))
            parsed = parsed with { Tls = true };
        if (parsed.DirectConnection && (parsed.IsSrv || parsed.Hosts.Count > 1))
            throw Together("directConnection", parsed.IsSrv ? "mongodb+srv" : "several hosts");
        if (!parsed.IsSrv && (given.Contains("srvMaxHosts") || given.Contains("srvServiceName")))
            throw ConnectionStringParser.Invalid("the options srvMaxHosts and srvServiceName are for mongodb+srv");
        if (parsed.SrvMaxHosts > 0 && parsed.ReplicaSet is not null)
            throw Together("srvMaxHosts", "replicaSet");
        CheckReadPreference(parsed);
        return CheckLogin(parsed);
    }

    /// <summary>tls and ssl are two names of one option and are compared by what they say.</summary>
    public static void CheckTls(IEnumerable<(string Name, string Value)> options)
    {
        var said = options.Where(option => option.Name.Equals("tls", StringComparison.OrdinalIgnoreCase) || option.Name.Equals("ssl", StringComparison.OrdinalIgnoreCase))
            .Select(option => Truth(option.Name, option.Value)).Distinct();
        if (said.Count() > 1)
            throw ConnectionStringParser.Invalid("the options tls and ssl say different things");
    }

    private static void CheckReadPreference(MongoConnectionString parsed)
    {
        if (parsed.ReadPreference.Mode != ReadPreferenceMode.Primary)
            return;
        if (parsed.ReadPreference.Tags.Count > 0)
            throw Together("readPreferenceTags", "readPreference=primary");
        if (parsed.ReadPreference.MaxStaleness is not null)
            throw Together("maxStalenessSeconds", "readPreference=primary");
    }

    private static MongoConnectionString CheckLogin(MongoConnectionString parsed)
    {
        if (parsed.Mechanism == MongoMechanism.X509)
        {
            if (parsed.Password is not null)
                throw Together("authMechanism=MONGODB-X509", "a password");
            if (parsed.AuthSource is not (null or "$external"))
                throw ConnectionStringParser.Invalid("the option authSource must be $external with authMechanism=MONGODB-X509");
            if (!parsed.Tls || parsed.TlsCertificateKeyFile is null)
                throw ConnectionStringParser.Invalid("the option authMechanism=MONGODB-X509 needs tls=true and tlsCertificateKeyFile");
            return parsed;
        }

        if (parsed.UserName is not null && parsed.Password is null)
            throw ConnectionStringParser.Invalid("there is a user name but no password");
        if (parsed.UserName is null && parsed.Given.Contains("authMechanism") && parsed.Mechanism != MongoMechanism.Default)
            throw ConnectionStringParser.Invalid("the option authMechanism needs a user name");
        return parsed;
    }

    private static MongoConnectionString Compressors(MongoConnectionString to, string name, string value)
    {
        var names = value.Split(',');
        // snappy and zstd are offers, not demands: what is left over is used.
        return names.All(one => one is "zlib" or "snappy" or "zstd") ? to with { Zlib = names.Contains("zlib", StringComparer.Ordinal) } : throw Wrong(name, "of zlib, snappy and zstd");
    }

    private static MongoConnectionString MaxStaleness(MongoConnectionString to, string name, string value)
    {
        var seconds = Number(name, value, -1);
        if (seconds is >= 0 and < 90)
            throw Wrong(name, "-1, or at least 90");
        return to with { ReadPreference = to.ReadPreference with { MaxStaleness = seconds < 0 ? null : TimeSpan.FromSeconds(seconds) } };
    }

    private static MongoConnectionString Tags(MongoConnectionString to, string name, string value)
    {
        var tags = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in value.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = pair.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0 || !tags.TryAdd(pair[..colon], pair[(colon + 1)..]))
                throw Wrong(name, "pairs of name:value, each name once");
        }

        return to with { ReadPreference = to.ReadPreference with { Tags = [.. to.ReadPreference.Tags, tags] } };
    }

    private static MongoConnectionString NoRevocation(MongoConnectionString to, string name, string value) =>
        Truth(name, value) ? to : throw Unsupported(name, "revocation of certificates is not checked");

    private static MongoMechanism Mechanism(string name, string value) => value switch
    {
        "DEFAULT" => MongoMechanism.Default,
        "SCRAM-SHA-1" => MongoMechanism.ScramSha1,
        "SCRAM-SHA-256" => MongoMechanism.ScramSha256,
        "MONGODB-X509" => MongoMechanism.X509,
        "PLAIN" or "GSSAPI" or "MONGODB-AWS" or "MONGODB-OIDC" or "MONGODB-CR" => throw Unsupported($"{name}={value}", "it is not spoken here"),
        _ => throw Wrong(name, "DEFAULT, SCRAM-SHA-1, SCRAM-SHA-256 or MONGODB-X509"),
    };

    private static ReadPreferenceMode Mode(string name, string value) => value switch
    {
        "primary" => ReadPreferenceMode.Primary,
        "primaryPreferred" => ReadPreferenceMode.PrimaryPreferred,
        "secondary" => ReadPreferenceMode.Secondary,
        "secondaryPreferred" => ReadPreferenceMode.SecondaryPreferred,
        "nearest" => ReadPreferenceMode.Nearest,
        _ => throw Wrong(name, "primary, primaryPreferred, secondary, secondaryPreferred or nearest"),
    };

    private static bool Truth(string name, string value) => value switch
    {
        "true" => true,
        "false" => false,
        _ => throw Wrong(name, "true or false"),
    };

    private static int Number(string name, string value, int least) =>
        int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least
            ? number
            : throw Wrong(name, string.Create(CultureInfo.InvariantCulture, $"a whole number of at least {least}"));

    /// <summary>For options without effect: the value must still be one.</summary>
    private static MongoConnectionString Checked(MongoConnectionString to, string name, string value, int least)
    {
        _ = Number(name, value, least);
        return to;
    }

    /// <summary>Milliseconds, where 0 is no limit.</summary>
    private static TimeSpan? Limit(string name, string value) => Number(name, value, 0) is > 0 and var number ? TimeSpan.FromMilliseconds(number) : null;

    // Values are not shown: an option's value may be where a secret was put by mistake.
    private static MongoException Wrong(string name, string wanted) => ConnectionStringParser.Invalid($"the option {name} must be {wanted}");

    private static MongoException Unsupported(string name, string why) => ConnectionStringParser.Invalid($"the option {name} is not supported: {why}");

    private static MongoException Together(string one, string other) => ConnectionStringParser.Invalid($"{one} and {other} cannot stand together");
}
