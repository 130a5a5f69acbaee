BeforeAll { . (Join-Path $PSScriptRoot 'Site.ps1') }

Describe 'Remove-BotBackup' {
    BeforeEach {
        $site = New-Site
        $older = Invoke-BotBackup Config
        $newest = Invoke-BotBackup Config
    }
    AfterEach { Remove-Site $site }

    It 'removes all files of a backup, and says why and how much' {
        $removal = $older | Remove-BotBackup -Force
        $removal | Should -BeOfType BotCore.Backup.Engine.Retention.BotBackupRemoval
        $removal.Outcome | Should -Be 'Succeeded'
        $removal.Rule | Should -Be 'Asked'
        $removal.Freed -gt $older.Size | Should -BeTrue
        Get-ChildItem -LiteralPath (Split-Path $older.Location) | Where-Object FullName -Like "$($older.Location)*" | Should -BeNullOrEmpty
        (Get-BotBackup).Id | Should -Be $newest.Id
    }

    It 'removes by id' {
        (Remove-BotBackup -Id $older.Id -Force).Backup.Id | Should -Be $older.Id
        Assert-Failure (Get-Failure { Remove-BotBackup -Id $older.Id -Force }) BackupNotFound ObjectNotFound
    }

    It 'keeps the last good one' {
        Assert-Failure (Get-Failure { $newest | Remove-BotBackup -Confirm:$false }) LastGoodBackup PermissionDenied
        Get-BotBackup | Should -HaveCount 2
    }

    It 'keeps the last good one of all that are piped in, whatever their order' {
        Assert-Failure (Get-Failure { Get-BotBackup | Remove-BotBackup -Confirm:$false }) LastGoodBackup PermissionDenied
        (Get-BotBackup).Id | Should -Be $newest.Id
    }

    It 'removes also the last good one with -Force' {
        Get-BotBackup | Remove-BotBackup -Force | Should -HaveCount 2
        Get-BotBackup | Should -BeNullOrEmpty
    }

    It 'changes nothing with -WhatIf, not even with -Force' {
        $before = Get-Print $site.Root
        Get-BotBackup | Remove-BotBackup -Force -WhatIf | Should -BeNullOrEmpty
        Get-Print $site.Root | Should -BeExactly $before
    }

    It 'changes nothing where nobody can be asked' {
        $before = Get-Print $site.Root
        Get-Failure { $older | Remove-BotBackup } | Should -HaveCount 1
        Get-Print $site.Root | Should -BeExactly $before
    }

    It 'does nothing where the pipeline is empty' {
        $before = Get-Print $site.Root
        @() | Remove-BotBackup -Force | Should -BeNullOrEmpty
        Get-Print $site.Root | Should -BeExactly $before
    }

    It 'stops a script under -ErrorAction Stop' {
        { Remove-BotBackup -Id 'no-such-id' -Force -ErrorAction Stop } | Should -Throw -ErrorId 'BackupNotFound,*'
    }

    It 'completes -Id' {
        $line = 'Remove-BotBackup -Id '
        [Management.Automation.CommandCompletion]::CompleteInput($line, $line.Length, $null).CompletionMatches.CompletionText | Should -Be $newest.Id, $older.Id
    }
}
