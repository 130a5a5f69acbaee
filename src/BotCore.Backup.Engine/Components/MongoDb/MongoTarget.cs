using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb;

namespace BotCore.Backup.Engine.Components.MongoDb;

/// <summary>A MongoDB deployment that is read from or written to, as a connection string names it. Immutable and thread-safe.</summary>
internal sealed class MongoTarget
{
    private const int MostConnections = 24;

    private readonly MongoConnectionString _to;

    private MongoTarget(SecretUri uri, MongoConnectionString to, string? database, string? container)
    {
        Uri = uri;
        _to = to;
        Database = database;
        Container = container;
    }

    /// <summary>The URI, secret and redacted.</summary>
    public SecretUri Uri { get; }

    /// <summary>The one database that is meant; null for all.</summary>
    public string? Database { get; }

    /// <summary>MONGO_CONTAINER.</summary>
    public string? Container { get; }

    /// <summary>The hosts that the URI names; of mongodb+srv the one that is looked up.</summary>
    public IReadOnlyList<(string Host, int Port)> Hosts => [.. _to.Hosts.Select(host => (host.Name, host.Port))];

    /// <summary>For people.</summary>
    public string Name => Uri.Redacted;

    /// <summary>What the settings name.</summary>
    public static MongoTarget Of(BotBackupConfiguration settings)
    {
        var uri = settings.DatabaseUrl ?? throw new BackupException(
            FailureKind.ConfigurationMissing, "DATABASE_URL is not set, so there is no MongoDB to speak of.", "Set DATABASE_URL (or DATABASE_URL_FILE) to mongodb://user:password@host:27017/database.", "DATABASE_URL");
        return Of(uri, settings.DatabaseName, settings.MongoContainer);
    }

    /// <summary>What a URI names; <paramref name="database"/> counts where the URI has none.</summary>
    public static MongoTarget Of(SecretUri uri, string? database = null, string? container = null)
    {
        try
        {
            var to = MongoConnectionString.Parse(uri.Reveal());
            return new MongoTarget(uri, to, to.Database ?? database, container);
        }
        catch (MongoException wrong)
        {
            throw MongoFailures.ToFailure(wrong, uri.Redacted, "reading the connection string");
        }
    }

    /// <summary>The same server, all of its databases meant.</summary>
    public MongoTarget WithoutDatabase() => new(Uri, _to, database: null, Container);

    /// <summary>Connects and logs in. A sharded cluster is refused.</summary>
    public MongoClient Connect(bool requirePrimary, CancellationToken token)
    {
        var client = Guard("connecting", () => MongoClient.Connect(_to, new MongoClientOptions { RequirePrimary = requirePrimary, AppName = "BotCore.Backup", MaxConnections = MostConnections }, token));
        if (!client.Server.IsSharded)
            return client;
        client.Dispose();
        throw new BackupException(
            FailureKind.ServerUnsupported,
            $"{Name} is a sharded cluster: its shards cannot be read as of one moment through mongos.",
            "Point DATABASE_URL at a replica set; a sharded cluster needs a tool made for it, such as Percona Backup for MongoDB.",
            Name);
    }

    /// <summary>Runs <paramref name="work"/> and puts what the client throws into a failure.</summary>
    public T Guard<T>(string doing, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (MongoException wrong)
        {
            throw MongoFailures.ToFailure(wrong, Name, doing, Container);
        }
    }

    /// <summary>Runs <paramref name="work"/> and puts what the client throws into a failure.</summary>
    public void Guard(string doing, Action work) => Guard(doing, () =>
    {
        work();
        return true;
    });
}
