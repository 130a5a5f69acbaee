using BotCore.Backup.Engine.Configuration;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Configuration;

public sealed class ConfigurationCheckTests : IDisposable
{
    private const string Sound = "BACKUP_DIR=backups\nLOG_DIR=backups\nENCRYPTION_ENABLED=false\n";

    private readonly TestFolder _folder = new();

    public ConfigurationCheckTests() => Directory.CreateDirectory(Path.Combine(_folder.Path, "backups"));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Sound_settings_have_no_errors_and_no_warnings() =>
        Assert.DoesNotContain(_folder.Examine(Sound), finding => finding.Severity != FindingSeverity.Information);

    [Theory]
    [InlineData("PROJECT_ROOT=absent", "PROJECT_ROOT")]
    [InlineData("BACKUP_DIR=.env", "BACKUP_DIR")]
    [InlineData("METRICS_FILE=absent/x.prom", "METRICS_FILE")]
    [InlineData("CONFIG_PATHS=absent", "CONFIG_PATHS")]
    [InlineData("MODEL_PATHS=absent", "MODEL_PATHS")]
    [InlineData("BACKUP_DIRECTORIES=absent", "BACKUP_DIRECTORIES")]
    [InlineData("BACKUP_VOLUMES=v\nDOCKER_HOST=unix:///absent.sock", "DOCKER_HOST")]
    [InlineData("ENCRYPTION_ENABLED=true", "ENCRYPTION_ENABLED")]
    [InlineData("GPG_PASSPHRASE_FILE=absent", "GPG_PASSPHRASE_FILE")]
    [InlineData("STORES_MONGODB=local,s3", "STORES_MONGODB")]
    [InlineData("ENABLE_S3_BACKUP=true", "S3_BACKUP_BUCKET")]
    [InlineData("ENABLE_GCS_BACKUP=true", "GCS_BACKUP_BUCKET")]
    [InlineData("ENABLE_GCS_BACKUP=true\nGCS_BACKUP_BUCKET=b\nGOOGLE_APPLICATION_CREDENTIALS=absent", "GOOGLE_APPLICATION_CREDENTIALS")]
    [InlineData("ENABLE_SFTP_BACKUP=true\nSFTP_DIR=d", "SFTP_HOST")]
    [InlineData("ENABLE_SFTP_BACKUP=true\nSFTP_HOST=h", "SFTP_DIR")]
    [InlineData("ENABLE_SFTP_BACKUP=true\nSFTP_HOST=h\nSFTP_DIR=d\nSFTP_SSH_KEY=absent", "SFTP_SSH_KEY")]
    [InlineData("SMTP_USER=u", "SMTP_PASSWORD")]
    [InlineData("NOTICE_TEMPLATE=absent", "NOTICE_TEMPLATE")]
    [InlineData("RETENTION_DAILY=0", "RETENTION_DAILY")]
    [InlineData("COMPRESSION_LEVEL=11", "COMPRESSION_LEVEL")]
    public void What_cannot_work_is_an_error(string text, string key)
    {
        Assert.Contains(_folder.Examine(Sound + text), finding => IsAbout(finding, key, FindingSeverity.Error));
        Assert.DoesNotContain(_folder.Examine(Sound), finding => IsAbout(finding, key, FindingSeverity.Error));
    }

    [Theory]
    [InlineData("BACKUP_DIR=absent", "BACKUP_DIR")]
    [InlineData("METRICS_FILE=x.txt", "METRICS_FILE")]
    [InlineData("SLACK_WEBHOOK=http://hooks.test/x", "SLACK_WEBHOOK")]
    [InlineData("WEBHOOK_URL=http://hooks.test/x", "WEBHOOK_URL")]
    [InlineData("NOTICE_TEMPLATE=template.txt", "NOTICE_TEMPLATE")]
    [InlineData("SMTP_PASSWORD=x", "SMTP_USER")]
    [InlineData("ENCRYPTION_ENABLED=", "ENCRYPTION_ENABLED")]
    [InlineData("TYPO=1", "")]
    public void What_works_but_should_be_looked_at_is_a_warning(string text, string key)
    {
        _folder.Write("template.txt", "{outcome} on {hots}");
        Assert.Contains(_folder.Examine(Sound + text), finding => IsAbout(finding, key, FindingSeverity.Warning));
        Assert.DoesNotContain(_folder.Examine(Sound), finding => IsAbout(finding, key, FindingSeverity.Warning));
    }

    [Fact]
    public void Gpg_and_ssh_are_looked_for()
    {
        var it = _folder.Load(Sound + "GPG_RECIPIENT=a\nENABLE_SFTP_BACKUP=true\nSFTP_HOST=h\nSFTP_DIR=d");

        var keys = new ConfigurationCheck(it, "/nowhere").Run().Where(finding => finding.Severity == FindingSeverity.Error).Select(finding => finding.Key);
        Assert.Equal(["GPG_RECIPIENT", "ENABLE_SFTP_BACKUP"], keys, StringComparer.Ordinal);
    }

    [Fact]
    public void Secrets_that_others_can_read_are_found()
    {
        if (OperatingSystem.IsWindows())
            return;
        const UnixFileMode open = UnixFileMode.UserRead | UnixFileMode.GroupRead;
        _folder.Write("phrase", "x\n", open);
        _folder.Write("hook", "https://hooks.test/x\n", open);
        _folder.Write("key", "x", open);
        var text = Sound + "GPG_PASSPHRASE_FILE=phrase\nSLACK_WEBHOOK_FILE=hook\nENABLE_SFTP_BACKUP=1\nSFTP_HOST=h\nSFTP_DIR=d\nSFTP_SSH_KEY=key";

        var findings = _folder.Examine(text);
        Assert.Contains(findings, finding => finding is { Key: "GPG_PASSPHRASE_FILE", Severity: FindingSeverity.Error });
        Assert.Contains(findings, finding => finding is { Key: "SLACK_WEBHOOK_FILE", Severity: FindingSeverity.Warning });
        Assert.Contains(findings, finding => finding is { Key: "SFTP_SSH_KEY", Severity: FindingSeverity.Error });
        Assert.DoesNotContain(findings, finding => finding.Key.Length == 0);
        File.SetUnixFileMode(_folder.EnvFile, open);
        Assert.Contains(BotBackupConfiguration.Examine(_folder.EnvFile, TestFolder.NoEnvironment), finding => finding.Message.StartsWith(_folder.EnvFile, StringComparison.Ordinal));
    }

    [Fact]
    public void A_passphrase_file_with_crlf_is_warned_of()
    {
        _folder.Write("phrase", "x\r\n");

        Assert.Contains(_folder.Examine(Sound + "GPG_PASSPHRASE_FILE=phrase"), finding => finding is { Key: "GPG_PASSPHRASE_FILE", Severity: FindingSeverity.Warning });
    }

    [Fact]
    public void Checking_changes_nothing()
    {
        _folder.Examine("BACKUP_DIR=b\nLOG_DIR=l\nMETRICS_FILE=m/x.prom\nGPG_RECIPIENT=a\nENABLE_SFTP_BACKUP=1");

        Assert.Equal([".env", "backups"], Directory.GetFileSystemEntries(_folder.Path).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal), StringComparer.Ordinal);
    }

    [Fact]
    public void The_template_names_every_setting_and_loads_without_errors()
    {
        var text = ConfigurationTemplate.Text();

        Assert.All(BotBackupConfiguration.KnownKeys, key => Assert.Contains($"\n#{key}=", text, StringComparison.Ordinal));
        Assert.DoesNotContain(_folder.Examine(text), finding => finding.Severity == FindingSeverity.Error);
        Assert.All(text.Split('\n'), line => Assert.True(line.Length <= 160, line));
        // The defaults as they stand there are valid, and are the defaults.
        var defaults = string.Join('\n', text.Split('\n').Where(line => line.StartsWith('#') && !line.StartsWith("# ", StringComparison.Ordinal)).Select(line => line[1..]));
        Assert.Equal(_folder.Load(text).Settings.Select(setting => (setting.Key, setting.Value)), _folder.Load(defaults).Settings.Select(setting => (setting.Key, setting.Value)));
    }

    [Fact]
    public void The_template_takes_values_and_quotes_them()
    {
        var text = ConfigurationTemplate.Text(new Dictionary<string, string>(StringComparer.Ordinal) { ["MONGO_CONTAINER"] = "it's $x", ["SMTP_PASSWORD_FILE"] = "/a b" });

        Assert.Contains("\nSMTP_PASSWORD_FILE='/a b'\n", text, StringComparison.Ordinal);
        Assert.Equal("it's $x", EnvFile.Parse(text, "x", TestFolder.NoEnvironment).Entries.Single(entry => entry.Key is "MONGO_CONTAINER").Value);
        Assert.Throws<ArgumentException>(() => ConfigurationTemplate.Text(new Dictionary<string, string>(StringComparer.Ordinal) { ["X"] = "y" }));
    }

    private static bool IsAbout(ConfigurationFinding finding, string key, FindingSeverity severity) =>
        string.Equals(finding.Key, key, StringComparison.Ordinal) && finding.Severity == severity;
}
