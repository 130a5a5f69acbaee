BeforeAll { . (Join-Path $PSScriptRoot 'Site.ps1') }

Describe 'Measure-BotBackup' {
    BeforeEach { $site = New-Site }
    AfterEach { Remove-Site $site }

    It 'measures what is configured, archive by archive, and changes nothing' {
        $before = Get-Print $site.Root
        $measured = Measure-BotBackup
        $measured | ForEach-Object { $_ | Should -BeOfType BotCore.Backup.Engine.Measurements.BotCodecMeasurement }
        $measured.Name | Sort-Object -Unique | Should -Be 'config', 'redis_data'
        $measured.Codec | Should -Contain 'gzip'
        $config = $measured | Where-Object Name -EQ 'config'
        @($config | Where-Object Chosen).Count | Should -Be 1
        ($config | Where-Object Chosen).Reason | Should -BeLike 'the fastest that *'
        $config.Component | Sort-Object -Unique | Should -Be 'Config'
        foreach ($one in $config) {
            $one.MegabytesPerSecond | Should -BeGreaterThan 0
            $one.Ratio | Should -BeGreaterThan 0.9
            $one.PredictedDuration | Should -BeGreaterThan ([timespan]::Zero)
        }
        Get-Print $site.Root | Should -BeExactly $before
    }

    It 'takes one component, and names with wildcards' {
        (Measure-BotBackup Volume).Name | Sort-Object -Unique | Should -Be 'redis_data'
        (Measure-BotBackup -Name redis*).Name | Sort-Object -Unique | Should -Be 'redis_data'
    }

    It 'measures any path, relative to where PowerShell is' {
        Push-Location $site.Platform
        try { $measured = Measure-BotBackup -Path config } finally { Pop-Location }
        $measured.Name | Sort-Object -Unique | Should -Be (Join-Path $site.Platform 'config')
        $measured[0].PlainSize.Bytes | Should -BeGreaterThan 200000
    }

    It 'says what is not there' {
        Assert-Failure (Get-Failure { Measure-BotBackup -Path (Join-Path $site.Root nowhere) }) BackupNotFound ObjectNotFound
    }

    It 'heeds the target' {
        Add-Setting $site 'COMPRESSION_TARGET=500x'
        (Measure-BotBackup Config | Where-Object Chosen).Reason | Should -BeLike 'since nothing reaches 500x*'
    }

    It 'shows a table' {
        $table = Measure-BotBackup Config | Out-String -Width 200
        foreach ($word in 'Codec', 'MB/s', 'Ratio', 'CPU s/GB', 'Duration', 'chosen', 'measured on') { $table | Should -BeLike "*$word*" }
    }
}

Describe 'Invoke-BotBackup -Compression' {
    BeforeEach { $site = New-Site }
    AfterEach { Remove-Site $site }

    It 'makes <Suffix> with <Codec>, which proves and comes back' -ForEach @(
        @{ Codec = 'gzip'; Suffix = '.tar.gz.gpg' }
        @{ Codec = 'bzip2'; Suffix = '.tar.bz2.gpg' }
        @{ Codec = 'xz'; Suffix = '.tar.xz.gpg' }
        @{ Codec = 'zstd'; Suffix = '.tar.zst.gpg' }
    ) {
        $backup = Invoke-BotBackup Config -Compression $Codec
        $backup.Key | Should -BeLike "*$Suffix"
        ($backup | Test-BotBackup -Depth Archive).Outcome | Should -Be 'Succeeded'
        $null = $backup | Restore-BotBackup -Destination $site.Outside -Force
        Get-Print (Join-Path $site.Outside 'config') | Should -BeExactly (Get-Print (Join-Path $site.Platform 'config'))
    }

    It 'measures and says what it takes with auto' {
        $words = Invoke-BotBackup Config -Compression auto -Verbose 4>&1 | Where-Object { $_ -is [Management.Automation.VerboseRecord] }
        "$words" | Should -BeLike '*the fastest that makes it no larger than gzip*MB/s and a ratio of*'
        Get-BotBackup | Should -HaveCount 1
    }

    It 'refuses what is no codec' {
        { Invoke-BotBackup Config -Compression lzma } | Should -Throw -ErrorId 'ParameterArgumentValidationError,BotCore.Backup.Cmdlets.Commands.InvokeBotBackup'
    }
}

Describe 'a codec whose library is not there' {
    BeforeEach { $site = New-Site }
    AfterEach { Remove-Site $site }

    # The libraries are looked for once a process, so it takes one of its own.
    It 'is CodecMissing, with the package to install, for <Codec>' -ForEach @(
        @{ Codec = 'xz'; Library = 'LIBLZMA'; Package = 'liblzma5' }
        @{ Codec = 'zstd'; Library = 'LIBZSTD'; Package = 'libzstd1' }
    ) {
        [Environment]::SetEnvironmentVariable("BOTBACKUP_$Library", 'off')
        try {
            $told = pwsh -NoProfile -NonInteractive -Command {
                param($module, $codec)
                Import-Module $module
                Invoke-BotBackup Config -Compression $codec -ErrorVariable failed -ErrorAction SilentlyContinue
                "$($failed[0].FullyQualifiedErrorId)|$($failed[0].CategoryInfo.Category)|$($failed[0].ErrorDetails.RecommendedAction)"
            } -args $env:BOTBACKUP_MODULE, $Codec
        }
        finally { [Environment]::SetEnvironmentVariable("BOTBACKUP_$Library", $null) }
        $told | Should -BeLike "CodecMissing*|NotInstalled|*$Package*"
    }
}
