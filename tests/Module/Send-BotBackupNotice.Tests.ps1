BeforeAll {
    . (Join-Path $PSScriptRoot 'Site.ps1')

    # Keeps what it is sent, and answers 404 to whatever has "refuse" in its path.
    function Start-Receiver {
        $listener = [Net.Sockets.TcpListener]::new([Net.IPAddress]::Loopback, 0)
        $listener.Start()
        $receiver = [pscustomobject]@{ Url = "http://127.0.0.1:$($listener.LocalEndpoint.Port)"; Listener = $listener; Got = [Collections.Concurrent.ConcurrentQueue[object]]::new(); Shell = [powershell]::Create() }
        $null = $receiver.Shell.AddScript({
                param($Receiver)
                while ($true) {
                    try { $client = $Receiver.Listener.AcceptTcpClient() } catch { break }
                    $reader = [IO.StreamReader]::new($client.GetStream())
                    $path = $reader.ReadLine().Split(' ')[1]
                    $length = 0
                    while ($line = $reader.ReadLine()) { if ($line -match '^Content-Length: (\d+)') { $length = [int] $Matches[1] } }
                    $body = [char[]]::new($length)
                    $read = if ($length) { $reader.ReadBlock($body, 0, $length) } else { 0 }
                    $Receiver.Got.Enqueue([pscustomobject]@{ Path = $path; Body = [string]::new($body, 0, $read) })
                    $status = if ($path -match 'refuse') { '404 Not Found' } else { '200 OK' }
                    $client.GetStream().Write([Text.Encoding]::ASCII.GetBytes("HTTP/1.1 $status`r`nContent-Length: 2`r`nConnection: close`r`n`r`nok"))
                    $client.Dispose()
                }
            }).AddArgument($receiver)
        $null = $receiver.Shell.BeginInvoke()
        $receiver
    }
}

Describe 'Send-BotBackupNotice' {
    BeforeEach {
        $site = New-Site
        $receiver = Start-Receiver
    }
    AfterEach {
        $receiver.Listener.Stop()
        $receiver.Shell.Dispose()
        Remove-Site $site
    }

    It 'sends a text to every channel, and lines from the pipeline as one' {
        Add-Setting $site "SLACK_WEBHOOK=$($receiver.Url)/slack/hunter2", "WEBHOOK_URL=$($receiver.Url)/hook/hunter2"
        $sent = Send-BotBackupNotice 'The disk was changed.' -Subject 'Disk'
        $sent.Channel | Should -Be 'slack', 'webhook'
        $sent.Outcome | ForEach-Object { "$_" } | Should -Be 'Succeeded', 'Succeeded'
        $sent[0].Subject | Should -Be 'Disk'
        $got = $receiver.Got.ToArray()
        ($got | Where-Object Path -EQ '/slack/hunter2').Body | ConvertFrom-Json | ForEach-Object text | Should -Be "Disk`nThe disk was changed.`n"
        $notice = ($got | Where-Object Path -EQ '/hook/hunter2').Body | ConvertFrom-Json
        $notice.notice.reason | Should -Be 'Message'
        $notice.host | Should -Be ([Environment]::MachineName)

        $receiver.Got.Clear()
        'one', 'two' | Send-BotBackupNotice -Channel webhook | Should -HaveCount 1
        $only = @($receiver.Got.ToArray())
        $only | Should -HaveCount 1
        ($only[0].Body | ConvertFrom-Json).notice.text | Should -Be "one`ntwo`n"
    }

    It 'sends nothing with -WhatIf, and nothing of nothing' {
        Add-Setting $site "SLACK_WEBHOOK=$($receiver.Url)/slack"
        Send-BotBackupNotice 'text' -WhatIf | Should -BeNullOrEmpty
        @() | Send-BotBackupNotice | Should -BeNullOrEmpty
        $receiver.Got.Count | Should -Be 0
    }

    It 'tells each channel that fails, without its secret, and goes on' {
        Add-Setting $site "SLACK_WEBHOOK=$($receiver.Url)/refuse/hunter2", "WEBHOOK_URL=$($receiver.Url)/hook"
        $sent = Send-BotBackupNotice 'text' -ErrorVariable failed -ErrorAction SilentlyContinue
        $sent.Outcome | ForEach-Object { "$_" } | Should -Be 'Failed', 'Succeeded'
        $failed | Should -HaveCount 1
        $failed[0].FullyQualifiedErrorId | Should -Match '^NoticeFailed'
        $failed[0].CategoryInfo.Category | Should -Be 'ConnectionError'
        "$($failed[0] | Format-List * -Force | Out-String) $($sent | Format-List * | Out-String)" | Should -Not -Match 'hunter2'
        ($sent | Out-String) | Should -Match 'slack.*Failed.*NoticeFailed'
    }

    It 'finds what talks to mail servers in the staged module' {
        Add-Setting $site 'EMAIL_RECIPIENT=ops@example.org', 'SMTP_HOST=localhost', 'SMTP_PORT=1'
        $sent = Send-BotBackupNotice 'text' -ErrorAction SilentlyContinue
        "$($sent.Failure.Kind)" | Should -Be 'NoticeFailed'
        $sent.Failure.Message | Should -Match 'localhost:1 could not be reached'
        [Runtime.Loader.AssemblyLoadContext]::Default.Assemblies.GetName().Name | Should -Not -Contain 'MailKit'
    }

    It 'tries every channel with -Test, and asks the healthcheck in a way that changes nothing there' {
        Add-Setting $site "SLACK_WEBHOOK=$($receiver.Url)/slack", "HEALTHCHECK_URL=$($receiver.Url)/ping/hunter2?create=1"
        (Send-BotBackupNotice -Test).Channel | Should -Be 'slack', 'ping'
        $receiver.Got.ToArray().Path | Should -Contain '/ping/hunter2/log?create=1'
        $receiver.Got.Clear()
        (Send-BotBackupNotice -Test -Channel slack).Channel | Should -Be 'slack'
    }

    It 'says what is not configured' {
        Assert-Failure (Get-Failure { Send-BotBackupNotice 'text' }) ConfigurationMissing ObjectNotFound
        Add-Setting $site "WEBHOOK_URL=$($receiver.Url)/hook"
        Assert-Failure (Get-Failure { Send-BotBackupNotice 'text' -Channel email }) ConfigurationMissing ObjectNotFound
        Add-Setting $site 'ENABLE_NOTIFICATIONS=false'
        Assert-Failure (Get-Failure { Send-BotBackupNotice 'text' }) ConfigurationInvalid InvalidArgument
    }
}
