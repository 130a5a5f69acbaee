BeforeAll {
    . (Join-Path $PSScriptRoot 'Site.ps1')
    . (Join-Path $PSScriptRoot 'Database.ps1')
}

Describe 'Export-BotBackup' {
    BeforeEach {
        $mongo = New-Database
        Initialize-Platform $mongo
        $site = New-Site "DATABASE_URL='$(Get-DatabaseUri $mongo 'bot_core')'"
        $backup = Invoke-BotBackup MongoDb
        $file = Join-Path $site.Outside 'dump.archive'
        $folder = Join-Path $site.Outside 'dump'
    }
    AfterEach {
        Remove-Site $site
        Remove-Database $mongo
    }

    It 'writes an archive of mongodump' {
        $made = $backup | Export-BotBackup -As MongodumpArchive -Destination $file
        $made | Should -BeOfType IO.FileInfo
        $made.FullName | Should -Be $file
        $made.UnixFileMode | Should -Be ([IO.UnixFileMode] 'UserRead, UserWrite')
        $bytes = [IO.File]::ReadAllBytes($file)
        $bytes[0..3] | Should -Be 0x6d, 0xe2, 0x99, 0x81
        [Text.Encoding]::UTF8.GetString($bytes) | Should -BeLike '*by_symbol*BTC300*'
        Get-ChildItem -LiteralPath $site.Outside -Force | Should -HaveCount 1
    }

    It 'writes it as gzip data with -Gzip' -Skip:(-not (Get-Command gzip -ErrorAction Ignore)) {
        $null = $backup | Export-BotBackup -As MongodumpArchive -Destination $file
        $null = $backup | Export-BotBackup -As MongodumpArchive -Destination "$file.gz" -Gzip
        gzip -t "$file.gz"
        $LASTEXITCODE | Should -Be 0
        (Get-Item -LiteralPath "$file.gz").Length | Should -BeLessThan (Get-Item -LiteralPath $file).Length
    }

    It 'writes a folder of mongodump, the same that gpg and tar unpack' -Skip:(-not ((Get-Command gpg -ErrorAction Ignore) -and (Get-Command tar -ErrorAction Ignore))) {
        $made = Export-BotBackup -LiteralPath $backup.Location -As Folder -Destination $folder
        $made | Should -BeOfType IO.DirectoryInfo
        $unpacked = New-Item -ItemType Directory (Join-Path $site.Root 'unpacked')
        bash -c 'set -o pipefail; gpg --batch --quiet --pinentry-mode loopback --passphrase-file "$1" -d "$2" | tar xz -C "$3" --strip-components=1' _ $site.Passphrase $backup.Location $unpacked.FullName
        $LASTEXITCODE | Should -Be 0
        Remove-Item -LiteralPath (Join-Path $unpacked 'backup-metadata.json')
        Get-Print $folder | Should -BeExactly (Get-Print $unpacked.FullName)
        Test-Path -LiteralPath (Join-Path $folder 'bot_core/odd+n%C3%A4me%2F100%25.bson') | Should -BeTrue
        Test-Path -LiteralPath (Join-Path $folder 'bot_core/rich.bson') | Should -BeFalse
    }

    It 'writes the files of any other backup' {
        $config = Invoke-BotBackup Config
        $made = $config | Export-BotBackup -As Folder -Destination $folder
        $made.FullName | Should -Be $folder
        Get-Print (Join-Path $folder 'config') | Should -BeExactly (Get-Print (Join-Path $site.Platform 'config'))
        Assert-Failure (Get-Failure { $config | Export-BotBackup -As MongodumpArchive -Destination $file }) 'ConfigurationInvalid' 'InvalidArgument'
    }

    It 'gives each of several its own name, by a script block' {
        $null = Invoke-BotBackup MongoDb
        $made = Get-BotBackup MongoDb | Export-BotBackup -As MongodumpArchive -Destination { Join-Path $site.Outside "$($_.Id).archive" }
        $made | Should -HaveCount 2
        $made.Name | Should -Be (Get-BotBackup MongoDb | ForEach-Object { "$($_.Id).archive" })
    }

    It 'replaces a file with -Force only, and a folder never' {
        [IO.File]::WriteAllText($file, 'precious')
        Assert-Failure (Get-Failure { $backup | Export-BotBackup -As MongodumpArchive -Destination $file }) 'DestinationNotEmpty' 'ResourceExists'
        [IO.File]::ReadAllText($file) | Should -BeExactly 'precious'
        $null = $backup | Export-BotBackup -As MongodumpArchive -Destination $file -Force
        (Get-Item -LiteralPath $file).Length | Should -BeGreaterThan 1000

        $null = New-Item -ItemType Directory $folder
        $null = $backup | Export-BotBackup -As Folder -Destination $folder
        $print = Get-Print $folder
        Assert-Failure (Get-Failure { $backup | Export-BotBackup -As Folder -Destination $folder -Force }) 'DestinationNotEmpty' 'ResourceExists'
        Assert-Failure (Get-Failure { $backup | Export-BotBackup -As MongodumpArchive -Destination $folder -Force }) 'DestinationNotEmpty' 'ResourceExists'
        Assert-Failure (Get-Failure { $backup | Export-BotBackup -As Folder -Destination $file -Force }) 'DestinationNotEmpty' 'ResourceExists'
        Get-Print $folder | Should -BeExactly $print
    }

    It 'makes nothing with -WhatIf, and nothing of a damaged backup' {
        $backup | Export-BotBackup -As MongodumpArchive -Destination $file -WhatIf
        $backup | Export-BotBackup -As Folder -Destination $folder -WhatIf
        Get-ChildItem -LiteralPath $site.Outside -Force | Should -BeNullOrEmpty
        Add-Damage $backup 'a flipped byte'
        Assert-Failure (Get-Failure { $backup | Export-BotBackup -As MongodumpArchive -Destination $file }) 'ChecksumMismatch' 'InvalidData'
        Assert-Failure (Get-Failure { $backup | Export-BotBackup -As Folder -Destination $folder }) 'ChecksumMismatch' 'InvalidData'
        Get-ChildItem -LiteralPath $site.Outside -Force | Should -BeNullOrEmpty
    }

    It 'needs a folder to write in, and -Gzip an archive' {
        Assert-Failure (Get-Failure { $backup | Export-BotBackup -As Folder -Destination (Join-Path $site.Root 'no/where') }) 'ConfigurationInvalid' 'InvalidArgument'
        Assert-Failure (Get-Failure { $backup | Export-BotBackup -As Folder -Gzip -Destination $folder }) 'ConfigurationInvalid' 'InvalidArgument'
    }

    It 'does nothing on an empty pipeline' {
        @() | Export-BotBackup -As Folder -Destination $folder | Should -BeNullOrEmpty
        Test-Path -LiteralPath $folder | Should -BeFalse
    }
}
