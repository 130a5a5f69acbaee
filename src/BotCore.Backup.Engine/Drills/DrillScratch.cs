using System.Globalization;
using System.Security.Cryptography;
using BotCore.Backup.Engine.Components.MongoDb;
using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Outside.Scratch;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Drills;

/// <summary>What a drill writes into, all of it its own: a folder for archives and files, and a server. Nothing of it is left. One thread.</summary>
internal sealed class DrillScratch : IDisposable
{
    private readonly BackupSession _session;
    private readonly SecretUri? _given;
    private readonly HashSet<string> _before;
    private IScratchServer? _sandbox;

    /// <summary>Throws LiveTargetRefused for a server or folder that is in use.</summary>
    public DrillScratch(BackupSession session, SecretUri? server, string? folder)
    {
        (_session, _given) = (session, server);
        if (server is not null)
            LiveTargets.Demand(session.Configuration, server);
        if (folder is not null)
            LiveTargets.Demand(session.Configuration, folder);
        Id = RandomNumberGenerator.GetHexString(8, lowercase: true);
        _before = server is null ? [] : [.. Databases(MongoTarget.Of(server).WithoutDatabase())];
        Folder = Path.Combine(folder ?? session.Configuration.BackupDirectory, $".drill-{Id}");
        try
        {
            if (Path.GetDirectoryName(Folder) is { Length: > 0 } above)
                Directory.CreateDirectory(above);
            // Holds what is secret in plain text.
            PrivateFiles.MakeFolder(Folder);
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(FailureKind.AccessDenied, $"{Folder} cannot be made: {wrong.Message}", "Give -Destination a folder that this user can write to.", Folder, wrong);
        }

        Archives = new FolderStore(Path.Combine(Folder, "archives"), "drill");
    }

    public string Id { get; }

    public string Folder { get; }

    /// <summary>Where archives are fetched to.</summary>
    public IStore Archives { get; }

    public bool HasSandbox => _sandbox is not null;

    /// <summary>The server to restore into; the Sandbox, started at its first need, where none was given.</summary>
    public SecretUri Server => _given ?? SecretUri.WithPassword((_sandbox ??= ScratchServers.Start()).ConnectionString);

    /// <summary>What <paramref name="database"/> is called there: its own name in the Sandbox, one of ours on a server that others may use.</summary>
    public string NameOf(string database) => _given is null ? database : string.Create(CultureInfo.InvariantCulture, $"bot_drill_{Id}_{database}");

    /// <summary>Removes all of it, and proves that; throws RestoreFailed with what is left.</summary>
    public void Clean()
    {
        if (_given is not null)
        {
            var target = MongoTarget.Of(_given).WithoutDatabase();
            target.Guard("dropping the databases of a drill", () =>
            {
                using var client = target.Connect(requirePrimary: true, CancellationToken.None);
                foreach (var database in Databases(target).Where(IsOurs).ToList())
                    client.Run(database, new BsonBuilder().Append("dropDatabase", 1), CancellationToken.None);
            });
            if (Databases(target).FirstOrDefault(IsOurs) is { } left)
                throw new BackupException(FailureKind.RestoreFailed, $"{target.Name} still has the database {left} of this drill.", "Drop it by hand.", left);
        }

        _sandbox?.Dispose();
        _sandbox = null;
        try
        {
            if (Directory.Exists(Folder))
                Directory.Delete(Folder, recursive: true);
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(FailureKind.RestoreFailed, $"{Folder} could not be removed, and it holds what was restored: {wrong.Message}", "Remove it by hand.", Folder, wrong);
        }
    }

    public void Dispose() => _sandbox?.Dispose();

    private bool IsOurs(string database) => !_before.Contains(database) && database.StartsWith($"bot_drill_{Id}_", StringComparison.Ordinal);

    private static IReadOnlyList<string> Databases(MongoTarget target) => target.Guard("listing the databases of a scratch server", () =>
    {
        using var client = target.Connect(requirePrimary: false, CancellationToken.None);
        return new ServerCatalog(client, CancellationToken.None).Databases(new DumpSelection(Database: null));
    });
}
