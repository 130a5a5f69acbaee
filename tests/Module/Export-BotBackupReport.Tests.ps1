BeforeAll {
    . (Join-Path $PSScriptRoot 'Site.ps1')
}

Describe 'Export-BotBackupReport' {
    BeforeEach {
        $site = New-Site 'ENCRYPTION_ENABLED=false', 'GPG_PASSPHRASE_FILE='
        $day = [datetime]::UtcNow.ToString('yyyyMMdd')
    }
    AfterEach {
        Remove-Site $site
    }

    It 'says of a folder with good, damaged, unproven and unsealed archives how each stands' {
        $backups = Invoke-BotBackup Config, Volume
        $damaged = Invoke-BotBackup Config
        Add-Damage $damaged 'a flipped byte'
        $bare = Invoke-BotBackup Volume
        Remove-Item -LiteralPath "$($bare.Location).sha256"
        [IO.File]::WriteAllText((Join-Path $site.Store 'volumes/old_20251118_030000.tar.gz'), 'never proven')
        $null = $damaged | Test-BotBackup -ErrorAction Ignore

        $file = Export-BotBackupReport
        $file | Should -BeOfType IO.FileInfo
        $file.FullName | Should -Be (Join-Path $site.Store "verification-report-$day.txt")
        $file.UnixFileMode | Should -Be ([IO.UnixFileMode] 'UserRead, UserWrite')
        $text = [IO.File]::ReadAllText($file.FullName)
        foreach ($backup in $backups) { $text | Should -Match "(?m)^OK +$([regex]::Escape($backup.Key)) .* Checksum, Unauthenticated, now$" }
        $text | Should -Match "(?m)^FAIL +$([regex]::Escape($damaged.Key)) .* Damaged \(ChecksumMismatch\), now$"
        $text | Should -Match "(?m)^WARN +$([regex]::Escape($bare.Key)) .*; there is no \.sha256 beside it$"
        $text | Should -Match '(?m)^WARN +volumes/old_20251118_030000\.tar\.gz .* never proven; there is no \.sha256 beside it$'
        $text | Should -Match '(?m)^Archives: 5 '
        $text | Should -Match "(?m)^OK: +2\nWarnings: 1\nFailed: +1\nUnproven: 1$"
        $text | Should -Match '(?m)^Overall status: FAILED\. 1 archive is damaged or cannot be read, 1 archive was never proven, 1 check failed, 1 warning\.$'
        # The report itself is no backup, and no reader takes it for one.
        (Get-BotBackup).Count | Should -Be 5

        foreach ($form in 'md', 'html', 'json') {
            (Export-BotBackupReport (Join-Path $site.Outside "r.$form")).Name | Should -Be "r.$form"
        }
        (Get-Content -Raw (Join-Path $site.Outside 'r.json') | ConvertFrom-Json).overall | Should -Be 'Failed'
        Get-Content -Raw (Join-Path $site.Outside 'r.html') | Should -BeLike '<!DOCTYPE html>*FAILED*<svg*'
    }

    It 'takes what tests give, does nothing for nothing, and refuses what it cannot take' {
        $null = Invoke-BotBackup Config
        $file = Join-Path $site.Outside 'r.txt'
        $null = Get-BotBackup | Test-BotBackup -Depth Archive | Export-BotBackupReport $file
        $text = [IO.File]::ReadAllText($file)
        $text | Should -BeLike '*About:   the archives that were given, and no other*'
        $text | Should -BeLike '*Archive, Unauthenticated, now*'

        Remove-Item -LiteralPath $file
        @() | Export-BotBackupReport $file
        Export-BotBackupReport $file -WhatIf
        Test-Path -LiteralPath $file | Should -BeFalse
        Assert-Failure (Get-Failure { Get-Date | Export-BotBackupReport $file }) 'ConfigurationInvalid' 'InvalidArgument'
        Assert-Failure (Get-Failure { Export-BotBackupReport (Join-Path $site.Outside 'nowhere/r.txt') }) 'ConfigurationInvalid' 'InvalidArgument'
        Test-Path -LiteralPath $file | Should -BeFalse
    }
}
