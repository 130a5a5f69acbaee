# Keeps what changed in the folder that the settings of the race name (BOTBACKUP_CONFIGURATION) since its last backup, with the module in BOTBACKUP_MODULE.
$ErrorActionPreference = 'Stop'
Import-Module (Join-Path $env:BOTBACKUP_MODULE BotCore.Backup.psd1)
$backup = Invoke-BotBackup Volume -Type Incremental -Confirm:$false
if (-not $backup -or $backup.Type -ne 'Incremental') { throw 'No increment was made.' }
