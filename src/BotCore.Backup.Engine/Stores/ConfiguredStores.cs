using System.Runtime.CompilerServices;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Outside.Adapters;
using BotCore.Backup.Engine.Stores.Gcs;
using BotCore.Backup.Engine.Stores.S3;
using BotCore.Backup.Engine.Stores.Sftp;
using BotCore.Backup.Protocols.Sftp;

namespace BotCore.Backup.Engine.Stores;

/// <summary>
/// The stores behind a network, as the settings name them. A backup that was listed keeps its store beyond the session that listed it, so stores are not closed with their session; connections that cost a process are,
/// when the last session of this process ends, and a store that is used after that connects anew. Thread-safe.
/// </summary>
internal sealed class ConfiguredStores : IDisposable
{
    private static readonly Lock Gate = new();
    private static readonly ConditionalWeakTable<SftpStore, object> Connected = [];
    private static int _sessions;

    private readonly BotBackupConfiguration _settings;
    private readonly Dictionary<string, IStore> _open = new(StringComparer.OrdinalIgnoreCase);
    private bool _isOver;

    public ConfiguredStores(BotBackupConfiguration settings)
    {
        _settings = settings;
        lock (Gate)
            _sessions++;
    }

    /// <summary>Opens s3, gcs or sftp; connects to nothing yet.</summary>
    public IStore Named(string name)
    {
        lock (Gate)
        {
            if (!_open.TryGetValue(name, out var store))
                _open.Add(name, store = Open(name.ToLowerInvariant()));
            return store;
        }
    }

    public void Dispose()
    {
        SftpStore[] idle = [];
        lock (Gate)
        {
            if (_isOver)
                return;
            _isOver = true;
            if (--_sessions == 0)
                idle = [.. Connected.Select(one => one.Key)];
        }

        foreach (var store in idle)
            store.Disconnect();
    }

    private IStore Open(string name)
    {
        IStore store = name switch
        {
            "s3" => new CloudLayoutStore(S3()),
            "gcs" => new CloudLayoutStore(Gcs()),
            "sftp" => Sftp(),
            _ => throw new BackupException(FailureKind.ConfigurationInvalid, $"There is no store '{name}'.", "Stores are local, s3, gcs and sftp.", name),
        };
        return _settings.TransferLimit is { } limit ? new LimitedStore(store, new BandwidthLimit(limit)) : store;
    }

    private IStore S3()
    {
        Demand("s3", _settings.S3Enabled, ConfigurationKeys.EnableS3);
        return AdapterLoader.S3().Open(S3StoreOptions.Of(Needed(_settings.S3Bucket, ConfigurationKeys.S3Bucket)) with
        {
            Region = _settings.AwsRegion,
            Endpoint = _settings.S3Endpoint,
            StorageClass = _settings.S3StorageClass,
            ServerSideEncryption = _settings.S3Encryption,
            KmsKeyId = _settings.S3KmsKey,
            ObjectLockDays = _settings.S3LockDays > 0 ? _settings.S3LockDays : null,
        });
    }

    private GcsStore Gcs()
    {
        Demand("gcs", _settings.GcsEnabled, ConfigurationKeys.EnableGcs);
        return new GcsStore(new GcsOptions
        {
            Bucket = Needed(_settings.GcsBucket, ConfigurationKeys.GcsBucket),
            CredentialsFile = _settings.GoogleCredentialsFile,
            Endpoint = _settings.GcsEndpoint,
        });
    }

    private SftpStore Sftp()
    {
        Demand("sftp", _settings.SftpEnabled, ConfigurationKeys.EnableSftp);
        var server = new SftpOptions
        {
            Host = Needed(_settings.SftpHost, ConfigurationKeys.SftpHost),
            Port = _settings.SftpPort,
            User = _settings.SftpUser,
            KeyFile = _settings.SftpKeyFile,
            // ssh takes this for a list, in which blanks are quoted.
            Arguments = _settings.SftpKnownHostsFile is { } known ? [$"-oUserKnownHostsFile=\"{known}\""] : [],
        };
        var store = new SftpStore(new SftpStoreOptions(server, Needed(_settings.SftpDirectory, ConfigurationKeys.SftpDir)));
        Connected.Add(store, store.Name);
        return store;
    }

    private static void Demand(string name, bool isEnabled, string key)
    {
        if (!isEnabled)
            throw new BackupException(FailureKind.ConfigurationMissing, $"The store '{name}' is not switched on.", $"Set {key}=true and what else it needs; New-BotBackupConfiguration writes a template that explains each setting.", name);
    }

    private static string Needed(string? value, string key) => value ?? throw new BackupException(FailureKind.ConfigurationMissing, $"{key} is not set.", $"Set {key}.", key);
}
