BeforeDiscovery {
    . (Join-Path $PSScriptRoot 'Docker.ps1')
    $noTerminal = -not (Get-Command script -ErrorAction Ignore)
    $noDocker = [bool] (Get-DockerHindrance)
}

BeforeAll {
    . (Join-Path $PSScriptRoot 'Site.ps1')
    . (Join-Path $PSScriptRoot 'Database.ps1')
    . (Join-Path $PSScriptRoot 'Docker.ps1')

    function Edit-Everything {
        Remove-Item -LiteralPath (Join-Path $site.Platform 'config/app.json')
        [IO.File]::WriteAllText((Join-Path $site.Data 'dump.rdb'), 'damaged')
        [IO.File]::WriteAllText((Join-Path $site.Root 'models/lstm/weights.bin'), 'damaged')
        $null = Invoke-Database $mongo bot_core drop accounts
    }

    function Get-Everything {
        Get-DatabasePrint $mongo 'bot_core'
        Get-Print (Join-Path $site.Platform 'config')
        Get-Print $site.Data
        Get-Print (Join-Path $site.Root 'models')
    }
}

Describe 'The platform as one' {
    BeforeEach {
        $mongo = New-Database
        Initialize-Platform $mongo
        $site = New-Site "DATABASE_URL='$(Get-DatabaseUri $mongo 'bot_core')'"
        $null = New-Item -ItemType Directory -Path (Join-Path $site.Root 'models/lstm')
        [IO.File]::WriteAllText((Join-Path $site.Root 'models/lstm/weights.bin'), 'weights')
        Add-Setting $site "MODEL_PATHS='`"$($site.Root)/models/lstm`"'"
    }
    AfterEach {
        Remove-Site $site
        Remove-Database $mongo
    }

    It 'makes one run with one platform time in every manifest' {
        $backups = Invoke-BotBackup
        $backups.Component | Should -Be 'MongoDb', 'Config', 'Volume', 'Model'
        $backups.RunId | Select-Object -Unique | Should -HaveCount 1
        $times = foreach ($backup in $backups) { ([IO.File]::ReadAllText("$($backup.Location).manifest.json") | ConvertFrom-Json).platformTime }
        $times | Should -HaveCount 4
        $times | Select-Object -Unique | Should -HaveCount 1
        $backups[0].PlatformTime | Should -BeGreaterOrEqual $backups[0].Taken
        $backups[1].Taken | Should -BeGreaterOrEqual $backups[0].PlatformTime
    }

    It 'gives a run of one component no platform time' {
        (Invoke-BotBackup Config).PlatformTime | Should -BeNullOrEmpty
    }

    It 'leaves out what is not configured, and says so' {
        Add-Setting $site 'DATABASE_URL=', 'MODEL_PATHS='
        $all = Invoke-BotBackup -Verbose 4>&1
        $words = $all | Where-Object { $_ -is [Management.Automation.VerboseRecord] } | ForEach-Object Message
        $words | Should -Contain 'MongoDb is not in this run: DATABASE_URL is not set.'
        $words | Should -Contain 'Model is not in this run: MODEL_PATHS is not set.'
        ($all | Where-Object { $_ -is [BotCore.Backup.Engine.Catalog.BotBackup] }).Component | Should -Be 'Config', 'Volume'
    }

    It 'goes on where one component fails' {
        Add-Setting $site "DATABASE_URL='mongodb://127.0.0.1:1/bot_core?serverSelectionTimeoutMS=200&connectTimeoutMS=200'"
        $failures = Get-Failure { Invoke-BotBackup }
        $failures.FullyQualifiedErrorId | Should -BeLike 'SourceUnreachable,*'
        (Get-BotBackup).Component | Should -Be 'Config', 'Volume', 'Model'
        (Get-BotBackup).PlatformTime | Select-Object -Unique | Should -HaveCount 1
    }

    It 'brings all of a run back, the models that had not changed by then too' {
        $null = Invoke-BotBackup
        $was = Get-Everything
        $second = Invoke-BotBackup
        ($second | Where-Object Component -EQ 'Model').Outcome | Should -Be 'Skipped'
        $run = ($second | Where-Object Component -EQ 'Config').RunId
        Edit-Everything
        $restores = Restore-BotBackup -RunId $run -Force
        $restores.Outcome | Select-Object -Unique | Should -Be 'Succeeded'
        $restores.Backup.Component | Should -Be 'Config', 'MongoDb', 'Volume', 'Model'
        Get-Everything | Should -BeExactly $was
    }

    It 'brings increments of a run back' {
        $null = Invoke-BotBackup
        Add-Document $mongo bot_core trades '{ "_id": "later", "symbol": "later" }'
        [IO.File]::WriteAllText((Join-Path $site.Platform 'config/app.json'), 'later')
        $increments = Invoke-BotBackup -Type Incremental
        $increments.Component | Should -Be 'MongoDb', 'Config', 'Volume', 'Model'
        $increments.Outcome | Should -Be 'Succeeded', 'Succeeded', 'Succeeded', 'Skipped'
        $was = Get-Everything
        Edit-Everything
        (Restore-BotBackup -RunId $increments[0].RunId -Force).Outcome | Select-Object -Unique | Should -Be 'Succeeded'
        Get-Everything | Should -BeExactly $was
    }

    It 'goes back to a moment in all components, and says how far each is from it' {
        $first = Invoke-BotBackup
        $was = Get-Everything
        $null = Wait-Until { [DateTimeOffset]::UtcNow.ToUnixTimeSeconds() -gt $first[-1].Taken.ToUnixTimeSeconds() }
        Edit-Everything
        $null = Invoke-BotBackup
        $log = Join-Path $site.Root 'plan.txt'
        $null = Start-Transcript -LiteralPath $log
        Restore-BotBackup -PointInTime $first[-1].Taken.ToString('o') -WhatIf -WarningAction SilentlyContinue
        $null = Stop-Transcript
        $plan = (Get-Content -LiteralPath $log | Where-Object { $_ -like 'What if:*' }) -join "`n"
        $plan | Should -BeLike '*config/config_*mongodb/*volumes/*models/*'
        [regex]::Matches($plan, 'the moment of').Count | Should -Be 4
        $restores = Restore-BotBackup -PointInTime $first[-1].Taken.ToString('o') -Force -WarningAction SilentlyContinue
        $restores.Outcome | Select-Object -Unique | Should -Be 'Succeeded'
        Get-Everything | Should -BeExactly $was
    }

    It 'takes components and names of a run' {
        $backups = Invoke-BotBackup
        (Restore-BotBackup Config, Volume -RunId $backups[0].RunId -Force).Backup.Component | Should -Be 'Config', 'Volume'
        Assert-Failure (Get-Failure { Restore-BotBackup -RunId 'no such run' -Force }) 'BackupNotFound' 'ObjectNotFound'
        Assert-Failure (Get-Failure { Restore-BotBackup -RunId $backups[0].RunId -Destination $site.Outside -Force }) 'ConfigurationInvalid' 'InvalidArgument'
    }

    It 'asks nobody under -NonInteractive, and says what to give' {
        $null = Invoke-BotBackup Config
        Assert-Failure (Get-Failure { Restore-BotBackup -Force }) 'ConfigurationInvalid' 'InvalidArgument'
        @() | Restore-BotBackup -Force | Should -BeNullOrEmpty
    }

    It 'shows a numbered menu at a prompt' -Skip:$noTerminal {
        Add-Setting $site 'DATABASE_URL='
        $null = Invoke-BotBackup
        $was = Get-Print (Join-Path $site.Platform 'config')
        Remove-Item -LiteralPath (Join-Path $site.Platform 'config/app.json')
        $shown = bash -c 'printf "77\n1\n" | script -qec "pwsh -NoProfile -Command \"Import-Module ''$1''; Restore-BotBackup -Force\"" /dev/null' - $env:BOTBACKUP_MODULE
        "$shown" | Should -BeLike '*1*the platform: config, redis_data, lstm*Number of what to restore*There is no number 77*'
        Get-Print (Join-Path $site.Platform 'config') | Should -BeExactly $was
    }
}

Describe 'The platform with Docker volumes' -Skip:$noDocker {
    BeforeAll { $docker = Start-Dockerd }
    AfterAll { Stop-Dockerd $docker }
    BeforeEach {
        $mongo = New-Database
        Initialize-Platform $mongo
        $volume = "app_$([guid]::NewGuid().ToString('n').Substring(0, 6))"
        $other = "$volume-log"
        $data = (Invoke-Engine $docker POST volumes/create @{ Name = $volume; Labels = @{ 'botcore.backup' = 'true' } }).Mountpoint
        $logs = (Invoke-Engine $docker POST volumes/create @{ Name = $other; Labels = @{ 'botcore.backup' = 'true' } }).Mountpoint
        [IO.File]::WriteAllText("$data/state", 'state')
        [IO.File]::WriteAllText("$logs/log", 'log')
        $site = New-Site "DATABASE_URL='$(Get-DatabaseUri $mongo 'bot_core')'", "DOCKER_HOST=unix://$($docker.Socket)"
        $null = New-Item -ItemType Directory -Path (Join-Path $site.Root 'models/lstm')
        [IO.File]::WriteAllText((Join-Path $site.Root 'models/lstm/weights.bin'), 'weights')
        Add-Setting $site "MODEL_PATHS='`"$($site.Root)/models/lstm`"'"
        function Get-All { Get-Everything; Get-Print $data; Get-Print $logs }
        function Edit-All {
            Edit-Everything
            [IO.File]::WriteAllText("$data/state", 'damaged')
            [IO.File]::WriteAllText("$data/stray", 'stray')
            [IO.File]::Delete("$logs/log")
        }
    }
    AfterEach {
        foreach ($name in $volume, $other) { try { $null = Invoke-Engine $docker DELETE "volumes/$($name)?force=1" } catch { Write-Verbose "$_" } }
        Remove-Site $site
        Remove-Database $mongo
    }

    It 'is one run, and all of it comes back by <way>' -TestCases @{ way = 'RunId' }, @{ way = 'PointInTime' } {
        $backups = Invoke-BotBackup
        $backups.Component | Should -Be 'MongoDb', 'Config', 'Volume', 'Volume', 'Volume', 'Model'
        $backups.RunId | Select-Object -Unique | Should -HaveCount 1
        $backups.PlatformTime | Select-Object -Unique | Should -HaveCount 1
        $was = Get-All
        Edit-All
        $point = if ($way -eq 'RunId') { @{ RunId = $backups[0].RunId } } else { @{ PointInTime = $backups[-1].Taken.ToString('o') } }
        $restores = Restore-BotBackup @point -Force -WarningAction SilentlyContinue
        $restores.Outcome | Select-Object -Unique | Should -Be 'Succeeded'
        $restores.Backup.Component | Should -Be 'Config', 'MongoDb', 'Volume', 'Volume', 'Volume', 'Model'
        Get-All | Should -BeExactly $was
    }

    It 'comes back with a volume that is lost, and from increments' {
        $null = Invoke-BotBackup
        [IO.File]::WriteAllText("$data/later", 'later')
        $increments = Invoke-BotBackup -Type Incremental
        ($increments | Where-Object Name -EQ $volume).Type | Should -Be 'Incremental'
        $was = Get-All
        Edit-All
        $null = Invoke-Engine $docker DELETE "volumes/$volume"
        (Restore-BotBackup -RunId $increments[0].RunId -Force).Outcome | Select-Object -Unique | Should -Be 'Succeeded'
        Get-All | Should -BeExactly $was
    }

    It 'has its volumes of one moment where that is asked for' {
        $first = Start-Container $docker "$volume-a" $volume
        $second = Start-Container $docker "$volume-b" $other
        try {
            $words = Invoke-BotBackup Volume -Quiesce Pause -Verbose 4>&1 | ForEach-Object { "$_" }
            $quiet = $words | Select-String 'is paused while volumes are read|is read straight|runs again' | ForEach-Object { $_ -replace '^.*(paused|read straight|runs again).*$', '$1' }
            $quiet | Should -Be 'paused', 'paused', 'read straight', 'read straight', 'runs again', 'runs again'
            Get-ContainerState $docker $first | Should -Be 'running'
            Get-ContainerState $docker $second | Should -Be 'running'
        }
        finally { foreach ($id in $first, $second) { $null = Invoke-Engine $docker DELETE "containers/$($id)?force=1" } }
    }

    It 'is recovered by the steps of the guide, though a container uses a volume when they begin' {
        $backups = Invoke-BotBackup
        $was = Get-All
        Edit-All
        $id = Start-Container $docker "$volume-user" $volume
        try {
            $stop = "curl -fsS -X POST --unix-socket '$($docker.Socket)' http://engine/containers/$id/kill"
            $start = "curl -fsS -X POST --unix-socket '$($docker.Socket)' http://engine/containers/$id/start"
            $said = & pwsh -NoProfile -NonInteractive -File (Join-Path $PSScriptRoot '../../examples/Recover-System.ps1') -Module $env:BOTBACKUP_MODULE -Stop $stop -Start $start 2>&1
            $LASTEXITCODE | Should -Be 0 -Because "$said"
            "$said" | Should -BeLike "*it is in use by $volume-user, which must be stopped first*Recovered: $($backups.Count) archives*"
            Get-ContainerState $docker $id | Should -Be 'running'
            Get-All | Should -BeExactly $was
        }
        finally { $null = Invoke-Engine $docker DELETE "containers/$($id)?force=1" }
    }
}
