BeforeAll { . (Join-Path $PSScriptRoot 'Site.ps1') }

Describe 'Register-, Get- and Unregister-BotBackupSchedule' {
    BeforeEach {
        $site = New-Site
        $table = Join-Path $site.Root 'table'
        [IO.File]::WriteAllText($table, "MAILTO=ops@example.org`n0 1 * * * /usr/bin/other`n")
    }
    AfterEach { Remove-Site $site }

    It 'writes the timetable into a marked block, once, and takes it out again' {
        Add-Setting $site "DATABASE_URL='mongodb://localhost/bot'"
        $tasks = Register-BotBackupSchedule -Path $table
        $tasks.Name | Should -Be 'incremental', 'full', 'system', 'clean-up', 'verify', 'restore-test', 'drill', 'health', 'report'
        $tasks.When | Should -Be '*/5 * * * *', '0 2 * * *', '0 3 * * *', '0 4 * * *', '0 3 * * 0', '0 4 * * 0', '0 5 1-7 * *', '0 */6 * * *', '0 9 * * *'
        $written = [IO.File]::ReadAllText($table)
        $written | Should -Match '(?s)^MAILTO=ops@example.org\n0 1 \* \* \* /usr/bin/other\n# BEGIN BotCore.Backup.*# END BotCore.Backup\n$'
        $null = Register-BotBackupSchedule -Path $table
        [IO.File]::ReadAllText($table) | Should -BeExactly $written
        (Get-BotBackupSchedule f* -Path $table).Command | Should -Match "Nightly.ps1'? -Task full -Configuration '$([regex]::Escape($site.EnvFile))' >>"
        Unregister-BotBackupSchedule -Path $table
        [IO.File]::ReadAllText($table) | Should -BeExactly "MAILTO=ops@example.org`n0 1 * * * /usr/bin/other`n"
    }

    It 'leaves out what is not configured, and takes an hour where that is asked for' {
        (Register-BotBackupSchedule -Path $table).Name | Should -Not -Contain 'full'
        (Register-BotBackupSchedule incremental -Path $table -Interval 01:00:00).When | Should -Be '0 * * * *'
        Assert-Failure (Get-Failure { Register-BotBackupSchedule -Path $table -Interval 00:07:00 }) ConfigurationInvalid InvalidArgument
    }

    It 'prints it with -WhatIf and changes nothing' {
        $before = Get-Print $site.Root
        (Register-BotBackupSchedule -Path $table -WhatIf).Name | Should -Contain 'system'
        Unregister-BotBackupSchedule -Path $table -WhatIf
        Get-Print $site.Root | Should -BeExactly $before
        $site.Logs | Should -Not -Exist
        $printed = pwsh -NoProfile -NonInteractive -Command "Import-Module '$env:BOTBACKUP_MODULE'; Register-BotBackupSchedule -Path '$table' -WhatIf | Out-Null"
        $printed -match '^0 3 \* \* \* .*Nightly\.ps1.* -Task system ' | Should -HaveCount 1
    }

    It 'writes units and XML' {
        $units = New-Item -ItemType Directory -Path (Join-Path $site.Root 'units')
        $null = Register-BotBackupSchedule system, drill -Scheduler Systemd -Path $units
        (Get-ChildItem $units).Name | Should -Be 'botbackup-drill.timer', 'botbackup-system.timer', 'botbackup@.service'
        (Get-BotBackupSchedule -Path $units).When | Should -Be 'Sun *-*-01..07 05:00:00', '*-*-* 03:00:00'
        $xml = New-Item -ItemType Directory -Path (Join-Path $site.Root 'xml')
        $null = Register-BotBackupSchedule -Scheduler TaskScheduler -Path $xml
        ([xml] (Get-Content -Raw (Join-Path $xml 'botbackup-system.xml'))).Task.Actions.Exec.Arguments | Should -Match '-Task system'
    }

    It 'warns of a task whose script is gone' {
        $script = Join-Path $site.Root 'Nightly.ps1'
        Set-Content -LiteralPath $script 'exit 0'
        $null = Register-BotBackupSchedule system -Path $table -Script $script
        Remove-Item -LiteralPath $script
        $null = Get-BotBackupSchedule -Path $table -WarningVariable warnings -WarningAction SilentlyContinue
        $warnings | Should -Match 'cannot begin'
        Assert-Failure (Get-Failure { Register-BotBackupSchedule system -Path $table -Script $script }) ConfigurationInvalid InvalidArgument
    }
}
