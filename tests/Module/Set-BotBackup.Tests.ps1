BeforeAll { . (Join-Path $PSScriptRoot 'Site.ps1') }

Describe 'Set-BotBackup' {
    BeforeEach {
        $site = New-Site
        $old = Invoke-BotBackup Config
        $new = Invoke-BotBackup Config
    }
    AfterEach { Remove-Site $site }

    It 'pins a backup: the clean-up of a year to come keeps it, and says why' {
        $pinned = $old | Set-BotBackup -Pin 'audit of 2026' -Until ([datetimeoffset]::UtcNow.AddYears(2))
        $pinned.Pin.Reason | Should -Be 'audit of 2026'
        (Get-BotBackup -Id $old.Id).Pin.Reason | Should -Be 'audit of 2026'
        (Get-BotBackup Config | Where-Object Pin).Id | Should -Be $old.Id
        $decision = Remove-BotBackupExpired -WhatIf -AsOf ([datetimeoffset]::UtcNow.AddYears(1)) | Where-Object { $_.Backup.Id -eq $old.Id }
        $decision.Rule | Should -Be 'Pinned'
        $decision.Reason | Should -Match 'audit of 2026'
        (Remove-BotBackupExpired -WhatIf -AsOf ([datetimeoffset]::UtcNow.AddYears(3)) | Where-Object { $_.Backup.Id -eq $old.Id }).Rule | Should -Be 'Expired'
    }

    It 'keeps it from Remove-BotBackup, until -Unpin or -Force' {
        $null = $old | Set-BotBackup -Pin audit
        Assert-Failure (Get-Failure { $old | Remove-BotBackup }) Pinned PermissionDenied
        ($old | Set-BotBackup -Unpin).Pin | Should -BeNullOrEmpty
        $null = $old | Set-BotBackup -Pin audit
        ($old | Remove-BotBackup -Force).Outcome | Should -Be 'Succeeded'
        Get-ChildItem -LiteralPath $site.Store -Recurse -Filter '*.pin.*' | Should -BeNullOrEmpty
    }

    It 'changes nothing with -WhatIf, and takes no pin that is over' {
        $before = Get-Print $site.Root
        $old | Set-BotBackup -Pin audit -WhatIf
        Get-Print $site.Root | Should -BeExactly $before
        Assert-Failure (Get-Failure { $old | Set-BotBackup -Pin audit -Until 2020-01-01 }) ConfigurationInvalid InvalidArgument
        @() | Set-BotBackup -Pin audit | Should -BeNullOrEmpty
    }

    It 'takes what looks like a pin and cannot be read for one that holds' {
        Set-Content -LiteralPath "$($old.Location).pin.nobody-knows.json" 'no JSON'
        $kept = Remove-BotBackupExpired -WhatIf -AsOf ([datetimeoffset]::UtcNow.AddYears(9)) | Where-Object { $_.Backup.Id -eq $old.Id }
        $kept.Rule | Should -Be 'Pinned'
        $kept.Reason | Should -Match 'cannot be read'
    }
}
