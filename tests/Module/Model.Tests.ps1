BeforeAll {
    . (Join-Path $PSScriptRoot 'Site.ps1')

    function Set-Model([string] $Text) { [IO.File]::WriteAllText((Join-Path $site.Root 'models/lstm/weights.bin'), $Text) }
}

Describe 'Models' {
    BeforeEach {
        $site = New-Site
        $null = New-Item -ItemType Directory -Path (Join-Path $site.Root 'models/lstm')
        Set-Model 'first'
        [IO.File]::WriteAllText((Join-Path $site.Root 'models/trend.onnx'), 'onnx')
        Add-Setting $site "MODEL_PATHS='`"$($site.Root)/models/lstm`",`"$($site.Root)/models/trend.onnx`"'"
    }
    AfterEach { Remove-Site $site }

    It 'makes a version of each path, named by its last name' {
        $models = Invoke-BotBackup Model
        $models.Name | Should -Be 'lstm', 'trend.onnx'
        $models.Outcome | Select-Object -Unique | Should -Be 'Succeeded'
        $models[0].Location | Should -BeLike '*/models/lstm_*.tar.gz.gpg'
        $models.Hash | Should -Match '^[0-9a-f]{64}$'
    }

    It 'makes nothing where the content is the same, whatever the dates say' {
        $first = Invoke-BotBackup Model -Name lstm
        (Get-Item -LiteralPath (Join-Path $site.Root 'models/lstm/weights.bin')).LastWriteTime = [datetime]::new(2020, 1, 1)
        chmod 600 (Join-Path $site.Root 'models/lstm/weights.bin')
        $second = Invoke-BotBackup Model -Name lstm
        $second.Outcome | Should -Be 'Skipped'
        $second.Reason | Should -Be 'Unchanged'
        $second.Id | Should -Be $first.Id
        Get-BotBackup Model | Should -HaveCount 1
    }

    It 'keeps every version, and finds each by date or hash' {
        $versions = foreach ($text in 'first', 'second', 'first') { Set-Model $text; Invoke-BotBackup Model -Name lstm }
        $versions.Outcome | Should -Be 'Succeeded', 'Succeeded', 'Succeeded'
        $versions[0].Hash | Should -Be $versions[2].Hash
        (Get-BotBackup Model -Hash $versions[1].Hash.Substring(0, 12)).Id | Should -Be $versions[1].Id
        Get-BotBackup Model -Hash $versions[0].Hash | Should -HaveCount 2
        $null = Get-BotBackup -Hash $versions[1].Hash | Restore-BotBackup -Force
        [IO.File]::ReadAllText((Join-Path $site.Root 'models/lstm/weights.bin')) | Should -Be 'second'
        $null = Get-BotBackup Model -Before $versions[1].Taken -Latest | Restore-BotBackup -Force
        [IO.File]::ReadAllText((Join-Path $site.Root 'models/lstm/weights.bin')) | Should -Be 'first'
    }

    It 'restores a model that is one file to where it was' {
        $null = Invoke-BotBackup Model
        Remove-Item -LiteralPath (Join-Path $site.Root 'models/trend.onnx')
        $null = Get-BotBackup Model -Name trend.onnx | Restore-BotBackup -Force
        [IO.File]::ReadAllText((Join-Path $site.Root 'models/trend.onnx')) | Should -Be 'onnx'
    }

    It 'sees a change that keeps size and date' {
        $null = Invoke-BotBackup Model -Name lstm
        $file = Get-Item -LiteralPath (Join-Path $site.Root 'models/lstm/weights.bin')
        $time = $file.LastWriteTimeUtc
        Set-Model 'fjrst'
        $file.LastWriteTimeUtc = $time
        (Invoke-BotBackup Model -Name lstm).Outcome | Should -Be 'Succeeded'
    }

    It 'has no increments' {
        Assert-Failure (Get-Failure { Invoke-BotBackup Model -Type Incremental }) 'ConfigurationInvalid' 'InvalidArgument'
    }

    It 'says which model is gone, and backs up the others' {
        Remove-Item -LiteralPath (Join-Path $site.Root 'models/lstm') -Recurse
        $failures = Get-Failure { Invoke-BotBackup Model }
        Assert-Failure $failures 'SourceUnreachable' 'ConnectionError'
        (Get-BotBackup Model).Name | Should -Be 'trend.onnx'
    }

    It 'refuses two models of one name' {
        $null = New-Item -ItemType Directory -Path (Join-Path $site.Root 'other/lstm')
        Add-Setting $site "MODEL_PATHS='`"$($site.Root)/models/lstm`",`"$($site.Root)/other/lstm`"'"
        Assert-Failure (Get-Failure { Invoke-BotBackup Model }) 'ConfigurationInvalid' 'InvalidArgument'
    }

    It 'brings to a store what it has missed, without making a version' {
        $null = Invoke-BotBackup Model -Name lstm
        $other = Join-Path $site.Root 'other store'
        $copy = Get-BotBackup Model | Copy-BotBackup -Destination $other
        $copy.Hash | Should -Be (Get-BotBackup Model).Hash
    }
}
