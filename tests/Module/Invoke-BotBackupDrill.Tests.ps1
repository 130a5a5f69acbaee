BeforeAll { . (Join-Path $PSScriptRoot 'Site.ps1') }

Describe 'Invoke-BotBackupDrill' {
    BeforeEach {
        $site = New-Site
        $null = Invoke-BotBackup
    }
    AfterEach { Remove-Site $site }

    It 'rehearses the loss of a service, measures it, tells it everywhere, and leaves nothing' {
        $metrics = Join-Path $site.Root 'backup.prom'
        Add-Setting $site "METRICS_FILE='$metrics'"
        $before = Get-Print $site.Store
        $drill = Invoke-BotBackupDrill ServiceFailure -Automated
        "$($drill.Outcome)" | Should -Be 'Succeeded' -Because $drill.Verdict
        $drill.Verdict | Should -BeExactly 'READY for ServiceFailure.'
        $drill.Rto | Should -BeGreaterThan ([timespan]::Zero)
        $drill.Rto | Should -BeLessThan $drill.Target.Rto
        $drill.Steps.Name | Should -Contain 'Compare'
        Get-Print $site.Store | Should -BeExactly $before
        Get-Content $metrics | Should -Contain 'botbackup_drill_success{scenario="servicefailure"} 1'
        $log = Get-Content (Join-Path $site.Logs "dr-drill-$([datetime]::UtcNow.ToString('yyyyMMdd')).log")
        $log[-1] | Should -Match '\[SUCCESS\] .* Invoke-BotBackupDrill ended well'
        $drill | Out-String -Width 200 | Should -Match 'READY for ServiceFailure'
    }

    It 'is reported in the form of the guide, and as a page' {
        $drills = Invoke-BotBackupDrill ServiceFailure, RegionalOutage -Automated -WarningAction SilentlyContinue
        $text = Get-Content -Raw -LiteralPath ($drills | Export-BotBackupReport).FullName
        $text | Should -Match '(?m)^DISASTER RECOVERY DRILL REPORT$'
        $text | Should -Match '(?ms)^TEST: Compare Config\n  Result: PASSED'
        $text | Should -Match '(?ms)^TEST: Find backups\n  Result: FAILED'
        $text | Should -Match '(?m)^Tests failed: 1$'
        $text | Should -Match '(?m)^Status: NOT READY FOR DISASTER RECOVERY$'
        Get-Content -Raw -LiteralPath ($drills[0] | Export-BotBackupReport).FullName | Should -Match '(?m)^Status: READY FOR DISASTER RECOVERY$'
        ([xml] ((Get-Content -Raw -LiteralPath ($drills | Export-BotBackupReport -Path (Join-Path $site.Root 'd.html')).FullName) -replace '<!DOCTYPE html>' -replace '<meta [^>]*>')).html.body.h1 | Should -Be 'Disaster Recovery Drill Report'
        (Get-Content -Raw -LiteralPath ($drills | Export-BotBackupReport -Path (Join-Path $site.Root 'd.json')).FullName | ConvertFrom-Json)[1].steps[1].failure | Should -Be 'ConfigurationMissing'
        Get-Content -Raw -LiteralPath ($drills | Export-BotBackupReport -Path (Join-Path $site.Root 'd.md')).FullName | Should -Match '\| Compare \| Config \| PASSED \|'
    }

    It 'is red where the region is lost and no other store has anything' {
        $drill = Invoke-BotBackupDrill RegionalOutage -Automated -WarningAction SilentlyContinue
        "$($drill.Outcome)" | Should -Be 'Failed'
        $drill.Verdict | Should -Match '^NOT READY for RegionalOutage: Find'
    }

    It 'opens backups with a copy of the key only' {
        "$((Invoke-BotBackupDrill KeyLoss -Passphrase (New-SecureText $site.Secret)).Outcome)" | Should -Be 'Succeeded'
        "$((Invoke-BotBackupDrill KeyLoss -Passphrase (New-SecureText 'another') -WarningAction SilentlyContinue).Outcome)" | Should -Be 'Failed'
        "$((Invoke-BotBackupDrill KeyLoss -WarningAction SilentlyContinue).Outcome)" | Should -Be 'Failed'
    }

    It 'refuses what is live, and does nothing with -WhatIf' {
        Assert-Failure (Get-Failure { Invoke-BotBackupDrill ServiceFailure -Destination $site.Data }) LiveTargetRefused PermissionDenied
        $before = Get-Print $site.Root
        Invoke-BotBackupDrill All -WhatIf
        Get-Print $site.Root | Should -BeExactly $before
    }
}
