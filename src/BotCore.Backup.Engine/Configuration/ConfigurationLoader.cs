using System.Globalization;
using System.Net.Mail;
using System.Text.RegularExpressions;
using BotCore.Backup.Engine.Drills;
using BotCore.Backup.Engine.Health;
using BotCore.Backup.Engine.Verification.Budgets;

namespace BotCore.Backup.Engine.Configuration;

/// <summary>Makes the configuration out of its sources. Wrong settings become findings, and the default stands in for them.</summary>
internal sealed partial class ConfigurationLoader
{
    private static readonly string[] Stores = ["local", "s3", "gcs", "sftp"];

    // Also of codecs whose libraries are not here, so that settings can be checked anywhere.
    private static readonly Dictionary<string, (int Lowest, int Usual, int Highest)> Levels = new(StringComparer.Ordinal)
    {
        ["gzip"] = (1, 6, 9),
        ["bzip2"] = (1, 9, 9),
        ["xz"] = (0, 6, 9),
        ["zstd"] = (1, 3, 19),
        [ConfigurationKeys.AutoCompression] = (0, 0, 0),
    };

    private readonly SettingReader _read;
    private readonly string? _file;

    private ConfigurationLoader(SettingReader read, string? file)
    {
        _read = read;
        _file = file;
    }

    internal static (BotBackupConfiguration Configuration, IReadOnlyList<ConfigurationFinding> Findings) Read(
        string? envFile, IReadOnlyDictionary<string, string> environment, IReadOnlyDictionary<string, string>? overrides)
    {
        var path = envFile is null ? null : Path.GetFullPath(envFile);
        var file = path is null ? null : EnvFile.Read(path, environment);
        var sources = new ConfigurationSources(file, environment, overrides);
        var reader = new SettingReader(sources, path is null ? Environment.CurrentDirectory : Path.GetDirectoryName(path)!);
        return (new ConfigurationLoader(reader, path).Read(), reader.Findings);
    }

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]*\z", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex ArchiveName();

    [GeneratedRegex(@"\A[1-9][0-9]{0,8}[KMGkmg]?\z", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex ByteRate();

    private BotBackupConfiguration Read()
    {
        Remarks();
        var root = _read.Path(ConfigurationKeys.ProjectRoot, _read.Root)!;
        _read.Root = root;
        var (compression, level) = Codec();
        var encryption = Encryption();
        var stores = EnabledStores();
        var volumes = Volumes();
        return new BotBackupConfiguration
        {
            EnvFile = _file,
            ProjectRoot = root,
            BackupDirectory = _read.Path(ConfigurationKeys.BackupDir, DefaultFolder(ConfigurationKeys.BackupDir, "Backups"))!,
            LogDirectory = _read.Path(ConfigurationKeys.LogDir, DefaultFolder(ConfigurationKeys.LogDir, "Logs"))!,
            LogsAreKept = _file is not null || _read.Find(ConfigurationKeys.LogDir) is not null,
            DatabaseUrl = _read.HiddenUri(ConfigurationKeys.DatabaseUrl, SecretUri.WithPassword, "mongodb", "mongodb+srv"),
            DatabaseName = _read.Text(ConfigurationKeys.DbName),
            MongoContainer = _read.Text(ConfigurationKeys.MongoContainer),
            Volumes = volumes,
            Directories = Directories(volumes),
            ConfigPaths = Paths(ConfigurationKeys.ConfigPaths, ConfigurationKeys.Get(ConfigurationKeys.ConfigPaths).Default),
            ConfigPathsAreDefault = _read.Find(ConfigurationKeys.ConfigPaths) is null,
            ModelPaths = Paths(ConfigurationKeys.ModelPaths),
            DockerHost = Docker(),
            DockerTls = _read.Text(ConfigurationKeys.DockerTlsVerify) is { } tls && tls is not "0" && !string.Equals(tls, "false", StringComparison.OrdinalIgnoreCase),
            DockerCertificates = _read.Path(ConfigurationKeys.DockerCertPath, besideFile: true),
            Compression = compression,
            CompressionLevel = level,
            CompressionTarget = Target(),
            CompressionMemory = _read.Number(ConfigurationKeys.CompressionMemory, 64, 1 << 20),
            EncryptionEnabled = encryption.Enabled,
            PassphraseFile = encryption.File,
            Recipients = encryption.Recipients,
            SignKey = _read.Text(ConfigurationKeys.GpgSignKey),
            RetentionDaily = Days(ConfigurationKeys.RetentionDaily),
            RetentionWeekly = Days(ConfigurationKeys.RetentionWeekly),
            RetentionMonthly = Days(ConfigurationKeys.RetentionMonthly),
            RetentionConfig = Days(ConfigurationKeys.RetentionConfig),
            RetentionVolumes = Days(ConfigurationKeys.RetentionVolumes),
            RetentionSnapshots = Days(ConfigurationKeys.RetentionSnapshots),
            RetentionZone = _read.Text(ConfigurationKeys.RetentionZone, ConfigurationKeys.Get(ConfigurationKeys.RetentionZone).Default)!,
            EnabledStores = stores,
            StoresMongoDb = StoresOf(ConfigurationKeys.StoresMongoDb, stores),
            StoresVolumes = StoresOf(ConfigurationKeys.StoresVolumes, ["local"]),
            StoresConfig = StoresOf(ConfigurationKeys.StoresConfig, stores),
            StoresModels = StoresOf(ConfigurationKeys.StoresModels, stores.Count > 1 ? [.. stores.Skip(1)] : stores),
            S3Enabled = stores.Contains("s3", StringComparer.Ordinal),
            S3Bucket = _read.Text(ConfigurationKeys.S3Bucket),
            AwsRegion = _read.Text(ConfigurationKeys.AwsRegion, ConfigurationKeys.Get(ConfigurationKeys.AwsRegion).Default)!,
            S3Endpoint = _read.Endpoint(ConfigurationKeys.S3Endpoint, "http", "https"),
            S3StorageClass = _read.Text(ConfigurationKeys.S3StorageClass),
            S3Encryption = ServerEncryption(),
            S3KmsKey = _read.Text(ConfigurationKeys.S3KmsKey),
            S3LockDays = _read.Number(ConfigurationKeys.S3LockDays, 0, 36500),
            TransferLimit = TransferLimit(),
            GcsEnabled = stores.Contains("gcs", StringComparer.Ordinal),
            GcsBucket = _read.Text(ConfigurationKeys.GcsBucket),
            GoogleCredentialsFile = _read.Path(ConfigurationKeys.GoogleCredentials, besideFile: true),
            GcsEndpoint = _read.Endpoint(ConfigurationKeys.GcsEndpoint, "http", "https"),
            SftpEnabled = stores.Contains("sftp", StringComparer.Ordinal),
            SftpHost = _read.Text(ConfigurationKeys.SftpHost),
            SftpPort = SftpPort(),
            SftpUser = _read.Text(ConfigurationKeys.SftpUser),
            SftpDirectory = _read.Text(ConfigurationKeys.SftpDir),
            SftpKeyFile = _read.Path(ConfigurationKeys.SftpSshKey, besideFile: true),
            SftpKnownHostsFile = _read.Path(ConfigurationKeys.SftpKnownHosts, besideFile: true),
            NotificationsEnabled = _read.Flag(ConfigurationKeys.EnableNotifications, fallback: true),
            SlackWebhook = _read.HiddenUri(ConfigurationKeys.SlackWebhook, SecretUri.WithSecretPath, "https", "http"),
            Webhook = _read.HiddenUri(ConfigurationKeys.Webhook, SecretUri.WithSecretPath, "https", "http"),
            EmailRecipients = Addresses(),
            EmailFrom = Sender(),
            SmtpHost = _read.Text(ConfigurationKeys.SmtpHost),
            SmtpPort = _read.Number(ConfigurationKeys.SmtpPort, 1, 65535),
            SmtpUser = _read.Text(ConfigurationKeys.SmtpUser),
            SmtpPassword = _read.Hidden(ConfigurationKeys.SmtpPassword),
            HealthcheckUrl = _read.HiddenUri(ConfigurationKeys.HealthcheckUrl, SecretUri.WithSecretPath, "https", "http"),
            NoticesAlways = NoticesAlways(),
            NoticeRepeat = Time(ConfigurationKeys.NoticeRepeat),
            NoticeTemplate = _read.Path(ConfigurationKeys.NoticeTemplate, besideFile: true),
            MetricsFile = _read.Path(ConfigurationKeys.MetricsFile),
            RecoveryPoint = Time(ConfigurationKeys.RecoveryPoint),
            HealthExclude = HealthExclude(),
            DrillTargets = DrillTargetsText(),
            DrillChecks = _read.Path(ConfigurationKeys.DrillChecks, besideFile: true),
            DrillKeyFile = _read.Path(ConfigurationKeys.DrillKeyFile, besideFile: true),
            Settings = _read.Settings(),
            Warnings = [.. _read.Findings.Where(finding => finding.Severity != FindingSeverity.Error)],
        };
    }

    private static string DefaultFolder(string key, string name) => OperatingSystem.IsWindows()
        ? Path.Join(Environment.GetFolderPath(Environment.SpecialFolder.CommonApplicationData), "BotCore", name)
        : ConfigurationKeys.Get(key).Default;

    private static bool IsAddress(string text) => MailAddress.TryCreate(text, out _);

    private void Remarks()
    {
        if (_read.Sources.UnknownKeys() is { } unknown)
            _read.Findings.Add(unknown);
        foreach (var remark in _read.Sources.File?.Remarks ?? [])
        {
            if (ConfigurationKeys.IsKnown(remark.Key))
            {
                _read.Findings.Add(new ConfigurationFinding(
                    remark.Key, FindingSeverity.Warning, $"{remark.Key} in line {remark.Line} of {_file} {remark.Text}.", "Put single quotes around a value that holds dollar signs of its own."));
            }
        }
    }

    private int Days(string key) => _read.Number(key, 1, 36500);

    private int? SftpPort()
    {
        var port = _read.Number(ConfigurationKeys.SftpPort, 1, 65535);
        return _read.Find(ConfigurationKeys.SftpPort) is null ? null : port;
    }

    private string? ServerEncryption()
    {
        var asked = _read.Parsed(
            ConfigurationKeys.S3Encryption, string.Empty, "AES256 or aws:kms", text => text.Trim() is "AES256" or "aws:kms" ? text.Trim() : null, text => text);
        return asked.Length == 0 ? null : asked;
    }

    private long? TransferLimit()
    {
        var limit = _read.Parsed(ConfigurationKeys.TransferLimit, string.Empty, "bytes a second, such as 500K, 10M or 1G", text => ByteRate().IsMatch(text.Trim()) ? text.Trim().ToUpperInvariant() : null, text => text);
        if (limit.Length == 0)
            return null;
        var unit = limit[^1] switch
        {
            'K' => 1L << 10,
            'M' => 1L << 20,
            'G' => 1L << 30,
            _ => 1L,
        };
        return long.Parse(limit.TrimEnd('K', 'M', 'G'), CultureInfo.InvariantCulture) * unit;
    }

    private (string Codec, int Level) Codec()
    {
        var fallback = ConfigurationKeys.Get(ConfigurationKeys.Compression).Default;
        var codec = _read.Parsed(
            ConfigurationKeys.Compression,
            fallback,
            "gzip, bzip2, xz, zstd or auto",
            text => Levels.Keys.FirstOrDefault(name => string.Equals(name, text.Trim(), StringComparison.OrdinalIgnoreCase)),
            name => name);
        var (lowest, usual, highest) = Levels[codec];
        if (codec is ConfigurationKeys.AutoCompression || _read.Find(ConfigurationKeys.CompressionLevel) is null)
        {
            _read.Note(ConfigurationKeys.CompressionLevel, codec is ConfigurationKeys.AutoCompression ? string.Empty : usual.ToString(CultureInfo.InvariantCulture), Origin.Default);
            return (codec, usual);
        }

        var level = _read.Number(ConfigurationKeys.CompressionLevel, 0, 99, usual);
        if (level >= lowest && level <= highest)
            return (codec, level);
        _read.Refuse(
            _read.Find(ConfigurationKeys.CompressionLevel)!, string.Create(CultureInfo.InvariantCulture, $"from {lowest} to {highest} for {codec}"));
        return (codec, highest);
    }

    private CompressionTarget? Target()
    {
        var text = _read.Parsed(
            ConfigurationKeys.CompressionTarget,
            string.Empty,
            "a time such as 45m or 2h, a ratio such as 3x, or both",
            value => CompressionTarget.TryParse(value, out _) ? value.Trim() : null,
            value => value);
        return CompressionTarget.TryParse(text, out var target) ? target : null;
    }

    private (bool Enabled, string? File, IReadOnlyList<string> Recipients) Encryption()
    {
        var file = _read.Path(ConfigurationKeys.GpgPassphraseFile, besideFile: true);
        // User ids and printed fingerprints hold spaces.
        var recipients = _read.List(ConfigurationKeys.GpgRecipient, blanksSeparate: false);
        var keyed = file is not null || recipients.Count > 0;
        var enabled = _read.Flag(ConfigurationKeys.EncryptionEnabled, keyed);
        if (!enabled && _read.Find(ConfigurationKeys.EncryptionEnabled) is null)
        {
            _read.Findings.Add(new ConfigurationFinding(
                ConfigurationKeys.EncryptionEnabled,
                FindingSeverity.Warning,
                "Backups are not encrypted: neither GPG_PASSPHRASE_FILE nor GPG_RECIPIENT is set.",
                "Make a passphrase with New-BotBackupPassphrase and set GPG_PASSPHRASE_FILE, or say ENCRYPTION_ENABLED=false."));
        }

        return (enabled, file, recipients);
    }

    private Uri Docker()
    {
        var uri = _read.Endpoint(ConfigurationKeys.DockerHost, "unix", "npipe", "tcp", "http", "https", "ssh")
            ?? new Uri(ConfigurationKeys.Get(ConfigurationKeys.DockerHost).Default);
        if (!OperatingSystem.IsWindows() || _read.Find(ConfigurationKeys.DockerHost) is not null)
            return uri;
        uri = new Uri("npipe:////./pipe/docker_engine");
        _read.Note(ConfigurationKeys.DockerHost, uri.OriginalString, Origin.Default);
        return uri;
    }

    private List<string> EnabledStores()
    {
        var enabled = new List<string> { "local" };
        if (_read.Flag(ConfigurationKeys.EnableS3, fallback: false))
            enabled.Add("s3");
        if (_read.Flag(ConfigurationKeys.EnableGcs, fallback: false))
            enabled.Add("gcs");
        if (_read.Flag(ConfigurationKeys.EnableSftp, fallback: false))
            enabled.Add("sftp");
        return enabled;
    }

    private IReadOnlyList<string> StoresOf(string key, IReadOnlyList<string> fallback) => _read.Parsed(
        key,
        fallback,
        "a list out of local, s3, gcs and sftp",
        text =>
        {
            var names = ListSyntax.Split(text)?.Select(name => name.ToLowerInvariant()).Distinct(StringComparer.Ordinal).ToList();
            return names is { Count: > 0 } && names.TrueForAll(name => Stores.Contains(name, StringComparer.Ordinal)) ? names : null;
        },
        names => string.Join(", ", names));

    private IReadOnlyList<string> Volumes()
    {
        var names = _read.List(ConfigurationKeys.BackupVolumes).Distinct(StringComparer.Ordinal).ToList();
        if (!names.TrueForAll(name => ArchiveName().IsMatch(name.Replace('*', 'x').Replace('?', 'x'))))
        {
            _read.Refuse(_read.Find(ConfigurationKeys.BackupVolumes)!, "a list of Docker volume names (letters, digits, . _ -); folders belong into BACKUP_DIRECTORIES");
            return [];
        }

        return names;
    }

    private IReadOnlyList<NamedDirectory> Directories(IReadOnlyList<string> volumes)
    {
        const string key = ConfigurationKeys.BackupDirectories;
        var directories = new List<NamedDirectory>();
        foreach (var element in _read.List(key))
        {
            var equals = element.IndexOf('=', StringComparison.Ordinal);
            var named = equals > 0 && ArchiveName().IsMatch(element[..equals]);
            var path = _read.Absolute(key, named ? element[(equals + 1)..] : element, _read.Root);
            var name = named ? element[..equals] : Path.GetFileName(path) ?? string.Empty;
            if (path is null || !ArchiveName().IsMatch(name))
                _read.Refuse(_read.Find(key)!, "a list of folders whose names have only letters, digits, . _ - (write name=path for others)");
            else if (directories.Exists(other => string.Equals(other.Name, name, StringComparison.Ordinal)))
                _read.Refuse(_read.Find(key)!, $"a list without two folders of the name {name} (write name=path for one of them)");
            else if (volumes.Contains(name, StringComparer.Ordinal))
                _read.Refuse(_read.Find(key)!, $"a list without the name {name}, which BACKUP_VOLUMES has too (write name=path)");
            else
                directories.Add(new NamedDirectory(name, path));
        }

        if (directories.Count > 0)
            _read.Note(key, string.Join(", ", directories.Select(item => $"{item.Name}={item.Path}")), _read.Find(key)!.Origin);
        return directories;
    }

    private IReadOnlyList<string> Paths(string key, string fallback = "") =>
        [.. _read.List(key, fallback: fallback).Select(path => _read.Absolute(key, path, _read.Root)).OfType<string>().Distinct(StringComparer.Ordinal)];

    private IReadOnlyList<string> Addresses() => _read.Parsed(
        ConfigurationKeys.EmailRecipient,
        [],
        "a list of e-mail addresses",
        text => ListSyntax.Split(text, blanksSeparate: !text.Contains('<', StringComparison.Ordinal)) is { } list && list.All(IsAddress) ? list : null,
        list => string.Join(", ", list));

    private bool NoticesAlways()
    {
        var fallback = ConfigurationKeys.Get(ConfigurationKeys.NoticeOn).Default;
        return _read.Parsed(ConfigurationKeys.NoticeOn, fallback, "failure or always", text => text.Trim().ToLowerInvariant() is "failure" or "always" ? text.Trim().ToLowerInvariant() : null, text => text) is "always";
    }

    private TimeSpan Time(string key)
    {
        var text = _read.Parsed(key, ConfigurationKeys.Get(key).Default, "a time such as 30min, 6h or 1d", text => BudgetText.TryParse(text, out _) ? text.Trim() : null, text => text);
        return BudgetText.TryParse(text, out var time) ? time : TimeSpan.Zero;
    }

    private string? DrillTargetsText()
    {
        var text = _read.Parsed(ConfigurationKeys.DrillTargets, "", "targets such as DatabaseCorruption=1h/5min, RegionalOutage=4h/-", text => DrillTargets.TryParse(text, out _) ? text : null, text => text);
        return text.Length > 0 ? text : null;
    }

    private IReadOnlyList<string> HealthExclude()
    {
        var text = _read.Parsed(
            ConfigurationKeys.HealthExclude, "", $"questions of Test-BotBackupHealth: {string.Join(", ", ProbeNames.All)}", text => Questions(text).All(name => ProbeNames.All.Contains(name, StringComparer.OrdinalIgnoreCase)) ? text : null, text => text);
        return Questions(text);

        static string[] Questions(string text) => text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }

    private string? Sender()
    {
        var sender = _read.Text(ConfigurationKeys.EmailFrom);
        if (sender is null || IsAddress(sender))
            return sender;
        _read.Refuse(_read.Find(ConfigurationKeys.EmailFrom)!, "an e-mail address");
        return null;
    }
}
