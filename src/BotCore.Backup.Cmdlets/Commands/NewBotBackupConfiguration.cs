using System.Management.Automation;
using BotCore.Backup.Engine.Configuration;

namespace BotCore.Backup.Cmdlets.Commands;

/// <summary>Writes a commented .env file to begin with. Never overwrites.</summary>
[Cmdlet(VerbsCommon.New, "BotBackupConfiguration", SupportsShouldProcess = true)]
[OutputType(typeof(FileInfo))]
public sealed class NewBotBackupConfiguration : BotBackupCmdlet
{
    /// <summary>The file to write.</summary>
    [Parameter(Position = 0)]
    [ValidateNotNullOrEmpty]
    public string Path { get; set; } = ".env";

    /// <summary>BACKUP_DIR.</summary>
    [Parameter]
    public string? BackupDirectory { get; set; }

    /// <summary>LOG_DIR: a folder that the user who makes backups can write to.</summary>
    [Parameter]
    public string? LogDirectory { get; set; }

    /// <summary>PROJECT_ROOT.</summary>
    [Parameter]
    public string? ProjectRoot { get; set; }

    /// <summary>GPG_PASSPHRASE_FILE.</summary>
    [Parameter]
    public string? PassphraseFile { get; set; }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        var path = FullPath(Path);
        if (!ShouldProcess(path, "Write a configuration to begin with"))
            return;
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        Add(values, "BACKUP_DIR", BackupDirectory);
        Add(values, "LOG_DIR", LogDirectory);
        Add(values, "PROJECT_ROOT", ProjectRoot);
        Add(values, "GPG_PASSPHRASE_FILE", PassphraseFile);
        if (Try(() => ConfigurationTemplate.Write(path, values)))
            WriteObject(InvokeProvider.Item.Get([path], force: true, literalPath: true), enumerateCollection: true);
    }

    private void Add(Dictionary<string, string> values, string key, string? path)
    {
        if (path is not null)
            values.Add(key, FullPath(path));
    }
}
