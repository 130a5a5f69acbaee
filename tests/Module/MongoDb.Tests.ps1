BeforeAll {
    . (Join-Path $PSScriptRoot 'Site.ps1')
    . (Join-Path $PSScriptRoot 'Database.ps1')
}

Describe 'MongoDB by the cmdlets' {
    BeforeEach {
        $mongo = New-Database
        Initialize-Platform $mongo
        $uri = Get-DatabaseUri $mongo 'bot_core'
        $site = New-Site "DATABASE_URL='$uri'"
        $was = Get-DatabasePrint $mongo 'bot_core'
    }
    AfterEach {
        Remove-Site $site
        Remove-Database $mongo
    }

    It 'backs up the database and proves it' {
        $backup = Invoke-BotBackup MongoDb
        $backup | Should -BeOfType BotCore.Backup.Engine.Catalog.BotBackup
        $backup.Component | Should -Be 'MongoDb'
        $backup.Key | Should -BeLike 'mongodb/*/mongodb_full_*.tar.gz.gpg'
        $backup.Manifest.MongoDb.Documents | Should -Be 306
        $backup.Manifest.MongoDb.Collections | Should -Be 8
        $backup.Manifest.MongoDb.Consistent | Should -BeTrue
        $proof = Get-BotBackup MongoDb | Test-BotBackup -Depth Archive
        $proof.Outcome | Should -Be 'Succeeded'
        $backup | Test-BotBackup -Depth Archive -Quiet | Should -BeTrue
    }

    It 'takes the database with all else where DATABASE_URL is set, and not where it is not' {
        (Invoke-BotBackup).Component | Should -Be 'MongoDb', 'Config', 'Volume'
        Set-Setting $site @([IO.File]::ReadAllLines($site.EnvFile) | Where-Object { $_ -notmatch '^DATABASE_URL' })
        (Invoke-BotBackup).Component | Should -Be 'Config', 'Volume'
    }

    It 'selects by -Name' {
        (Invoke-BotBackup -Name mongo*).Component | Should -Be 'MongoDb'
        Invoke-BotBackup MongoDb -Name other | Should -BeNullOrEmpty
    }

    It 'restores into another database by URI, and it is the same' {
        $restore = Invoke-BotBackup MongoDb | Restore-BotBackup -Destination (Get-DatabaseUri $mongo 'elsewhere') -Force
        $restore.Outcome | Should -Be 'Succeeded'
        $restore.Snapshot | Should -BeNullOrEmpty
        $restore.Counts.Documents | Should -Be 306
        $restore.Counts.ToString() | Should -BeLike '8 collections, 306 documents, * 0 overwritten'
        $restore.Moment | Should -Match '^\d+:\d+$'
        Get-DatabasePrint $mongo 'elsewhere' | Should -BeExactly $was
        Get-DatabasePrint $mongo 'bot_core' | Should -BeExactly $was
    }

    It 'restores over itself with a snapshot, and Undo-BotRestore takes it back' {
        $backup = Invoke-BotBackup MongoDb
        $null = Invoke-Database $mongo bot_core delete trades @{ deletes = @('{ "q": {}, "limit": { "$numberInt": "0" } }') }
        Add-Document $mongo bot_core trades '{ "_id": "later" }'
        $damaged = Get-DatabasePrint $mongo 'bot_core'

        $restore = $backup | Restore-BotBackup -Force
        Get-DatabasePrint $mongo 'bot_core' | Should -BeExactly $was
        $restore.Snapshot.Type | Should -Be 'Snapshot'
        $restore.Undo.Id | Should -Not -BeNullOrEmpty

        $undone = $restore | Undo-BotRestore -Force
        $undone | Should -BeOfType BotCore.Backup.Engine.Restores.BotBackupRestore
        $undone.Undo | Should -BeNullOrEmpty
        Get-DatabasePrint $mongo 'bot_core' | Should -BeExactly $damaged
        Assert-Failure (Get-Failure { $undone | Undo-BotRestore -Force }) 'BackupNotFound' 'ObjectNotFound'
        Assert-Failure (Get-Failure { $restore | Undo-BotRestore -Force }) 'BackupNotFound' 'ObjectNotFound'
    }

    It 'undoes by -Id alone, at DATABASE_URL or at -Destination' -ForEach @{ Named = $false }, @{ Named = $true } {
        $backup = Invoke-BotBackup MongoDb
        Add-Document $mongo bot_core trades '{ "_id": "later" }'
        $damaged = Get-DatabasePrint $mongo 'bot_core'
        $id = ($backup | Restore-BotBackup -Force).Undo.Id
        $destination = $Named ? @{ Destination = $uri } : @{}
        if ($Named) { Add-Setting $site "DATABASE_URL='mongodb://127.0.0.1:1/other?serverSelectionTimeoutMS=200'" }

        Undo-BotRestore -Id $id @destination -WhatIf
        Get-DatabasePrint $mongo 'bot_core' | Should -BeExactly $was
        Undo-BotRestore $id @destination -Confirm:$false
        Get-DatabasePrint $mongo 'bot_core' | Should -BeExactly $damaged
        Assert-Failure (Get-Failure { Undo-BotRestore $id @destination -Force }) 'BackupNotFound' 'ObjectNotFound'
    }

    It 'undoes nothing with -WhatIf, and nothing where nobody can be asked' {
        $restore = Invoke-BotBackup MongoDb | Restore-BotBackup -Destination (Get-DatabaseUri $mongo 'elsewhere') -Force
        $restore | Undo-BotRestore -Force -WhatIf | Should -BeNullOrEmpty
        Get-Failure { $restore | Undo-BotRestore } | Should -HaveCount 1
        Get-DatabasePrint $mongo 'elsewhere' | Should -BeExactly $was
    }

    It 'says of the restore of files that its snapshot undoes it' {
        $restore = Invoke-BotBackup Config | Restore-BotBackup -Force
        $failure = Get-Failure { $restore | Undo-BotRestore -Force }
        Assert-Failure $failure 'BackupNotFound' 'ObjectNotFound'
        $failure.ErrorDetails.RecommendedAction | Should -BeLike "*$($restore.Snapshot.Location)*"
    }

    It 'restores one collection with -Include, all but one with -Exclude' {
        $backup = Invoke-BotBackup MongoDb
        $one = $backup | Restore-BotBackup -Destination (Get-DatabaseUri $mongo 'one') -Include bot_core.accounts -Force
        $one.Partial | Should -BeTrue
        Get-CollectionName $mongo 'one' | Should -Be 'accounts'
        Get-Document $mongo 'one' accounts | Should -BeExactly (Get-Document $mongo bot_core accounts)
        $null = $backup | Restore-BotBackup -Destination (Get-DatabaseUri $mongo 'others') -Exclude trades, 'odd*' -Force
        Get-CollectionName $mongo 'others' | Should -Be 'accounts', 'empty', 'portfolios', 'rich', 'strategies', 'users'
    }

    It 'renames a database and a collection' {
        $backup = Invoke-BotBackup MongoDb
        $null = $backup | Restore-BotBackup -Rename @{ bot_core = 'copy'; 'bot_core.trades' = 'copy.old_trades' } -Force
        Get-CollectionName $mongo 'copy' | Should -Be 'accounts', 'empty', 'odd näme/100%', 'old_trades', 'portfolios', 'rich', 'strategies', 'users'
        Get-Document $mongo 'copy' 'old_trades' | Should -BeExactly (Get-Document $mongo bot_core trades)
        Get-DatabasePrint $mongo 'bot_core' | Should -BeExactly $was
        Assert-Failure (Get-Failure { $backup | Restore-BotBackup -Rename @{ 'bot_core.trades' = 'copy' } -Force }) 'ConfigurationInvalid' 'InvalidArgument'
        Assert-Failure (Get-Failure { $backup | Restore-BotBackup -Rename @{ bot_core = $null } -Force }) 'ConfigurationInvalid' 'InvalidArgument'
    }

    It 'changes nothing with -WhatIf, and says what it would do' {
        $backup = Invoke-BotBackup MongoDb
        Add-Document $mongo bot_core trades '{ "_id": "later" }'
        $damaged = Get-DatabasePrint $mongo 'bot_core'
        $before = Get-Print $site.Root
        $log = Join-Path ([IO.Path]::GetTempPath()) "botbackup-whatif-$([guid]::NewGuid().ToString('n'))"
        try {
            $null = Start-Transcript -LiteralPath $log
            $backup | Restore-BotBackup -Force -WhatIf | Should -BeNullOrEmpty
            $backup | Restore-BotBackup -Destination (Get-DatabaseUri $mongo 'elsewhere') -Force -WhatIf
            Invoke-BotBackup MongoDb -WhatIf
            $null = Stop-Transcript
            $said = (Get-Content -LiteralPath $log -Raw) -replace '\s+', ' '
            $said | Should -BeLike "*Restore $($backup.Key) (8 collections, 306 documents) after a snapshot of what is replaced*on target `"$uri`"*"
            $said | Should -BeLike '*306 documents, bot_core as elsewhere)*'
            $said | Should -BeLike '*Back up mongodb (MongoDb): database bot_core of *'
        }
        finally { Remove-Item -LiteralPath $log -Force }
        Get-DatabasePrint $mongo 'bot_core' | Should -BeExactly $damaged
        Get-CollectionName $mongo 'elsewhere' | Should -BeNullOrEmpty
        Get-Print $site.Root | Should -BeExactly $before
    }

    It 'refuses a folder as the place of a database, and a server as the place of files' {
        $backup = Invoke-BotBackup
        $failure = Get-Failure { $backup[0] | Restore-BotBackup -Destination (Join-Path $site.Root 'new') -Force }
        Assert-Failure $failure 'ConfigurationInvalid' 'InvalidArgument'
        $failure.ErrorDetails.RecommendedAction | Should -BeLike '*Export-BotBackup*'
        Assert-Failure (Get-Failure { $backup[1] | Restore-BotBackup -Destination $uri -Force }) 'ConfigurationInvalid' 'InvalidArgument'
        Assert-Failure (Get-Failure { $backup[1] | Restore-BotBackup -Destination 'http://somewhere/x' -Force }) 'ConfigurationInvalid' 'InvalidArgument'
    }

    It 'proves by restoring into the Sandbox, and says so, or into the server that is given' {
        $backup = Invoke-BotBackup
        $proofs = $backup | Test-BotBackup -Depth Restore
        $proofs.Outcome | Should -Be 'Succeeded', 'Succeeded', 'Succeeded'
        "$($proofs[0].Proof)" | Should -Be 'Restore (Sandbox)'
        "$($proofs[1].Proof)" | Should -Be 'Restore'
        "$(($backup[0] | Test-BotBackup -Depth Restore -Destination $uri).Proof)" | Should -Be 'Restore'
        Get-DatabasePrint $mongo 'bot_core' | Should -BeExactly $was
        (Invoke-Database $mongo admin listDatabases).databases.name | Where-Object { $_ -notin 'admin', 'config', 'local' } | Should -Be 'bot_core'
        Assert-Failure (Get-Failure { $backup[0] | Test-BotBackup -Destination $uri }) 'ConfigurationInvalid' 'InvalidArgument'
    }

    It 'restores what mongodump wrote: a folder, an archive, one in gzip' {
        $folder = Join-Path $site.Outside 'dump'
        $file = Join-Path $site.Outside 'dump.archive'
        $backup = Invoke-BotBackup MongoDb
        $null = $backup | Export-BotBackup -As Folder -Destination $folder
        $null = $backup | Export-BotBackup -As MongodumpArchive -Destination $file
        $null = $backup | Export-BotBackup -As MongodumpArchive -Gzip -Destination "$file.gz"
        foreach ($dump in $folder, $file, "$file.gz") {
            $name = "from_$((Get-Random))"
            Test-BotBackup -Path $dump -Depth Archive -Quiet | Should -BeTrue
            $restore = Restore-BotBackup -Path $dump -Rename @{ bot_core = $name } -Force
            $restore.Outcome | Should -Be 'Succeeded'
            Get-DatabasePrint $mongo $name | Should -BeExactly $was
        }
        $truncated = [IO.File]::Open((Join-Path $folder 'bot_core/trades.bson'), 'Open')
        $truncated.SetLength($truncated.Length - 3)
        $truncated.Dispose()
        Assert-Failure (Get-Failure { Restore-BotBackup -Path $folder -Rename @{ bot_core = 'cut' } -Force }) 'ArchiveCorrupt' 'InvalidData'
        Get-CollectionName $mongo 'cut' | Should -BeNullOrEmpty
    }

    It 'restores an archive of the old scripts' -Skip:(-not ((Get-Command gpg -ErrorAction Ignore) -and (Get-Command tar -ErrorAction Ignore))) {
        $name = 'mongodb_full_20251118_020000'
        $folder = Join-Path $site.Outside $name
        $null = Invoke-BotBackup MongoDb | Export-BotBackup -As Folder -Destination $folder
        $there = New-Item -ItemType Directory -Force (Join-Path $site.Store 'mongodb/2025/11')
        # mongodump --gzip, with its oplog under its plain name, then tar and gpg.
        bash -c 'set -eo pipefail; cd "$1"; gzip -r "$2"; mv "$2/oplog.bson.gz" "$2/oplog.bson"; tar czf - "$2" | gpg --batch --quiet --pinentry-mode loopback --passphrase-file "$3" --symmetric --cipher-algo AES256 -o "$4/$2.tar.gz.gpg"' _ $site.Outside $name $site.Passphrase $there.FullName
        $LASTEXITCODE | Should -Be 0
        $old = Get-BotBackup MongoDb | Where-Object Id -EQ $name
        "$($old.Proof)" | Should -Be 'Unproven'
        $old | Test-BotBackup -Depth Archive -Quiet | Should -BeTrue
        ($old | Restore-BotBackup -Destination (Get-DatabaseUri $mongo 'old') -Force).Outcome | Should -Be 'Succeeded'
        Get-DatabasePrint $mongo 'old' | Should -BeExactly $was
    }

    It 'shows the result of a restore with its way back' {
        $restore = Invoke-BotBackup MongoDb | Restore-BotBackup -Destination (Get-DatabaseUri $mongo 'elsewhere') -Force
        $shown = $restore | Out-String -Width 300
        $shown | Should -Match 'Counts\s+: 8 collections, 306 documents'
        $shown | Should -Match 'Moment\s+: \d+:\d+'
        $shown | Should -Match "Undo\s+: $($restore.Undo.Id) \(Undo-BotRestore\), in elsewhere"
        $undone = $restore | Undo-BotRestore -Force | Out-String
        $undone | Should -Not -Match 'Undo\s+:'
        (Invoke-BotBackup Config | Restore-BotBackup -Destination (Join-Path $site.Root 'new') -Force | Out-String) | Should -Not -Match 'Moment|Undo'
    }
}

Describe 'What a MongoDB refuses' {
    BeforeEach {
        $mongo = $null
        $site = New-Site
    }
    AfterEach {
        Remove-Site $site
        Remove-Database $mongo
    }

    It 'wrong password: LoginFailed, and no secret on any stream' {
        $mongo = New-Database @{ UserName = 'backup'; Password = 'right-horse-71' }
        Initialize-Platform $mongo
        $right = Get-DatabaseUri $mongo 'bot_core'
        $wrong = $right.Replace('right-horse-71', 'wr0ng-horse-72')
        Add-Setting $site "DATABASE_URL='$wrong'"
        Assert-Failure (Get-Failure { Invoke-BotBackup MongoDb }) 'LoginFailed' 'AuthenticationError'
        $words = Get-Word { Invoke-BotBackup MongoDb; Get-BotBackupConfiguration; Test-BotBackupConfiguration }
        $words | Should -BeLike '*refused the login*'
        $words | Should -Not -BeLike '*wr0ng-horse*'

        Add-Setting $site "DATABASE_URL='$right'"
        $words = Get-Word { Invoke-BotBackup MongoDb }
        $words | Should -BeLike '*mongodb://backup:`*`*`*@127.0.0.1*'
        $words | Should -Not -BeLike '*right-horse*'
        $backup = Get-BotBackup MongoDb
        $target = $wrong.Replace('bot_core', 'elsewhere')
        Assert-Failure (Get-Failure { $backup | Restore-BotBackup -Destination $target -Force }) 'LoginFailed' 'AuthenticationError'
        $good = $right.Replace('bot_core', 'elsewhere')
        $script:restored = $null
        $words = Get-Word {
            $backup | Restore-BotBackup -Destination $target -Force
            $backup | Restore-BotBackup -Destination $good -WhatIf
            $script:restored = $backup | Restore-BotBackup -Destination $good -Force -Verbose
            $script:restored
            $script:restored.Undo
            Undo-BotRestore -Id 00000000 -Destination $good -Force
            Undo-BotRestore -Id 00000000 -Destination $target -Force
            $script:restored | Undo-BotRestore -Force -Verbose
        }
        $script:restored.Outcome | Should -Be 'Succeeded'
        $words | Should -Not -BeLike '*-horse-*'
        $failure = Get-Failure { $backup | Restore-BotBackup -Destination $target -Force }
        ($failure.InvocationInfo.BoundParameters.Values | Out-String) + ($failure.InvocationInfo.BoundParameters.Destination) | Should -Not -BeLike '*-horse-*'
        foreach ($file in Get-ChildItem -LiteralPath $site.Store -Recurse -File) { [IO.File]::ReadAllText($file.FullName, [Text.Encoding]::Latin1) | Should -Not -BeLike '*-horse-*' }
    }

    It 'nobody answers: SourceUnreachable' {
        Add-Setting $site "DATABASE_URL='mongodb://127.0.0.1:1/bot_core?serverSelectionTimeoutMS=500'"
        Assert-Failure (Get-Failure { Invoke-BotBackup MongoDb }) 'SourceUnreachable' 'ConnectionError'
    }

    It 'a name inside a Docker network: says so, and what to do' {
        Add-Setting $site "DATABASE_URL='mongodb://mongo.invalid:27017/bot_core?serverSelectionTimeoutMS=500'", 'MONGO_CONTAINER=bot_mongo'
        $failure = Get-Failure { Invoke-BotBackup MongoDb }
        Assert-Failure $failure 'SourceUnreachable' 'ConnectionError'
        $failure.Exception.Message | Should -BeLike "*'mongo.invalid'*MONGO_CONTAINER is 'bot_mongo'*"
        $failure.ErrorDetails.RecommendedAction | Should -BeLike '*Publish the container*directConnection=true*'
    }

    It 'a sharded cluster: ServerUnsupported' {
        $mongo = New-Database @{ Sharded = $true }
        Add-Setting $site "DATABASE_URL='$(Get-DatabaseUri $mongo 'bot_core')'"
        Assert-Failure (Get-Failure { Invoke-BotBackup MongoDb }) 'ServerUnsupported' 'InvalidOperation'
    }

    It 'a standalone: backed up with a warning, and not called consistent' {
        $mongo = New-Database @{ Standalone = $true }
        Initialize-Platform $mongo
        Add-Setting $site "DATABASE_URL='$(Get-DatabaseUri $mongo 'bot_core')'"
        $backup = Invoke-BotBackup MongoDb -WarningVariable warned -WarningAction SilentlyContinue
        "$warned" | Should -BeLike '*standalone*rs.initiate()*'
        $backup.Manifest.MongoDb.Consistent | Should -BeFalse
    }

    It 'DATABASE_URL is not set: ConfigurationMissing' {
        Assert-Failure (Get-Failure { Invoke-BotBackup MongoDb }) 'ConfigurationMissing' 'ObjectNotFound'
    }

    It 'completes components and forms' {
        $completed = (TabExpansion2 -inputScript 'Invoke-BotBackup M' -cursorColumn 18).CompletionMatches.CompletionText
        $completed | Should -Be 'Model', 'MongoDb'
        (TabExpansion2 -inputScript 'Export-BotBackup -As ' -cursorColumn 21).CompletionMatches.CompletionText | Should -Be 'Folder', 'MongodumpArchive'
    }
}

Describe 'The Sandbox' {
    It 'is not loaded by importing the module, listing or proving' {
        $site = New-Site
        try {
            $null = Invoke-BotBackup Config
            $child = Start-Child @'
Get-BotBackup | Test-BotBackup -Depth Archive | ForEach-Object Outcome
[AppDomain]::CurrentDomain.GetAssemblies() | ForEach-Object { $_.GetName().Name } | Where-Object { $_ -like 'BotCore.Backup*' } | Sort-Object
'@
            $said = $child.StandardOutput.ReadToEnd().Trim() -split '\s+'
            $child.WaitForExit()
            $said | Should -Be 'Succeeded', 'BotCore.Backup.Cmdlets', 'BotCore.Backup.Engine', 'BotCore.Backup.Protocols'
        }
        finally { Remove-Site $site }
    }

    It 'starts from the staged module at first need' {
        $child = Start-Child @'
$server = [BotCore.Backup.Engine.Outside.Scratch.ScratchServers]::Start()
try { $server.ConnectionString -match '^mongodb://127\.0\.0\.1:\d+/' } finally { $server.Dispose() }
'@
        $child.StandardOutput.ReadToEnd().Trim() | Should -Be 'True'
        $child.WaitForExit()
    }
}
