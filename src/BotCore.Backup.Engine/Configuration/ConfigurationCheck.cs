using BotCore.Backup.Engine.Compression;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Notices;
using BotCore.Backup.Engine.Outside.Gnupg;

namespace BotCore.Backup.Engine.Configuration;

/// <summary>Looks whether settings can work here. It only looks: nothing is created, changed, started or asked.</summary>
internal sealed class ConfigurationCheck(BotBackupConfiguration settings, string searchPath)
{
    private readonly List<ConfigurationFinding> _findings = [.. settings.Warnings];

    internal IReadOnlyList<ConfigurationFinding> Run()
    {
        Folders();
        Sources();
        Sealing();
        Stores();
        Notices();
        EnvFileMode();
        return _findings;
    }

    private static bool Exists(string path) => File.Exists(path) || Directory.Exists(path);

    private void Error(string key, string message, string advice) => _findings.Add(new ConfigurationFinding(key, FindingSeverity.Error, message, advice));

    private void Warning(string key, string message, string advice) => _findings.Add(new ConfigurationFinding(key, FindingSeverity.Warning, message, advice));

    private void Information(string key, string message, string advice) => _findings.Add(new ConfigurationFinding(key, FindingSeverity.Information, message, advice));

    private void Folders()
    {
        if (!Directory.Exists(settings.ProjectRoot))
            Error(ConfigurationKeys.ProjectRoot, $"The folder {settings.ProjectRoot} does not exist.", "Name the folder of the platform.");
        Writable(ConfigurationKeys.BackupDir, settings.BackupDirectory);
        Writable(ConfigurationKeys.LogDir, settings.LogDirectory);
        if (settings.MetricsFile is not { } metrics)
            return;
        if (Path.GetDirectoryName(metrics) is not { } folder || !Directory.Exists(folder))
            Error(ConfigurationKeys.MetricsFile, $"The folder of {metrics} does not exist.", "Create it, and name it to the node exporter too.");
        else if (!UnixFile.MayWrite(folder))
            Error(ConfigurationKeys.MetricsFile, $"This user may not write in {folder}.", "Give the folder to this user.");
        if (!metrics.EndsWith(".prom", StringComparison.Ordinal))
            Warning(ConfigurationKeys.MetricsFile, $"{metrics} does not end in .prom, so the node exporter will not read it.", "Give it a name that ends in .prom.");
    }

    private void Writable(string key, string folder)
    {
        if (File.Exists(folder))
            Error(key, $"{folder} is a file.", "Name a folder.");
        else if (!Directory.Exists(folder))
            Warning(key, $"The folder {folder} does not exist.", "Create it; where it is a mount point, mount it first.");
        else if (!UnixFile.MayWrite(folder))
            Error(key, $"This user may not write in {folder}, or its file system is read-only.", "Give the folder to this user, or run as its owner.");
    }

    private void Sources()
    {
        if (settings.DatabaseUrl is null)
            Information(ConfigurationKeys.DatabaseUrl, "No DATABASE_URL is set, so MongoDB cannot be backed up.", "Set it, or DATABASE_URL_FILE, where there is a MongoDB.");
        if (!settings.ConfigPathsAreDefault)
            MustExist(ConfigurationKeys.ConfigPaths, [.. settings.ConfigPaths.Where(path => path.AsSpan().IndexOfAny("*?[") < 0)]);
        MustExist(ConfigurationKeys.ModelPaths, settings.ModelPaths);
        foreach (var directory in settings.Directories.Where(directory => !Directory.Exists(directory.Path)))
            Error(ConfigurationKeys.BackupDirectories, $"The folder {directory.Path} does not exist.", "Correct the path, or create the folder.");
        var docker = settings.DockerHost;
        if ((settings.Volumes.Count > 0 || settings.MongoContainer is not null) && string.Equals(docker.Scheme, "unix", StringComparison.Ordinal) && !Path.Exists(docker.AbsolutePath))
            Error(ConfigurationKeys.DockerHost, $"There is no socket {docker.AbsolutePath}.", "Start the Docker Engine, or correct DOCKER_HOST.");
    }

    private void MustExist(string key, IReadOnlyList<string> paths)
    {
        foreach (var path in paths.Where(path => !Exists(path)))
            Error(key, $"{path} does not exist.", "Correct the path, or create what it names.");
    }

    private void Sealing()
    {
        try
        {
            if (settings.Compression is not ConfigurationKeys.AutoCompression)
                Codecs.ByName(settings.Compression);
        }
        catch (BackupException missing)
        {
            Error(ConfigurationKeys.Compression, missing.Failure.Message, missing.Failure.Advice);
        }

        if (settings.CompressionTarget is not null && settings.Compression is not ConfigurationKeys.AutoCompression)
            Information(ConfigurationKeys.CompressionTarget, "COMPRESSION_TARGET has no effect: COMPRESSION names a codec.", "Set COMPRESSION=auto, or take it out.");
        if (!settings.EncryptionEnabled)
        {
            if (settings.OriginOf(ConfigurationKeys.EncryptionEnabled) != Origin.Default)
                Information(ConfigurationKeys.EncryptionEnabled, "Backups are not encrypted, as ENCRYPTION_ENABLED says.", "Keep the stores as safe as the platform itself.");
        }
        else if (settings.Recipients.Count == 0 && settings.PassphraseFile is null)
        {
            Error(ConfigurationKeys.EncryptionEnabled, "Encryption is on, and neither GPG_PASSPHRASE_FILE nor GPG_RECIPIENT is set.", "Make a passphrase with New-BotBackupPassphrase, and set GPG_PASSPHRASE_FILE.");
        }

        PassphraseFile();
        if ((settings.Recipients.Count > 0 || settings.SignKey is not null) && GpgProgram.Locate(searchPath) is null)
            Error(ConfigurationKeys.GpgRecipient, "gpg is not on the PATH, and recipients and signatures need it.", "Install the package gnupg.");
        if (settings.SignKey is not null && settings.Recipients.Count == 0)
            Information(ConfigurationKeys.GpgSignKey, "GPG_SIGN_KEY has no effect without GPG_RECIPIENT: manifests are authenticated by the passphrase.", "Remove it, or set GPG_RECIPIENT.");
    }

    private void PassphraseFile()
    {
        if (settings.PassphraseFile is not { } file)
            return;
        if (settings.Recipients.Count > 0)
            Information(ConfigurationKeys.GpgPassphraseFile, "New backups are encrypted to GPG_RECIPIENT; the passphrase file only opens older ones.", "Nothing need be done.");
        try
        {
            using var passphrase = PassphraseSource.Read(file, out var carriageReturn);
            if (carriageReturn)
            {
                Warning(
                    ConfigurationKeys.GpgPassphraseFile,
                    $"The first line of {file} ends in CRLF. It is left out here, while gpg --passphrase-file takes the CR for a part of the passphrase.",
                    "Save the file with LF line ends.");
            }
        }
        catch (BackupException failure)
        {
            Error(ConfigurationKeys.GpgPassphraseFile, failure.Failure.Message, failure.Failure.Advice);
        }
    }

    private void Stores()
    {
        StoresOf(ConfigurationKeys.StoresMongoDb, settings.StoresMongoDb);
        StoresOf(ConfigurationKeys.StoresVolumes, settings.StoresVolumes);
        StoresOf(ConfigurationKeys.StoresConfig, settings.StoresConfig);
        StoresOf(ConfigurationKeys.StoresModels, settings.StoresModels);
        if (settings.S3Enabled)
            Needs(ConfigurationKeys.S3Bucket, settings.S3Bucket, ConfigurationKeys.EnableS3);
        if (settings.GcsEnabled)
        {
            Needs(ConfigurationKeys.GcsBucket, settings.GcsBucket, ConfigurationKeys.EnableGcs);
            MustExist(ConfigurationKeys.GoogleCredentials, settings.GoogleCredentialsFile is { } file ? [file] : []);
        }

        if (settings.SftpEnabled)
            Sftp();
        if (settings.RetentionWeekly < settings.RetentionDaily)
            Information(ConfigurationKeys.RetentionWeekly, "RETENTION_WEEKLY is shorter than RETENTION_DAILY and has no effect.", "Make it longer.");
        if (settings.RetentionMonthly < settings.RetentionWeekly)
            Information(ConfigurationKeys.RetentionMonthly, "RETENTION_MONTHLY is shorter than RETENTION_WEEKLY and has no effect.", "Make it longer.");
    }

    private void StoresOf(string key, IReadOnlyList<string> stores)
    {
        foreach (var store in stores.Where(store => !settings.EnabledStores.Contains(store, StringComparer.Ordinal)))
            Error(key, $"{key} names {store}, and ENABLE_{store.ToUpperInvariant()}_BACKUP is not true.", "Enable the store, or take it out of the list.");
    }

    private void Needs(string key, string? value, string because)
    {
        if (value is null)
            Error(key, $"{because} is true and {key} is not set.", $"Set {key}.");
    }

    private void Sftp()
    {
        Needs(ConfigurationKeys.SftpHost, settings.SftpHost, ConfigurationKeys.EnableSftp);
        Needs(ConfigurationKeys.SftpDir, settings.SftpDirectory, ConfigurationKeys.EnableSftp);
        if (GpgProgram.Locate(searchPath, "ssh") is null)
            Error(ConfigurationKeys.EnableSftp, "ssh is not on the PATH, and SFTP needs it.", "Install the package openssh-client.");
        MustExist(ConfigurationKeys.SftpKnownHosts, settings.SftpKnownHostsFile is { } hosts ? [hosts] : []);
        if (settings.SftpKeyFile is not { } key)
            return;
        if (!File.Exists(key))
            Error(ConfigurationKeys.SftpSshKey, $"{key} does not exist.", "Name the private key file.");
        else if (SecretFile.ReadableByOthers(key) is { } mode)
            Error(ConfigurationKeys.SftpSshKey, $"{key} is open to group or others (mode {mode}), and ssh refuses such keys.", $"Run: chmod 600 {key}");
    }

    private void Notices()
    {
        Encrypted(ConfigurationKeys.SlackWebhook, settings.SlackWebhook);
        Encrypted(ConfigurationKeys.Webhook, settings.Webhook);
        if (settings.SmtpUser is not null && settings.SmtpPassword is null)
            Error(ConfigurationKeys.SmtpPassword, "SMTP_USER is set and no SMTP_PASSWORD.", "Set SMTP_PASSWORD_FILE.");
        if (settings.SmtpUser is null && settings.SmtpPassword is not null)
            Warning(ConfigurationKeys.SmtpUser, "SMTP_PASSWORD is set and no SMTP_USER, so there is no login.", "Set SMTP_USER.");
        if (settings.EmailRecipients.Count > 0 && settings.EmailFrom is null)
            Information(ConfigurationKeys.EmailFrom, "EMAIL_FROM is not set; the mail system chooses the sender.", "Set it where mail must not be taken for spam.");
        Template();
    }

    private void Encrypted(string key, SecretUri? uri)
    {
        if (uri?.Reveal().StartsWith("http:", StringComparison.OrdinalIgnoreCase) == true)
            Warning(key, $"{key} is sent without encryption (http).", "Use https.");
    }

    private void Template()
    {
        if (settings.NoticeTemplate is not { } path)
            return;
        try
        {
            if (NoticeTemplate.Read(path).Unknown is { Count: > 0 } unknown)
                Warning(ConfigurationKeys.NoticeTemplate, $"{path} has placeholders that nothing stands for: {string.Join(", ", unknown)}.", $"Use only these: {NoticeTemplate.Known}.");
        }
        catch (BackupException wrong)
        {
            Error(ConfigurationKeys.NoticeTemplate, wrong.Failure.Message, wrong.Failure.Advice);
        }
    }

    private void EnvFileMode()
    {
        if (settings.EnvFile is not { } file || !File.Exists(file) || SecretFile.ReadableByOthers(file) is not { } mode)
            return;
        if (ConfigurationKeys.All.Any(key => key.IsSecret && settings.OriginOf(key.Name) == Origin.File))
            Warning(string.Empty, $"{file} holds secrets or names their files, and is open to group or others (mode {mode}).", $"Run: chmod 600 {file}");
    }
}
