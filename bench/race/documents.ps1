# How many documents the newest database backup of the race has.
Import-Module (Join-Path $env:BOTBACKUP_MODULE BotCore.Backup.psd1)
(Get-BotBackup MongoDb -Latest).Manifest.MongoDb.Documents
