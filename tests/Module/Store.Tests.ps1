BeforeDiscovery {
    $noSshd = -not ((Get-Command sshd, /usr/sbin/sshd -ErrorAction Ignore) -and (Get-Command ssh -ErrorAction Ignore))
}

BeforeAll {
    . (Join-Path $PSScriptRoot 'Site.ps1')
    . (Join-Path $PSScriptRoot 'Ssh.ps1')
}

Describe 'Copy-BotBackup' {
    BeforeEach {
        $site = New-Site
        $usb = Join-Path $site.Root 'usb disk'
        $backup = Invoke-BotBackup Config
    }
    AfterEach { Remove-Site $site }

    It 'copies into a folder, and what is there already is only shown' {
        $copy = $backup | Copy-BotBackup -Destination $usb
        $copy.Id | Should -Be $backup.Id
        $copy.Location | Should -BeLike "$usb/config/*"
        $copy | Test-BotBackup -Depth Archive -Quiet | Should -BeTrue
        $print = Get-Print $usb
        (Get-BotBackup | Copy-BotBackup -Destination $usb).Id | Should -Be $backup.Id
        Get-Print $usb | Should -Be $print
    }

    It 'does nothing with -WhatIf, and nothing with an empty pipeline' {
        $backup | Copy-BotBackup -Destination $usb -WhatIf
        @() | Copy-BotBackup -Destination $usb
        Get-Print $usb | Should -Be '(nothing)'
    }

    It 'does not copy what is damaged' {
        Add-Damage $backup 'a flipped byte'
        Assert-Failure (Get-Failure { $backup | Copy-BotBackup -Destination $usb }) ChecksumMismatch InvalidData
        Get-ChildItem -LiteralPath $usb -Recurse -File -ErrorAction Ignore | Where-Object Name -NotLike '*.lease' | Should -BeNullOrEmpty
    }

    It 'replaces what stands in the way only with -Force' {
        $copy = $backup | Copy-BotBackup -Destination $usb
        Add-Damage $copy 'no manifest'
        Assert-Failure (Get-Failure { $backup | Copy-BotBackup -Destination $usb }) DestinationNotEmpty ResourceExists
        $backup | Copy-BotBackup -Destination $usb -Force | Test-BotBackup -Quiet | Should -BeTrue
    }

    It 'leaves the text that says how to restore without it' {
        $null = $backup | Copy-BotBackup -Destination $usb
        Join-Path $usb 'RECOVER.txt' | Should -FileContentMatch 'sha256sum -c'
    }

    It 'names a store that is not configured' {
        Assert-Failure (Get-Failure { $backup | Copy-BotBackup -Destination s3 }) ConfigurationMissing ObjectNotFound
    }
}

Describe 'Get-BotBackupStore' {
    BeforeEach { $site = New-Site }
    AfterEach { Remove-Site $site }

    It 'lists what is enabled, and says nothing good of what was not tried' {
        $store = Get-BotBackupStore
        $store.Name | Should -Be local
        $store.Outcome | Should -Be Unknown
        Test-Path -LiteralPath $site.Store | Should -BeFalse
    }

    It 'probes, and leaves nothing' {
        $store = Get-BotBackupStore -Probe
        $store.Outcome | Should -Be Succeeded
        $store.FreeSpace.Bytes | Should -BeGreaterThan 0
        Get-BotBackup | Should -BeNullOrEmpty
        Get-Leftover $site | Should -BeNullOrEmpty
    }
}

Describe 'A store behind SSH' -Skip:$noSshd {
    BeforeEach {
        $site = New-Site
        $server = Start-Sshd $site
        Add-Setting $site $server.Setting
    }
    AfterEach {
        Stop-Sshd $server
        Remove-Site $site
    }

    It 'is probed' {
        (Get-BotBackupStore -Probe).Outcome | Should -Be Succeeded, Succeeded
    }

    It 'gets every archive beside the folder, and each outcome is on the backup' {
        $backup = Invoke-BotBackup Config
        $backup.Store | Should -Be local
        $backup.Stores.Store | Should -Be local, sftp
        $backup.Stores.Outcome | Should -Be Succeeded, Succeeded
        $far = Get-BotBackup -Store sftp
        $far.Id | Should -Be $backup.Id
        $far | Test-BotBackup -Depth Archive -Quiet | Should -BeTrue
        Push-Location (Join-Path $server.Data 'config')
        sha256sum -c --quiet "$([IO.Path]::GetFileName($backup.Location)).sha256"
        $LASTEXITCODE | Should -Be 0
        Pop-Location
    }

    It 'takes an archive alone, without a local copy' {
        $backup = Invoke-BotBackup Config -Store sftp
        $backup.Location | Should -BeLike 'sftp://*'
        Test-Path -LiteralPath $site.Store | Should -BeFalse
    }

    It 'that is away fails for itself, and the folder has its backup' {
        Stop-Sshd $server
        $server = $null
        $failure = Get-Failure { $script:backup = Invoke-BotBackup Config }
        $failure | Should -HaveCount 1
        $failure.FullyQualifiedErrorId | Should -BeLike 'StoreUnreachable,*'
        $script:backup.Stores.Outcome | Should -Be Succeeded, Failed
        (Get-BotBackup).Id | Should -Be $script:backup.Id
    }

    It 'restores one entry, and everything on an empty machine' {
        $null = Invoke-BotBackup Config, Volume -Store sftp
        $print = Get-Print $site.Platform
        Get-BotBackup -Store sftp -Component Config | Restore-BotBackup -Include 'config/app.json' -Destination $site.Outside -Force
        Join-Path $site.Outside 'config/app.json' | Should -FileContentMatchExactly '"port": 8080'
        Remove-Item -LiteralPath (Join-Path $site.Platform 'config'), (Join-Path $site.Platform 'docker-compose.yml'), $site.Data -Recurse -Force
        $restores = Restore-BotBackup -Store sftp -Force
        $restores.Outcome | Should -Be Succeeded, Succeeded
        Get-Print $site.Platform | Should -Be $print
        Join-Path $site.Data 'dump.rdb' | Should -Exist
    }

    It 'brings its archives back into the folder' {
        $backup = Invoke-BotBackup Config
        Remove-Item -LiteralPath $site.Store -Recurse -Force
        (Get-BotBackup -Store sftp | Copy-BotBackup -Destination local).Id | Should -Be $backup.Id
        Get-BotBackup | Test-BotBackup -Depth Archive -Quiet | Should -BeTrue
    }

    It 'is enough for the example that recovers from nothing' {
        $example = Join-Path $PSScriptRoot '../../examples/Recover-FromNothing.ps1'
        $null = Invoke-BotBackup Config, Volume -Store sftp
        $print = Get-Print $site.Platform
        Remove-Item -LiteralPath (Join-Path $site.Platform 'config'), (Join-Path $site.Platform 'docker-compose.yml'), $site.Data -Recurse -Force
        $output = pwsh -NoProfile -NonInteractive -File $example -Store sftp -Configuration $site.EnvFile -Module $env:BOTBACKUP_MODULE -KeepCopy 2>&1 | Out-String
        $LASTEXITCODE | Should -Be 0 -Because $output
        Get-Print $site.Platform | Should -Be $print
        Get-BotBackup | Should -HaveCount 2
        $null = pwsh -NoProfile -NonInteractive -File $example -Store gcs -Configuration $site.EnvFile -Module $env:BOTBACKUP_MODULE 2>&1
        $LASTEXITCODE | Should -Be 2
        Edit-Byte (Get-ChildItem -LiteralPath "$($server.Data)/config" -Filter '*.gpg').FullName { $bytes = $args[0]; $bytes[$bytes.Length / 2] = $bytes[$bytes.Length / 2] -bxor 1; , $bytes }
        $null = pwsh -NoProfile -NonInteractive -File $example -Store sftp -Configuration $site.EnvFile -Module $env:BOTBACKUP_MODULE 2>&1
        $LASTEXITCODE | Should -Be 1
    }

    It 'of which the host key changed is refused, by its name' {
        $null = Invoke-BotBackup Config -Store sftp
        $known = Join-Path $server.Folder 'known'
        ssh-keygen -q -t ed25519 -N '' -f "$($server.Folder)/other"
        $other = [IO.File]::ReadAllText("$($server.Folder)/other.pub").Split(' ')
        [IO.File]::WriteAllText($known, ([IO.File]::ReadAllText($known).Split(' ')[0], $other[0], $other[1] -join ' ') + "`n")
        $failure = Get-Failure { Get-BotBackup -Store sftp }
        $failure.FullyQualifiedErrorId | Should -BeLike 'HostKeyChanged,*'
        $failure.ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
    }

    It 'is outlived by what was listed: a backup in a variable can still be read' {
        $null = Invoke-BotBackup Config -Store sftp
        $far = Get-BotBackup -Store sftp
        $far | Test-BotBackup -Quiet | Should -BeTrue
        $far | Test-BotBackup -Quiet | Should -BeTrue
    }

    It 'removes there what is removed' {
        $null = Invoke-BotBackup Config -Store sftp
        $second = Invoke-BotBackup Config -Store sftp
        (Get-BotBackup -Store sftp | Select-Object -First 1 | Remove-BotBackup -Force).Outcome | Should -Be Succeeded
        (Get-BotBackup -Store sftp).Id | Should -Be $second.Id
    }
}
