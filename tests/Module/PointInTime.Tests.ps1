BeforeAll {
    . (Join-Path $PSScriptRoot 'Site.ps1')
    . (Join-Path $PSScriptRoot 'Database.ps1')
}

Describe 'A database at any moment' {
    BeforeEach {
        $mongo = New-Database
        Initialize-Platform $mongo
        $uri = Get-DatabaseUri $mongo 'bot_core'
        $elsewhere = Get-DatabaseUri $mongo 'elsewhere'
        $site = New-Site "DATABASE_URL='$uri'"
        $full = Invoke-BotBackup MongoDb
        Add-Document $mongo bot_core trades '{ "_id": "first", "symbol": "first" }'
        $moment = "$($mongo.Server.NewestEntry)"
        $was = Get-DatabasePrint $mongo 'bot_core'
        Add-Document $mongo bot_core trades '{ "_id": "second", "symbol": "second" }'
        $first = Invoke-BotBackup MongoDb -Type Incremental
        $atFirst = Get-DatabasePrint $mongo 'bot_core'
        $null = Invoke-Database $mongo bot_core drop accounts
        Add-Document $mongo bot_core trades '{ "_id": "third", "symbol": "third" }'
        $second = Invoke-BotBackup MongoDb -Type Incremental
    }
    AfterEach {
        Remove-Site $site
        Remove-Database $mongo
    }

    It 'restores to an entry of the oplog, inclusive' {
        $restore = Restore-BotBackup MongoDb -PointInTime $moment -Destination $elsewhere -Force
        $restore.Outcome | Should -Be 'Succeeded'
        $restore.Moment | Should -Be $moment
        Get-DatabasePrint $mongo 'elsewhere' | Should -BeExactly $was
    }

    It 'takes the chain of a backup from the pipeline, and an increment up to its end' {
        ($full | Restore-BotBackup -PointInTime $moment -Destination $elsewhere -Force).Moment | Should -Be $moment
        Get-DatabasePrint $mongo 'elsewhere' | Should -BeExactly $was
        $restore = $first | Restore-BotBackup -Destination (Get-DatabaseUri $mongo 'other') -Force
        $restore.Moment | Should -Be $first.Oplog.End
        Get-DatabasePrint $mongo 'other' | Should -BeExactly $atFirst
    }

    It 'restores once where a full and its increments are given with one moment' {
        $restore = Get-BotBackup MongoDb | Restore-BotBackup -PointInTime $moment -Destination $elsewhere -Force
        $restore | Should -HaveCount 1
        $restore.Moment | Should -Be $moment
    }

    It 'says in a plan what it would read and apply, and changes nothing' {
        $before = Get-DatabasePrint $mongo 'bot_core'
        $output = Restore-BotBackup MongoDb -PointInTime $second.Oplog.End -WhatIf *>&1
        $output | Should -BeNullOrEmpty -Because '-WhatIf goes to the host alone'
        Get-DatabasePrint $mongo 'bot_core' | Should -BeExactly $before
    }

    It 'refuses a moment that no increment holds yet, and says what to do' {
        Restore-BotBackup MongoDb -PointInTime (Get-Date).AddHours(1) -Force -ErrorAction SilentlyContinue -ErrorVariable refused
        $refused[0].FullyQualifiedErrorId | Should -BeLike 'BackupNotFound*'
        $refused[0].ErrorDetails.RecommendedAction | Should -BeLike '*-Type Incremental*'
        { Restore-BotBackup MongoDb -PointInTime 'nonsense' } | Should -Throw '*no point in time*'
    }

    It 'names the increment behind one that is missing' {
        Get-ChildItem -LiteralPath (Split-Path $first.Location) -Filter "$(Split-Path -Leaf $first.Location)*" | Remove-Item
        $second | Restore-BotBackup -Force -ErrorAction SilentlyContinue -ErrorVariable refused
        $refused[0].FullyQualifiedErrorId | Should -BeLike 'ChainBroken*'
        "$($refused[0])" | Should -BeLike "*$($second.Location)*$($first.Oplog.End)*missing*"
    }

    It 'takes events, only with -Before, and brings back what was there before them' {
        $event = Find-BotOplogEvent -Kind Drop
        $event.Namespace | Should -Be 'bot_core.accounts'
        { $event | Restore-BotBackup -Force -ErrorAction Stop } | Should -Throw
        { $event | Restore-BotBackup -Before:$false -Force } | Should -Throw -ErrorId 'ConfigurationInvalid*'
        $event | Restore-BotBackup -Before -WhatIf
        Get-CollectionName $mongo bot_core | Should -Not -Contain 'accounts'
        $restore = $event | Restore-BotBackup -Before -Force
        $restore.Outcome | Should -Be 'Succeeded'
        (Get-Document $mongo bot_core accounts) -split "`n" | Should -HaveCount 2
        Get-Document $mongo bot_core trades | Should -BeLike '*third*'
        { $event, $event | Restore-BotBackup -Before -Force -ErrorAction Stop } | Should -Throw '*2 events are of bot_core.accounts*'
    }

    It 'tells a path from a component' {
        Restore-BotBackup (Join-Path $site.Store 'nowhere.tar.gz.gpg') -ErrorAction SilentlyContinue -ErrorVariable refused
        $refused[0].FullyQualifiedErrorId | Should -BeLike 'BackupNotFound*'
        $restore = Restore-BotBackup $full.Location -Destination $elsewhere -Force
        $restore.Moment | Should -Be $full.Oplog.End
        (Restore-BotBackup $first.Location -Destination (Get-DatabaseUri $mongo 'other') -Force).Moment | Should -Be $first.Oplog.End
    }

    It 'does nothing for an empty pipeline' {
        @() | Restore-BotBackup -PointInTime $moment -Force | Should -BeNullOrEmpty
        @() | Restore-BotBackup -Before -Force | Should -BeNullOrEmpty
    }

    It 'tests increments at every depth' -ForEach 'Checksum', 'Archive', 'Restore' {
        ($second | Test-BotBackup -Depth $_).Outcome | Should -Be 'Succeeded'
    }

    It 'shows what can be reached, and gaps' {
        $window = Get-BotRecoveryWindow
        $window | Should -HaveCount 1
        $window | Should -BeOfType BotCore.Backup.Engine.Catalog.BotRecoveryWindow
        $window.State | Should -Be 'Restorable'
        $window.Database | Should -Be 'bot_core'
        $window.FromEntry | Should -Be $full.Oplog.End
        $window.ToEntry | Should -Be $second.Oplog.End
        $window.Slices | Should -Be 2
        ($window | Out-String -Width 250) | Should -BeLike "*Restorable*bot_core*$($second.Oplog.End)*"

        Get-ChildItem -LiteralPath (Split-Path $second.Location) -Filter "$(Split-Path -Leaf $second.Location)*" | Remove-Item
        Add-Document $mongo bot_core trades '{ "_id": "fourth", "symbol": "fourth" }'
        $later = Invoke-BotBackup MongoDb
        $window = Get-BotRecoveryWindow MongoDb
        $window.State | Should -Be 'Restorable', 'Gap', 'Restorable'
        $window[1].FromEntry | Should -Be $first.Oplog.End
        $window[1].ToEntry | Should -Be $later.Oplog.End
        $window[1].Reason | Should -BeLike '*missing*'
    }
}
