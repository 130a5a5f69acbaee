# Unseals every archive of the race to its end and compares every entry; writes nothing.
$ErrorActionPreference = 'Stop'
Import-Module (Join-Path $env:BOTBACKUP_MODULE BotCore.Backup.psd1)
if (-not (Get-BotBackup | Test-BotBackup -Depth Archive -Quiet)) { throw 'The archive was not proven.' }
