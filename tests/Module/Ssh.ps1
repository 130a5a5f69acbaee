# An SFTP server for tests of cmdlets: the system's own sshd on a loopback port, with keys of its own. Dot-sourced after Site.ps1.

# Where Debian puts it; it wants to be started by its full path.
function Find-Sshd { (Get-Command sshd, /usr/sbin/sshd -ErrorAction Ignore | Select-Object -First 1).Source }

# Starts it below a site's folder, and gives the settings that lead to it.
function Start-Sshd($Site) {
    $folder = (New-Item -ItemType Directory -Path (Join-Path ([IO.Path]::GetTempPath()) "bb-sshd-$([guid]::NewGuid().ToString('n'))")).FullName
    chmod 700 $folder
    $null = New-Item -ItemType Directory -Force -Path /run/sshd
    $port = & {
        $listener = [Net.Sockets.TcpListener]::new([Net.IPAddress]::Loopback, 0)
        $listener.Start()
        $listener.LocalEndpoint.Port
        $listener.Stop()
    }
    foreach ($key in 'host', 'user') { ssh-keygen -q -t ed25519 -N '' -f "$folder/$key" }
    Copy-Item "$folder/user.pub" "$folder/authorized"
    $words = [IO.File]::ReadAllText("$folder/host.pub").Split(' ')
    [IO.File]::WriteAllText("$folder/known", "[127.0.0.1]:$port $($words[0]) $($words[1])`n")
    [IO.File]::WriteAllLines("$folder/config", [string[]] @(
            "Port $port", 'ListenAddress 127.0.0.1', "HostKey $folder/host", "AuthorizedKeysFile $folder/authorized", "PidFile $folder/pid"
            'UsePAM no', 'StrictModes no', 'PasswordAuthentication no', 'PermitRootLogin yes', 'Subsystem sftp internal-sftp'))
    $process = Start-Process -FilePath (Find-Sshd) -ArgumentList '-D', '-f', "$folder/config", '-E', "$folder/log" -PassThru
    $isUp = Wait-Until {
        try { [Net.Sockets.TcpClient]::new('127.0.0.1', $port).Dispose(); $true } catch { $false }
    }
    if (-not $isUp) { throw "sshd does not start: $([IO.File]::ReadAllText("$folder/log"))" }
    [pscustomobject]@{
        Folder  = $folder
        Process = $process
        Data    = "$folder/data"
        Setting = @(
            'ENABLE_SFTP_BACKUP=true', 'SFTP_HOST=127.0.0.1', "SFTP_PORT=$port", "SFTP_USER=$([Environment]::UserName)", "SFTP_DIR=$folder/data"
            "SFTP_SSH_KEY=$folder/user", "SFTP_KNOWN_HOSTS=$folder/known")
    }
}

function Stop-Sshd($Server) {
    if ($Server) {
        if (-not $Server.Process.HasExited) { $Server.Process.Kill($true) }
        $Server.Process.WaitForExit()
        Remove-Item -LiteralPath $Server.Folder -Recurse -Force
    }
}
