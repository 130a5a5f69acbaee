BeforeAll { . (Join-Path $PSScriptRoot 'Site.ps1') }

Describe 'New-BotBackupConfiguration' {
    BeforeEach {
        $site = New-Site
        $file = Join-Path $site.Outside 'new.env'
    }
    AfterEach { Remove-Site $site }

    It 'writes settings that work, readable by the owner only' {
        $made = New-BotBackupConfiguration $file -BackupDirectory $site.Store -LogDirectory $site.Logs -ProjectRoot $site.Platform -PassphraseFile $site.Passphrase
        $made | Should -BeOfType IO.FileInfo
        $made.FullName | Should -Be $file
        $made.UnixMode | Should -Be '-rw-------'
        Test-BotBackupConfiguration -Configuration $file -Quiet | Should -BeTrue
        $settings = Get-BotBackupConfiguration -Configuration $made
        $settings.BackupDirectory | Should -Be $site.Store
        $settings.LogDirectory | Should -Be $site.Logs
        $settings.PassphraseFile | Should -Be $site.Passphrase
        $proof = Invoke-BotBackup Config -Configuration $made -WarningVariable warnings | Test-BotBackup -Configuration $made -Depth Archive
        $proof.Outcome | Should -Be 'Succeeded'
        $warnings | Should -BeNullOrEmpty -Because 'of the usual places those that are not there are left out in silence'
    }

    It 'names every setting there is' {
        $null = New-BotBackupConfiguration $file
        $text = [IO.File]::ReadAllText($file)
        foreach ($key in [BotCore.Backup.Engine.Configuration.BotBackupConfiguration]::KnownKeys) {
            $text | Should -Match "(?m)^#?$key="
        }
    }

    It 'writes to the current location where no path is given' {
        Push-Location -LiteralPath $site.Outside
        try { (New-BotBackupConfiguration).FullName | Should -Be (Join-Path $site.Outside '.env') } finally { Pop-Location }
    }

    It 'never overwrites' {
        $before = Get-Print $site.Root
        Assert-Failure (Get-Failure { New-BotBackupConfiguration $site.EnvFile }) DestinationNotEmpty ResourceExists
        Get-Print $site.Root | Should -BeExactly $before
    }

    It 'changes nothing with -WhatIf' {
        New-BotBackupConfiguration $file -WhatIf | Should -BeNullOrEmpty
        Test-Path -LiteralPath $file | Should -BeFalse
    }
}
