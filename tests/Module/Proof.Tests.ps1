BeforeAll {
    . (Join-Path $PSScriptRoot 'Site.ps1')

    function Get-Record($Backup) { Get-ChildItem -LiteralPath (Split-Path $Backup.Location) -File | Where-Object Name -Like "$(Split-Path -Leaf $Backup.Location).proof.*" }
}

Describe 'The proof ledger' {
    BeforeEach { $site = New-Site @('ENCRYPTION_ENABLED=false') }
    AfterEach { Remove-Site $site }

    It 'shows how well each backup is proven, damage and its mending, and goes with the backup' {
        $backup = Invoke-BotBackup Config
        "$((Get-BotBackup).Proof)" | Should -Be 'Checksum, Unauthenticated'
        ($backup | Test-BotBackup -Depth Archive).Recorded | Should -BeTrue
        $proven = Get-BotBackup
        $proven.Proof.Depth | Should -Be 'Archive'
        $proven.Proof.At | Should -BeGreaterThan ([datetimeoffset]::UtcNow.AddMinutes(-1))
        $proven | Format-Table | Out-String -Width 200 | Should -Match 'Archive, Unauthenticated, now'
        # As docs/formats.md says that records are read.
        $record = Get-Record $backup | Get-Content -Raw | ConvertFrom-Json
        $record.outcome, $record.depth, $record.read, $record.manifestSha256 | Should -Be 'Succeeded', 'Archive', $backup.Size.Bytes, (Get-FileHash -LiteralPath "$($backup.Location).manifest.json").Hash.ToLowerInvariant()

        $bytes = [IO.File]::ReadAllBytes($backup.Location)
        Add-Damage $backup 'a flipped byte'
        Assert-Failure (Get-Failure { $backup | Test-BotBackup -Depth Archive }) ChecksumMismatch InvalidData
        $damaged = Get-BotBackup
        $damaged.IsDamaged | Should -BeTrue
        $damaged.Proof.Depth | Should -Be 'Unknown'
        "$($damaged.Proof)" | Should -Be 'Damaged (ChecksumMismatch)'
        "$((Get-BotBackup -LiteralPath $backup.Location).Proof)" | Should -Be 'Damaged (ChecksumMismatch)'

        [IO.File]::WriteAllBytes($backup.Location, $bytes)
        $null = $damaged | Test-BotBackup -Depth Archive
        $mended = Get-BotBackup
        $mended.IsDamaged | Should -BeFalse
        $mended.Proof.Depth | Should -Be 'Archive'

        $null = $mended | Restore-BotBackup -Destination (Join-Path $site.Root 'back') -Force
        (Get-BotBackup).Proof.Depth | Should -Be 'Restore'
        $copy = Get-BotBackup | Copy-BotBackup -Destination $site.Outside
        $copy.Proof.Depth | Should -Be 'Checksum'
        Get-Record $copy | Should -BeNullOrEmpty

        (Get-Record $backup).Count | Should -BeGreaterThan 2
        $null = $mended | Remove-BotBackup -Force
        Get-ChildItem -LiteralPath $site.Store -Recurse -File | Where-Object Name -NotLike '*.lease' | ForEach-Object Name | Should -Be 'RECOVER.txt'
    }

    It 'proves an archive of the old scripts, which has a link while it is good' {
        $folder = (New-Item -ItemType Directory -Path (Join-Path $site.Store 'mongodb/2025/11')).FullName
        $dump = New-Item -ItemType Directory -Path (Join-Path $site.Root 'mongodb_full_20251118_020000/bot_core')
        [IO.File]::WriteAllBytes((Join-Path $dump 'users.bson'), [byte[]] (5, 0, 0, 0, 0))
        [IO.File]::WriteAllText((Join-Path $dump 'users.metadata.json'), '{"options":{},"indexes":[],"collectionName":"users","type":"collection"}')
        $archive = Join-Path $folder 'mongodb_full_20251118_020000.tar.gz'
        tar czf $archive -C $site.Root mongodb_full_20251118_020000
        $bytes = [IO.File]::ReadAllBytes($archive)
        $link = Join-Path $site.Store 'mongodb/verified/mongodb_full_20251118_020000.tar.gz'

        $null = Get-BotBackup | Test-BotBackup -Depth Archive
        (Get-Item -LiteralPath $link).LinkTarget | Should -Be '../2025/11/mongodb_full_20251118_020000.tar.gz'
        $listed = Get-BotBackup
        $listed | Should -HaveCount 1
        "$($listed.Proof)" | Should -Be 'Archive, Unauthenticated'
        (Test-BotBackup -Path $link -Depth Archive).Location | Should -Be $archive

        Edit-Byte $archive { $all = $args[0]; $all[$all.Length - 5] = $all[$all.Length - 5] -bxor 1; , $all }
        Get-BotBackup | Test-BotBackup -Depth Archive -ErrorAction SilentlyContinue | ForEach-Object Outcome | Should -Be 'Failed'
        Test-Path -LiteralPath $link | Should -BeFalse
        [IO.File]::WriteAllBytes($archive, $bytes)
        $null = Get-BotBackup | Test-BotBackup -Depth Archive
        Test-Path -LiteralPath $link | Should -BeTrue
        # A link to what somebody removed by hand goes with the next test of anything.
        $other = Invoke-BotBackup Config
        Remove-Item -Path "$archive*"
        $null = $other | Test-BotBackup
        Test-Path -LiteralPath (Join-Path $site.Store 'mongodb/verified') | Should -BeFalse
    }

    It 'spends a budget on what waits longest, and prints its promise' {
        $first = Invoke-BotBackup Config, Volume
        $null = $first[0] | Test-BotBackup -Depth Archive
        $second = Invoke-BotBackup Config
        $said = Test-BotBackup -Budget 10min -Depth Archive -Verbose 4>&1
        $done = $said[-1]
        $done | Should -BeOfType BotCore.Backup.Engine.Verification.Budgets.BotBackupBudget
        $done.Outcome, $done.Tested, $done.Total, $done.Left | Should -Be 'Succeeded', 3, 3, 0
        # Never read this deep goes before read a moment ago.
        ($said | Where-Object { $_ -is [BotCore.Backup.Engine.Verification.BotBackupVerification] }).Backup.Id[2] | Should -Be $first[0].Id
        "$($said | Where-Object { $_ -is [Management.Automation.VerboseRecord] -and "$_" -like '*archives were tested*' })" | Should -BeLike '3 of 3 archives were tested at Archive depth in *every byte has been read*'
        $done | Out-String | Should -Match 'Tested +: 3 of 3, 0 not proven'

        # The smallest budget reads one, and promises the rest.
        $some = Test-BotBackup -Budget ([timespan]::FromTicks(1)) -Depth Archive -WarningAction SilentlyContinue
        $some[-1].Tested, $some[-1].Left | Should -Be 1, 2
        $some[-1].By | Should -BeGreaterThan ([datetimeoffset]::UtcNow.AddMinutes(-1))
        $some[-1].Message | Should -Match 'will have been read anew by \d{4}-\d\d-\d\d'

        Test-BotBackup -Budget 1min -Component Volume -Quiet | Should -BeTrue
        Test-BotBackup -Budget 1min -Component MongoDb -Quiet | Should -BeFalse
        ($second | Test-BotBackup -Budget 1min)[0].Backup.Id | Should -Be $second.Id
        @() | Test-BotBackup -Budget 1min | Should -BeNullOrEmpty
        { Test-BotBackup -Budget 30 } | Should -Throw '*Give a number with its unit, such as 30min, 10s or 2h*'
(Get-Item -LiteralPath $first[0].Location | Test-BotBackup -Budget 1min)[0].Backup.Id | Should -Be $first[0].Id
    }
}

Describe 'A newest backup that is damaged' {
    BeforeEach { $site = New-Site }
    AfterEach { Remove-Site $site }

    It 'is passed over by -Latest, with a warning that names it, and by Restore-BotBackup -Store' {
        $good = Invoke-BotBackup Config
        $bad = Invoke-BotBackup Config
        Add-Damage $bad 'a flipped byte'
        $null = $bad | Test-BotBackup -ErrorAction SilentlyContinue
        (Get-BotBackup Config -Latest -WarningVariable warnings -WarningAction SilentlyContinue).Id | Should -Be $good.Id
        "$warnings" | Should -Match ([regex]::Escape($bad.Location))
        $restore = Restore-BotBackup Config -Store local -Destination (Join-Path $site.Root 'elsewhere') -Force -WarningVariable warnings -WarningAction SilentlyContinue
        $restore.Backup.Id | Should -Be $good.Id
        "$warnings" | Should -Match 'passed over'
        # Where every one is damaged, the newest is what there is.
        Add-Damage $good 'a flipped byte'
        $null = $good | Test-BotBackup -ErrorAction SilentlyContinue
        (Get-BotBackup Config -Latest).Id | Should -Be $bad.Id
    }

    It 'is no reason to be asked where nobody can be: -NonInteractive says what to give' {
        $null = Invoke-BotBackup Config
        $null = Invoke-BotBackup Config
        $said = pwsh -NoProfile -NonInteractive -Command "Import-Module '$env:BOTBACKUP_MODULE'; Get-BotBackup Config | Select-Object -First 1 | Remove-BotBackup" 2>&1 | Out-String
        $said | Should -Match 'nobody can be asked here'
        $said | Should -Match '-Force'
        Get-BotBackup Config | Should -HaveCount 2
    }
}
