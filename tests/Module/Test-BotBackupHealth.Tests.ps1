BeforeAll {
    . (Join-Path $PSScriptRoot 'Site.ps1')
    $fit = @{ MinimumCount = 1; MinimumFreeSpace = 1; Exclude = 'Schedule' }
    function Get-State($Health, [string] $Name) { @($Health.Probes | Where-Object Name -EQ $Name | ForEach-Object { "$($_.State)" } | Select-Object -Unique) -join ',' }
}

Describe 'Test-BotBackupHealth' {
    BeforeEach {
        $site = New-Site
        $backups = Invoke-BotBackup
        $null = $backups | Test-BotBackup -Depth Archive
    }
    AfterEach { Remove-Site $site }

    It 'is healthy where all is well, and -Quiet says so in one bool' {
        $health = Test-BotBackupHealth @fit
        $health | Should -BeOfType BotCore.Backup.Engine.Health.BotBackupHealth
        "$($health.State)" | Should -Be 'Healthy' -Because "$health"
        $health.Probes.Count | Should -BeGreaterThan 7
        Test-BotBackupHealth @fit -Quiet | Should -BeExactly $true
    }

    It 'is unhealthy where backups are too old, too few or space is short, and -Quiet says False' {
        Get-State (Test-BotBackupHealth @fit -MaximumAge 00:00:00) Age | Should -Be 'Unhealthy'
        Get-State (Test-BotBackupHealth -Exclude Schedule -MinimumFreeSpace 1 -MinimumCount 2) Count | Should -Be 'Unhealthy'
        Get-State (Test-BotBackupHealth -Exclude Schedule -MinimumCount 1 -MinimumFreeSpace 1000TB) FreeSpace | Should -Be 'Unhealthy'
        Test-BotBackupHealth @fit -MaximumAge 00:00:00 -Quiet | Should -BeExactly $false
    }

    It 'is unhealthy where the newest backup is damaged' {
        Add-Damage $backups[0] 'a flipped byte'
        $null = $backups[0] | Test-BotBackup -ErrorAction SilentlyContinue
        $health = Test-BotBackupHealth @fit
        Get-State $health Proof | Should -Match 'Unhealthy'
        # That run failed, and its log says so.
        Get-State $health Errors | Should -Be 'Unhealthy'
        "$($health.State)" | Should -Be 'Unhealthy'
    }

    It 'is unhealthy where the passphrase does not open the newest backup' {
        [IO.File]::WriteAllText($site.Passphrase, "another one`n")
        Get-State (Test-BotBackupHealth @fit) Key | Should -Be 'Unhealthy'
    }

    It 'is inconclusive where nobody can know, and that is not healthy' {
        Remove-Item -LiteralPath $site.Logs -Recurse -Force
        $health = Test-BotBackupHealth @fit
        Get-State $health Errors | Should -Be 'Inconclusive'
        "$($health.State)" | Should -Be 'Inconclusive'
        Remove-Item -LiteralPath $site.Logs -Recurse -Force
        Test-BotBackupHealth @fit -Quiet | Should -BeExactly $false
    }

    It 'agrees with the exit code of Nightly.ps1, which HEALTH_EXCLUDE leaves a question out of' {
        $nightly = Join-Path $PSScriptRoot '../../examples/Nightly.ps1'
        Add-Setting $site 'HEALTH_EXCLUDE=Schedule,freespace'
        Test-BotBackupHealth -Quiet | Should -BeExactly $false
        $null = pwsh -NoProfile -NonInteractive -File $nightly -Module $env:BOTBACKUP_MODULE -Configuration $site.EnvFile -Task health
        $LASTEXITCODE | Should -Be 1
        1..6 | ForEach-Object { $null = Invoke-BotBackup }
        Test-BotBackupHealth -Quiet | Should -BeExactly $true
        $null = pwsh -NoProfile -NonInteractive -File $nightly -Module $env:BOTBACKUP_MODULE -Configuration $site.EnvFile -Task health
        $LASTEXITCODE | Should -Be 0
        Add-Setting $site 'HEALTH_EXCLUDE=Weather'
        Assert-Failure (Get-Failure { Test-BotBackupHealth }) ConfigurationInvalid InvalidArgument
    }

    It 'asks only what is named' {
        (Test-BotBackupHealth Free*, Key).Probes.Name | Should -Be 'Key', 'FreeSpace'
        (Test-BotBackupHealth Age -Exclude A*).Probes | Should -BeNullOrEmpty
        "$((Test-BotBackupHealth Age -Exclude A*).State)" | Should -Be 'Inconclusive'
    }

    It 'is told in the log and in the metrics' {
        Add-Setting $site "METRICS_FILE='$(Join-Path $site.Root 'backup.prom')'"
        $null = Test-BotBackupHealth FreeSpace, Count -MinimumFreeSpace 1
        $log = Get-Content (Join-Path $site.Logs "health-check-$([datetime]::UtcNow.ToString('yyyyMMdd')).log")
        $log -match '\] \[ERROR\] \[[0-9a-f]{16}\] Count: Failed' | Should -HaveCount 1
        $metrics = Get-Content (Join-Path $site.Root 'backup.prom')
        $metrics | Should -Contain 'botbackup_probe_healthy{probe="Count",subject="Config in local"} 0'
        $metrics | Should -Contain 'botbackup_probe_healthy{probe="FreeSpace",subject="local"} 1'
    }
}

Describe 'Get-BotBackupStatus' {
    BeforeEach { $site = New-Site }
    AfterEach { Remove-Site $site }

    It 'says in one line a component how it stands' {
        $before = Get-BotBackupStatus
        $before.Component | Should -Be 'Volume', 'Config'
        "$($before[0].State)" | Should -Be 'Unhealthy'
        $null = Invoke-BotBackup | Test-BotBackup -Depth Archive
        $after = Get-BotBackupStatus Config
        $after | Should -HaveCount 1
        "$($after.State)" | Should -Be 'Healthy'
        $after.OfLastDay | Should -Be 1
        $after.Newest | Should -BeGreaterThan ([datetimeoffset]::UtcNow.AddMinutes(-1))
        $after | Out-String -Width 160 | Should -Match 'Config +Healthy'
    }

    It 'gives the daily report as text, and Export-BotBackupReport appends it to the month''s log' {
        $null = Invoke-BotBackup
        $text = Get-BotBackupStatus -AsText
        foreach ($title in 'BACKUP SUMMARY \(Last 24 hours\)', 'STORAGE STATUS', 'LAST BACKUP', 'ISSUES \(if any\)', 'End of Report') { $text | Should -Match "(?m)^$title$" }
        $text | Should -Match 'redis_data_'
        $file = Export-BotBackupReport -As Daily
        $null = Export-BotBackupReport -As Daily
        $file.Name | Should -Be "daily-reports-$([datetime]::UtcNow.ToString('yyyyMM')).log"
        @(Select-String -LiteralPath $file.FullName -Pattern '^Daily Backup Status Report$') | Should -HaveCount 2
    }

    It 'names what is wrong as an issue' {
        $backup = Invoke-BotBackup Config
        Add-Damage $backup 'no manifest'
        Get-BotBackupStatus -AsText | Should -Match '(?ms)ISSUES \(if any\).*^- .*config_'
    }
}

Describe 'Export-BotBackupMetric' {
    BeforeEach { $site = New-Site }
    AfterEach { Remove-Site $site }

    It 'makes the file anew from what the stores have' {
        $path = Join-Path $site.Root 'metrics/backup.prom'
        Add-Setting $site "METRICS_FILE='$path'"
        $null = Invoke-BotBackup
        $said = Get-Content -LiteralPath $path
        Remove-Item -LiteralPath $path
        (Export-BotBackupMetric).FullName | Should -Be $path
        $told = Get-Content -LiteralPath $path
        foreach ($line in $said -match '^botbackup_(size|duration)') { $told | Should -Contain $line }
        $told -match '^botbackup_store_free_bytes\{store="local"\} \d+$' | Should -HaveCount 1
        $told -match '^botbackup_backups\{' | Should -HaveCount 2
        $told -match '^botbackup_last_success_timestamp_seconds\{' | Should -HaveCount 2
    }

    It 'needs METRICS_FILE or -Path, and changes nothing with -WhatIf' {
        Assert-Failure (Get-Failure { Export-BotBackupMetric }) ConfigurationMissing ObjectNotFound
        Export-BotBackupMetric -Path (Join-Path $site.Root 'a.prom') -WhatIf
        Join-Path $site.Root 'a.prom' | Should -Not -Exist
    }
}
