using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Stores.Gcs;
using BotCore.Backup.TestServers;
using BotCore.Backup.TestServers.GoogleStorage;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Stores.Gcs;

/// <summary>A bucket of one test, with a key file for it and a way there that can break.</summary>
internal sealed class GcsPlace : IDisposable
{
    public const string Bucket = "backups";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gcs-");
    private readonly List<GcsStore> _stores = [];
    private FaultProxy? _proxy;

    public GcsPlace(TimeProvider? clock = null)
    {
        Server = new GoogleStorageServer(clock);
        Server.AddBucket(Bucket);
        KeyFile = Write("key.json", Server.NewKeyFile());
    }

    public static CancellationToken None => CancellationToken.None;

    /// <summary>Many tries and hardly a pause between them.</summary>
    public static StoreRetry Quick { get; } = new() { Attempts = 4, FirstPause = TimeSpan.FromMilliseconds(1), LongestPause = TimeSpan.FromMilliseconds(2) };

    public GoogleStorageServer Server { get; }

    public string KeyFile { get; }

    public string Folder => _folder.FullName;

    public FaultProxy Proxy => _proxy ??= new FaultProxy(Server.Port);

    /// <summary>A store with a small chunk, so that few bytes are many parts.</summary>
    public GcsStore NewStore(Func<GcsOptions, GcsOptions>? change = null, bool byProxy = false)
    {
        var options = new GcsOptions
        {
            Bucket = Bucket,
            Endpoint = byProxy ? new Uri($"http://127.0.0.1:{Proxy.Port}") : Server.Endpoint,
            CredentialsFile = KeyFile,
            ChunkSize = 512 * 1024,
            Retry = Quick,
            Variable = _ => null,
        };
        var store = new GcsStore(change?.Invoke(options) ?? options);
        _stores.Add(store);
        return store;
    }

    public string Write(string name, string text)
    {
        var path = Path.Combine(Folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    public static byte[] Noise(int length, int seed = 1)
    {
        var data = new byte[length];
        new Random(seed).NextBytes(data);
        return data;
    }

    public static void Put(IStore store, string key, byte[] content, string? runId = null, CancellationToken token = default)
    {
        using var writer = store.Create(key, token, runId);
        foreach (var part in content.Chunk(70_000))
            writer.Write(part);
        writer.Commit();
    }

    public static byte[] Get(IStore store, string key, long offset = 0, CancellationToken token = default)
    {
        using var stream = store.OpenRead(key, offset, token);
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }

    public static Failure Fails(Action action) => Assert.Throws<BackupException>(action).Failure;

    public void Dispose()
    {
        _stores.ForEach(store => store.Dispose());
        _proxy?.Dispose();
        Server.Dispose();
        _folder.Delete(recursive: true);
    }
}
