#Requires -Version 7.6
<#
.SYNOPSIS
    Runs the Pester suite against a staged module. tests/run.sh starts it in a pwsh of its own, since a loaded assembly cannot be replaced.
.EXAMPLE
    pwsh -NoProfile -NonInteractive -File tests/Module/run.ps1 -Module out/BotCore.Backup -Path tests/Module/Get-BotBackup.Tests.ps1
#>
param(
    # The staged module's folder.
    [Parameter(Mandatory)] [string] $Module,

    # The tests to run; all where none are named.
    [string] $Path = $PSScriptRoot,

    # Where to write "passed failed skipped".
    [string] $Count
)

$ErrorActionPreference = 'Stop'
Import-Module Pester -MinimumVersion 5.0
$env:BOTBACKUP_MODULE = (Resolve-Path -LiteralPath $Module).ProviderPath

$configuration = New-PesterConfiguration
$configuration.Run.Path = $Path
$configuration.Run.PassThru = $true
$configuration.Output.Verbosity = 'Normal'
$configuration.Output.CIFormat = 'None'
$run = Invoke-Pester -Configuration $configuration

# A file that cannot be read, or a block whose setup failed, is a failure even where it has no test of its own to show for it.
$failed = [Math]::Max($run.FailedCount, $run.FailedContainersCount + $run.FailedBlocksCount + $run.FailedCount)
if ($Count) {
    [IO.File]::WriteAllText($Count, "$($run.PassedCount) $failed $($run.SkippedCount + $run.InconclusiveCount + $run.NotRunCount)`n")
}

exit [int] ($failed -gt 0 -or $run.PassedCount -eq 0)
