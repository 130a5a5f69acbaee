BeforeDiscovery {
    $noGpg = -not ((Get-Command gpg -ErrorAction Ignore) -and (Get-Command tar -ErrorAction Ignore))
}

BeforeAll { . (Join-Path $PSScriptRoot 'Site.ps1') }

Describe 'Get-BotBackup' {
    BeforeEach {
        $site = New-Site
        $config = Invoke-BotBackup Config
        $volume = Invoke-BotBackup Volume
    }
    AfterEach { Remove-Site $site }

    It 'lists what there is, oldest first' {
        (Get-BotBackup).Id | Should -Be $config.Id, $volume.Id
    }

    It 'lists nothing, and no error, where the store is empty' {
        Remove-Item -LiteralPath $site.Store -Recurse -Force
        Get-Failure { Get-BotBackup } | Should -BeNullOrEmpty
        Get-BotBackup | Should -BeNullOrEmpty
    }

    It 'needs no passphrase' {
        Add-Setting $site 'GPG_PASSPHRASE_FILE=/nowhere'
        Get-BotBackup | Should -HaveCount 2
    }

    It 'selects by component, name, type, and time' {
        (Get-BotBackup Volume).Id | Should -Be $volume.Id
        (Get-BotBackup -Name 'REDIS_*').Id | Should -Be $volume.Id
        Get-BotBackup -Type Snapshot | Should -BeNullOrEmpty
        Get-BotBackup -Since $config.Taken | Should -HaveCount 2
        Get-BotBackup -Before $config.Taken | Should -BeNullOrEmpty
        Get-BotBackup -Since ([DateTimeOffset]::UtcNow.AddMinutes(1)) | Should -BeNullOrEmpty
    }

    It 'gives the newest of each with -Latest' {
        $newer = Invoke-BotBackup Config
        (Get-BotBackup -Latest).Id | Sort-Object | Should -Be ($newer.Id, $volume.Id | Sort-Object)
    }

    It 'finds by id, also piped in by property' {
        (Get-BotBackup -Id $config.Id).Location | Should -Be $config.Location
        ([pscustomobject]@{ Id = $volume.Id } | Get-BotBackup).Location | Should -Be $volume.Location
        Assert-Failure (Get-Failure { Get-BotBackup -Id 'no-such-id' }) BackupNotFound ObjectNotFound
    }

    It 'opens archives by path, wherever they lie' {
        Copy-Item -Path "$($config.Location)*" -Destination $site.Outside
        $copy = Get-BotBackup -Path (Join-Path $site.Outside '*.gpg')
        $copy.Id | Should -Be $config.Id
        $copy.Location | Should -BeLike "$($site.Outside)*"
        (Get-BotBackup -LiteralPath $copy.Location).Id | Should -Be $config.Id
    }

    It 'tells an archive that lost its manifest, and lists the rest' {
        Remove-Item -LiteralPath "$($config.Location).manifest.json"
        Assert-Failure (Get-Failure { Get-BotBackup }) ManifestMissing InvalidData
        (Get-BotBackup -ErrorAction SilentlyContinue).Id | Should -Be $volume.Id
    }

    It 'tells a manifest that lost its archive' {
        Remove-Item -LiteralPath $config.Location
        Assert-Failure (Get-Failure { Get-BotBackup }) BackupNotFound ObjectNotFound
        (Get-BotBackup -ErrorAction SilentlyContinue).Id | Should -Be $volume.Id
    }

    It 'does not list what an intent names' {
        [IO.File]::WriteAllText("$($config.Location).intent", '{}')
        Get-Failure { Get-BotBackup } | Should -BeNullOrEmpty
        (Get-BotBackup).Id | Should -Be $volume.Id
    }

    It 'lists an archive of the old scripts as Unproven' -Skip:$noGpg {
        $archive = Join-Path $site.Store 'config/config_20251118_030000.tar.gz.gpg'
        bash -c 'set -o pipefail; tar czf - -C "$1" config | gpg --batch --quiet --pinentry-mode loopback --passphrase-file "$2" --symmetric --cipher-algo AES256 -o "$3"' - $site.Platform $site.Passphrase $archive
        $LASTEXITCODE | Should -Be 0
        $foreign = Get-BotBackup | Where-Object Location -EQ $archive
        "$($foreign.Proof)" | Should -Be 'Unproven'
        $foreign.Component | Should -Be 'Config'
        $foreign.Taken | Should -Be ([DateTimeOffset]::new(2025, 11, 18, 3, 0, 0, [TimeSpan]::Zero))
    }

    It 'sorts and compares sizes as numbers, and shows them as people read them' {
        $config.Size -gt 100KB | Should -BeTrue
        (Get-BotBackup | Sort-Object Size)[0].Id | Should -Be $volume.Id
        "$($config.Size)" | Should -Match '^\d+ KiB$'
    }

    It 'shows a table with the columns that an admin looks for' {
        $table = Get-BotBackup | Format-Table | Out-String -Width 200
        $table | Should -Match 'Component\S* +.*Name.*Type.*Taken.*Size.*Store.*Proof'
        $table | Should -Match 'redis_data'
    }

    It 'ends where the settings are wrong' {
        Add-Setting $site 'COMPRESSION=rot13'
        Assert-Failure (Get-Failure { Get-BotBackup }) ConfigurationInvalid InvalidArgument
    }

    It 'completes -Id, -Name and -Store' {
        function Get-Completion([string] $Line) { [Management.Automation.CommandCompletion]::CompleteInput($Line, $Line.Length, $null).CompletionMatches.CompletionText }
        Get-Completion 'Get-BotBackup -Id ' | Should -Be $volume.Id, $config.Id
        Get-Completion "Get-BotBackup -Id $($config.Id.Substring(0, 8))" | Should -Be $config.Id
        Get-Completion 'Get-BotBackup -Name red' | Should -Be 'redis_data'
        Get-Completion 'Get-BotBackup -Store ' | Should -Be 'local'
    }

    It 'offers nothing, and fails not, where the settings are wrong' {
        $env:BOTBACKUP_CONFIGURATION = Join-Path $site.Root 'not there'
        $line = 'Get-BotBackup -Store zzz'
        { [Management.Automation.CommandCompletion]::CompleteInput($line, $line.Length, $null) } | Should -Not -Throw
    }
}
