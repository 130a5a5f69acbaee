BeforeAll {
    . (Join-Path $PSScriptRoot 'Site.ps1')
    . (Join-Path $PSScriptRoot 'Database.ps1')
}

Describe 'Increments by the cmdlets' {
    BeforeEach {
        $mongo = New-Database @{ OplogCap = 256KB }
        Add-Document $mongo bot_core trades '{ "_id": "one" }', '{ "_id": "two" }'
        $uri = Get-DatabaseUri $mongo 'bot_core'
        $site = New-Site "DATABASE_URL='$uri'"
    }
    AfterEach {
        Remove-Site $site
        Remove-Database $mongo
    }

    It 'takes an increment that follows the full backup, and proves it' {
        $full = Invoke-BotBackup MongoDb
        Add-Document $mongo bot_core trades '{ "_id": "three" }'
        $increment = Invoke-BotBackup MongoDb -Type Incremental
        $increment | Should -BeOfType BotCore.Backup.Engine.Catalog.BotBackup
        $increment.Type | Should -Be 'Incremental'
        $increment.Key | Should -BeLike 'mongodb/*/mongodb_incremental_*.tar.gz.gpg'
        $increment.Oplog.Start | Should -Be $full.Oplog.End
        $increment.Oplog.StartSha256 | Should -Be $full.Oplog.EndSha256
        $increment.Timeline | Should -Be $full.Id
        $increment.Manifest.Chain.Previous | Should -Be $full.Id
        $increment | Test-BotBackup -Depth Archive -Quiet | Should -BeTrue
        (Get-BotBackup MongoDb).Type | Should -Be 'Full', 'Incremental'
    }

    It 'makes increments of all that is configured where nothing is named' {
        $null = Invoke-BotBackup
        $increments = Invoke-BotBackup -Type Incremental
        $increments.Component | Should -Be 'MongoDb', 'Config', 'Volume'
        $increments.Type | Select-Object -Unique | Should -Be 'Incremental'
    }

    It 'says that there is no full backup, and makes it with -OnGap Full' {
        $failure = Get-Failure { Invoke-BotBackup MongoDb -Type Incremental }
        Assert-Failure $failure 'BackupNotFound' 'ObjectNotFound'
        $failure.ErrorDetails.RecommendedAction | Should -BeLike '*-OnGap Full*'
        (Invoke-BotBackup MongoDb -Type Incremental -OnGap Full -WarningAction SilentlyContinue).Type | Should -Be 'Full'
        (Invoke-BotBackup MongoDb -Type Incremental).Type | Should -Be 'Incremental'
    }

    It 'names a gap, and begins anew with -OnGap Full' {
        $full = Invoke-BotBackup MongoDb
        foreach ($number in 1..4) { Add-Document $mongo bot_core trades "{ `"_id`": $number, `"text`": `"$('x' * 100000)`" }" }
        Assert-Failure (Get-Failure { Invoke-BotBackup MongoDb -Type Incremental }) 'OplogGap' 'InvalidOperation'
        $note = Get-ChildItem -LiteralPath $site.Store -Recurse -Filter 'mongodb_gap_*.json'
        (Get-Content -LiteralPath $note.FullName -Raw | ConvertFrom-Json).reason | Should -Be 'RolledOver'
        Get-BotBackup | Should -HaveCount 1
        $second = Invoke-BotBackup MongoDb -Type Incremental -OnGap Full -WarningVariable warned -WarningAction SilentlyContinue
        $second.Type | Should -Be 'Full'
        $second.Timeline | Should -Not -Be $full.Timeline
        "$warned" | Should -BeLike '*rolled over*'
    }

    It 'watches until it is stopped' {
        $full = Invoke-BotBackup MongoDb
        $slices = Invoke-BotBackup MongoDb -Type Incremental -Watch -Interval 00:00:01 | Select-Object -First 2
        $slices | Should -HaveCount 2
        $slices[0].Oplog.Start | Should -Be $full.Oplog.End
        $slices[1].Oplog.Start | Should -Be $slices[0].Oplog.End
        Get-ChildItem -LiteralPath $site.Store -Recurse -Force | Where-Object Name -Match '\.(partial|intent)$' | Should -BeNullOrEmpty
        (Invoke-BotBackup MongoDb -Type Incremental).Oplog.Start | Should -Be (Get-BotBackup MongoDb)[-2].Oplog.End
    }

    It 'cuts a slice at -MaximumSize' {
        $null = Invoke-BotBackup MongoDb
        $seen = 0
        Invoke-BotBackup MongoDb -Type Incremental -Watch -Interval 01:00:00 -MaximumSize 50kb | ForEach-Object {
            if ($seen++ -eq 0) { Add-Document $mongo bot_core trades "{ `"text`": `"$('x' * 60000)`" }" }
            $_
        } | Select-Object -First 2 | Should -HaveCount 2
    }

    It 'refuses what makes no sense together' -ForEach @(
        @{ With = @{ Watch = $true } }
        @{ With = @{ OnGap = 'Full' } }
        @{ With = @{ Type = 'Incremental'; Interval = '00:01:00' } }
        @{ With = @{ Type = 'Incremental'; MaximumSize = 5 } }
        @{ With = @{ Type = 'Incremental'; Watch = $true; Interval = '00:00:00.5' } }
    ) {
        Assert-Failure (Get-Failure { Invoke-BotBackup MongoDb @With }) 'ConfigurationInvalid' 'InvalidArgument'
        Get-BotBackup | Should -BeNullOrEmpty
    }

    It 'says with -WhatIf from where it would go on, and changes nothing' {
        $full = Invoke-BotBackup MongoDb
        $before = Get-Print $site.Root
        $log = Join-Path ([IO.Path]::GetTempPath()) "botbackup-whatif-$([guid]::NewGuid().ToString('n'))"
        try {
            $null = Start-Transcript -LiteralPath $log
            Invoke-BotBackup MongoDb -Type Incremental -WhatIf
            $null = Stop-Transcript
            (Get-Content -LiteralPath $log -Raw) -replace '\s+', ' ' | Should -BeLike "*since $($full.Oplog.End) (* ago), where $($full.Key) ends*"
        }
        finally { Remove-Item -LiteralPath $log -Force }
        Get-Print $site.Root | Should -BeExactly $before
    }

    It 'does not remove what an increment stands on' {
        $full = Invoke-BotBackup MongoDb
        $null = Invoke-BotBackup MongoDb -Type Incremental
        Add-Document $mongo bot_core trades '{ "_id": "three" }'
        $null = Invoke-BotBackup MongoDb -Type Incremental
        Add-Document $mongo bot_core trades '{ "_id": "four" }'
        $null = Invoke-BotBackup MongoDb
        Assert-Failure (Get-Failure { $full | Remove-BotBackup -Confirm:$false }) 'ChainBroken' 'InvalidData'
        ($full | Remove-BotBackup -Force).Outcome | Should -Be 'Succeeded'
    }
}
