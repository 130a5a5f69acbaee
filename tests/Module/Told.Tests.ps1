# The table of docs/operations.md "Where a run is told": a test a cell.
BeforeAll {
    . (Join-Path $PSScriptRoot 'Site.ps1')
    $nightly = Join-Path $PSScriptRoot '../../examples/Nightly.ps1'

    # A server that keeps what it is sent and answers 200, or what Refuse says for a path.
    function Start-Receiver {
        $probe = [Net.Sockets.TcpListener]::new([Net.IPAddress]::Loopback, 0)
        $probe.Start()
        $port = $probe.LocalEndpoint.Port
        $probe.Stop()
        $listener = [Net.HttpListener]::new()
        $listener.Prefixes.Add("http://127.0.0.1:$port/")
        $listener.Start()
        $receiver = [pscustomobject]@{ Url = "http://127.0.0.1:$port"; Listener = $listener; Got = [Collections.Concurrent.ConcurrentQueue[object]]::new(); Refuse = [Collections.Concurrent.ConcurrentDictionary[string, int]]::new(); Shell = [powershell]::Create() }
        $null = $receiver.Shell.AddScript({
                param($Receiver)
                while ($Receiver.Listener.IsListening) {
                    try { $context = $Receiver.Listener.GetContext() } catch { break }
                    $body = [IO.StreamReader]::new($context.Request.InputStream).ReadToEnd()
                    $path = $context.Request.Url.AbsolutePath
                    $Receiver.Got.Enqueue([pscustomobject]@{ Path = $path; Body = $body })
                    $code = 0
                    if ($Receiver.Refuse.TryGetValue($path, [ref] $code)) { $context.Response.StatusCode = $code }
                    $context.Response.Close()
                }
            }).AddArgument($receiver)
        $null = $receiver.Shell.BeginInvoke()
        $receiver
    }

    function Stop-Receiver($Receiver) {
        $Receiver.Listener.Stop()
        $Receiver.Shell.Dispose()
    }

    function Get-Told($Receiver, [string] $Path) { @($Receiver.Got.ToArray() | Where-Object Path -EQ $Path | ForEach-Object Body) }
    function Get-Log([string] $Name) { @(Get-Content -LiteralPath (Join-Path $site.Logs "$Name-$([datetime]::UtcNow.ToString('yyyyMMdd')).log")) }
    function Get-Metric([string] $Pattern) { @(Get-Content -LiteralPath $metrics | Where-Object { $_ -match $Pattern }) }
    function Get-ExitCode([string] $Task) { $null = pwsh -NoProfile -NonInteractive -File $nightly -Module $env:BOTBACKUP_MODULE -Configuration $site.EnvFile -Task $Task; $LASTEXITCODE }
    # A store that is enabled and has no login.
    function Add-BrokenStore { Add-Setting $site 'ENABLE_GCS_BACKUP=true', 'GCS_BACKUP_BUCKET=bucket', 'STORES_CONFIG=local,gcs', "GOOGLE_APPLICATION_CREDENTIALS='$(Join-Path $site.Root 'nothing.json')'" }
}

Describe 'What a run is told' {
    BeforeEach {
        $site = New-Site
        $receiver = Start-Receiver
        $metrics = Join-Path $site.Root 'backup.prom'
        Add-Setting $site "METRICS_FILE='$metrics'", "WEBHOOK_URL=$($receiver.Url)/hook", "SLACK_WEBHOOK=$($receiver.Url)/services/T0/B0/secret", "HEALTHCHECK_URL=$($receiver.Url)/ping/secret"
    }
    AfterEach {
        Stop-Receiver $receiver
        Remove-Site $site
    }

    Context 'where a store fails' {
        BeforeEach {
            $null = Invoke-BotBackup Config
            $was = Get-Metric '^botbackup_last_success_timestamp_seconds\{.*store="local"'
            Add-BrokenStore
            $backup = Invoke-BotBackup Config -ErrorAction SilentlyContinue
        }

        It 'in the object' {
            "$($backup.Outcome)" | Should -Be 'Failed'
            "$(($backup.Stores | Where-Object Store -EQ 'local').Outcome)" | Should -Be 'Succeeded'
            "$(($backup.Stores | Where-Object Store -EQ 'gcs').Outcome)" | Should -Be 'Failed'
        }

        It 'in the log' {
            $log = Get-Log config-backup
            $log -match "\[SUCCESS\] \[$($backup.RunId)\] Config config in local: Succeeded" | Should -HaveCount 1
            $log -match "\[ERROR\] \[$($backup.RunId)\] Config config in gcs: Failed" | Should -HaveCount 1
            $log[-1] | Should -Match "\[ERROR\] \[$($backup.RunId)\] Invoke-BotBackup FAILED"
        }

        It 'in the metrics' {
            Get-Metric '^botbackup_success\{component="config",name="config",type="full",store="gcs"\} 0$' | Should -HaveCount 1
            Get-Metric '^botbackup_success\{component="config",name="config",type="full",store="local"\} 1$' | Should -HaveCount 1
            Get-Metric '^botbackup_last_success_timestamp_seconds\{.*store="gcs"' | Should -HaveCount 0
            Get-Metric '^botbackup_run_success\{kind="backup"\} 0$' | Should -HaveCount 1
            $was | Should -HaveCount 1
        }

        It 'in a notice and a ping' {
            $notice = @(Get-Told $receiver '/hook')[-1] | ConvertFrom-Json
            $notice.outcome | Should -Be 'Failed'
            $notice.run | Should -Be $backup.RunId
            @(Get-Told $receiver '/services/T0/B0/secret')[-1] | Should -Match 'FAILED.*gcs'
            Get-Told $receiver '/ping/secret/fail' | Should -HaveCount 1
        }

        It 'in the exit code' { Get-ExitCode system | Should -Be 1 }
    }

    Context 'where a proof fails' {
        BeforeEach {
            $backup = Invoke-BotBackup Config
            $null = $backup | Test-BotBackup -Depth Archive
            $was = Get-Metric '^botbackup_last_proof_timestamp_seconds'
            Add-Damage $backup 'a flipped byte'
            $proof = $backup | Test-BotBackup -Depth Archive -ErrorAction SilentlyContinue
        }

        It 'in the object' {
            "$($proof.Outcome)" | Should -Be 'Failed'
            "$($proof.Failure.Kind)" | Should -Be 'ChecksumMismatch'
            (Get-BotBackup Config).IsDamaged | Should -BeTrue
        }

        It 'in the log' {
            $log = Get-Log verify
            $log -match '\[ERROR\] \[[0-9a-f]{16}\] Config config in local: Failed \(ChecksumMismatch\)' | Should -HaveCount 1
            $log[-1] | Should -Match '\[ERROR\] \[[0-9a-f]{16}\] Test-BotBackup FAILED'
        }

        It 'in the metrics' {
            Get-Metric '^botbackup_proof_success\{component="config",name="config",store="local"\} 0$' | Should -HaveCount 1
            Get-Metric '^botbackup_last_proof_timestamp_seconds' | Should -Be $was
            Get-Metric '^botbackup_run_success\{kind="verification"\} 0$' | Should -HaveCount 1
        }

        It 'in a notice' {
            $notice = @(Get-Told $receiver '/hook')[-1] | ConvertFrom-Json
            $notice.kind | Should -Be 'Verification'
            $notice.results[0].failure | Should -Be 'ChecksumMismatch'
            $notice.results[0].location | Should -Be $backup.Location
        }

        It 'in the exit code' { Get-ExitCode verify | Should -Be 1 }
    }

    Context 'where a notice fails' {
        BeforeEach {
            Add-Setting $site 'NOTICE_ON=always'
            $null = $receiver.Refuse.TryAdd('/services/T0/B0/secret', 404)
            $backup = Invoke-BotBackup Config -WarningVariable warnings -WarningAction SilentlyContinue
        }

        It 'in the object, which is as it was, and a warning' {
            "$($backup.Outcome)" | Should -Be 'Succeeded'
            $warnings | Should -HaveCount 1
            "$warnings" | Should -Match '404'
            "$warnings" | Should -Not -Match 'B0/secret'
        }

        It 'in the log' {
            $log = Get-Log config-backup
            $log -match "\[WARN\] \[$($backup.RunId)\] .*404" | Should -HaveCount 1
            $log[-1] | Should -Match "\[SUCCESS\] \[$($backup.RunId)\] Invoke-BotBackup ended well"
            ($log -join "`n") | Should -Not -Match 'B0/secret'
        }

        It 'in the metrics' {
            Get-Metric '^botbackup_notice_success\{channel="slack"\} 0$' | Should -HaveCount 1
            Get-Metric '^botbackup_notice_failures_total\{channel="slack"\} 1$' | Should -HaveCount 1
            Get-Metric '^botbackup_notice_success\{channel="webhook"\} 1$' | Should -HaveCount 1
            Get-Metric '^botbackup_success\{.*\} 1$' | Should -HaveCount 1
            Get-Metric '^botbackup_run_success\{kind="backup"\} 1$' | Should -HaveCount 1
        }

        It 'in the notices of the other channels, which arrive' {
            (@(Get-Told $receiver '/hook')[-1] | ConvertFrom-Json).outcome | Should -Be 'Succeeded'
            Get-Told $receiver '/ping/secret' | Should -HaveCount 1
            Get-Told $receiver '/ping/secret/start' | Should -HaveCount 1
        }

        It 'in the exit code, which is 0' { Get-ExitCode system | Should -Be 0 }
    }

    Context 'where nothing fails' {
        It 'in every place' {
            $backup = Invoke-BotBackup Config
            "$($backup.Outcome)" | Should -Be 'Succeeded'
            (Get-Log config-backup)[-1] | Should -Match "\[SUCCESS\] \[$($backup.RunId)\] Invoke-BotBackup ended well"
            Get-Metric '^botbackup_success\{.*\} 1$' | Should -HaveCount 1
            Get-Told $receiver '/hook' | Should -HaveCount 0
            Get-Told $receiver '/ping/secret' | Should -HaveCount 1
            Get-ExitCode system | Should -Be 0
        }

        It 'with -WhatIf, nowhere' {
            Invoke-BotBackup Config -WhatIf
            $receiver.Got.Count | Should -Be 0
            $metrics | Should -Not -Exist
            $site.Logs | Should -Not -Exist
        }

        It 'a failure once, though it goes on, and its recovery once' {
            chmod 644 $site.Passphrase
            1..2 | ForEach-Object { $null = Get-Failure { Invoke-BotBackup Config } }
            Get-Told $receiver '/hook' | Should -HaveCount 1
            chmod 600 $site.Passphrase
            1..2 | ForEach-Object { $null = Invoke-BotBackup Config }
            $told = Get-Told $receiver '/hook'
            $told | Should -HaveCount 2
            ($told[-1] | ConvertFrom-Json).notice.reason | Should -Be 'Recovery'
            Get-Told $receiver '/ping/secret/fail' | Should -HaveCount 2
            Get-Told $receiver '/ping/secret' | Should -HaveCount 2
        }
    }

    Context 'where it could not start' {
        It 'in the exit code' {
            Set-Content -LiteralPath $site.EnvFile 'COMPRESSION=no-such-codec'
            Get-ExitCode system | Should -Be 2
            Get-ExitCode nothing | Should -Be 2
        }
    }
}
