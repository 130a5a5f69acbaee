#requires -Version 7.6
<#
.SYNOPSIS
The emergency steps: brings the whole platform back to one recovery point.
.DESCRIPTION
1 deploy, 2 stop, 3 configuration, 4 database, 5 volumes, 6 models, 7 start, 8 verify. Steps 1, 2 and 7 are commands of the platform, given as parameters; one that is not given is left out, and that is said. All
archives are planned before anything is written, each is proven before anything of it is, and what is overwritten is kept in a snapshot. Volumes are folders and Docker volumes; one that is lost is made again.

The recovery point is a run (-RunId), a moment (-PointInTime), or the newest run of the whole platform.

Exit code: 0 only where every step succeeded; 1 where one did not, and the platform is then NOT started; 2 where it could not begin, so that nothing was touched.
.PARAMETER RunId
A run of Invoke-BotBackup.
.PARAMETER PointInTime
A moment, in place of a run.
.PARAMETER Store
The store to recover from: local, s3, gcs or sftp.
.PARAMETER Configuration
A .env file; else as every command finds it.
.PARAMETER Deploy
A command of the shell that brings the platform's programs here, such as 'git -C /srv/botcore pull'.
.PARAMETER Stop
A command that stops the platform, such as 'docker compose -f /srv/botcore/docker-compose.yml stop bot redis'. The database itself must go on running; whatever mounts a Docker volume that comes back must not. The plan
names those that do now.
.PARAMETER Start
A command that starts it again.
.PARAMETER Verify
A command that ends with 0 where the platform works, such as 'curl -fsS http://localhost:8080/health'.
.PARAMETER Module
The module, where it is not installed.
.EXAMPLE
pwsh -NoProfile -NonInteractive -File Recover-System.ps1 -Stop 'docker compose stop bot' -Start 'docker compose up -d' -Verify 'curl -fsS http://localhost:8080/health'
#>
param(
    [string] $RunId,
    [string] $PointInTime,
    [ValidateSet('local', 's3', 'gcs', 'sftp')] [string] $Store = 'local',
    [string] $Configuration,
    [string] $Deploy,
    [string] $Stop,
    [string] $Start,
    [string] $Verify,
    [string] $Module = 'BotCore.Backup'
)

$ErrorActionPreference = 'Stop'
$script:touched = $false

function Invoke-Step([string] $Name, [string] $Command) {
    if (-not $Command) {
        Write-Host "$Name`: no command was given, so this is left to you."
        return
    }
    Write-Host "$Name`: $Command"
    $script:touched = $true
    if ($IsWindows) { cmd /c $Command } else { bash -c $Command }
    if ($LASTEXITCODE -ne 0) { throw "$Name ended with $LASTEXITCODE`: $Command" }
}

try {
    if ($RunId -and $PointInTime) { throw 'Give -RunId or -PointInTime, not both.' }
    Import-Module $Module
    $common = if ($Configuration) { @{ Configuration = $Configuration } } else { @{} }
    $point = if ($PointInTime) { @{ PointInTime = $PointInTime } } else {
        if (-not $RunId) {
            $newest = Get-BotBackup -Store $Store @common | Where-Object PlatformTime | Sort-Object PlatformTime | Select-Object -Last 1
            if (-not $newest) { throw "The store '$Store' has no run of the whole platform. Give -PointInTime, or restore single backups." }
            $RunId = $newest.RunId
        }
        @{ RunId = $RunId }
    }

    # A plan that fails, fails here, before the platform is stopped.
    Write-Host "The plan, from the store '$Store':"
    Restore-BotBackup @point -Store $Store -WhatIf @common
}
catch {
    [Console]::Error.WriteLine("It could not begin, and nothing was touched: $_")
    exit 2
}

try {
    Invoke-Step '1 Deploy' $Deploy
    Invoke-Step '2 Stop' $Stop

    Write-Host '3 Configuration, 4 Database, 5 Volumes, 6 Models: each is proven to its end before anything of it is written.'
    $script:touched = $true
    $restores = Restore-BotBackup @point -Store $Store -Force @common
    $restores | Format-Table Outcome, { $_.Backup.Component }, { $_.Backup.Name }, Destination, { $_.Snapshot.Location } | Out-Host
    if (-not $restores -or ($restores | Where-Object Outcome -NE 'Succeeded')) { throw 'Not everything was restored.' }

    Invoke-Step '7 Start' $Start
    Invoke-Step '8 Verify' $Verify
    Write-Host "Recovered: $(($restores | Measure-Object).Count) archives were restored, read back and compared."
    exit 0
}
catch {
    [Console]::Error.WriteLine("The recovery did not succeed: $_")
    [Console]::Error.WriteLine($(if ($script:touched) { 'What was overwritten is in snapshots: Get-BotBackup -Type Snapshot. The platform may be stopped.' } else { 'Nothing was touched.' }))
    exit 1
}
