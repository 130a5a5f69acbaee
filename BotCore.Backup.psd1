@{
    RootModule           = 'BotCore.Backup.Cmdlets.dll'
    ModuleVersion        = '0.1.0'
    GUID                 = '6a9f4c3e-2b7d-4e57-9c1f-0d8a5b3e7f21'
    Author               = 'BotCore contributors'
    CompanyName          = 'BotCore'
    Copyright            = 'Copyright (c) BotCore contributors. MIT License.'
    Description          = 'Backs up, proves and restores a trading platform: configuration, folders, MongoDB, Docker volumes and AI models, in archives that open with stock tools alone.'
    PowerShellVersion    = '7.6'
    CompatiblePSEditions = @('Core')
    FormatsToProcess     = @('BotCore.Backup.Format.ps1xml')
    TypesToProcess       = @('BotCore.Backup.Types.ps1xml')
    FunctionsToExport    = @()
    AliasesToExport      = @()
    VariablesToExport    = @()
    CmdletsToExport      = @(
        'Copy-BotBackup'
        'Export-BotBackup'
        'Export-BotBackupMetric'
        'Export-BotBackupReport'
        'Find-BotOplogEvent'
        'Get-BotBackup'
        'Get-BotBackupConfiguration'
        'Get-BotBackupSchedule'
        'Get-BotBackupStatus'
        'Get-BotBackupStore'
        'Get-BotRecoveryWindow'
        'Invoke-BotBackup'
        'Invoke-BotBackupDrill'
        'Measure-BotBackup'
        'New-BotBackupConfiguration'
        'New-BotBackupPassphrase'
        'Register-BotBackupSchedule'
        'Remove-BotBackup'
        'Remove-BotBackupExpired'
        'Restore-BotBackup'
        'Restore-BotDocument'
        'Send-BotBackupNotice'
        'Set-BotBackup'
        'Test-BotBackup'
        'Test-BotBackupConfiguration'
        'Test-BotBackupHealth'
        'Undo-BotRestore'
        'Unregister-BotBackupSchedule'
    )
    PrivateData          = @{
        PSData = @{
            Tags         = @('Backup', 'Restore', 'MongoDB', 'Docker', 'GPG', 'PSEdition_Core', 'Linux', 'MacOS', 'Windows')
            LicenseUri   = 'https://github.com/botcore/BotCore.Backup/blob/main/LICENSE'
            ProjectUri   = 'https://github.com/botcore/BotCore.Backup'
            ReleaseNotes = 'https://github.com/botcore/BotCore.Backup/blob/main/CHANGELOG.md'
        }
    }
}
