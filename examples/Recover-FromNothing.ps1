#requires -Version 7.6
<#
.SYNOPSIS
Brings a platform back on an empty machine: all that is needed is this module, a store, and the passphrase.
.DESCRIPTION
Lists what the store has, proves the newest backup of everything by reading it to the last byte, copies it into the local store where that is asked for, and restores it: configuration first, then databases, then
volumes and folders.

Exit code: 0 only where everything that the store has was proven and restored; 1 where something was not; 2 where it could not begin.

The settings come from the environment or from -Configuration. For a bucket of S3 they are PROJECT_ROOT, BACKUP_DIR, GPG_PASSPHRASE_FILE, ENABLE_S3_BACKUP=true, S3_BACKUP_BUCKET and AWS_REGION (S3_ENDPOINT
for another server), with credentials as the AWS tools find them; DATABASE_URL where there is a database.
.PARAMETER Store
The store to recover from: s3, gcs, sftp or local.
.PARAMETER Configuration
A .env file; the environment alone where none is given.
.PARAMETER KeepCopy
Copy the archives into BACKUP_DIR first, and restore from there.
.PARAMETER Module
The module, where it is not installed.
.EXAMPLE
GPG_PASSPHRASE_FILE=/root/passphrase ENABLE_S3_BACKUP=true S3_BACKUP_BUCKET=botcore-backup PROJECT_ROOT=/srv/botcore pwsh -NoProfile -NonInteractive -File Recover-FromNothing.ps1 -Store s3
#>
param(
    [Parameter(Mandatory)] [ValidateSet('s3', 'gcs', 'sftp', 'local')] [string] $Store,
    [string] $Configuration,
    [switch] $KeepCopy,
    [string] $Module = 'BotCore.Backup'
)

$ErrorActionPreference = 'Stop'
try {
    Import-Module $Module
    $common = if ($Configuration) { @{ Configuration = $Configuration } } else { @{} }
    Write-Host "Looking at the store '$Store'."
    $probe = Get-BotBackupStore -Name $Store -Probe @common
    if ($probe.Outcome -ne 'Succeeded') { throw "The store '$Store' was not probed with success: is it enabled in the settings?" }
    $backups = Get-BotBackup -Store $Store -Latest @common
    if (-not $backups) { throw "The store '$Store' has no backup." }
    $backups | Format-Table | Out-Host
}
catch {
    [Console]::Error.WriteLine("It could not begin: $_")
    exit 2
}

try {
    if ($KeepCopy) {
        Write-Host 'Copying everything into the local store.'
        $null = Get-BotBackup -Store $Store @common | Copy-BotBackup -Destination local -Confirm:$false @common
        $Store = 'local'
    }

    Write-Host 'Restoring the newest of everything; each archive is read to its end and proven before anything is written.'
    $restores = Restore-BotBackup -Store $Store -Force @common
    $restores | Format-List | Out-Host
    $bad = $restores | Where-Object Outcome -NE 'Succeeded'
    if ($bad -or -not $restores) { exit 1 }
    Write-Host "Restored and compared: $(($restores | Measure-Object).Count) archives."
    exit 0
}
catch {
    [Console]::Error.WriteLine("Not everything was restored: $_")
    exit 1
}
