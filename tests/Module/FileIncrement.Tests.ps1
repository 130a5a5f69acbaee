BeforeDiscovery {
    $noGpg = -not (Get-Command gpg, tar, xargs -ErrorAction Ignore | Measure-Object).Count -eq 3
}

BeforeAll {
    . (Join-Path $PSScriptRoot 'Site.ps1')

    function Edit-Platform {
        [IO.File]::WriteAllText((Join-Path $site.Platform 'config/app.json'), "{ `"port`": 9090 }`n")
        [IO.File]::WriteAllText((Join-Path $site.Platform 'config/nested/new file.txt'), "new`n")
        Remove-Item -LiteralPath (Join-Path $site.Platform 'config/nested/ünïcode näme.txt')
    }

    function Assert-Restored($Backup) {
        $Backup | Restore-BotBackup -Destination $site.Outside -Confirm:$false | ForEach-Object Outcome | Should -Be 'Succeeded'
        Get-Print (Join-Path $site.Outside 'config') | Should -BeExactly (Get-Print (Join-Path $site.Platform 'config'))
    }
}

Describe 'Increments of files' {
    BeforeEach { $site = New-Site }
    AfterEach { Remove-Site $site }

    It 'keeps what changed, and restores the whole' {
        $full = Invoke-BotBackup Config
        Edit-Platform
        $increment = Invoke-BotBackup Config -Type Incremental
        $increment.Type | Should -Be 'Incremental'
        $increment.Manifest.Increment.Base | Should -Be $full.Id
        $increment.Size.Bytes | Should -BeLessThan 5000
        (Get-BotBackup Config).Type | Should -Be 'Full', 'Incremental'
        Assert-Restored $increment
    }

    It 'does the same for a folder' {
        $null = Invoke-BotBackup Volume
        [IO.File]::WriteAllText((Join-Path $site.Data 'dump.rdb'), "REDIS0012`n")
        $increment = Invoke-BotBackup Volume -Type Incremental
        $increment.Location | Should -BeLike '*/volumes/redis_data_incremental_*'
        $was = Get-Print $site.Data
        Remove-Item -LiteralPath (Join-Path $site.Data 'dump.rdb')
        $null = $increment | Restore-BotBackup -Force
        Get-Print $site.Data | Should -BeExactly $was
    }

    It 'proves an increment at every depth, and says what it stands on' {
        $null = Invoke-BotBackup Config
        Edit-Platform
        $increment = Invoke-BotBackup Config -Type Incremental
        foreach ($depth in 'Checksum', 'Archive', 'Restore') {
            ($increment | Test-BotBackup -Depth $depth).Outcome | Should -Be 'Succeeded' -Because $depth
        }
        ($increment | Test-BotBackup -Depth Archive).Message | Should -BeLike '*stands on*config_*'
    }

    It 'is ChainBroken where the full backup is gone, and asks nothing to go that is stood on' {
        $full = Invoke-BotBackup Config
        Edit-Platform
        $increment = Invoke-BotBackup Config -Type Incremental
        $null = Invoke-BotBackup Config
        Assert-Failure (Get-Failure { $full | Remove-BotBackup -Confirm:$false }) 'ChainBroken' 'InvalidData'
        $null = $full | Remove-BotBackup -Force
        $before = Get-Print $site.Platform
        Assert-Failure (Get-Failure { $increment | Restore-BotBackup -Force }) 'ChainBroken' 'InvalidData'
        Assert-Failure (Get-Failure { $increment | Test-BotBackup -Depth Archive }) 'ChainBroken' 'InvalidData'
        Get-Print $site.Platform | Should -BeExactly $before
    }

    It 'finds a full backup that was exchanged for another' {
        $one = Invoke-BotBackup Config
        Edit-Platform
        $increment = Invoke-BotBackup Config -Type Incremental
        $other = Invoke-BotBackup Config
        foreach ($suffix in '', '.index') { Copy-Item -LiteralPath "$($other.Location)$suffix" -Destination "$($one.Location)$suffix" -Force }
        (Get-Failure { $increment | Restore-BotBackup -Destination $site.Outside -Force }).FullyQualifiedErrorId | Should -BeLike 'ManifestMismatch,*'
        Get-ChildItem -LiteralPath $site.Outside | Should -BeNullOrEmpty
    }

    It 'says that there is no full backup, and makes it with -OnGap Full' {
        $failure = Get-Failure { Invoke-BotBackup Config -Type Incremental }
        Assert-Failure $failure 'BackupNotFound' 'ObjectNotFound'
        $failure.ErrorDetails.RecommendedAction | Should -BeLike '*-OnGap Full*'
        (Invoke-BotBackup Config -Type Incremental -OnGap Full -WarningAction SilentlyContinue).Type | Should -Be 'Full'
        (Invoke-BotBackup Config -Type Incremental).Type | Should -Be 'Incremental'
    }

    It 'makes a full backup where what it would stand on is encrypted with another passphrase' {
        $null = Invoke-BotBackup Config -Passphrase (New-SecureText 'another one')
        Assert-Failure (Get-Failure { Invoke-BotBackup Config -Type Incremental }) 'WrongPassphrase' 'AuthenticationError'
        (Invoke-BotBackup Config -Type Incremental -OnGap Full -WarningAction SilentlyContinue).Type | Should -Be 'Full'
    }

    It 'is put together by stock tools' -Skip:$noGpg {
        $full = Invoke-BotBackup Config
        Edit-Platform
        $increment = Invoke-BotBackup Config -Type Incremental
        bash -c @'
set -euo pipefail
open_() { gpg --batch --quiet --pinentry-mode loopback --passphrase-file "$1" -d "$2" 2>/dev/null; }
open_ "$1" "$2" | tar xz -C "$4"
open_ "$1" "$3" | tar xzO .botbackup-deleted | (cd "$4" && xargs -0 -r rm -rf --)
open_ "$1" "$3" | tar xz -C "$4" --exclude=.botbackup-deleted
'@ - $site.Passphrase $full.Location $increment.Location $site.Outside
        $LASTEXITCODE | Should -Be 0
        Get-Print (Join-Path $site.Outside 'config') | Should -BeExactly (Get-Print (Join-Path $site.Platform 'config'))
    }

    It 'leaves nothing after kill -9, and the next run goes on from the same backup' {
        $full = Invoke-BotBackup Config
        $noise = [byte[]]::new(1MB)
        $file = [IO.File]::Create((Join-Path $site.Platform 'config/large.bin'))
        try { foreach ($turn in 1..400) { [Random]::Shared.NextBytes($noise); $file.Write($noise) } } finally { $file.Dispose() }
        $child = Start-Child 'Invoke-BotBackup Config -Type Incremental'
        try {
            Wait-Until { Get-Leftover $site | Where-Object { $_.Name -like '*.partial' -and $_.Length -gt 1MB } } | Should -BeTrue
            $child.Kill()
            $child.WaitForExit()
        }
        finally { $child.Dispose() }
        (Get-BotBackup).Id | Should -Be $full.Id
        [IO.File]::WriteAllText((Join-Path $site.Platform 'config/large.bin'), 'small again')
        $increment = Invoke-BotBackup Config -Type Incremental -WarningAction SilentlyContinue
        $increment.Manifest.Increment.Previous | Should -Be $full.Id
        Get-Leftover $site | Should -BeNullOrEmpty
        Assert-Restored $increment
    }

    It 'changes nothing with -WhatIf' {
        $null = Invoke-BotBackup Config
        $before = Get-Print $site.Root
        Invoke-BotBackup Config -Type Incremental -WhatIf | Should -BeNullOrEmpty
        Get-Print $site.Root | Should -BeExactly $before
    }
}
