using System.Globalization;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Configuration;

public sealed class BotBackupConfigurationTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Defaults_are_the_documented_ones()
    {
        var it = _folder.Load("# nothing");

        Assert.Equal(_folder.Path, it.ProjectRoot);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(("/var/backups/botcore", "/var/log/botcore", "unix:///var/run/docker.sock"), (it.BackupDirectory, it.LogDirectory, it.DockerHost.OriginalString));
        Assert.Equal(("gzip", 6, false), (it.Compression, it.CompressionLevel, it.EncryptionEnabled));
        Assert.Equal((7, 30, 365, 90, 7, 7), (it.RetentionDaily, it.RetentionWeekly, it.RetentionMonthly, it.RetentionConfig, it.RetentionVolumes, it.RetentionSnapshots));
        Assert.Equal((false, false, false, true), (it.S3Enabled, it.GcsEnabled, it.SftpEnabled, it.NotificationsEnabled));
        Assert.Equal(("us-east-1", 25, (int?)null), (it.AwsRegion, it.SmtpPort, it.SftpPort));
        Assert.All([it.DatabaseUrl, it.SlackWebhook, (object?)it.HealthcheckUrl, it.SmtpPassword, it.PassphraseFile, it.SignKey, it.DatabaseName, it.MongoContainer], Assert.Null);
        Assert.All([it.S3Bucket, (object?)it.S3Endpoint, it.GcsBucket, it.GcsEndpoint, it.GoogleCredentialsFile, it.SftpHost, it.SftpUser, it.SftpDirectory, it.SftpKeyFile], Assert.Null);
        Assert.All([it.EmailFrom, it.SmtpHost, it.SmtpUser, it.MetricsFile], Assert.Null);
        Assert.All([it.Volumes, it.ModelPaths, it.Recipients, it.EmailRecipients], Assert.Empty);
        Assert.Empty(it.Directories);
        Assert.Equal([".env", "config", "docker-compose.yml", "docker-compose.*.yml", "nginx", "certs"], it.ConfigPaths.Select(path => Path.GetRelativePath(_folder.Path, path)), StringComparer.Ordinal);
        Assert.True(it.ConfigPathsAreDefault);
        Assert.All(it.Settings, setting => Assert.Equal(Origin.Default, setting.Origin));
        Assert.Equal(ConfigurationKeys.All.Select(key => key.Name), it.Settings.Select(setting => setting.Key), StringComparer.Ordinal);
    }

    [Fact]
    public void Each_default_is_displayed_as_the_template_says()
    {
        var it = _folder.Load(string.Empty);

        foreach (var key in ConfigurationKeys.All.Where(key => key.Default.Length > 0 && key.Name is not ("CONFIG_PATHS" or "BACKUP_DIR" or "LOG_DIR" or "DOCKER_HOST")))
            Assert.Equal(key.Default, Shown(it, key.Name));
    }

    [Theory]
    [InlineData("", "local", "local", "local", "local")]
    [InlineData("ENABLE_S3_BACKUP=yes", "local,s3", "local", "local,s3", "s3")]
    [InlineData("ENABLE_S3_BACKUP=1\nENABLE_GCS_BACKUP=true\nENABLE_SFTP_BACKUP=on", "local,s3,gcs,sftp", "local", "local,s3,gcs,sftp", "s3,gcs,sftp")]
    [InlineData("ENABLE_S3_BACKUP=1\nSTORES_MODELS=local\nSTORES_MONGODB=S3\nSTORES_VOLUMES=local s3", "s3", "local,s3", "local,s3", "local")]
    public void Stores_default_to_the_guide(string text, string database, string volumes, string config, string models)
    {
        var it = _folder.Load(text);

        Assert.Equal([database, volumes, config, models], new[] { it.StoresMongoDb, it.StoresVolumes, it.StoresConfig, it.StoresModels }.Select(list => string.Join(',', list)), StringComparer.Ordinal);
    }

    [Theory]
    [InlineData(null, null, null, 7, Origin.Default)]
    [InlineData("1", null, null, 1, Origin.File)]
    [InlineData(null, "2", null, 2, Origin.Environment)]
    [InlineData(null, null, "3", 3, Origin.Parameter)]
    [InlineData("1", "2", null, 2, Origin.Environment)]
    [InlineData("1", null, "3", 3, Origin.Parameter)]
    [InlineData(null, "2", "3", 3, Origin.Parameter)]
    [InlineData("1", "2", "3", 3, Origin.Parameter)]
    [InlineData("1", "", null, 7, Origin.Default)]
    [InlineData("", null, null, 7, Origin.Default)]
    public void Parameters_win_over_environment_over_file(string? file, string? environment, string? parameter, int expected, Origin origin)
    {
        var it = _folder.Load(file is null ? string.Empty : $"RETENTION_DAILY={file}", Layer("RETENTION_DAILY", environment), Layer("RETENTION_DAILY", parameter));

        Assert.Equal(expected, it.RetentionDaily);
        Assert.Equal(origin, it.OriginOf("RETENTION_DAILY"));
        Assert.Equal(expected.ToString(CultureInfo.InvariantCulture), Shown(it, "RETENTION_DAILY"));
    }

    [Fact]
    public void A_secret_in_a_file_follows_the_same_order_as_the_secret_itself()
    {
        var file = _folder.Write("hook", "https://hooks.test/from-file\n");
        const string Text = "SLACK_WEBHOOK=https://hooks.test/in-env-file";

        Assert.Equal("https://hooks.test/from-file", _folder.Load(Text, Layer("SLACK_WEBHOOK_FILE", file)).SlackWebhook!.Reveal());
        Assert.Equal("https://hooks.test/parameter", _folder.Load(Text, Layer("SLACK_WEBHOOK_FILE", file), Layer("SLACK_WEBHOOK", "https://hooks.test/parameter")).SlackWebhook!.Reveal());
        Assert.Equal("https://hooks.test/from-file", _folder.Load("SLACK_WEBHOOK_FILE=hook").SlackWebhook!.Reveal());
        Assert.Null(_folder.Load(Text, Layer("SLACK_WEBHOOK", string.Empty)).SlackWebhook);
        Refused("SLACK_WEBHOOK=https://a.test/x\nSLACK_WEBHOOK_FILE=hook", "both set");
        Refused("SLACK_WEBHOOK_FILE=absent", "does not exist");
    }

    [Theory]
    [InlineData("COMPRESSION=lzma", "COMPRESSION")]
    [InlineData("COMPRESSION=none", "COMPRESSION")]
    [InlineData("COMPRESSION_LEVEL=ten", "COMPRESSION_LEVEL")]
    [InlineData("COMPRESSION_LEVEL=0", "COMPRESSION_LEVEL")]
    [InlineData("COMPRESSION=bzip2\nCOMPRESSION_LEVEL=10", "COMPRESSION_LEVEL")]
    [InlineData("COMPRESSION=zstd\nCOMPRESSION_LEVEL=20", "COMPRESSION_LEVEL")]
    [InlineData("ENCRYPTION_ENABLED=maybe", "ENCRYPTION_ENABLED")]
    [InlineData("RETENTION_DAILY=0", "RETENTION_DAILY")]
    [InlineData("RETENTION_CONFIG=-1", "RETENTION_CONFIG")]
    [InlineData("RETENTION_VOLUMES=99999999999999", "RETENTION_VOLUMES")]
    [InlineData("SFTP_PORT=65536", "SFTP_PORT")]
    [InlineData("STORES_MONGODB=local,azure", "STORES_MONGODB")]
    [InlineData("STORES_MONGODB=,", "STORES_MONGODB")]
    [InlineData("DATABASE_URL=postgres://x", "DATABASE_URL")]
    [InlineData("SLACK_WEBHOOK=hooks.test/x", "SLACK_WEBHOOK")]
    [InlineData("WEBHOOK_URL=ftp://hooks.test/x", "WEBHOOK_URL")]
    [InlineData("NOTICE_ON=never", "NOTICE_ON")]
    [InlineData("NOTICE_REPEAT=6", "NOTICE_REPEAT")]
    [InlineData("HEALTHCHECK_URL=file:///etc/passwd", "HEALTHCHECK_URL")]
    [InlineData("S3_ENDPOINT=https://user:pw@s3.test", "S3_ENDPOINT")]
    [InlineData("DOCKER_HOST=ftp://x", "DOCKER_HOST")]
    [InlineData("EMAIL_RECIPIENT=nobody", "EMAIL_RECIPIENT")]
    [InlineData("EMAIL_FROM=nobody", "EMAIL_FROM")]
    [InlineData("BACKUP_VOLUMES=/data/x", "BACKUP_VOLUMES")]
    [InlineData("BACKUP_DIRECTORIES='a", "Line 1")]
    [InlineData("BACKUP_DIRECTORIES=\"'a\"", "BACKUP_DIRECTORIES")]
    [InlineData("BACKUP_DIRECTORIES=/a/data /b/data", "the name data")]
    [InlineData("BACKUP_VOLUMES=data\nBACKUP_DIRECTORIES=/b/data", "the name data")]
    [InlineData("BACKUP_DIRECTORIES=/", "BACKUP_DIRECTORIES")]
    [InlineData("BACKUP_DIRECTORIES=\"'/a/my data'\"", "name=path")]
    public void Wrong_values_are_refused_by_name(string text, string named) => Refused(text, named);

    [Fact]
    public void All_wrong_values_are_told_at_once_and_no_value_is_shown()
    {
        var failure = Refused("RETENTION_DAILY=geheim1\nCOMPRESSION=geheim2\nDATABASE_URL=geheim3\nSTORES_CONFIG=geheim4", "RETENTION_DAILY");

        Assert.Contains("COMPRESSION in line 2 of ", failure.Message, StringComparison.Ordinal);
        Assert.Contains("DATABASE_URL", failure.Message, StringComparison.Ordinal);
        Assert.Contains("STORES_CONFIG", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("geheim", failure.ToString(), StringComparison.Ordinal);
        Assert.Equal(4, _folder.Examine(File.ReadAllText(_folder.EnvFile)).Count(finding => finding.Severity == FindingSeverity.Error));
    }

    [Theory]
    [InlineData("a b\tc", "a|b|c")]
    [InlineData("a b, c", "a b|c")]
    [InlineData("a, ,b,", "a|b")]
    [InlineData("a b\nc", "a b|c")]
    [InlineData("'a, b' \"c d\"", "a, b|c d")]
    [InlineData("'a b' , c", "a b|c")]
    [InlineData("'a'\t'b'", "a|b")]
    [InlineData("n='a b' c", "n=a b|c")]
    [InlineData("o'brien x", "o'brien|x")]
    [InlineData("  ", "")]
    [InlineData("'a", null)]
    [InlineData("'a'b", null)]
    public void Lists_are_split(string text, string? expected) => Assert.Equal(expected, ListSyntax.Split(text) is { } list ? string.Join('|', list) : null);

    [Fact]
    public void Paths_start_from_the_project_and_key_files_from_the_env_file()
    {
        var it = _folder.Load(
            "PROJECT_ROOT=app\nBACKUP_DIR=b/\nLOG_DIR=../l\nMETRICS_FILE=m.prom\nCONFIG_PATHS=c\nMODEL_PATHS=/m,~/n\n"
            + "GPG_PASSPHRASE_FILE=p\nGOOGLE_APPLICATION_CREDENTIALS=g\nSFTP_SSH_KEY=~/.ssh/k",
            Layer("HOME", "/home/u"));

        var root = Path.Combine(_folder.Path, "app");
        Assert.Equal((root, Path.Combine(root, "b"), Path.Combine(_folder.Path, "l")), (it.ProjectRoot, it.BackupDirectory, it.LogDirectory));
        Assert.Equal(Path.Combine(root, "m.prom"), it.MetricsFile);
        Assert.Equal([Path.Combine(root, "c")], it.ConfigPaths);
        Assert.False(it.ConfigPathsAreDefault);
        Assert.Equal(["/m", "/home/u/n"], it.ModelPaths);
        Assert.Equal((Path.Combine(_folder.Path, "p"), Path.Combine(_folder.Path, "g"), "/home/u/.ssh/k"), (it.PassphraseFile, it.GoogleCredentialsFile, it.SftpKeyFile));
    }

    [Fact]
    public void Directories_are_named_by_leaf_or_by_the_admin()
    {
        var it = _folder.Load("BACKUP_DIRECTORIES=\"data/redis uploads='my files' /srv/a=b/c\"");

        Assert.Equal(
            [new NamedDirectory("redis", Path.Combine(_folder.Path, "data/redis")), new NamedDirectory("uploads", Path.Combine(_folder.Path, "my files")), new NamedDirectory("c", "/srv/a=b/c")],
            it.Directories);
    }

    [Theory]
    [InlineData("", false, true)]
    [InlineData("ENCRYPTION_ENABLED=false", false, false)]
    [InlineData("ENCRYPTION_ENABLED=true", true, false)]
    [InlineData("GPG_PASSPHRASE_FILE=p", true, false)]
    [InlineData("GPG_RECIPIENT=ABCD 1234, Alice Doe <a@x.test>", true, false)]
    [InlineData("GPG_PASSPHRASE_FILE=p\nENCRYPTION_ENABLED=no", false, false)]
    public void Encryption_follows_its_keys_and_never_is_off_silently(string text, bool enabled, bool warned)
    {
        var it = _folder.Load(text);

        Assert.Equal(enabled, it.EncryptionEnabled);
        Assert.Equal(warned, it.Warnings.Any(finding => finding is { Key: "ENCRYPTION_ENABLED", Severity: FindingSeverity.Warning }));
        if (text.StartsWith("GPG_RECIPIENT", StringComparison.Ordinal))
            Assert.Equal(["ABCD 1234", "Alice Doe <a@x.test>"], it.Recipients);
    }

    [Fact]
    public void Unknown_names_in_the_file_are_one_warning_with_guesses()
    {
        var it = _folder.Load("COMPRESION=xz\nRETENTON_DALY=1\nGPG_PASSPHRASE=geheim\nNODE_ENV=x\nENCRYPTION_ENABLED=false", Layer("COMPRESIONS", "x"));

        var warning = Assert.Single(it.Warnings);
        Assert.Contains("COMPRESION (did you mean COMPRESSION?), GPG_PASSPHRASE (did you mean GPG_PASSPHRASE_FILE?), RETENTON_DALY (did you mean RETENTION_DAILY?), NODE_ENV.", warning.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("geheim", warning.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Unknown_parameters_are_refused()
    {
        var failure = Assert.Throws<BackupException>(() => _folder.Load(string.Empty, null, Layer("COMPRESION", "xz"))).Failure;

        Assert.Equal((FailureKind.ConfigurationInvalid, "Did you mean COMPRESSION?"), (failure.Kind, failure.Advice));
    }

    [Fact]
    public void Variables_that_are_not_set_are_warned_of_for_our_settings_only()
    {
        var it = _folder.Load("GPG_RECIPIENT=a\nBACKUP_DIR=$NOWHERE/b\nOTHER=$NOWHERE");

        Assert.Contains(it.Warnings, finding => finding.Key is "BACKUP_DIR" && finding.Message.Contains("${NOWHERE}", StringComparison.Ordinal));
        Assert.DoesNotContain(it.Warnings, finding => finding.Key is "OTHER");
    }

    [Fact]
    public void Without_a_file_the_environment_is_enough()
    {
        var it = BotBackupConfiguration.Load(null, Layer("COMPRESSION", "ZSTD"), null);

        Assert.Equal(("zstd", (string?)null), (it.Compression, it.EnvFile));
    }

    private static string Shown(BotBackupConfiguration it, string key) => it.Settings.Single(setting => string.Equals(setting.Key, key, StringComparison.Ordinal)).Value;

    private static Dictionary<string, string> Layer(string key, string? value) =>
        value is null ? new(StringComparer.Ordinal) : new(StringComparer.Ordinal) { [key] = value };

    private Failure Refused(string text, string named)
    {
        var failure = Assert.Throws<BackupException>(() => _folder.Load(text)).Failure;
        Assert.Equal(FailureKind.ConfigurationInvalid, failure.Kind);
        Assert.Contains(named, failure.Message, StringComparison.Ordinal);
        return failure;
    }
}
