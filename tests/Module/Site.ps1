# What every test of a cmdlet needs: a platform of its own with settings, a passphrase and a store, and ways to damage an archive.
# Dot-sourced in BeforeAll. Nothing is shared between tests: each has a site, made in BeforeEach and removed in AfterEach.

$ErrorActionPreference = 'Stop'

if (-not $env:BOTBACKUP_MODULE) {
    throw 'Set BOTBACKUP_MODULE to the folder of the staged module, or run tests/run.sh.'
}

Import-Module $env:BOTBACKUP_MODULE

# A folder of its own below the temporary folder, with a blank in its name, as admins have them.
function New-Site {
    param([string[]] $Setting = @())

    $root = Join-Path ([IO.Path]::GetTempPath()) "botbackup pester $([guid]::NewGuid().ToString('n'))"
    $site = [pscustomobject]@{
        Root       = $root
        Platform   = Join-Path $root 'platform'
        Store      = Join-Path $root 'store'
        Logs       = Join-Path $root 'logs'
        Data       = Join-Path $root 'redis-data'
        Passphrase = Join-Path $root 'passphrase'
        EnvFile    = Join-Path $root 'platform/.env'
        Secret     = 'correct horse battery staple 42'
        Outside    = Join-Path $root 'outside'
        Was        = $env:BOTBACKUP_CONFIGURATION
    }
    $null = New-Item -ItemType Directory -Path $site.Platform, $site.Data, (Join-Path $site.Platform 'config/nested'), $site.Outside
    [IO.File]::WriteAllText((Join-Path $site.Platform 'config/app.json'), "{ `"port`": 8080 }`n")
    [IO.File]::WriteAllText((Join-Path $site.Platform 'config/nested/ünïcode näme.txt'), "a file with a name`n")
    [IO.File]::WriteAllText((Join-Path $site.Platform 'docker-compose.yml'), "services: {}`n")
    # Does not compress, so that the archive has room to be damaged in.
    [IO.File]::WriteAllBytes((Join-Path $site.Platform 'config/noise.bin'), [Security.Cryptography.RandomNumberGenerator]::GetBytes(200000))
    [IO.File]::WriteAllText((Join-Path $site.Data 'dump.rdb'), "REDIS0011`n")
    [IO.File]::WriteAllText($site.Passphrase, "$($site.Secret)`n")
    chmod 600 $site.Passphrase
    Set-Setting $site (@(
            "BACKUP_DIR='$($site.Store)'"
            "LOG_DIR='$($site.Logs)'"
            "GPG_PASSPHRASE_FILE='$($site.Passphrase)'"
            'CONFIG_PATHS=config,docker-compose.yml'
            "BACKUP_DIRECTORIES='redis_data=`"$($site.Data)`"'"
        ) + $Setting)
    $env:BOTBACKUP_CONFIGURATION = $site.EnvFile
    $site
}

function Remove-Site($Site) {
    $env:BOTBACKUP_CONFIGURATION = $Site.Was
    Remove-Item -LiteralPath $Site.Root -Recurse -Force
}

# Writes the .env file; of two lines with one key the later one counts.
function Set-Setting($Site, [string[]] $Line) {
    $lines = [ordered]@{}
    foreach ($one in $Line) { $lines[$one.Split('=')[0]] = $one }
    [IO.File]::WriteAllLines($Site.EnvFile, [string[]] $lines.Values)
    chmod 600 $Site.EnvFile
}

function Add-Setting($Site, [string[]] $Line) {
    Set-Setting $Site (@([IO.File]::ReadAllLines($Site.EnvFile)) + $Line)
}

# All that is in a folder as text: names, modes, link targets and hashes. Two folders are alike where the texts are. Records of proofs are left out, the marks of readers, since whoever reads an archive may leave one, and logs.
function Get-Print([string] $Folder) {
    if (-not (Test-Path -LiteralPath $Folder)) { return '(nothing)' }
    $logs = Join-Path $Folder 'logs'
    $lines = foreach ($item in Get-ChildItem -LiteralPath $Folder -Recurse -Force | Where-Object { $_.Name -notmatch '\.proof\.\d{8}_\d{6}Z|^reading-\d\.lease$' -and -not $_.FullName.StartsWith($logs) }) {
        $hash = if ($item -is [IO.FileInfo] -and -not $item.LinkTarget) { (Get-FileHash -LiteralPath $item.FullName).Hash } else { "$($item.LinkTarget)" }
        "$($item.FullName.Substring($Folder.Length)) $($item.UnixMode) $hash"
    }
    ($lines | Sort-Object -CaseSensitive) -join "`n"
}

# Every error of a command, those that end it included.
function Get-Failure([scriptblock] $Command) {
    $ErrorActionPreference = 'Continue'
    try { & $Command 2>&1 | Where-Object { $_ -is [Management.Automation.ErrorRecord] } } catch { $_ }
}

# Every word of a command, on all streams, secrets and errors included.
function Get-Word([scriptblock] $Command) {
    $ErrorActionPreference = 'Continue'
    $VerbosePreference = 'Continue'
    $DebugPreference = 'Continue'
    $words = try { & $Command *>&1 } catch { $_ }
    $shown = foreach ($word in $words) {
        $word | Out-String
        $word | Format-List -Property * -Force | Out-String
        if ($word -is [Management.Automation.ErrorRecord]) { $word.Exception | Format-List -Property * -Force | Out-String; "$($word.Exception)"; "$($word.ErrorDetails)" }
    }
    $shown -join "`n"
}

# One error as DESIGN.md section 7 asks for it.
function Assert-Failure($Failure, [string] $Kind, [string] $Category) {
    $Failure | Should -HaveCount 1 -Because "one $Kind is expected, and there are: $($Failure | ForEach-Object FullyQualifiedErrorId)"
    $Failure.FullyQualifiedErrorId | Should -BeLike "$Kind,*"
    $Failure.CategoryInfo.Category | Should -Be $Category
    $Failure.Exception | Should -BeOfType BotCore.Backup.Engine.Events.BackupException
    $Failure.ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
    $Failure.ErrorDetails.Message | Should -BeLike "*$($Failure.Exception.Message)*"
}

function New-SecureText([string] $Text) {
    ConvertTo-SecureString -String $Text -AsPlainText -Force
}

# The bytes of a file, changed by a script block that gets them as $args[0] and gives them back.
function Edit-Byte([string] $Path, [scriptblock] $Change) {
    $mode = (Get-Item -LiteralPath $Path).UnixFileMode
    $bytes = [IO.File]::ReadAllBytes($Path)
    [IO.File]::WriteAllBytes($Path, [byte[]] (& $Change $bytes))
    [IO.File]::SetUnixFileMode($Path, $mode)
}

# Damages a backup in one of the ways that the suite knows.
function Add-Damage($Backup, [string] $Way) {
    $archive = $Backup.Location
    $manifest = "$archive.manifest.json"
    switch ($Way) {
        'a flipped byte' { Edit-Byte $archive { $bytes = $args[0]; $bytes[$bytes.Length / 2] = $bytes[$bytes.Length / 2] -bxor 1; , $bytes } }
        'a cut end' { Edit-Byte $archive { , $args[0][0..($args[0].Length - 1000)] } }
        'no manifest' { Remove-Item -LiteralPath $manifest }
        'an edited manifest' {
            $text = [IO.File]::ReadAllText($manifest)
            $edited = $text -replace '"host": "[^"]*"', '"host": "elsewhere"'
            if ($edited -ceq $text) { throw 'Nothing was edited.' }
            [IO.File]::WriteAllText($manifest, $edited)
        }
        'a manifest that is no JSON' { [IO.File]::WriteAllText($manifest, '{ "format": 1,') }
        'a flipped byte with every hash recomputed' {
            $before = (Get-FileHash -LiteralPath $archive).Hash.ToLowerInvariant()
            Add-Damage $Backup 'a flipped byte'
            $after = (Get-FileHash -LiteralPath $archive).Hash.ToLowerInvariant()
            foreach ($file in $manifest, "$archive.sha256") {
                [IO.File]::WriteAllText($file, [IO.File]::ReadAllText($file).Replace($before, $after))
            }
        }
        'a damaged index' { Edit-Byte "$archive.index" { $bytes = $args[0]; $bytes[$bytes.Length - 30] = $bytes[$bytes.Length - 30] -bxor 1; , $bytes } }
        default { throw "No such damage: $Way" }
    }
}

# Waits until a condition holds; true where it came to hold in time.
function Wait-Until([scriptblock] $Condition, [int] $Seconds = 60) {
    $clock = [Diagnostics.Stopwatch]::StartNew()
    while (-not (& $Condition)) {
        if ($clock.Elapsed.TotalSeconds -gt $Seconds) { return $false }
        [Threading.Thread]::Sleep(5)
    }
    $true
}

# Starts a pwsh of its own with the module loaded. SIGINT is set back to its default: a shell that starts jobs in the background leaves it ignored.
function Start-Child([string] $Command, [hashtable] $Environment = @{}) {
    $start = [Diagnostics.ProcessStartInfo]::new('env')
    foreach ($argument in '--default-signal=INT', 'pwsh', '-NoProfile', '-NonInteractive', '-Command', "Import-Module '$env:BOTBACKUP_MODULE'; $Command") {
        $start.ArgumentList.Add($argument)
    }
    foreach ($name in $Environment.Keys) { $start.Environment[$name] = $Environment[$name] }
    $start.RedirectStandardOutput = $true
    $start.RedirectStandardError = $true
    [Diagnostics.Process]::Start($start)
}

# What only stands in a store while a run is under way, or after one died.
function Get-Leftover($Site) {
    if (Test-Path -LiteralPath $Site.Store) {
        Get-ChildItem -LiteralPath $Site.Store -Recurse -Force -File | Where-Object Name -Match '\.(partial|intent)$'
    }
}
