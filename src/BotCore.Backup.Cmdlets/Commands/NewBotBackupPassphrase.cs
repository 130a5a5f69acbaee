using System.Management.Automation;
using BotCore.Backup.Engine.Configuration;

namespace BotCore.Backup.Cmdlets.Commands;

/// <summary>Makes a passphrase file: 32 random bytes as base64, mode 0400. Never overwrites, never shows what it wrote.</summary>
[Cmdlet(VerbsCommon.New, "BotBackupPassphrase", SupportsShouldProcess = true)]
[OutputType(typeof(FileInfo))]
public sealed class NewBotBackupPassphrase : BotBackupCmdlet
{
    /// <summary>The file to write; its folder must be there.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    public string Path { get; set; } = "";

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        var path = FullPath(Path);
        if (!ShouldProcess(path, "Write a new passphrase"))
            return;
        if (!Try(() => PassphraseGenerator.Create(path)))
            return;
        WriteWarning($"Keep a copy of {path} away from this machine: without it no backup made with it can be opened.");
        WriteObject(InvokeProvider.Item.Get([path], force: true, literalPath: true), enumerateCollection: true);
    }
}
