BeforeAll { . (Join-Path $PSScriptRoot 'Site.ps1') }

Describe 'Test-BotBackupConfiguration' {
    BeforeEach { $site = New-Site }
    AfterEach { Remove-Site $site }

    It 'finds no error in settings that work, and changes nothing' {
        $before = Get-Print $site.Root
        Test-BotBackupConfiguration | Where-Object Severity -EQ 'Error' | Should -BeNullOrEmpty
        Test-BotBackupConfiguration -Quiet | Should -BeTrue
        Get-Print $site.Root | Should -BeExactly $before
    }

    It 'finds <Finding>' -ForEach @(
        @{ Finding = 'a passphrase file that others can read'; Key = 'GPG_PASSPHRASE_FILE'; Break = { chmod 644 $site.Passphrase } }
        @{ Finding = 'a passphrase file that is not there'; Key = 'GPG_PASSPHRASE_FILE'; Break = { Remove-Item -LiteralPath $site.Passphrase } }
        @{ Finding = 'encryption without a passphrase'; Key = 'ENCRYPTION_ENABLED'; Break = { Add-Setting $site 'ENCRYPTION_ENABLED=true', 'GPG_PASSPHRASE_FILE=' } }
        @{ Finding = 'an entry of CONFIG_PATHS that is not there'; Key = 'CONFIG_PATHS'; Break = { Add-Setting $site 'CONFIG_PATHS=config,gone.yml' } }
        @{ Finding = 'a folder that is not there'; Key = 'BACKUP_DIRECTORIES'; Break = { Remove-Item -LiteralPath $site.Data -Recurse } }
        @{ Finding = 'a value that is wrong'; Key = 'COMPRESSION_LEVEL'; Break = { Add-Setting $site 'COMPRESSION_LEVEL=eleven' } }
        @{ Finding = 'a store that is named and not enabled'; Key = 'STORES_CONFIG'; Break = { Add-Setting $site 'STORES_CONFIG=local,s3' } }
    ) {
        & $Break
        $found = Test-BotBackupConfiguration | Where-Object Severity -EQ 'Error'
        $found | Should -BeOfType BotCore.Backup.Engine.Configuration.ConfigurationFinding
        $found.Key | Should -Contain $Key
        $found.Advice | Should -Not -Contain ''
        $answer = Test-BotBackupConfiguration -Quiet
        $answer | Should -BeOfType bool
        $answer | Should -BeFalse
    }

    It 'takes settings that were read already' {
        $settings = Get-BotBackupConfiguration
        Remove-Item -LiteralPath $site.Data -Recurse
        (Test-BotBackupConfiguration -Configuration $settings | Where-Object Severity -EQ 'Error').Key | Should -Be 'BACKUP_DIRECTORIES'
    }

    It 'ends where the file is not there' {
        $env:BOTBACKUP_CONFIGURATION = Join-Path $site.Root 'gone.env'
        Assert-Failure (Get-Failure { Test-BotBackupConfiguration }) ConfigurationMissing ObjectNotFound
    }
}
