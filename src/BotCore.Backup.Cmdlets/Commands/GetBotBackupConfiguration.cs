using System.Management.Automation;
using BotCore.Backup.Engine.Configuration;

namespace BotCore.Backup.Cmdlets.Commands;

/// <summary>Shows the settings as a run would see them; secrets masked.</summary>
[Cmdlet(VerbsCommon.Get, "BotBackupConfiguration")]
[OutputType(typeof(BotBackupConfiguration))]
public sealed class GetBotBackupConfiguration : ConfiguredCmdlet
{
    /// <inheritdoc/>
    protected override void Finish() => WriteObject(ReadSettings());
}
