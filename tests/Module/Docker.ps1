# A real dockerd for tests of cmdlets, on a socket of its own. Dot-sourced after Site.ps1.

# Why there is none here; nothing where there is.
function Get-DockerHindrance {
    if (-not $IsLinux -or (id -u) -ne 0) { return 'root on Linux is needed' }
    foreach ($tool in 'dockerd', 'runc', 'busybox') {
        if (-not (Get-Command $tool, "/usr/sbin/$tool" -ErrorAction Ignore)) { return "$tool is not installed" }
    }
}

# Starts it, with busybox in it.
function Start-Dockerd {
    $folder = (New-Item -ItemType Directory -Path (Join-Path ([IO.Path]::GetTempPath()) "bb-eng-$([guid]::NewGuid().ToString('n').Substring(0, 8))")).FullName
    $socket = "$folder/engine.sock"
    $program = (Get-Command dockerd, /usr/sbin/dockerd -ErrorAction Ignore | Select-Object -First 1).Source
    $process = Start-Process -FilePath $program -PassThru -RedirectStandardError "$folder/log" -RedirectStandardOutput "$folder/out" -ArgumentList @(
        '--iptables=false', '--ip6tables=false', '--ip-forward=false', '--bridge=none', '--storage-driver=vfs', "--data-root=$folder/root", "--exec-root=$folder/exec", '-H', "unix://$socket", '-p', "$folder/pid")
    $server = [pscustomobject]@{ Folder = $folder; Socket = $socket; Process = $process }
    if (-not (Wait-Until { try { (Invoke-Engine $server GET _ping) -eq 'OK' } catch { $false } })) { throw "dockerd does not start: $([IO.File]::ReadAllText("$folder/log"))" }
    $null = New-Item -ItemType Directory "$folder/image/bin"
    Copy-Item (Get-Command busybox).Source "$folder/image/bin/busybox"
    tar -C "$folder/image" -cf "$folder/image.tar" bin
    $null = Invoke-RestMethod -UnixSocket $socket -Method Post -Uri 'http://engine/images/create?fromSrc=-&repo=localhost/busybox&tag=1' -InFile "$folder/image.tar" -ContentType application/x-tar
    $server
}

function Invoke-Engine($Server, [string] $Method, [string] $Path, $Body) {
    $more = if ($Body) { @{ Body = ConvertTo-Json $Body -Depth 5; ContentType = 'application/json' } } else { @{} }
    Invoke-RestMethod -UnixSocket $Server.Socket -Method $Method -Uri "http://engine/$Path" @more
}

# A running container that mounts a volume.
function Start-Container($Server, [string] $Name, [string] $Volume) {
    $id = (Invoke-Engine $Server POST "containers/create?name=$Name" @{
            Image = 'localhost/busybox:1'; Cmd = @('/bin/busybox', 'sleep', '100000'); HostConfig = @{ Binds = @("${Volume}:/data"); NetworkMode = 'none' }
        }).Id
    $null = Invoke-Engine $Server POST "containers/$id/start"
    $id
}

function Get-ContainerState($Server, [string] $Id) { (Invoke-Engine $Server GET "containers/$Id/json").State.Status }

function Stop-Dockerd($Server) {
    if (-not $Server) { return }
    if (-not $Server.Process.HasExited) {
        foreach ($container in @(Invoke-Engine $Server GET 'containers/json?all=1') | Where-Object Id) { $null = Invoke-Engine $Server DELETE "containers/$($container.Id)?force=1" }
        kill -TERM $Server.Process.Id
        $Server.Process.WaitForExit()
    }
    foreach ($line in [IO.File]::ReadAllLines('/proc/mounts')) {
        $place = $line.Split(' ')[1]
        if ($place.StartsWith("$($Server.Folder)/")) { umount -l $place }
    }
    rm -rf --one-file-system $Server.Folder
}
