BeforeAll {
    . (Join-Path $PSScriptRoot 'Site.ps1')
}

Describe 'Remove-BotBackupExpired' {
    BeforeEach {
        $site = New-Site 'ENCRYPTION_ENABLED=false', 'GPG_PASSPHRASE_FILE='
        $new = Invoke-BotBackup Config, Volume
        $old = 'config/config_20250101_030000.tar.gz', 'volumes/redis_data_20250101_030000.tar.gz'
        foreach ($key in $old) { Copy-Item -LiteralPath $new[0].Location -Destination (Join-Path $site.Store $key) }
        [IO.File]::WriteAllText((Join-Path $site.Store 'config/notes.txt'), 'not ours')
        # What is ours in name only has lost its manifest; the old scripts' archives never had one.
        foreach ($key in $old) { [IO.File]::WriteAllText((Join-Path $site.Store $key), 'an archive of the old scripts') }
    }
    AfterEach {
        Remove-Site $site
    }

    It 'says with -WhatIf what becomes of every backup, and does nothing' {
        $before = Get-Print $site.Store
        $decisions = Remove-BotBackupExpired -WhatIf
        Get-Print $site.Store | Should -Be $before
        $decisions | Should -HaveCount 4
        ($decisions | Where-Object Verdict -EQ Expire).Backup.Key | Sort-Object | Should -Be $old
        $decisions | ForEach-Object { $_.Rule | Should -Not -BeNullOrEmpty; $_.Reason | Should -Not -BeNullOrEmpty }
        ($decisions | Where-Object { $_.Backup.Key -in $new.Key }).Rule | Should -Be 'NewestGood', 'NewestGood'
        $decisions | Format-Table | Out-String | Should -BeLike '*Verdict*Rule*Expire*Expired*'
        # By then the new ones have newer brothers or none, and the newest always stays.
        (Remove-BotBackupExpired -WhatIf -AsOf ([DateTimeOffset]::UtcNow.AddYears(5)) | Where-Object Verdict -EQ Expire).Backup.Key | Sort-Object | Should -Be $old
        (Remove-BotBackupExpired Config -WhatIf -Policy 'config=5000' | Where-Object Verdict -EQ Expire) | Should -BeNullOrEmpty
    }

    It 'removes what expired, and nothing else' {
        $removed = Remove-BotBackupExpired -Force
        $removed.Backup.Key | Sort-Object | Should -Be $old
        $removed | ForEach-Object { $_.Rule | Should -Be 'Expired'; $_.Outcome | Should -Be 'Succeeded' }
        (Get-BotBackup).Key | Sort-Object | Should -Be ($new.Key | Sort-Object)
        [IO.File]::ReadAllText((Join-Path $site.Store 'config/notes.txt')) | Should -Be 'not ours'
        Remove-BotBackupExpired -Force | Should -BeNullOrEmpty
    }

    It 'refuses a policy that keeps nothing, and a word that is none' {
        foreach ($policy in 'config=0', 'daily=0,weekly=0,monthly=0', 'yearly=1', 'zone=Nowhere') {
            Assert-Failure (Get-Failure { Remove-BotBackupExpired -Force -Policy $policy }) 'ConfigurationInvalid' 'InvalidArgument'
        }
        (Get-BotBackup).Count | Should -Be 4
    }
}
