#requires -Version 7.6
<#
.SYNOPSIS
The main job with the cmdlets: back up, prove, see damage found, lose the data, restore, compare; then the same for a database, on the Sandbox.
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
    $env:BOTBACKUP_CONFIGURATION = New-BotBackupConfiguration "$Scratch/botbackup.env" -ProjectRoot $platform -BackupDirectory "$Scratch/backups" -LogDirectory "$Scratch/logs" -PassphraseFile $passphrase
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

# Runs a command on the database; documents are Extended JSON.
function Invoke-Database($Client, [string] $Database, [string] $Command, $Value, [string] $Name, [string[]] $Document) {
    $json = [BotCore.Backup.Protocols.MongoDb.Bson.ExtendedJson]
    $builder = [BotCore.Backup.Protocols.MongoDb.Bson.BsonBuilder]::new().Append($Command, $Value)
    if ($Name) {
        $builder = $builder.BeginArray($Name)
        for ($i = 0; $i -lt $Document.Count; $i++) { $builder = $builder.Append("$i", $json::Read($Document[$i])) }
        $builder = $builder.End()
    }
    $json::ToText($Client.Run($Database, $builder, [Threading.CancellationToken]::None))
}

# All documents of the two collections, in a fixed order. Read over the wire, without the cmdlets, which are on trial.
function Get-DatabaseRecord($Client, [string] $Database) {
    foreach ($collection in 'users', 'trades') {
        $answer = Invoke-Database $Client $Database find $collection | ConvertFrom-Json
        $answer.cursor.firstBatch | ForEach-Object { "$collection $(ConvertTo-Json $_ -Compress -Depth 20)" } | Sort-Object
    }
}

function Invoke-DatabaseTour {
    Write-Step 'A database, on the Sandbox: no mongod, all in memory'
    $server = [BotCore.Backup.Engine.Outside.Scratch.ScratchServers]::Start()
    $types = 'BotCore.Backup.Protocols.MongoDb'
    $client = ("$types.MongoClient" -as [type])::Connect(("$types.MongoConnectionString" -as [type])::Parse($server.ConnectionString), ("$types.MongoClientOptions" -as [type])::new(), [Threading.CancellationToken]::None)
    try {
        $null = Invoke-Database $client bot_core insert users documents '{ "_id": "ada" }', '{ "_id": "grace" }'
        $null = Invoke-Database $client bot_core insert trades documents (1..90 | ForEach-Object { "{ `"_id`": { `"`$numberInt`": `"$_`" }, `"symbol`": `"BTC`" }" })
        foreach ($needed in 'portfolios', 'strategies') { $null = Invoke-Database $client bot_core insert $needed documents '{ "_id": 1 }' }
        $before = Get-DatabaseRecord $client bot_core
        Add-Content $env:BOTBACKUP_CONFIGURATION "DATABASE_URL='$($server.ConnectionString.Replace('/?', '/bot_core?'))'"
        Write-Host "$($before.Count) documents in $($server.ConnectionString)"

        Write-Step 'Backup and proof of the database'
        $backup = Invoke-BotBackup MongoDb
        $backup | Out-Host
        $proof = $backup | Test-BotBackup -Depth Archive
        if ($proof.Outcome -ne 'Succeeded' -or -not $backup.Manifest.MongoDb.Consistent) { throw 'The backup of the database was not proven.' }
        Write-Host $proof.Message

        Write-Step 'Restore into another database'
        $restore = $backup | Restore-BotBackup -Destination $server.ConnectionString.Replace('/?', '/rehearsal?') -Force
        if (Compare-Object $before (Get-DatabaseRecord $client rehearsal)) { throw 'What was restored beside is not what was backed up.' }
        Write-Host "$($restore.Counts): every document is the same."

        Write-Step 'Disaster in the database, restore, and undo'
        $null = Invoke-Database $client bot_core drop users
        $null = Invoke-Database $client bot_core delete trades deletes '{ "q": { "_id": { "$gt": { "$numberInt": "40" } } }, "limit": { "$numberInt": "0" } }'
        $damaged = Get-DatabaseRecord $client bot_core
        $restore = $backup | Restore-BotBackup -Force
        if (Compare-Object $before (Get-DatabaseRecord $client bot_core)) { throw 'The database is not what it was.' }
        Write-Host "All $($before.Count) documents are back. What was replaced is in $($restore.Snapshot)"
        $null = $restore | Undo-BotRestore -Force
        if (Compare-Object $damaged (Get-DatabaseRecord $client bot_core)) { throw 'The undo did not bring back what was replaced.' }
        Write-Host "Undone: $($damaged.Count) documents, as the disaster left them."
    }
    finally {
        $client.Dispose()
        $server.Dispose()
    }
}

Import-Module $Module
if ($Keep) { $Keep = (New-Item -ItemType Directory -Force $Keep).FullName }
$scratch = [IO.Directory]::CreateTempSubdirectory('botbackup-quickstart-').FullName
$configured = $env:BOTBACKUP_CONFIGURATION
try {
    Invoke-Tour $scratch
    Invoke-DatabaseTour
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
