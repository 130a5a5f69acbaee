BeforeAll {
    . (Join-Path $PSScriptRoot 'Site.ps1')
    . (Join-Path $PSScriptRoot 'Database.ps1')
    $script = Join-Path $PSScriptRoot '../../examples/Recover-System.ps1'

    function Invoke-Recovery([string[]] $Argument) {
        $said = & pwsh -NoProfile -NonInteractive -File $script -Module $env:BOTBACKUP_MODULE @Argument 2>&1
        [pscustomobject]@{ ExitCode = $LASTEXITCODE; Said = "$said" }
    }

    function Get-Everything {
        Get-DatabasePrint $mongo 'bot_core'
        Get-Print (Join-Path $site.Platform 'config')
        Get-Print $site.Data
        Get-Print (Join-Path $site.Root 'models')
    }

    function Edit-Everything {
        Remove-Item -LiteralPath (Join-Path $site.Platform 'config/app.json')
        [IO.File]::WriteAllText((Join-Path $site.Data 'dump.rdb'), 'damaged')
        [IO.File]::WriteAllText((Join-Path $site.Root 'models/lstm/weights.bin'), 'damaged')
        $null = Invoke-Database $mongo bot_core drop accounts
    }
}

Describe 'Recover-System.ps1' {
    BeforeEach {
        $mongo = New-Database
        Initialize-Platform $mongo
        $site = New-Site "DATABASE_URL='$(Get-DatabaseUri $mongo 'bot_core')'"
        $null = New-Item -ItemType Directory -Path (Join-Path $site.Root 'models/lstm')
        [IO.File]::WriteAllText((Join-Path $site.Root 'models/lstm/weights.bin'), 'weights')
        Add-Setting $site "MODEL_PATHS='`"$($site.Root)/models/lstm`"'"
        $log = Join-Path $site.Root 'steps'
    }
    AfterEach {
        Remove-Site $site
        Remove-Database $mongo
    }

    It 'brings everything back by the steps of the guide, and ends with 0' {
        $null = Invoke-BotBackup
        $was = Get-Everything
        Edit-Everything
        $run = Invoke-Recovery '-Deploy', "echo deploy >> '$log'", '-Stop', "echo stop >> '$log'", '-Start', "echo start >> '$log'", '-Verify', "test -s '$($site.Platform)/config/app.json' && echo verify >> '$log'"
        $run.ExitCode | Should -Be 0 -Because $run.Said
        Get-Content -LiteralPath $log | Should -Be 'deploy', 'stop', 'start', 'verify'
        Get-Everything | Should -BeExactly $was
    }

    It 'ends with 2 where there is nothing to recover from, and touches nothing' {
        $null = Invoke-BotBackup Config
        $run = Invoke-Recovery '-Stop', "echo stop >> '$log'"
        $run.ExitCode | Should -Be 2 -Because $run.Said
        Test-Path -LiteralPath $log | Should -BeFalse
    }

    It 'ends with 1 where an archive is damaged, and does not start the platform' {
        $backups = Invoke-BotBackup
        Add-Damage ($backups | Where-Object Component -EQ 'Config') 'a flipped byte'
        $run = Invoke-Recovery '-Stop', "echo stop >> '$log'", '-Start', "echo start >> '$log'"
        $run.ExitCode | Should -Be 1 -Because $run.Said
        Get-Content -LiteralPath $log | Should -Be 'stop'
    }

    It 'ends with 1 where the platform does not work afterwards' {
        $null = Invoke-BotBackup
        (Invoke-Recovery '-Verify', 'false').ExitCode | Should -Be 1
    }
}
