BeforeDiscovery {
    . (Join-Path $PSScriptRoot 'Docker.ps1')
    $noDocker = [bool] (Get-DockerHindrance)
}

BeforeAll {
    . (Join-Path $PSScriptRoot 'Site.ps1')
    . (Join-Path $PSScriptRoot 'Docker.ps1')
}

Describe 'Volumes' -Skip:$noDocker {
    BeforeAll {
        $docker = Start-Dockerd
        # The staged module may lie in a folder that is its owner's alone.
        $public = "$($docker.Folder)/public/BotCore.Backup"
        $null = New-Item -ItemType Directory (Split-Path $public)
        Copy-Item -Recurse -LiteralPath $env:BOTBACKUP_MODULE -Destination $public
        chmod 755 $docker.Folder
        chmod -R a+rX (Split-Path $public)
    }
    AfterAll { Stop-Dockerd $docker }
    BeforeEach {
        $volume = "app_$([guid]::NewGuid().ToString('n').Substring(0, 6))"
        $data = (Invoke-Engine $docker POST volumes/create @{ Name = $volume }).Mountpoint
        [IO.File]::WriteAllText("$data/dump.rdb", "REDIS0011`n")
        $site = New-Site "DOCKER_HOST=unix://$($docker.Socket)", "BACKUP_VOLUMES=$volume"
    }
    AfterEach { Remove-Site $site }

    It 'are backed up beside folders, proven, and brought back after a snapshot' {
        $backup = Invoke-BotBackup Volume -Name app_*
        $backup.Name | Should -Be $volume
        $backup | Test-BotBackup -Depth Restore -Quiet | Should -BeTrue
        (Invoke-BotBackup Volume).Name | Sort-Object | Should -Be $volume, 'redis_data'
        [IO.File]::WriteAllText("$data/dump.rdb", 'lost')
        [IO.File]::WriteAllText("$data/stray", 'was never backed up')

        $restored = $backup | Restore-BotBackup -Force

        $restored.Destination | Should -Be "volume:$volume"
        Get-Content "$data/dump.rdb" | Should -Be 'REDIS0011'
        "$data/stray" | Should -Not -Exist
        $null = $restored.Snapshot | Restore-BotBackup -Force
        Get-Content "$data/stray" | Should -Be 'was never backed up'
    }

    It 'are restored into another one by its name, which is made' {
        $backup = Invoke-BotBackup Volume -Name app_*
        foreach ($name in "$volume-one", "volume:$volume-two") {
            ($backup | Restore-BotBackup -Destination $name -Force).Destination | Should -Be "volume:$($name -replace '^volume:')"
        }
        Get-Content "$(Split-Path (Split-Path $data))/$volume-one/_data/dump.rdb" | Should -Be REDIS0011
    }

    It 'say with -WhatIf who would be paused, and change nothing' {
        $container = Start-Container $docker "$volume-user" $volume
        $words = Get-Word { Invoke-BotBackup Volume -Name app_* -Quiesce Pause -WhatIf }
        Get-ContainerState $docker $container | Should -Be 'running'
        $site.Store | Should -Not -Exist
        Assert-Failure (Get-Failure { Invoke-BotBackup Volume -Name app_* | Restore-BotBackup -Force }) LiveTargetRefused PermissionDenied
        $null = Invoke-Engine $docker DELETE "containers/$($container)?force=1"
    }

    It 'let a container go on that a killed run had left <state>, and say so' -TestCases @(
        @{ mode = 'Pause'; state = 'paused' }
        @{ mode = 'Stop'; state = 'exited' }
    ) {
        # Long enough to be killed in: xz takes a minute for it.
        [IO.File]::WriteAllBytes("$data/noise", [Security.Cryptography.RandomNumberGenerator]::GetBytes(150MB))
        $container = Start-Container $docker "$volume-user" $volume
        $child = Start-Child "Invoke-BotBackup Volume -Name app_* -Quiesce $mode -Compression xz -ThrottleLimit 1"
        Wait-Until { (Get-ContainerState $docker $container) -eq $state } | Should -BeTrue
        $child.Kill()
        $child.WaitForExit()
        Get-ContainerState $docker $container | Should -Be $state
        [IO.File]::Delete("$data/noise")

        $made = Invoke-BotBackup Volume -Name app_* -WarningVariable warned -WarningAction SilentlyContinue

        Get-ContainerState $docker $container | Should -Be 'running'
        $made.Name | Should -Be $volume
        "$warned" | Should -BeLike "*killed*container '$volume-user'*it runs again*"
        Get-ChildItem "$($site.Store)/.botbackup/quiesced" | Should -BeNullOrEmpty
        $null = Invoke-Engine $docker DELETE "containers/$($container)?force=1"
    }

    It 'fail clearly where there is no engine, no right to it, or no such volume' {
        Add-Setting $site 'BACKUP_VOLUMES=no_such_volume'
        Assert-Failure (Get-Failure { Invoke-BotBackup Volume -Name no_such_volume }) VolumeNotFound ObjectNotFound
        Add-Setting $site 'DOCKER_HOST=unix:///absent/engine.sock'
        Assert-Failure (Get-Failure { Invoke-BotBackup Volume -Name no_such_volume }) SourceUnreachable ConnectionError
    }

    It 'need the right to open the socket' {
        $home1 = "$($docker.Folder)/nobody"
        $null = New-Item -ItemType Directory $home1
        chown nobody $home1
        $text = "`$ErrorActionPreference = 'Continue'; Import-Module '$public'; Invoke-BotBackup @@ *>&1 | ForEach-Object { if (`$_ -is [Management.Automation.ErrorRecord]) { `$_.FullyQualifiedErrorId; `$_.Exception.Message } else { ""`$_"" } }"
        $settings = "HOME=$home1", "DOCKER_HOST=unix://$($docker.Socket)", "BACKUP_DIR=$home1/store", "PROJECT_ROOT=$home1", 'ENCRYPTION_ENABLED=false'
        $nobody = 'setpriv', '--reuid=65534', '--clear-groups', (Get-Command pwsh).Source, '-NoProfile', '-NonInteractive', '-Command'
        $said = env '--unset=BOTBACKUP_CONFIGURATION' @settings BACKUP_VOLUMES=x1 @nobody $text.Replace('@@', 'Volume') 2>&1
        "$said" | Should -BeLike 'AccessDenied,*This user may not open unix://*'
        "$said" | Should -Not -BeLike '*Object reference*'

        # At the usual socket, which nothing names, volumes may have labels that cannot be seen; what else there is goes on.
        [IO.File]::WriteAllText("$home1/app.conf", 'x')
        $private = 'unshare', '--mount', '--propagation', 'private', 'bash', '-c', 'mount -t tmpfs none /run && touch /run/docker.sock && mount --bind "$0" /run/docker.sock && exec "$@"', $docker.Socket
        $said = env '--unset=BOTBACKUP_CONFIGURATION' '--unset=DOCKER_HOST' ($settings -notlike 'DOCKER_HOST=*') CONFIG_PATHS=app.conf @private @nobody $text.Replace('@@', '') 2>&1
        "$said" | Should -BeLike '*This user may not open*botcore.backup=true, they are not in this run*'
        "$said" | Should -Not -BeLike '*AccessDenied,*'
        "$home1/store/config" | Should -Exist
    }

    It 'end with a failure, and nothing behind it, where the settings may not be read' {
        $text = "`$ErrorActionPreference = 'Continue'; Import-Module '$public'; try { Invoke-BotBackup Volume } catch { `$_.FullyQualifiedErrorId }; try { Restore-BotBackup -RunId x } catch { `$_.FullyQualifiedErrorId }"
        $said = env setpriv --reuid=65534 --clear-groups (Get-Command pwsh).Source -NoProfile -NonInteractive -Command $text 2>&1
        $said | Should -HaveCount 2 -Because "$said"
        $said | Should -BeLike 'AccessDenied,*'
    }
}
