using System.Management.Automation;
using BotCore.Backup.Engine.Configuration;

namespace BotCore.Backup.Cmdlets.Commands;

/// <summary>Looks whether the settings can work on this machine. Changes nothing.</summary>
[Cmdlet(VerbsDiagnostic.Test, "BotBackupConfiguration")]
[OutputType(typeof(ConfigurationFinding), typeof(bool))]
public sealed class TestBotBackupConfiguration : ConfiguredCmdlet
{
    /// <summary>Answer with one bool: true where there is no error.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    /// <inheritdoc/>
    protected override void Finish()
    {
        IReadOnlyList<ConfigurationFinding> findings = [];
        Try(() => findings = Configuration?.Settings is { } given ? given.Check() : BotBackupConfiguration.Examine(EnvFile, ProcessEnvironment));
        if (Quiet)
            WriteObject(findings.All(finding => finding.Severity != FindingSeverity.Error));
        else
            WriteObject(findings, enumerateCollection: true);
    }
}
