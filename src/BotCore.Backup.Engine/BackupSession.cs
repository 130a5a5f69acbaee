using System.Security;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Compression;
using BotCore.Backup.Engine.Compression.Zstd;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Outside.Gnupg;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Verification;
using BotCore.Backup.Protocols.OpenPgp;

namespace BotCore.Backup.Engine;

/// <summary>What one command adds to the settings.</summary>
public sealed record SessionOptions
{
    /// <summary>A passphrase in place of GPG_PASSPHRASE_FILE; stays the caller's.</summary>
    public SecureString? Passphrase { get; init; }

    /// <summary>Public keys in place of GPG_RECIPIENT.</summary>
    public IReadOnlyList<string> Recipients { get; init; } = [];

    /// <summary>Do not encrypt, whatever the settings say.</summary>
    public bool NoEncryption { get; init; }

    /// <summary>A codec in place of COMPRESSION; null keeps it.</summary>
    public string? Compression { get; init; }

    /// <summary>The most threads that compress and decompress; null takes one a processor, 16 at most. The memory that is allowed can lower it.</summary>
    public int? Threads { get; init; }
}

/// <summary>
/// Settings, stores and keys of one command: what every run needs. Disposing wipes the keys. Thread-safe.
/// </summary>
public sealed class BackupSession : IDisposable
{
    private const int MostThreads = 16;

    private readonly SessionOptions _options;
    private readonly Lazy<CodecChoice> _compression;
    private readonly ConfiguredStores _stores;
    private string? _runId;

    /// <summary>Reads nothing yet: a passphrase file is opened when the first key is needed.</summary>
    public BackupSession(BotBackupConfiguration configuration, SessionOptions? options = null)
    {
        Configuration = configuration;
        _options = options ?? new SessionOptions();
        Local = new FolderStore(configuration.BackupDirectory);
        _compression = new Lazy<CodecChoice>(ChooseCodec, LazyThreadSafetyMode.PublicationOnly);
        _stores = new ConfiguredStores(configuration);
        Keys = new ArchiveKeys(ReadPassphrase, () => GpgProgram.Find(), configuration.SignKey);
    }

    /// <summary>The settings.</summary>
    public BotBackupConfiguration Configuration { get; }

    /// <summary>The store at BACKUP_DIR.</summary>
    public IStore Local { get; }

    internal ArchiveKeys Keys { get; }

    internal TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>The id of the run that is to begin: the one that <see cref="TakeRunId"/> gives next, so that who writes of a run knows it before.</summary>
    public string RunId => _runId ??= BackupRunner.NewRunId();

    /// <summary>Where this command records what it proved.</summary>
    internal ProofLedger Ledger => field ??= new ProofLedger(Clock, RunId);

    internal int Threads => _options.Threads ?? Math.Min(Environment.ProcessorCount, MostThreads);

    /// <summary>Threads that read a database: two at least, so that one reads while another waits for the server.</summary>
    internal int DumpThreads => Math.Clamp(Threads, 2, 8);

    /// <summary>Where runs keep for a moment what memory cannot hold: on the disk that has room for archives.</summary>
    internal string SpillFolder => Configuration.BackupDirectory;

    /// <summary>How archives are compressed where nothing was measured: as the settings say, and with <c>auto</c> by zstd where its library is, else by gzip.</summary>
    internal CodecChoice Compression => _compression.Value;

    /// <summary>Whether the codec is to be measured and chosen for each archive.</summary>
    internal bool MeasuresCodecs => string.Equals(_options.Compression ?? Configuration.Compression, ConfigurationKeys.AutoCompression, StringComparison.OrdinalIgnoreCase);

    /// <summary>Stores that stand in for those that the settings name.</summary>
    internal IReadOnlyDictionary<string, IStore> StandIns { get; init; } = new Dictionary<string, IStore>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether <paramref name="store"/> is the store at BACKUP_DIR.</summary>
    public bool IsLocal(string store) => string.Equals(store, Local.Name, StringComparison.OrdinalIgnoreCase);

    /// <summary>The store of that name: local, s3, gcs or sftp. One that is not configured, or cannot be had here, is a failure, never left out in silence. Nothing is connected yet.</summary>
    public IStore StoreNamed(string name) => StandIns.TryGetValue(name, out var standIn) ? standIn : IsLocal(name) ? Local : _stores.Named(name);

    /// <summary>The store of that name, or the folder at that path: whatever holds a slash, or is there.</summary>
    /// <param name="nameOrPath">What somebody typed.</param>
    /// <param name="fullPath">Makes a path of it.</param>
    public IStore StoreAt(string nameOrPath, Func<string, string> fullPath)
    {
        if (!nameOrPath.Contains('/', StringComparison.Ordinal) && !nameOrPath.Contains('\\', StringComparison.Ordinal) && !nameOrPath.StartsWith('.') && !Directory.Exists(fullPath(nameOrPath)))
            return StoreNamed(nameOrPath);
        var path = fullPath(nameOrPath);
        return string.Equals(Path.TrimEndingDirectorySeparator(path), Local.Location, StringComparison.Ordinal) ? Local : new FolderStore(path, "folder");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Keys.Dispose();
        _stores.Dispose();
    }

    /// <summary>The id for a run that begins now; the next one gets another.</summary>
    internal string TakeRunId()
    {
        var id = RunId;
        _runId = null;
        return id;
    }

    /// <summary>A cipher for one archive, as the settings and the command ask.</summary>
    internal IArchiveCipher NewCipher()
    {
        if (_options.NoEncryption)
            return new PlainCipher();
        if (_options.Recipients.Count > 0 && _options.Passphrase is not null)
            throw new BackupException(FailureKind.ConfigurationInvalid, "Both a passphrase and recipients were given.", "Give one of -Passphrase and -Recipient.");
        if (_options.Recipients.Count > 0)
            return new RecipientCipher(GpgProgram.Find(), _options.Recipients, Configuration.SignKey);
        if (_options.Passphrase is not null)
            return new PassphraseCipher(Keys.Keyring);
        if (!Configuration.EncryptionEnabled)
            return new PlainCipher();
        return Configuration.Recipients.Count > 0
            ? new RecipientCipher(GpgProgram.Find(), Configuration.Recipients, Configuration.SignKey)
            : new PassphraseCipher(Keys.Keyring);
    }

    /// <summary>A codec at a level, with as many threads as this session has and as fit into its memory.</summary>
    internal CodecChoice Choose(ICodec codec, int level, string reason = "") => CodecChoice.Of(codec, level, Threads, (long)Configuration.CompressionMemory << 20, reason);

    private CodecChoice ChooseCodec()
    {
        if (MeasuresCodecs)
            return Codecs.Available.FirstOrDefault(codec => codec is ZstdCodec) is { } fast ? Choose(fast, fast.DefaultLevel) : Choose(Codecs.Gzip, Codecs.Gzip.DefaultLevel);
        if (_options.Compression is not { } asked)
            return Choose(Codecs.ByName(Configuration.Compression), Configuration.CompressionLevel);
        var codec = Codecs.ByName(asked);
        return Choose(codec, codec.DefaultLevel);
    }

    private PassphraseKeyring? ReadPassphrase()
    {
        if (_options.Passphrase is null && Configuration.PassphraseFile is null)
            return null;
        using var passphrase = PassphraseSource.Resolve(Configuration, _options.Passphrase);
        return new PassphraseKeyring(passphrase.Bytes);
    }
}
