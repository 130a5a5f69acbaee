BeforeDiscovery {
    $noGpg = -not (Get-Command gpg, tar -ErrorAction Ignore | Measure-Object).Count -eq 2
}

BeforeAll { . (Join-Path $PSScriptRoot 'Site.ps1') }

Describe 'Invoke-BotBackup' {
    BeforeEach { $site = New-Site }
    AfterEach { Remove-Site $site }

    It 'makes an encrypted backup with all its files, readable by the owner only' {
        $backup = Invoke-BotBackup Config
        $backup | Should -BeOfType BotCore.Backup.Engine.Catalog.BotBackup
        $backup.Component | Should -Be 'Config'
        $backup.Encryption | Should -Be 'Passphrase'
        "$($backup.Proof)" | Should -Be 'Checksum'
        $backup.Entries | Should -Be 7
        foreach ($suffix in '', '.index', '.sha256', '.manifest.json') {
            (Get-Item -LiteralPath "$($backup.Location)$suffix").UnixMode | Should -Be '-rw-------'
        }
        Get-Leftover $site | Should -BeNullOrEmpty
    }

    It 'is what gpg, tar and sha256sum open' -Skip:$noGpg {
        $backup = Invoke-BotBackup Config
        Push-Location -LiteralPath (Split-Path $backup.Location)
        try {
            sha256sum --quiet -c "$(Split-Path -Leaf $backup.Location).sha256" | Should -BeNullOrEmpty
            $LASTEXITCODE | Should -Be 0
        }
        finally { Pop-Location }
        bash -c 'gpg --batch --quiet --pinentry-mode loopback --passphrase-file "$1" -d "$2" 2>/dev/null | tar xz -C "$3"' - $site.Passphrase $backup.Location $site.Outside
        $LASTEXITCODE | Should -Be 0
        Get-Print (Join-Path $site.Outside 'config') | Should -BeExactly (Get-Print (Join-Path $site.Platform 'config'))
    }

    It 'backs up all that is configured where nothing is named' {
        $backups = Invoke-BotBackup
        $backups.Name | Should -Be 'config', 'redis_data'
        $backups.RunId | Select-Object -Unique | Should -HaveCount 1
    }

    It 'takes only the names that are asked for' {
        (Invoke-BotBackup -Name 'REDIS*').Name | Should -Be 'redis_data'
        Invoke-BotBackup -Name 'no-such-thing' | Should -BeNullOrEmpty
    }

    It 'passes what it made to the next command' {
        $proofs = Invoke-BotBackup | Test-BotBackup -Depth Archive
        $proofs.Outcome | Should -Be 'Succeeded', 'Succeeded'
    }

    It 'changes nothing with -WhatIf, and says what it would do' {
        $before = Get-Print $site.Root
        $log = Join-Path ([IO.Path]::GetTempPath()) "botbackup-whatif-$([guid]::NewGuid().ToString('n'))"
        try {
            $null = Start-Transcript -LiteralPath $log
            Invoke-BotBackup Config -WhatIf | Should -BeNullOrEmpty
            $null = Stop-Transcript
            $said = (Get-Content -LiteralPath $log -Raw) -replace '\s+', ' '
            $said | Should -BeLike "*What if: *Back up config (Config): 7 entries, * on target `"$($site.Store)`"*"
        }
        finally { Remove-Item -LiteralPath $log -Force }
        Get-Print $site.Root | Should -BeExactly $before
    }

    It 'says with -Verbose which run it is and what was proven' {
        $words = Invoke-BotBackup Config -Verbose 4>&1 | Where-Object { $_ -is [Management.Automation.VerboseRecord] } | ForEach-Object Message
        $words | Should -Contain "This is run $((Get-BotBackup).RunId)."
        $words | Where-Object { $_ -like "$((Get-BotBackup).Location): * written, read back and compared." } | Should -HaveCount 1
    }

    It 'leaves it unencrypted with -NoEncryption, and says so' {
        $backup = Invoke-BotBackup Config -NoEncryption
        $backup.Location | Should -BeLike '*.tar.gz'
        "$($backup.Proof)" | Should -Be 'Checksum, Unauthenticated'
    }

    It 'takes a passphrase as a SecureString' {
        $backup = Invoke-BotBackup Config -Passphrase (New-SecureText 'another one')
        Assert-Failure (Get-Failure { $backup | Test-BotBackup -Depth Archive }) WrongPassphrase AuthenticationError
        ($backup | Test-BotBackup -Depth Archive -Passphrase (New-SecureText 'another one')).Outcome | Should -Be 'Succeeded'
    }

    It 'takes its settings by parameter: a path, or an object' {
        $env:BOTBACKUP_CONFIGURATION = Join-Path $site.Root 'not there'
        (Invoke-BotBackup Config -Configuration $site.EnvFile).Name | Should -Be 'config'
        (Invoke-BotBackup Config -Configuration (Get-BotBackupConfiguration -Configuration $site.EnvFile)).Name | Should -Be 'config'
    }

    It 'ends where the settings are not there' {
        $env:BOTBACKUP_CONFIGURATION = Join-Path $site.Root 'not there'
        Assert-Failure (Get-Failure { Invoke-BotBackup Config; throw 'The command went on.' }) ConfigurationMissing ObjectNotFound
    }

    It 'ends where others can read the passphrase, and leaves nothing' {
        chmod 644 $site.Passphrase
        Assert-Failure (Get-Failure { Invoke-BotBackup }) PassphraseTooOpen SecurityError
        Get-BotBackup | Should -BeNullOrEmpty
        Get-Leftover $site | Should -BeNullOrEmpty
    }

    It 'ends where encryption is on and there is no passphrase' {
        Add-Setting $site 'GPG_PASSPHRASE_FILE=', 'ENCRYPTION_ENABLED=true'
        Assert-Failure (Get-Failure { Invoke-BotBackup Config }) PassphraseMissing SecurityError
        Get-Leftover $site | Should -BeNullOrEmpty
    }

    It 'keeps no backup where an entry of CONFIG_PATHS is missing, and backs up the rest' {
        Add-Setting $site 'CONFIG_PATHS=config,gone.yml'
        $failures = Get-Failure { Invoke-BotBackup }
        Assert-Failure $failures SourceUnreachable ConnectionError
        $failures.Exception.Message | Should -BeLike '*CONFIG_PATHS*gone.yml*'
        (Get-BotBackup).Name | Should -Be 'redis_data'
    }

    It 'refuses a store that is not switched on' {
        Assert-Failure (Get-Failure { Invoke-BotBackup Config -Store s3 }) ConfigurationMissing ObjectNotFound
        Get-BotBackup | Should -BeNullOrEmpty
    }

    It 'stops a script under -ErrorAction Stop' {
        Add-Setting $site 'CONFIG_PATHS=gone.yml'
        { Invoke-BotBackup Config -ErrorAction Stop } | Should -Throw -ErrorId 'SourceUnreachable,*'
    }

    It 'ends early when the next command has enough' {
        (Invoke-BotBackup | Select-Object -First 1).Name | Should -Be 'config'
        Get-Leftover $site | Should -BeNullOrEmpty
    }

    It 'never overwrites: two backups in one second have two names' {
        $backups = 1..3 | ForEach-Object { Invoke-BotBackup Config }
        $backups.Location | Select-Object -Unique | Should -HaveCount 3
        Get-BotBackup | Should -HaveCount 3
    }

    It 'completes -Name and -Store' {
        $line = 'Invoke-BotBackup -Name '
        [Management.Automation.CommandCompletion]::CompleteInput($line, $line.Length, $null).CompletionMatches.CompletionText | Should -Be 'redis_data', 'config'
        $line = 'Invoke-BotBackup -Store l'
        [Management.Automation.CommandCompletion]::CompleteInput($line, $line.Length, $null).CompletionMatches.CompletionText | Should -Be 'local'
    }

    It 'writes the same names whatever the culture' {
        $child = Start-Child @'
if ((Get-Culture).Name -ne 'tr-TR') { 'no such culture'; exit }
$backup = Invoke-BotBackup Config -ErrorAction Stop
$proof = $backup | Test-BotBackup -Depth Archive -ErrorAction Stop
"$($proof.Outcome) $($backup.Key) $((Get-BotBackup -Component config -Name CONFIG).Id -eq $backup.Id) $($backup.Size)"
'@ @{ LC_ALL = 'tr_TR.UTF-8'; LANG = 'tr_TR.UTF-8' }
        $said = $child.StandardOutput.ReadToEnd().Trim()
        $child.WaitForExit()
        if ($said -eq 'no such culture') { Set-ItResult -Skipped -Because 'this pwsh knows no cultures (no ICU)'; return }
        $said | Should -Match '^Succeeded config/config_20\d{6}_\d{6}\.tar\.gz\.gpg True \d+ KiB$'
    }
}

Describe 'Invoke-BotBackup, interrupted' {
    BeforeEach {
        $site = New-Site
        # What does not compress takes longest.
        $large = Join-Path $site.Data 'large.bin'
        bash -c 'head -c 300M /dev/urandom > "$1"' - $large
        $command = 'Invoke-BotBackup Volume'
        $underWay = {
            Get-Leftover $site | Where-Object { $_.Extension -eq '.partial' -and $_.Length -gt 8MB }
        }
    }
    AfterEach {
        if ($child -and -not $child.HasExited) { $child.Kill() }
        Remove-Site $site
    }

    It 'ends within a second of Ctrl+C and leaves nothing' {
        $child = Start-Child $command
        Wait-Until $underWay | Should -BeTrue -Because 'the backup must be under way'
        $clock = [Diagnostics.Stopwatch]::StartNew()
        kill -INT $child.Id
        # The machine of a test may be loaded; the figure is told, and the bound is generous.
        $child.WaitForExit(30000) | Should -BeTrue
        $seconds = $clock.Elapsed.TotalSeconds
        Write-Host ("    Ctrl+C: pwsh was gone after {0:0.00} s" -f $seconds)
        $seconds | Should -BeLessThan 3
        Get-ChildItem -LiteralPath $site.Store -Recurse -File | Should -BeNullOrEmpty
        Get-Leftover $site | Should -BeNullOrEmpty
        Get-BotBackup | Should -BeNullOrEmpty
    }

    It 'leaves nothing that counts as a backup when it is killed, and the next run clears up' {
        $child = Start-Child $command
        Wait-Until $underWay | Should -BeTrue -Because 'the backup must be under way'
        $child.Kill()
        $child.WaitForExit()
        Get-Leftover $site | Should -HaveCount 3 -Because 'an intent, half an archive and half an index are left'
        Get-Failure { Get-BotBackup } | Should -BeNullOrEmpty
        Get-BotBackup | Should -BeNullOrEmpty

        Remove-Item -LiteralPath $large
        $backup = Invoke-BotBackup Volume -WarningVariable warnings -WarningAction SilentlyContinue
        $warnings | Should -HaveCount 1
        "$warnings" | Should -BeLike '*redis_data_*unfinished*removed*'
        Get-Leftover $site | Should -BeNullOrEmpty
        (Get-BotBackup).Id | Should -Be $backup.Id
        ($backup | Test-BotBackup -Depth Archive).Outcome | Should -Be 'Succeeded'
    }
}
