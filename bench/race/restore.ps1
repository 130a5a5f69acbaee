# Restores the archive of the race into RACE_DESTINATION: proven first, then written and compared.
$ErrorActionPreference = 'Stop'
Import-Module (Join-Path $env:BOTBACKUP_MODULE BotCore.Backup.psd1)
$restore = Get-BotBackup | Restore-BotBackup -Destination $env:RACE_DESTINATION -NoSnapshot -Force -Confirm:$false
if ("$($restore.Outcome)" -ne 'Succeeded') { throw "The restore ended as '$($restore.Outcome)'." }
