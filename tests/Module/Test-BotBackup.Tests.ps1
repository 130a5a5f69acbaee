BeforeDiscovery {
    # Only names are needed here; the site's file wants a staged module.
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

Describe 'Test-BotBackup' {
    BeforeEach {
        $site = New-Site
        $backup = Invoke-BotBackup Config
    }
    AfterEach { Remove-Site $site }

    It 'proves a good backup at <_> depth, and changes nothing but that it records it' -ForEach 'Checksum', 'Archive' {
        $before = Get-Print $site.Root
        $proof = $backup | Test-BotBackup -Depth $_
        $proof | Should -BeOfType BotCore.Backup.Engine.Verification.BotBackupVerification
        $proof.Outcome | Should -Be 'Succeeded'
        $proof.Depth | Should -Be $_
        "$($proof.Proof)" | Should -Be $_
        $proof.Entries | Should -Be ($_ -eq 'Archive' ? 7 : 0)
        $proof.Backup.Id | Should -Be $backup.Id
        Get-Print $site.Root | Should -BeExactly $before
    }

    It 'finds <Way>: <Kind>' -ForEach $damage {
        Add-Damage $backup $Way
        Assert-Failure (Get-Failure { Test-BotBackup -Path $backup.Location -Depth Archive }) $Kind InvalidData
    }

    It 'says Failed in its result too' {
        Add-Damage $backup 'a flipped byte'
        $proof = $backup | Test-BotBackup -Depth Archive -ErrorAction SilentlyContinue
        $proof.Outcome | Should -Be 'Failed'
        $proof.Failure.Kind | Should -Be 'ChecksumMismatch'
        "$($proof.Proof)" | Should -Be 'Unproven'
    }

    It 'finds an archive that was exchanged for another one' {
        $other = Invoke-BotBackup Config
        Copy-Item -LiteralPath $other.Location -Destination $backup.Location -Force
        Assert-Failure (Get-Failure { $backup | Test-BotBackup -Depth Archive }) ManifestMismatch InvalidData
    }

    It 'finds an archive that was exchanged together with all that stands beside it' {
        $other = Invoke-BotBackup Config
        foreach ($suffix in '', '.index', '.sha256', '.manifest.json') {
            Copy-Item -LiteralPath "$($other.Location)$suffix" -Destination "$($backup.Location)$suffix" -Force
        }
        Assert-Failure (Get-Failure { Test-BotBackup -LiteralPath $backup.Location -Depth Archive }) ManifestMismatch InvalidData
    }

    It 'finds a manifest that names the exchanged archive, with all hashes right' {
        $other = Invoke-BotBackup Config
        foreach ($suffix in '', '.index', '.sha256', '.manifest.json') {
            Copy-Item -LiteralPath "$($other.Location)$suffix" -Destination "$($backup.Location)$suffix" -Force
        }
        $manifest = "$($backup.Location).manifest.json"
        [IO.File]::WriteAllText($manifest, [IO.File]::ReadAllText($manifest).Replace((Split-Path -Leaf $other.Location), (Split-Path -Leaf $backup.Location)))
        Assert-Failure (Get-Failure { Test-BotBackup -LiteralPath $backup.Location -Depth Archive }) ArchiveUnauthenticated InvalidData
    }

    It 'tells a wrong passphrase from damage' {
        Assert-Failure (Get-Failure { $backup | Test-BotBackup -Depth Archive -Passphrase (New-SecureText 'wrong') }) WrongPassphrase AuthenticationError
    }

    It 'ends where a passphrase is needed and there is none' {
        Add-Setting $site 'GPG_PASSPHRASE_FILE='
        Assert-Failure (Get-Failure { $backup | Test-BotBackup -Depth Archive }) PassphraseMissing SecurityError
    }

    It 'ends where others can read the passphrase' {
        chmod 644 $site.Passphrase
        Assert-Failure (Get-Failure { $backup | Test-BotBackup -Depth Archive }) PassphraseTooOpen SecurityError
    }

    It 'goes on with the others after a flaw' {
        $second = Invoke-BotBackup Config
        Add-Damage $backup 'a flipped byte'
        $proofs = Get-BotBackup | Test-BotBackup -Depth Archive -ErrorAction SilentlyContinue
        $proofs.Outcome | Should -Be 'Failed', 'Succeeded'
        $proofs[1].Backup.Id | Should -Be $second.Id
    }

    It 'stops a script under -ErrorAction Stop' {
        Add-Damage $backup 'a flipped byte'
        { $backup | Test-BotBackup -ErrorAction Stop } | Should -Throw -ErrorId 'ChecksumMismatch,*'
    }

    It 'does nothing where the pipeline is empty' {
        @() | Test-BotBackup -Depth Archive | Should -BeNullOrEmpty
        @() | Test-BotBackup -Quiet | Should -BeNullOrEmpty
    }

    It 'takes wildcards, and skips what only stands beside an archive' {
        $second = Invoke-BotBackup Config
        $proofs = Test-BotBackup -Path (Join-Path $site.Store 'config/*') -Depth Archive
        $proofs.Location | Sort-Object | Should -Be ($backup.Location, $second.Location | Sort-Object)
        Test-BotBackup -Path (Join-Path $site.Store 'config/no-such-*') | Should -BeNullOrEmpty
    }

    It 'takes files from Get-ChildItem' {
        $proof = Get-ChildItem -LiteralPath (Join-Path $site.Store 'config') -Filter '*.gpg' | Test-BotBackup -Depth Archive
        $proof.Backup.Id | Should -Be $backup.Id
    }

    It 'takes a literal path with brackets, and one relative to the current location' {
        $folder = New-Item -ItemType Directory -Path (Join-Path $site.Root 'copy of config') | Rename-Item -NewName 'copy [1]' -PassThru
        foreach ($suffix in '', '.index', '.sha256', '.manifest.json') {
            Copy-Item -LiteralPath "$($backup.Location)$suffix" -Destination $folder.FullName
        }
        $name = Split-Path -Leaf $backup.Location
        (Test-BotBackup -LiteralPath (Join-Path $folder.FullName $name) -Depth Archive).Outcome | Should -Be 'Succeeded'
        Push-Location -LiteralPath $folder.FullName
        try { (Test-BotBackup -Path "./$name" -Depth Archive).Outcome | Should -Be 'Succeeded' } finally { Pop-Location }
    }

    It 'tells a path that is not there' {
        Assert-Failure (Get-Failure { Test-BotBackup -Path (Join-Path $site.Store 'config/gone.tar.gz') }) BackupNotFound ObjectNotFound
    }

    Context '-Quiet' {
        It 'answers true for good backups and says nothing else' {
            $null = Invoke-BotBackup Volume
            $answer = Get-BotBackup | Test-BotBackup -Depth Archive -Quiet
            $answer | Should -BeOfType bool
            $answer | Should -BeTrue
        }

        It 'answers false where one of many is bad, without an error' {
            $null = Invoke-BotBackup Config
            Add-Damage $backup 'a flipped byte'
            $failures = Get-Failure { $script:answer = Get-BotBackup | Test-BotBackup -Depth Archive -Quiet }
            $failures | Should -BeNullOrEmpty
            $answer | Should -BeOfType bool
            $answer | Should -BeFalse
        }

        It 'answers false where one of many paths is not there' {
            Test-BotBackup -Path $backup.Location, (Join-Path $site.Store 'gone.tar.gz') -Quiet -ErrorAction SilentlyContinue | Should -BeFalse
        }

        It 'answers false where one of many paths is an archive without its manifest' {
            $second = Invoke-BotBackup Config
            Add-Damage $second 'no manifest'
            Test-BotBackup -Path (Join-Path $site.Store 'config/*') -Quiet -ErrorAction SilentlyContinue | Should -BeFalse
        }

        It 'answers false for a wildcard that matches nothing: nothing was proven' {
            Test-BotBackup -Path (Join-Path $site.Store 'config/no-such-*') -Quiet | Should -BeFalse
        }
    }
}
