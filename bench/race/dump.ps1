# Backs up the database that the settings of the race name (BOTBACKUP_CONFIGURATION) with the module in BOTBACKUP_MODULE.
$ErrorActionPreference = 'Stop'
Import-Module (Join-Path $env:BOTBACKUP_MODULE BotCore.Backup.psd1)
$backup = Invoke-BotBackup MongoDb -Confirm:$false
if (-not $backup) { throw 'Nothing was backed up.' }
