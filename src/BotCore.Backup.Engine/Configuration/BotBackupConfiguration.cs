using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Configuration;

/// <summary>
/// All settings of a run, read once and never changed: the .env file, the environment of the process and the parameters of the command in one.
/// Paths are absolute. Secrets are masked in every text that this gives. Immutable and thread-safe; reading it touches no file.
/// </summary>
public sealed record BotBackupConfiguration
{
    internal BotBackupConfiguration()
    {
    }

    /// <summary>Names of all settings there are, those of the files of secrets (<c>NAME_FILE</c>) included.</summary>
    public static IReadOnlyList<string> KnownKeys => ConfigurationKeys.Names;

    /// <summary>The .env file that was read; null where there was none.</summary>
    public string? EnvFile { get; internal init; }

    /// <summary>PROJECT_ROOT: the folder of the platform, from which relative paths start. Default: the folder of the .env file.</summary>
    public required string ProjectRoot { get; init; }

    /// <summary>BACKUP_DIR: the local store.</summary>
    public required string BackupDirectory { get; init; }

    /// <summary>LOG_DIR: where logs and reports go.</summary>
    public required string LogDirectory { get; init; }

    /// <summary>Whether runs are logged there: where a .env file or LOG_DIR says what is wanted. A session without settings leaves nothing in the system's folders.</summary>
    public bool LogsAreKept { get; init; }

    /// <summary>DATABASE_URL: the connection string of MongoDB; null where none is set.</summary>
    public SecretUri? DatabaseUrl { get; internal init; }

    /// <summary>DB_NAME: the database to back up; null means that of the URL, else all.</summary>
    public string? DatabaseName { get; internal init; }

    /// <summary>MONGO_CONTAINER: the container that MongoDB runs in; null where it is none.</summary>
    public string? MongoContainer { get; internal init; }

    /// <summary>BACKUP_VOLUMES: names of Docker volumes, which may hold <c>*</c> and <c>?</c>; none means those with the label.</summary>
    public IReadOnlyList<string> Volumes { get; internal init; } = [];

    /// <summary>BACKUP_DIRECTORIES: folders that are backed up as volumes are. No two, and no volume, share a name.</summary>
    public IReadOnlyList<NamedDirectory> Directories { get; internal init; } = [];

    /// <summary>CONFIG_PATHS: absolute paths. Where they are the default, see <see cref="ConfigPathsAreDefault"/>.</summary>
    public IReadOnlyList<string> ConfigPaths { get; internal init; } = [];

    /// <summary>
    /// Whether <see cref="ConfigPaths"/> is the default: then the file name in each may hold <c>*</c>, and what does not exist is left out. Paths that an
    /// admin named must exist, and globs must match.
    /// </summary>
    public bool ConfigPathsAreDefault { get; internal init; }

    /// <summary>MODEL_PATHS: absolute paths of AI models.</summary>
    public IReadOnlyList<string> ModelPaths { get; internal init; } = [];

    /// <summary>DOCKER_HOST: the Docker Engine; scheme unix, npipe, tcp, http, https or ssh.</summary>
    public required Uri DockerHost { get; init; }

    /// <summary>DOCKER_TLS_VERIFY: whether tcp is TLS.</summary>
    public bool DockerTls { get; internal init; }

    /// <summary>DOCKER_CERT_PATH: absolute path of the folder of certificates; null where none is named.</summary>
    public string? DockerCertificates { get; internal init; }

    /// <summary>COMPRESSION: gzip, bzip2, xz, zstd, or auto, which measures them and chooses one.</summary>
    public required string Compression { get; init; }

    /// <summary>COMPRESSION_LEVEL: in the range of the codec; 0 with auto, which chooses it, too.</summary>
    public required int CompressionLevel { get; init; }

    /// <summary>COMPRESSION_TARGET: what auto has to reach; null where nothing is said.</summary>
    public CompressionTarget? CompressionTarget { get; internal init; }

    /// <summary>COMPRESSION_MEMORY: MiB that a run may take over a bare pwsh; threads are lowered to keep it.</summary>
    public int CompressionMemory { get; internal init; } = 256;

    /// <summary>ENCRYPTION_ENABLED: as said, otherwise whether a passphrase file or a recipient is named.</summary>
    public bool EncryptionEnabled { get; internal init; }

    /// <summary>GPG_PASSPHRASE_FILE: absolute path; null where none is named. Read through <see cref="PassphraseSource"/> only.</summary>
    public string? PassphraseFile { get; internal init; }

    /// <summary>GPG_RECIPIENT: public keys to encrypt to; they go before a passphrase.</summary>
    public IReadOnlyList<string> Recipients { get; internal init; } = [];

    /// <summary>GPG_SIGN_KEY: the key that signs manifests; null where none is named.</summary>
    public string? SignKey { get; internal init; }

    /// <summary>RETENTION_DAILY, in days.</summary>
    public int RetentionDaily { get; internal init; }

    /// <summary>RETENTION_WEEKLY, in days.</summary>
    public int RetentionWeekly { get; internal init; }

    /// <summary>RETENTION_MONTHLY, in days.</summary>
    public int RetentionMonthly { get; internal init; }

    /// <summary>RETENTION_CONFIG, in days.</summary>
    public int RetentionConfig { get; internal init; }

    /// <summary>RETENTION_VOLUMES, in days.</summary>
    public int RetentionVolumes { get; internal init; }

    /// <summary>RETENTION_SNAPSHOTS, in days.</summary>
    public int RetentionSnapshots { get; internal init; }

    /// <summary>RETENTION_TIMEZONE: the name of the time zone whose days, weeks and months count.</summary>
    public string RetentionZone { get; internal init; } = "UTC";

    /// <summary>STORES_MONGODB: names out of local, s3, gcs, sftp. One that is not enabled may stand here; a run must refuse it.</summary>
    public IReadOnlyList<string> StoresMongoDb { get; internal init; } = [];

    /// <summary>STORES_VOLUMES, as <see cref="StoresMongoDb"/>.</summary>
    public IReadOnlyList<string> StoresVolumes { get; internal init; } = [];

    /// <summary>STORES_CONFIG, as <see cref="StoresMongoDb"/>.</summary>
    public IReadOnlyList<string> StoresConfig { get; internal init; } = [];

    /// <summary>STORES_MODELS, as <see cref="StoresMongoDb"/>.</summary>
    public IReadOnlyList<string> StoresModels { get; internal init; } = [];

    /// <summary>The stores that hold <paramref name="component"/>, as the four settings say.</summary>
    public IReadOnlyList<string> StoresOf(Component component) => component switch
    {
        Component.MongoDb => StoresMongoDb,
        Component.Volume => StoresVolumes,
        Component.Model => StoresModels,
        _ => StoresConfig,
    };

    /// <summary>The stores that are enabled: local, and those whose switch is on.</summary>
    public IReadOnlyList<string> EnabledStores { get; internal init; } = [];

    /// <summary>ENABLE_S3_BACKUP.</summary>
    public bool S3Enabled { get; internal init; }

    /// <summary>S3_BACKUP_BUCKET.</summary>
    public string? S3Bucket { get; internal init; }

    /// <summary>AWS_REGION.</summary>
    public required string AwsRegion { get; init; }

    /// <summary>S3_ENDPOINT: another server than Amazon's.</summary>
    public Uri? S3Endpoint { get; internal init; }

    /// <summary>S3_STORAGE_CLASS; null means the bucket's.</summary>
    public string? S3StorageClass { get; internal init; }

    /// <summary>S3_ENCRYPTION: AES256 or aws:kms; null means the bucket's.</summary>
    public string? S3Encryption { get; internal init; }

    /// <summary>S3_KMS_KEY; null means the account's.</summary>
    public string? S3KmsKey { get; internal init; }

    /// <summary>S3_OBJECT_LOCK_DAYS; 0 locks nothing.</summary>
    public int S3LockDays { get; internal init; }

    /// <summary>TRANSFER_LIMIT: bytes a second to and from each store behind a network; null means no limit.</summary>
    public long? TransferLimit { get; internal init; }

    /// <summary>ENABLE_GCS_BACKUP.</summary>
    public bool GcsEnabled { get; internal init; }

    /// <summary>GCS_BACKUP_BUCKET.</summary>
    public string? GcsBucket { get; internal init; }

    /// <summary>GOOGLE_APPLICATION_CREDENTIALS: absolute path of the service account's key file; null means the identity of the machine.</summary>
    public string? GoogleCredentialsFile { get; internal init; }

    /// <summary>GCS_ENDPOINT: another server than Google's.</summary>
    public Uri? GcsEndpoint { get; internal init; }

    /// <summary>ENABLE_SFTP_BACKUP.</summary>
    public bool SftpEnabled { get; internal init; }

    /// <summary>SFTP_HOST: a host name or an alias of ssh_config.</summary>
    public string? SftpHost { get; internal init; }

    /// <summary>SFTP_PORT; null where it is not set, and ssh_config decides.</summary>
    public int? SftpPort { get; internal init; }

    /// <summary>SFTP_USER; null means what ssh_config says.</summary>
    public string? SftpUser { get; internal init; }

    /// <summary>SFTP_DIR: folder on the server.</summary>
    public string? SftpDirectory { get; internal init; }

    /// <summary>SFTP_SSH_KEY: absolute path of a private key; null means what ssh offers by itself.</summary>
    public string? SftpKeyFile { get; internal init; }

    /// <summary>SFTP_KNOWN_HOSTS: absolute path of the file with the server's host key; null means what ssh_config says.</summary>
    public string? SftpKnownHostsFile { get; internal init; }

    /// <summary>ENABLE_NOTIFICATIONS: false keeps all channels silent.</summary>
    public bool NotificationsEnabled { get; internal init; }

    /// <summary>SLACK_WEBHOOK.</summary>
    public SecretUri? SlackWebhook { get; internal init; }

    /// <summary>WEBHOOK_URL: where notices are posted as JSON.</summary>
    public SecretUri? Webhook { get; internal init; }

    /// <summary>EMAIL_RECIPIENT.</summary>
    public IReadOnlyList<string> EmailRecipients { get; internal init; } = [];

    /// <summary>EMAIL_FROM.</summary>
    public string? EmailFrom { get; internal init; }

    /// <summary>SMTP_HOST; null means /usr/sbin/sendmail if it is there, else localhost.</summary>
    public string? SmtpHost { get; internal init; }

    /// <summary>SMTP_PORT.</summary>
    public int SmtpPort { get; internal init; }

    /// <summary>SMTP_USER.</summary>
    public string? SmtpUser { get; internal init; }

    /// <summary>SMTP_PASSWORD or SMTP_PASSWORD_FILE.</summary>
    public Secret? SmtpPassword { get; internal init; }

    /// <summary>HEALTHCHECK_URL.</summary>
    public SecretUri? HealthcheckUrl { get; internal init; }

    /// <summary>NOTICE_ON: whether every run is told of, and not only what fails and what is good again.</summary>
    public bool NoticesAlways { get; internal init; }

    /// <summary>NOTICE_REPEAT: how often what goes on failing is told.</summary>
    public TimeSpan NoticeRepeat { get; internal init; }

    /// <summary>NOTICE_TEMPLATE: absolute path of the text of notices; null means the plain text.</summary>
    public string? NoticeTemplate { get; internal init; }

    /// <summary>RECOVERY_POINT: how far the newest moment that the database can be restored to may lie back.</summary>
    public TimeSpan RecoveryPoint { get; internal init; }

    /// <summary>HEALTH_EXCLUDE: questions of Test-BotBackupHealth that are not asked, by name.</summary>
    public IReadOnlyList<string> HealthExclude { get; internal init; } = [];

    /// <summary>DRILL_TARGETS: RTO and RPO by disaster, as text; null for those of the guide.</summary>
    public string? DrillTargets { get; internal init; }

    /// <summary>DRILL_CHECKS: a file of questions to what a drill brought back; null where there is none.</summary>
    public string? DrillChecks { get; internal init; }

    /// <summary>DRILL_KEY_FILE: a copy of the passphrase that is kept elsewhere; null where none is named.</summary>
    public string? DrillKeyFile { get; internal init; }

    /// <summary>METRICS_FILE: absolute path; null where no metrics are written.</summary>
    public string? MetricsFile { get; internal init; }

    /// <summary>All settings as they stand, with their origins, in the order of the template; secrets masked.</summary>
    public IReadOnlyList<ConfigurationSetting> Settings { get; internal init; } = [];

    /// <summary>What was noticed while reading: unknown names, variables that are not set, backups that are not encrypted. None is an error.</summary>
    public IReadOnlyList<ConfigurationFinding> Warnings { get; internal init; } = [];

    /// <summary>
    /// Reads all settings. <paramref name="overrides"/> win over <paramref name="environment"/>, and that wins over the file. An empty value in the layer
    /// that wins stands for the default. Files named by <c>NAME_FILE</c> are read now; the passphrase file is not.
    /// </summary>
    /// <param name="envFile">The .env file; null for none, and then relative paths start from the current directory of the process.</param>
    /// <param name="environment">The environment of the process.</param>
    /// <param name="overrides">Settings by name, from parameters.</param>
    /// <exception cref="BackupException">
    /// ConfigurationMissing: the file is not there. AccessDenied: it cannot be read. ConfigurationInvalid: a line cannot be read, or settings are wrong;
    /// the message names all of them, and no value.
    /// </exception>
    public static BotBackupConfiguration Load(
        string? envFile, IReadOnlyDictionary<string, string> environment, IReadOnlyDictionary<string, string>? overrides = null)
    {
        var (configuration, findings) = ConfigurationLoader.Read(envFile, environment, overrides);
        var errors = findings.Where(finding => finding.Severity == FindingSeverity.Error).ToList();
        if (errors.Count == 0)
            return configuration;
        throw new BackupException(
            FailureKind.ConfigurationInvalid,
            string.Join(' ', errors.Select(error => error.Message)),
            errors.Count == 1 ? errors[0].Advice : "Correct these settings; Test-BotBackupConfiguration says more about each.",
            configuration.EnvFile ?? errors[0].Key);
    }

    /// <summary>
    /// Reads all settings as <see cref="Load"/> does and checks them as <see cref="Check()"/> does, and gives wrong settings as findings where Load throws.
    /// A file that cannot be read at all still throws.
    /// </summary>
    /// <inheritdoc cref="Load" path="/param"/>
    /// <inheritdoc cref="Load" path="/exception"/>
    public static IReadOnlyList<ConfigurationFinding> Examine(
        string? envFile, IReadOnlyDictionary<string, string> environment, IReadOnlyDictionary<string, string>? overrides = null)
    {
        var (configuration, findings) = ConfigurationLoader.Read(envFile, environment, overrides);
        return [.. findings.Where(finding => finding.Severity == FindingSeverity.Error), .. configuration.Check()];
    }

    /// <summary>Where the value of <paramref name="key"/> came from.</summary>
    /// <param name="key">The name of a setting, without <c>_FILE</c> for a secret.</param>
    public Origin OriginOf(string key) =>
        Settings.FirstOrDefault(setting => string.Equals(setting.Key, key, StringComparison.Ordinal))?.Origin ?? Origin.Default;

    /// <summary>
    /// Looks whether the settings can work on this machine: paths, permissions, passphrase file, tools, codecs, stores. Holds the <see cref="Warnings"/>
    /// too. Creates and changes nothing, asks no server and starts no program.
    /// </summary>
    public IReadOnlyList<ConfigurationFinding> Check() => new ConfigurationCheck(this, Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Run();

    /// <summary>One line a setting; secrets masked.</summary>
    public override string ToString() => string.Join(Environment.NewLine, Settings);

    /// <summary>Every secret in it as it stands in files and on the wire, so that logs can be kept free of them.</summary>
    internal IEnumerable<string> Secrets()
    {
        foreach (var uri in new[] { SlackWebhook, Webhook, HealthcheckUrl }.OfType<SecretUri>())
            yield return uri.Reveal();
        if (SmtpPassword is { } password)
            yield return password.Reveal();
        if (DatabaseUrl?.Reveal() is not { } database)
            yield break;
        yield return database;
        var end = database.LastIndexOf('@');
        var start = database.IndexOf(':', Math.Max(0, database.IndexOf("://", StringComparison.Ordinal) + 3));
        if (start >= 0 && start < end)
            yield return database[(start + 1)..end];
    }
}
