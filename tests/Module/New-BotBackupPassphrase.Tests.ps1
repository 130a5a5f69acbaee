BeforeAll { . (Join-Path $PSScriptRoot 'Site.ps1') }

Describe 'New-BotBackupPassphrase' {
    BeforeEach {
        $site = New-Site
        $file = Join-Path $site.Outside 'passphrase'
    }
    AfterEach { Remove-Site $site }

    It 'makes 32 random bytes as one line of Base64, mode 0400' {
        $made = New-BotBackupPassphrase $file -WarningAction SilentlyContinue
        $made | Should -BeOfType IO.FileInfo
        $made.FullName | Should -Be $file
        $made.UnixMode | Should -Be '-r--------'
        $text = [IO.File]::ReadAllText($file)
        $text | Should -MatchExactly '^[A-Za-z0-9+/]{43}=\n$'
        $null = New-BotBackupPassphrase (Join-Path $site.Outside 'other') -WarningAction SilentlyContinue
        [IO.File]::ReadAllText((Join-Path $site.Outside 'other')) | Should -Not -BeExactly $text
    }

    It 'warns that a copy must be kept elsewhere' {
        $null = New-BotBackupPassphrase $file -WarningVariable warnings -WarningAction SilentlyContinue
        "$warnings" | Should -BeLike "*copy of $file*"
    }

    It 'seals and opens a backup' {
        $null = New-BotBackupPassphrase $file -WarningAction SilentlyContinue
        Add-Setting $site "GPG_PASSPHRASE_FILE='$file'"
        (Invoke-BotBackup Config | Test-BotBackup -Depth Archive).Outcome | Should -Be 'Succeeded'
    }

    It 'never overwrites' {
        $before = Get-Print $site.Root
        Assert-Failure (Get-Failure { New-BotBackupPassphrase $site.Passphrase }) DestinationNotEmpty ResourceExists
        Get-Print $site.Root | Should -BeExactly $before
    }

    It 'does not make the folder' {
        Assert-Failure (Get-Failure { New-BotBackupPassphrase (Join-Path $site.Outside 'no/such/folder') }) ConfigurationMissing ObjectNotFound
    }

    It 'changes nothing with -WhatIf' {
        New-BotBackupPassphrase $file -WhatIf | Should -BeNullOrEmpty
        Test-Path -LiteralPath $file | Should -BeFalse
    }
}
