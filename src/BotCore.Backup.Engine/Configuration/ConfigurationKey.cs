namespace BotCore.Backup.Engine.Configuration;

/// <summary>A setting that is known.</summary>
/// <param name="Name">Its name in the .env file.</param>
/// <param name="Group">The heading it stands under in the template.</param>
/// <param name="Default">Its default as it would be written; empty where there is none.</param>
/// <param name="Text">What it says, in one or two short sentences.</param>
/// <param name="IsSecret">Whether <c>NAME_FILE</c> is known too, and the value is masked.</param>
internal sealed record ConfigurationKey(string Name, string Group, string Default, string Text, bool IsSecret = false)
{
    /// <summary>The suffix of the setting that names a file which holds the secret.</summary>
    internal const string FileSuffix = "_FILE";
}

/// <summary>All settings there are, in the order of the template. The one place where names and defaults stand.</summary>
internal static class ConfigurationKeys
{
    internal const string BackupDir = "BACKUP_DIR";
    internal const string LogDir = "LOG_DIR";
    internal const string ProjectRoot = "PROJECT_ROOT";
    internal const string DatabaseUrl = "DATABASE_URL";
    internal const string MongoContainer = "MONGO_CONTAINER";
    internal const string DbName = "DB_NAME";
    internal const string BackupVolumes = "BACKUP_VOLUMES";
    internal const string BackupDirectories = "BACKUP_DIRECTORIES";
    internal const string ConfigPaths = "CONFIG_PATHS";
    internal const string ModelPaths = "MODEL_PATHS";
    internal const string DockerHost = "DOCKER_HOST";
    internal const string DockerTlsVerify = "DOCKER_TLS_VERIFY";
    internal const string DockerCertPath = "DOCKER_CERT_PATH";
    internal const string Compression = "COMPRESSION";
    internal const string CompressionLevel = "COMPRESSION_LEVEL";
    internal const string CompressionTarget = "COMPRESSION_TARGET";
    internal const string CompressionMemory = "COMPRESSION_MEMORY";

    /// <summary>The word for a codec that is measured and chosen.</summary>
    internal const string AutoCompression = "auto";

    internal const string EncryptionEnabled = "ENCRYPTION_ENABLED";
    internal const string GpgPassphraseFile = "GPG_PASSPHRASE_FILE";
    internal const string GpgRecipient = "GPG_RECIPIENT";
    internal const string GpgSignKey = "GPG_SIGN_KEY";
    internal const string RetentionDaily = "RETENTION_DAILY";
    internal const string RetentionWeekly = "RETENTION_WEEKLY";
    internal const string RetentionMonthly = "RETENTION_MONTHLY";
    internal const string RetentionConfig = "RETENTION_CONFIG";
    internal const string RetentionVolumes = "RETENTION_VOLUMES";
    internal const string RetentionSnapshots = "RETENTION_SNAPSHOTS";
    internal const string RetentionZone = "RETENTION_TIMEZONE";
    internal const string StoresMongoDb = "STORES_MONGODB";
    internal const string StoresVolumes = "STORES_VOLUMES";
    internal const string StoresConfig = "STORES_CONFIG";
    internal const string StoresModels = "STORES_MODELS";
    internal const string EnableS3 = "ENABLE_S3_BACKUP";
    internal const string S3Bucket = "S3_BACKUP_BUCKET";
    internal const string AwsRegion = "AWS_REGION";
    internal const string S3Endpoint = "S3_ENDPOINT";
    internal const string S3StorageClass = "S3_STORAGE_CLASS";
    internal const string S3Encryption = "S3_ENCRYPTION";
    internal const string S3KmsKey = "S3_KMS_KEY";
    internal const string S3LockDays = "S3_OBJECT_LOCK_DAYS";
    internal const string EnableGcs = "ENABLE_GCS_BACKUP";
    internal const string GcsBucket = "GCS_BACKUP_BUCKET";
    internal const string GoogleCredentials = "GOOGLE_APPLICATION_CREDENTIALS";
    internal const string GcsEndpoint = "GCS_ENDPOINT";
    internal const string EnableSftp = "ENABLE_SFTP_BACKUP";
    internal const string SftpHost = "SFTP_HOST";
    internal const string SftpPort = "SFTP_PORT";
    internal const string SftpUser = "SFTP_USER";
    internal const string SftpDir = "SFTP_DIR";
    internal const string SftpSshKey = "SFTP_SSH_KEY";
    internal const string SftpKnownHosts = "SFTP_KNOWN_HOSTS";
    internal const string TransferLimit = "TRANSFER_LIMIT";
    internal const string EnableNotifications = "ENABLE_NOTIFICATIONS";
    internal const string SlackWebhook = "SLACK_WEBHOOK";
    internal const string Webhook = "WEBHOOK_URL";
    internal const string EmailRecipient = "EMAIL_RECIPIENT";
    internal const string EmailFrom = "EMAIL_FROM";
    internal const string SmtpHost = "SMTP_HOST";
    internal const string SmtpPort = "SMTP_PORT";
    internal const string SmtpUser = "SMTP_USER";
    internal const string SmtpPassword = "SMTP_PASSWORD";
    internal const string HealthcheckUrl = "HEALTHCHECK_URL";
    internal const string NoticeOn = "NOTICE_ON";
    internal const string NoticeRepeat = "NOTICE_REPEAT";
    internal const string NoticeTemplate = "NOTICE_TEMPLATE";
    internal const string MetricsFile = "METRICS_FILE";
    internal const string RecoveryPoint = "RECOVERY_POINT";
    internal const string HealthExclude = "HEALTH_EXCLUDE";
    internal const string DrillTargets = "DRILL_TARGETS";
    internal const string DrillChecks = "DRILL_CHECKS";
    internal const string DrillKeyFile = "DRILL_KEY_FILE";

    private const string Folders = "Folders";
    private const string Database = "MongoDB";
    private const string What = "What is backed up beside MongoDB";
    private const string Sealing = "Compression and encryption";
    private const string Keeping = "Retention, in days";
    private const string Where = "Which stores hold what: local, s3, gcs, sftp";
    private const string S3 = "Amazon S3 or a server that speaks it";
    private const string Gcs = "Google Cloud Storage";
    private const string Sftp = "SFTP, through OpenSSH";
    private const string Rehearsing = "Drills";
    private const string Telling = "Notices, metrics and health";

    internal static IReadOnlyList<ConfigurationKey> All { get; } =
    [
        new(ProjectRoot, Folders, string.Empty, "Folder of the platform. Relative paths below start here. Default: the folder of this file."),
        new(BackupDir, Folders, "/var/backups/botcore", "The local store."),
        new(LogDir, Folders, "/var/log/botcore", "Where logs and reports go."),
        new(DatabaseUrl, Database, string.Empty, "Connection string: mongodb://user:password@host:27017/database, or mongodb+srv://. A database in it limits the backup to that database.", IsSecret: true),
        new(DbName, Database, string.Empty, "The database to back up. Default: the one in DATABASE_URL, else all."),
        new(MongoContainer, Database, string.Empty, "Name of the container that MongoDB runs in, if it does."),
        new(BackupVolumes, What, string.Empty, "Docker volumes by name, separated by commas; * and ? match, and * alone is every volume that was given a name. Default: those with the label botcore.backup=true."),
        new(BackupDirectories, What, string.Empty, "Folders that are backed up as volumes are: paths, or name=path to say what the archive is called."),
        new(ConfigPaths, What, ".env,config,docker-compose.yml,docker-compose.*.yml,nginx,certs", "Files and folders of the configuration. Of the default those that exist are taken; what is named here must exist."),
        new(ModelPaths, What, string.Empty, "Folders and files of AI models, each called by its last name. A version is made where the content is another."),
        new(DockerHost, What, "unix:///var/run/docker.sock", "The Docker Engine, or podman's service: unix:///path, npipe:////./pipe/name or tcp://host:port."),
        new(DockerTlsVerify, What, string.Empty, "Anything makes tcp:// TLS, as docker has it; 0 or false does not."),
        new(DockerCertPath, What, string.Empty, "Folder of ca.pem, cert.pem and key.pem for it, relative to this file."),
        new(Compression, Sealing, "gzip", "gzip, bzip2, xz, zstd, or auto: then they are measured on the data, and the fastest that reaches COMPRESSION_TARGET is taken. Measure-BotBackup shows the figures."),
        new(CompressionLevel, Sealing, string.Empty, "1 to 9 for gzip and bzip2, 0 to 9 for xz, 1 to 19 for zstd. Default: 6 for gzip and xz, 9 for bzip2, 3 for zstd. auto chooses it, too."),
        new(CompressionTarget, Sealing, string.Empty, "For auto: the window that a backup must fit into (45m, 2h), how many times smaller it must get (3x), or both. Default: no larger than gzip makes it."),
        new(CompressionMemory, Sealing, "256", "MiB that a run may take over a bare pwsh. Where a codec needs more, it gets fewer threads, down to one; never a lower level."),
        new(EncryptionEnabled, Sealing, string.Empty, "true or false. Default: true once a passphrase file or a recipient is named."),
        new(GpgPassphraseFile, Sealing, string.Empty, "File whose first line is the passphrase; mode 0600 or 0400. New-BotBackupPassphrase makes one. Relative to this file."),
        new(GpgRecipient, Sealing, string.Empty, "Public keys to encrypt to instead, separated by commas; best as 40-digit fingerprints. This machine then cannot read its own backups."),
        new(GpgSignKey, Sealing, string.Empty, "Secret key that signs the manifests of archives that are encrypted to recipients."),
        new(RetentionDaily, Keeping, "7", "The newest backup of each day is kept so long."),
        new(RetentionWeekly, Keeping, "30", "The newest of each ISO week."),
        new(RetentionMonthly, Keeping, "365", "The newest of each month."),
        new(RetentionConfig, Keeping, "90", "Configuration archives."),
        new(RetentionVolumes, Keeping, "7", "Volume archives."),
        new(RetentionSnapshots, Keeping, "7", "Snapshots that restores take; never the newest."),
        new(RetentionZone, Keeping, "UTC", "Whose days, weeks and months they are, such as Europe/Berlin."),
        new(StoresMongoDb, Where, string.Empty, "Default: local and every enabled store."),
        new(StoresVolumes, Where, "local", "Volumes."),
        new(StoresConfig, Where, string.Empty, "Default: local and every enabled store."),
        new(StoresModels, Where, string.Empty, "Default: the enabled stores; local where none is."),
        new(EnableS3, S3, "false", "Whether S3 is used. Credentials are found as the AWS tools find them."),
        new(S3Bucket, S3, string.Empty, "The bucket, or bucket/prefix."),
        new(AwsRegion, S3, "us-east-1", "Its region."),
        new(S3Endpoint, S3, string.Empty, "URL of a server other than Amazon's."),
        new(S3StorageClass, S3, string.Empty, "Storage class of what is uploaded, such as STANDARD_IA. Default: the bucket's."),
        new(S3Encryption, S3, string.Empty, "Encryption by the server on top of ours: AES256 or aws:kms. Default: the bucket's."),
        new(S3KmsKey, S3, string.Empty, "Key for aws:kms. Default: the account's."),
        new(S3LockDays, S3, "0", "Days for which nobody may remove what is uploaded; needs a bucket with object lock. 0 locks nothing."),
        new(EnableGcs, Gcs, "false", "Whether Google Cloud Storage is used."),
        new(GcsBucket, Gcs, string.Empty, "The bucket, or bucket/prefix."),
        new(GoogleCredentials, Gcs, string.Empty, "Key file of the service account, relative to this file. Default: the identity of the machine."),
        new(GcsEndpoint, Gcs, string.Empty, "URL of a server other than Google's."),
        new(EnableSftp, Sftp, "false", "Whether SFTP is used. Host keys, agents and jumps are those of ssh_config."),
        new(SftpHost, Sftp, string.Empty, "Host name, or an alias of ssh_config."),
        new(SftpPort, Sftp, "22", "Its port."),
        new(SftpUser, Sftp, string.Empty, "Login name. Default: what ssh_config says."),
        new(SftpDir, Sftp, string.Empty, "Folder on the server."),
        new(SftpSshKey, Sftp, string.Empty, "Private key file, relative to this file. Default: what ssh_config and the agent offer."),
        new(SftpKnownHosts, Sftp, string.Empty, "File with the server's host key, as known_hosts has it; relative to this file. Default: what ssh_config says."),
        new(TransferLimit, Where, string.Empty, "Bytes a second to and from each store behind a network: 500K, 10M, 1G. Default: no limit."),
        new(EnableNotifications, Telling, "true", "false keeps all channels silent. Without a channel nothing is sent anyway."),
        new(SlackWebhook, Telling, string.Empty, "Slack's incoming webhook URL.", IsSecret: true),
        new(Webhook, Telling, string.Empty, "URL that every notice is posted to as JSON.", IsSecret: true),
        new(EmailRecipient, Telling, string.Empty, "Addresses, separated by commas."),
        new(EmailFrom, Telling, string.Empty, "The sender's address."),
        new(SmtpHost, Telling, string.Empty, "Mail server. Default: /usr/sbin/sendmail if it is there, else localhost."),
        new(SmtpPort, Telling, "25", "Its port; 587 for most servers that ask for a login, 465 where TLS begins at once."),
        new(SmtpUser, Telling, string.Empty, "Login name on the mail server."),
        new(SmtpPassword, Telling, string.Empty, "Its password; better in a file.", IsSecret: true),
        new(HealthcheckUrl, Telling, string.Empty, "URL of healthchecks.io or the like; it is pinged when a backup run begins, ends well, or fails.", IsSecret: true),
        new(NoticeOn, Telling, "failure", "failure tells of what failed and of what is good again; always tells of every run."),
        new(NoticeRepeat, Telling, "6h", "What goes on failing is told so often and no more: 30min, 6h, 1d."),
        new(NoticeTemplate, Telling, string.Empty, "File with the text of notices, relative to this file; {outcome}, {host}, {command}, {run}, {summary}, {failures}, {duration} and others stand for what happened. Default: a plain text."),
        new(MetricsFile, Telling, string.Empty, "File for the Prometheus node exporter's textfile collector; its name ends in .prom."),
        new(RecoveryPoint, Telling, "15min", "How far the newest moment that the database can be restored to may lie back before that is unhealthy: the recovery point objective, and time to make an increment in."),
        new(HealthExclude, Telling, string.Empty, "Questions of Test-BotBackupHealth that are not asked here, separated by commas: IncrementalLag where no increments are made, Schedule where somebody else starts them."),
        new(DrillTargets, Rehearsing, string.Empty, "How long a recovery may take and how much it may lose, by disaster: DatabaseCorruption=1h/5min, RegionalOutage=4h/15min; a dash for no target. Default: those of the platform's guide."),
        new(DrillChecks, Rehearsing, string.Empty, "File with a JSON array of questions to what a drill brought back, relative to this file: documents of a collection, a file, a page."),
        new(DrillKeyFile, Rehearsing, string.Empty, "File with a copy of the passphrase that is kept elsewhere, relative to this file: the drill KeyLoss tries it."),
    ];

    /// <summary>All names, those of the files of secrets included.</summary>
    internal static IReadOnlyList<string> Names { get; } =
        [.. All.Select(key => key.Name), .. All.Where(key => key.IsSecret).Select(key => key.Name + ConfigurationKey.FileSuffix)];

    private static readonly Dictionary<string, ConfigurationKey> ByName = All.ToDictionary(key => key.Name, StringComparer.Ordinal);
    private static readonly HashSet<string> Known = new(Names, StringComparer.Ordinal);

    internal static ConfigurationKey Get(string name) => ByName[name];

    internal static bool IsKnown(string name) => Known.Contains(name);
}
