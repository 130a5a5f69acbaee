BeforeDiscovery {
    $noGpg = -not ((Get-Command gpg -ErrorAction Ignore) -and (Get-Command tar -ErrorAction Ignore))
    $damage = @(
        @{ Way = 'a flipped byte'; Kind = 'ChecksumMismatch' }
        @{ Way = 'a cut end'; Kind = 'ArchiveCorrupt' }
        @{ Way = 'no manifest'; Kind = 'ManifestMissing' }
        @{ Way = 'an edited manifest'; Kind = 'ArchiveUnauthenticated' }
        @{ Way = 'a manifest that is no JSON'; Kind = 'ManifestMismatch' }
        @{ Way = 'a flipped byte with every hash recomputed'; Kind = 'ArchiveUnauthenticated' }
        @{ Way = 'a damaged index'; Kind = 'ChecksumMismatch' }
    )
}

BeforeAll { . (Join-Path $PSScriptRoot 'Site.ps1') }

Describe 'Restore-BotBackup' {
    BeforeEach {
        $site = New-Site
        $backup = Invoke-BotBackup Config
        $app = Join-Path $site.Platform 'config/app.json'
        $new = Join-Path $site.Root 'new'
    }
    AfterEach { Remove-Site $site }

    It 'restores into an empty folder, and what is there is what was there' {
        $restore = Get-BotBackup -Latest | Restore-BotBackup -Destination $new -Force
        $restore | Should -BeOfType BotCore.Backup.Engine.Restores.BotBackupRestore
        $restore.Outcome | Should -Be 'Succeeded'
        $restore.Partial | Should -BeFalse
        $restore.Snapshot | Should -BeNullOrEmpty
        $restore.Counts.Overwritten | Should -Be 0
        Get-Print (Join-Path $new 'config') | Should -BeExactly (Get-Print (Join-Path $site.Platform 'config'))
        Test-Path (Join-Path $new 'docker-compose.yml') | Should -BeTrue
    }

    It 'restores to where it came from, keeps what it overwrites, and takes that back' {
        $was = Get-Print $site.Platform
        [IO.File]::WriteAllText($app, 'broken')
        Remove-Item -LiteralPath (Join-Path $site.Platform 'docker-compose.yml')
        $restore = $backup | Restore-BotBackup -Force
        $restore.Outcome | Should -Be 'Succeeded'
        $restore.Destination | Should -Be $site.Platform
        Get-Print $site.Platform | Should -BeExactly $was

        $restore.Snapshot.Type | Should -Be 'Snapshot'
        $restore.Snapshot.Location | Should -BeLike '*/pre-restore-snapshots/pre_restore_*'
        (Get-BotBackup -Type Snapshot).Id | Should -Be $restore.Snapshot.Id
        $undone = $restore.Snapshot | Restore-BotBackup -Force
        $undone.Outcome | Should -Be 'Succeeded'
        [IO.File]::ReadAllText($app) | Should -BeExactly 'broken'
    }

    It 'restores a folder of BACKUP_DIRECTORIES to where it came from' {
        $volume = Invoke-BotBackup Volume
        $was = Get-Print $site.Data
        Remove-Item -LiteralPath (Join-Path $site.Data 'dump.rdb')
        ($volume | Restore-BotBackup -Force).Destination | Should -Be $site.Data
        Get-Print $site.Data | Should -BeExactly $was
    }

    It 'changes nothing with -WhatIf, not even with -Force, and says what it would do' {
        [IO.File]::WriteAllText($app, 'broken')
        $before = Get-Print $site.Root
        $log = Join-Path ([IO.Path]::GetTempPath()) "botbackup-whatif-$([guid]::NewGuid().ToString('n'))"
        try {
            $null = Start-Transcript -LiteralPath $log
            $backup | Restore-BotBackup -Force -WhatIf | Should -BeNullOrEmpty
            $null = Stop-Transcript
            $said = (Get-Content -LiteralPath $log -Raw) -replace '\s+', ' '
            $said | Should -BeLike "*What if: *Restore $($backup.Key) (all 7 entries, * after a snapshot of what is overwritten* on target `"$($site.Platform)`"*"
        }
        finally { Remove-Item -LiteralPath $log -Force }
        Get-Print $site.Root | Should -BeExactly $before
    }

    It 'changes nothing where nobody can be asked' {
        [IO.File]::WriteAllText($app, 'broken')
        $before = Get-Print $site.Root
        Get-Failure { $backup | Restore-BotBackup } | Should -HaveCount 1
        Get-Print $site.Root | Should -BeExactly $before
    }

    It 'does not ask with -Confirm:$false' {
        ($backup | Restore-BotBackup -Destination $new -Confirm:$false).Outcome | Should -Be 'Succeeded'
    }

    It 'refuses <Way> before it writes anything: <Kind>' -ForEach $damage {
        [IO.File]::WriteAllText($app, 'not to be touched')
        Add-Damage $backup $Way
        $before = Get-Print $site.Root
        Assert-Failure (Get-Failure { Restore-BotBackup -LiteralPath $backup.Location -Destination $site.Platform -Force }) $Kind InvalidData
        Assert-Failure (Get-Failure { Restore-BotBackup -LiteralPath $backup.Location -Destination $new -Force }) $Kind InvalidData
        Get-Print $site.Root | Should -BeExactly $before
    }

    It 'refuses a wrong passphrase before it writes anything' {
        $before = Get-Print $site.Root
        Assert-Failure (Get-Failure { $backup | Restore-BotBackup -Destination $new -Force -Passphrase (New-SecureText 'wrong') }) WrongPassphrase AuthenticationError
        Get-Print $site.Root | Should -BeExactly $before
    }

    It 'refuses an archive that was exchanged for another one' {
        $other = Invoke-BotBackup Config
        Copy-Item -LiteralPath $other.Location -Destination $backup.Location -Force
        $before = Get-Print $site.Root
        Assert-Failure (Get-Failure { $backup | Restore-BotBackup -Destination $new -Force }) ManifestMismatch InvalidData
        Get-Print $site.Root | Should -BeExactly $before
    }

    It 'restores only what -Include names, with the folders above it' {
        $restore = $backup | Restore-BotBackup -Destination $new -Include '*.txt' -Force
        $restore.Partial | Should -BeTrue
        (Get-ChildItem -LiteralPath $new -Recurse -File).Name | Should -Be 'ünïcode näme.txt'
        Test-Path (Join-Path $new 'config/nested') | Should -BeTrue
    }

    It 'leaves out what -Exclude names, which wins over -Include' {
        $null = $backup | Restore-BotBackup -Destination $new -Include 'config/**' -Exclude '*.bin', 'nested/**', 'config/nested' -Force
        (Get-ChildItem -LiteralPath $new -Recurse -File).Name | Should -Contain 'app.json'
        (Get-ChildItem -LiteralPath $new -Recurse -File).Name | Should -Not -Contain 'noise.bin'
    }

    It 'tells an -Include that matches nothing' {
        Assert-Failure (Get-Failure { $backup | Restore-BotBackup -Destination $new -Include 'no-such-file' -Force }) BackupNotFound ObjectNotFound
        Test-Path $new | Should -BeFalse
    }

    It 'reads with -Include only what it needs, and still finds an edited manifest' {
        Add-Damage $backup 'an edited manifest'
        Assert-Failure (Get-Failure { Restore-BotBackup -LiteralPath $backup.Location -Destination $new -Include '*.json' -Force }) ArchiveUnauthenticated InvalidData
        Test-Path $new | Should -BeFalse
    }

    It 'does not overwrite without a snapshot unless it is forced' {
        [IO.File]::WriteAllText($app, 'broken')
        Assert-Failure (Get-Failure { $backup | Restore-BotBackup -NoSnapshot -Confirm:$false }) DestinationNotEmpty ResourceExists
        [IO.File]::ReadAllText($app) | Should -BeExactly 'broken'
        ($backup | Restore-BotBackup -NoSnapshot -Force).Snapshot | Should -BeNullOrEmpty
        Get-BotBackup -Type Snapshot | Should -BeNullOrEmpty
    }

    It 'does nothing where the pipeline is empty' {
        $before = Get-Print $site.Root
        @() | Restore-BotBackup -Destination $new -Force | Should -BeNullOrEmpty
        Get-Print $site.Root | Should -BeExactly $before
    }

    It 'plans all before it changes anything' {
        Add-Setting $site 'BACKUP_DIRECTORIES='
        $volume = New-Site
        try {
            $orphan = Invoke-BotBackup Volume
            $before = Get-Print $site.Platform
            Assert-Failure (Get-Failure { $backup, $orphan | Restore-BotBackup -Force -Configuration $site.EnvFile }) BackupNotFound ObjectNotFound
            Get-Print $site.Platform | Should -BeExactly $before
        }
        finally { Remove-Site $volume }
    }

    It 'restores none of the paths where one cannot be opened' {
        $failures = Get-Failure { Restore-BotBackup -Path $backup.Location, (Join-Path $site.Store 'config/gone.tar.gz') -Destination $new -Force }
        Assert-Failure $failures BackupNotFound ObjectNotFound
        Test-Path -LiteralPath $new | Should -BeFalse
    }

    It 'takes files from Get-ChildItem' {
        (Get-ChildItem -LiteralPath (Join-Path $site.Store 'config') -Filter '*.gpg' | Restore-BotBackup -Destination $new -Force).Outcome | Should -Be 'Succeeded'
    }

    It 'stops a script under -ErrorAction Stop' {
        Add-Damage $backup 'a flipped byte'
        { $backup | Restore-BotBackup -Destination $new -Force -ErrorAction Stop } | Should -Throw -ErrorId 'ChecksumMismatch,*'
    }

    It 'restores what gpg <Option> made from a tar, without a manifest' -Skip:$noGpg -ForEach @{ Option = '--symmetric' }, @{ Option = '-z 0 --symmetric' } {
        $archive = Join-Path $site.Outside 'by hand.tar.gz.gpg'
        bash -c 'set -o pipefail; tar czf - -C "$1" config | gpg --batch --quiet --pinentry-mode loopback --passphrase-file "$2" --cipher-algo AES256 $4 -o "$3"' - $site.Platform $site.Passphrase $archive $Option
        $LASTEXITCODE | Should -Be 0
        $restore = Restore-BotBackup -Path $archive -Destination $new -Force
        $restore.Outcome | Should -Be 'Succeeded'
        Get-Print (Join-Path $new 'config') | Should -BeExactly (Get-Print (Join-Path $site.Platform 'config'))
        Assert-Failure (Get-Failure { Restore-BotBackup -Path $archive -Force }) BackupNotFound ObjectNotFound
    }

    It 'restores an archive of the old scripts to where its name says' -Skip:$noGpg {
        $archive = Join-Path $site.Store 'config/config_20251118_030000.tar.gz.gpg'
        bash -c 'set -o pipefail; tar czf - -C "$1" config | gpg --batch --quiet --pinentry-mode loopback --passphrase-file "$2" --symmetric --cipher-algo AES256 -o "$3"' - $site.Platform $site.Passphrase $archive
        $was = Get-Print $site.Platform
        [IO.File]::WriteAllText($app, 'broken')
        (Get-BotBackup | Where-Object Location -EQ $archive | Restore-BotBackup -Force).Destination | Should -Be $site.Platform
        Get-Print $site.Platform | Should -BeExactly $was
    }
}

Describe 'Secrets' {
    BeforeEach {
        $site = New-Site -Setting 'DATABASE_URL=mongodb://admin:hunter2@localhost/bots', 'SLACK_WEBHOOK=https://hooks.slack.test/services/T000/B000/hunter2'
        $new = Join-Path $site.Root 'new'
    }
    AfterEach { Remove-Site $site }

    It 'stand in no output, on no stream' {
        $words = Get-Word {
            Get-BotBackupConfiguration
            (Get-BotBackupConfiguration).Settings
            Test-BotBackupConfiguration
            Invoke-BotBackup -WhatIf
            Invoke-BotBackup
            Get-BotBackup
            Get-BotBackup | Test-BotBackup -Depth Archive
            Get-BotBackup | Test-BotBackup -Depth Archive -Passphrase (New-SecureText 'wr0ng-secret')
            Get-BotBackup -Latest | Where-Object Component -EQ Config | Restore-BotBackup -Destination $new -Force
            Get-BotBackup | Remove-BotBackup -Force
            New-BotBackupPassphrase (Join-Path $site.Root 'made')
        }
        $words | Should -Match 'WrongPassphrase'
        $words | Should -Match 'Succeeded'
        $words | Should -Not -Match ([regex]::Escape($site.Secret))
        $words | Should -Not -Match 'hunter2'
        $words | Should -Not -Match 'wr0ng-secret'
        $words | Should -Not -Match ([regex]::Escape([IO.File]::ReadAllText((Join-Path $site.Root 'made')).Trim()))
    }
}
