# Restores the newest database backup of the race into the database of RACE_DESTINATION: proven first, then written, read back and compared.
$ErrorActionPreference = 'Stop'
Import-Module (Join-Path $env:BOTBACKUP_MODULE BotCore.Backup.psd1)
$restore = Get-BotBackup MongoDb -Latest | Restore-BotBackup -Destination $env:RACE_DESTINATION -NoSnapshot -Force -Confirm:$false
if ("$($restore.Outcome)" -ne 'Succeeded') { throw "The restore ended as '$($restore.Outcome)'." }
# The next turn begins with an empty database, as this one did.
$restore | Undo-BotRestore -Force -Confirm:$false | Out-Null
