using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Sandbox.Tests;

/// <summary>A sandbox and our own client to it.</summary>
internal sealed class Session : IDisposable
{
    private readonly bool _ownsServer;

    public Session(SandboxOptions? options = null)
        : this(new SandboxServer(options ?? new SandboxOptions()), ownsServer: true)
    {
    }

    private Session(SandboxServer server, bool ownsServer)
    {
        Server = server;
        _ownsServer = ownsServer;
        Client = MongoClient.Connect(MongoConnectionString.Parse(server.ConnectionString), new MongoClientOptions(), CancellationToken.None);
    }

    public SandboxServer Server { get; }

    public MongoClient Client { get; }

    public static Session To(SandboxServer server) => new(server, ownsServer: false);

    public RawBson Run(string database, params (string Name, object? Value)[] command) => Client.Run(database, Doc.Build(command), CancellationToken.None);

    /// <summary>The code that the command fails with.</summary>
    public int? Fails(string database, params (string Name, object? Value)[] command)
    {
        try
        {
            Run(database, command);
        }
        catch (MongoException e)
        {
            return e.Code;
        }

        return null;
    }

    public RawBson Insert(string ns, params RawBson[] documents)
    {
        var (database, collection) = Split(ns);
        return Run(database, ("insert", collection), ("documents", documents.Cast<object?>().ToArray()));
    }

    public RawBson Update(string ns, RawBson query, RawBson update, bool upsert = false, bool multi = false)
    {
        var (database, collection) = Split(ns);
        return Run(database, ("update", collection), ("updates", new object?[] { Doc.Of(("q", query), ("u", update), ("upsert", upsert), ("multi", multi)) }));
    }

    public RawBson Delete(string ns, RawBson query, int limit = 0)
    {
        var (database, collection) = Split(ns);
        return Run(database, ("delete", collection), ("deletes", new object?[] { Doc.Of(("q", query), ("limit", limit)) }));
    }

    public List<RawBson> Find(string ns, RawBson? filter = null, params (string Name, object? Value)[] more)
    {
        var (database, collection) = Split(ns);
        return All(database, [("find", collection), ("filter", filter ?? RawBson.Empty), .. more]);
    }

    public List<RawBson> All(string database, (string Name, object? Value)[] command, CursorOptions? options = null)
    {
        using var cursor = Client.Open(database, Doc.Build(command), options ?? new CursorOptions(), CancellationToken.None);
        var documents = new List<RawBson>();
        while (cursor.Next() == CursorStep.Document)
            documents.Add(new RawBson(cursor.Current.ToArray()));
        return documents;
    }

    public List<RawBson> Oplog() => Find("local.oplog.rs");

    public void Dispose()
    {
        Client.Dispose();
        if (_ownsServer)
            Server.Dispose();
    }

    private static (string Database, string Collection) Split(string ns)
    {
        var dot = ns.IndexOf('.', StringComparison.Ordinal);
        return (ns[..dot], ns[(dot + 1)..]);
    }
}
