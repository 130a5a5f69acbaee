BeforeAll {
    . (Join-Path $PSScriptRoot 'Site.ps1')
    . (Join-Path $PSScriptRoot 'Database.ps1')

    function Add-Trade([int] $From, [int] $To) {
        for ($at = $From; $at -lt $To; $at += 20000) {
            $documents = for ($id = $at; $id -lt [Math]::Min($at + 20000, $To); $id++) { "{""_id"":$id,""state"":""was""}" }
            Add-Document $mongo bot_core trades $documents
        }
    }
    function Remove-Trade([string] $Query) {
        $null = Invoke-Database $mongo bot_core delete trades @{ deletes = @("{ ""q"": $Query, ""limit"": { ""`$numberInt"": ""0"" } }") }
    }
    function Get-TradeCount { (Invoke-Database $mongo bot_core count trades).n.'$numberInt' }
}

Describe 'The moment before the damage' {
    BeforeEach {
        $mongo = New-Database
        Add-Document $mongo bot_core users '{"_id":1,"name":"ada"}'
        $uri = Get-DatabaseUri $mongo 'bot_core'
        $site = New-Site "DATABASE_URL='$uri'"
    }
    AfterEach {
        Remove-Site $site
        Remove-Database $mongo
    }

    It 'brings a collection of 100,000 documents that was dropped by mistake back with one line' {
        Add-Trade 0 50000
        $null = Invoke-BotBackup MongoDb
        Add-Trade 50000 100000
        $was = Get-Document $mongo bot_core trades
        $null = Invoke-BotBackup MongoDb -Type Incremental
        $null = Invoke-Database $mongo bot_core drop trades
        Add-Document $mongo bot_core users '{"_id":2,"name":"bob"}'
        $null = Invoke-BotBackup MongoDb -Type Incremental

        $restore = Find-BotOplogEvent -Kind Drop | Restore-BotBackup -Before -Force

        $restore.Outcome | Should -Be 'Succeeded'
        Get-Document $mongo bot_core trades | Should -BeExactly $was
        Get-Document $mongo bot_core users | Should -BeLike '*bob*'
    }

    It 'puts the victims of a bad deleteMany back while later writes stay' {
        Add-Trade 0 1000
        $null = Invoke-BotBackup MongoDb
        Add-Trade 1000 1200
        Remove-Trade '{ "_id": { "$lt": { "$numberInt": "1100" } } }'
        Add-Document $mongo bot_core trades '{"_id":5000,"state":"later"}'
        $null = Invoke-BotBackup MongoDb -Type Incremental
        Add-Document $mongo bot_core trades '{"_id":7,"state":"lives again"}'

        $found = Find-BotOplogEvent trades -Kind MassDelete
        $found | Should -BeOfType BotCore.Backup.Engine.Components.MongoDb.Damage.BotOplogEvent
        $found.Count | Should -Be 1100
        $found.Namespace | Should -Be 'bot_core.trades'
        $found.LastGood | Should -Match '^\d+:\d+$'

        $before = Get-Document $mongo bot_core trades
        $found | Restore-BotDocument -WhatIf | Should -BeNullOrEmpty
        Get-Document $mongo bot_core trades | Should -BeExactly $before

        $repair = $found | Restore-BotDocument -Force
        $repair.Outcome | Should -Be 'Succeeded'
        $repair.Repaired | Should -Be 1099
        $repair.Conflicts.Id | Should -Be '{"$numberInt":"7"}'
        $repair.Lost | Should -BeNullOrEmpty
        $all = Get-Document $mongo bot_core trades
        @($all -split "`n").Count | Should -Be 1201
        $all | Should -BeLike '*lives again*'
        $all | Should -BeLike '*later*'
        ($repair | Out-String) | Should -BeLike '*Repaired*1,099*'
    }

    It 'names kinds, and shows events as a table' {
        $null = Invoke-BotBackup MongoDb
        $null = Invoke-Database $mongo bot_core create orders
        $null = Invoke-Database $mongo bot_core drop orders
        $null = Invoke-BotBackup MongoDb -Type Incremental
        (Find-BotOplogEvent orders).Kind | Should -Be 'Schema', 'Drop'
        Find-BotOplogEvent orders -Since ([DateTimeOffset]::Now.AddHours(1)) | Should -BeNullOrEmpty
        Find-BotOplogEvent nobody | Should -BeNullOrEmpty
        Find-BotOplogEvent orders | Out-String -Width 200 | Should -BeLike '*Namespace*LastGood*bot_core.orders*'
    }

    It 'looks into the live oplog' {
        $null = Invoke-BotBackup MongoDb
        $null = Invoke-Database $mongo bot_core drop users
        Find-BotOplogEvent -Kind Drop | Should -BeNullOrEmpty
        $live = Find-BotOplogEvent -Kind Drop -Live
        $live.Namespace | Should -Be 'bot_core.users'
        $live.Location | Should -BeNullOrEmpty
    }

    It 'refuses a collection that does not stand, with the way to bring it back' {
        $null = Invoke-BotBackup MongoDb
        $null = Invoke-Database $mongo bot_core drop users
        $null = Invoke-BotBackup MongoDb -Type Incremental
        Find-BotOplogEvent -Kind Drop | Restore-BotDocument -Force -ErrorAction SilentlyContinue -ErrorVariable refused
        $refused[0].FullyQualifiedErrorId | Should -BeLike 'RestoreFailed*'
        $refused[0].ErrorDetails.RecommendedAction | Should -BeLike '*Restore-BotBackup -Before*'
    }

    It 'does nothing with an empty pipeline' {
        @() | Restore-BotDocument -Force | Should -BeNullOrEmpty
    }
}
