#requires -Version 7.6
<#
.SYNOPSIS
The main job with the cmdlets: back up, prove, see damage found, lose the data, restore, compare.
.DESCRIPTION
Exit code: 0 only where every step was proven. Stage the module first:
dotnet build src/BotCore.Backup.Cmdlets -c Release -t:StageModule
.PARAMETER Keep
A folder, made when it is missing, that archive and passphrase are left in.
.PARAMETER Sabotage
Damage the archive before the proof. The script must then fail.
.PARAMETER Module
The staged module.
.EXAMPLE
./examples/QuickStart.ps1 -Keep ./kept
#>
param(
    [string] $Keep,
    [switch] $Sabotage,
    [string] $Module = (Join-Path $PSScriptRoot '../out/BotCore.Backup')
)

$ErrorActionPreference = 'Stop'
Set-StrictMode -Version Latest

function Write-Step([string] $Text) { Write-Host "`n== $Text" }

function New-Platform([string] $Root) {
    $null = New-Item -ItemType Directory -Path "$Root/config/strategies", "$Root/data/2025/11"
    Set-Content "$Root/.env" 'EXCHANGE=demo'
    1..20 | ForEach-Object { Set-Content ("$Root/config/strategies/grid {0:00}.json" -f $_) "{ `"levels`": $_ }" }
    Set-Content "$Root/config/strategies/évolution – 進化.json" '{ "population": 64 }'
    $null = New-Item -ItemType SymbolicLink -Path "$Root/config/active.json" -Target 'strategies/grid 07.json'
    [IO.File]::WriteAllBytes("$Root/data/2025/11/model.bin", [Security.Cryptography.RandomNumberGenerator]::GetBytes(3MB))
}

function Remove-Platform([string] $Root) {
    Remove-Item "$Root/config", "$Root/.env" -Recurse -Force
    Set-Content "$Root/data/2025/11/model.bin" 'encrypted by somebody else'
}

# One line for everything in a folder: name, kind, mode, time, SHA-256. Made without the module, which is on trial.
function Get-Record([string] $Root) {
    Get-ChildItem $Root -Recurse -Force | Sort-Object FullName | ForEach-Object {
        $content = $_.LinkTarget ?? ($_.PSIsContainer ? 'folder' : (Get-FileHash -LiteralPath $_.FullName).Hash)
        '{0}|{1}|{2}|{3}' -f [IO.Path]::GetRelativePath($Root, $_.FullName), $_.UnixMode, $_.LastWriteTimeUtc.Ticks, $content
    }
}

function Edit-OneByte([string] $File) {
    $stream = [IO.File]::Open($File, 'Open')
    try {
        $stream.Position = [long][Math]::Floor($stream.Length / 2)
        $value = $stream.ReadByte()
        $stream.Position--
        $stream.WriteByte($value -bxor 1)
    }
    finally { $stream.Dispose() }
}

function Invoke-Tour([string] $Scratch) {
    $platform = "$Scratch/platform"
    $passphrase = $Keep ? "$Keep/passphrase" : "$Scratch/passphrase"

    Write-Step 'A platform, a passphrase and settings'
    New-Platform $platform
    $before = Get-Record $platform
    if (-not (Test-Path -LiteralPath $passphrase)) { $null = New-BotBackupPassphrase $passphrase -WarningAction Ignore }
    $env:BOTBACKUP_CONFIGURATION = New-BotBackupConfiguration "$Scratch/botbackup.env" -ProjectRoot $platform -BackupDirectory "$Scratch/backups" -PassphraseFile $passphrase
    Add-Content $env:BOTBACKUP_CONFIGURATION 'CONFIG_PATHS=.env,config,data'
    Write-Host "$($before.Count) entries in $platform"

    Write-Step 'Backup'
    $backup = Invoke-BotBackup Config
    $backup | Out-Host
    if ($Sabotage) { Write-Host 'Sabotage: one byte of the archive is changed. What follows must fail.'; Edit-OneByte $backup.Location }
    if ($Keep) {
        Copy-Item "$($backup.Location)*" $Keep
        Write-Host "Kept in $Keep. Without this module:"
        Write-Host "gpg --batch --pinentry-mode loopback --passphrase-file '$passphrase' -d '$Keep/$(Split-Path -Leaf $backup.Location)' | tar tzv"
    }

    Write-Step 'Proof'
    $proof = $backup | Test-BotBackup -Depth Archive
    if ($proof.Outcome -ne 'Succeeded') { throw 'The backup was not proven.' }
    Write-Host $proof.Message

    Write-Step 'Proof of the proof'
    $null = New-Item -ItemType Directory "$Scratch/copy"
    Copy-Item "$($backup.Location)*" "$Scratch/copy"
    $copy = "$Scratch/copy/$(Split-Path -Leaf $backup.Location)"
    Edit-OneByte $copy
    if (Test-BotBackup -LiteralPath $copy -Depth Archive -Quiet) { throw 'One byte of a copy was changed, and the proof did not find it.' }
    Write-Host 'One byte of a copy was changed, and it was found.'

    Write-Step 'Disaster and restore'
    Remove-Platform $platform
    $lost = @(Compare-Object $before (@(Get-Record $platform))).Count
    Write-Host "$lost differences to what was there."
    $restore = $backup | Restore-BotBackup -Force
    if ($restore.Outcome -ne 'Succeeded') { throw 'The restore did not succeed.' }
    Write-Host "$($restore.Counts). What was overwritten is in $($restore.Snapshot)"

    Write-Step 'Comparison, file by file'
    $different = @(Compare-Object $before (Get-Record $platform))
    if ($different.Count -gt 0) { throw "Not what it was: $($different.InputObject -join '; ')" }
    Write-Host "All $($before.Count) entries are what they were: content, modes, times and links."
}

Import-Module $Module
if ($Keep) { $Keep = (New-Item -ItemType Directory -Force $Keep).FullName }
$scratch = [IO.Directory]::CreateTempSubdirectory('botbackup-quickstart-').FullName
$configured = $env:BOTBACKUP_CONFIGURATION
try {
    Invoke-Tour $scratch
    Write-Host "`nEvery step was proven."
    exit 0
}
catch {
    Write-Host "`nNOT PROVEN. $_"
    exit 1
}
finally {
    $env:BOTBACKUP_CONFIGURATION = $configured
    Remove-Item $scratch -Recurse -Force
}
