BeforeAll { . (Join-Path $PSScriptRoot 'Site.ps1') }

Describe 'Get-BotBackupConfiguration' {
    BeforeEach { $site = New-Site }
    AfterEach { Remove-Site $site }

    It 'shows the settings as a run would see them' {
        $settings = Get-BotBackupConfiguration
        $settings | Should -BeOfType BotCore.Backup.Engine.Configuration.BotBackupConfiguration
        $settings.EnvFile | Should -Be $site.EnvFile
        $settings.ProjectRoot | Should -Be $site.Platform
        $settings.BackupDirectory | Should -Be $site.Store
        $settings.EncryptionEnabled | Should -BeTrue
        $settings.Directories[0].Name | Should -Be 'redis_data'
    }

    It 'takes the .env of the current location, which is not the process''s folder' {
        $env:BOTBACKUP_CONFIGURATION = $null
        Push-Location -LiteralPath $site.Platform
        try { (Get-BotBackupConfiguration).EnvFile | Should -Be $site.EnvFile } finally { Pop-Location }
    }

    It 'lets the parameter win over the variable' {
        $other = New-Site
        try { (Get-BotBackupConfiguration -Configuration $site.EnvFile).BackupDirectory | Should -Be $site.Store } finally { Remove-Site $other }
    }

    It 'lets the environment win over the file, and says where a value came from' {
        $env:COMPRESSION_LEVEL = '9'
        try {
            $settings = Get-BotBackupConfiguration
            $settings.CompressionLevel | Should -Be 9
            ($settings.Settings | Where-Object Key -EQ 'COMPRESSION_LEVEL').Origin | Should -Be 'Environment'
            ($settings.Settings | Where-Object Key -EQ 'BACKUP_DIR').Origin | Should -Be 'File'
        }
        finally { $env:COMPRESSION_LEVEL = $null }
    }

    It 'masks secrets' {
        Add-Setting $site 'DATABASE_URL=mongodb://admin:hunter2@localhost/bots'
        $text = Get-BotBackupConfiguration | ForEach-Object { $_ | Format-List -Property * | Out-String; $_.Settings | Out-String; "$_"; $_ | ConvertTo-Json -Depth 4 -WarningAction Ignore }
        "$text" | Should -Match 'localhost'
        "$text" | Should -Not -Match 'hunter2'
    }

    It 'warns of a name that it does not know' {
        Add-Setting $site 'BACKUP_DIRR=/x'
        $null = Get-BotBackupConfiguration -WarningVariable warnings -WarningAction SilentlyContinue
        "$warnings" | Should -BeLike '*BACKUP_DIRR*'
    }

    It 'ends where the file is not there, or is wrong' {
        Assert-Failure (Get-Failure { Get-BotBackupConfiguration -Configuration (Join-Path $site.Root 'gone.env') }) ConfigurationMissing ObjectNotFound
        Add-Setting $site 'COMPRESSION_LEVEL=eleven'
        $failure = Get-Failure { Get-BotBackupConfiguration }
        Assert-Failure $failure ConfigurationInvalid InvalidArgument
        $failure.Exception.Message | Should -BeLike '*COMPRESSION_LEVEL*'
    }
}
