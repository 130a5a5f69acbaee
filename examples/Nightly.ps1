#requires -Version 7.6
<#
.SYNOPSIS
The night's work, or single tasks of the timetable, for cron, systemd and the Task Scheduler.
.DESCRIPTION
Without -Task: the full backup of the database and everything else, as far as they are configured, proofs, the clean-up and the report, in that order. A task that fails does not keep the next one from its work, with one exception: where a backup or a proof
failed, nothing is removed that night.

incremental   what was written to the database since the last increment; a full backup where there is nothing to go on from
full          the database
system        configuration files, volumes and folders, models: what is configured of them
verify        proves archives to their end for as long as -Budget says, those that wait longest or matter most first
restore-test  restores the newest backup of the database and the configuration into scratch and compares
drill         rehearses every disaster that can happen to what is configured, and measures how long a recovery takes
clean-up      removes what the policy lets go
health        asks how the backups are
report        writes the verification report, appends the daily one and mails it where EMAIL_RECIPIENT is set

Exit code: 0 only where everything that was asked for was done and proven; 1 where something failed, is unproven or is not healthy; 2 where it could not start.
.PARAMETER Task
Tasks by name, separated by commas.
.PARAMETER Configuration
A .env file; else as every command finds it.
.PARAMETER Budget
The time that 'verify' may take.
.PARAMETER Module
The module, where it is not installed and this script does not lie in its folder.
.EXAMPLE
pwsh -NoProfile -NonInteractive -File Nightly.ps1 -Configuration /srv/botcore/.env
.EXAMPLE
pwsh -NoProfile -NonInteractive -File Nightly.ps1 -Task full,verify
#>
param(
    [string[]] $Task = @('full', 'system', 'verify', 'clean-up', 'report'),
    [string] $Configuration,
    [string] $Budget = '30min',
    [string] $Module
)

$ErrorActionPreference = 'Stop'
$known = 'incremental', 'full', 'system', 'verify', 'restore-test', 'drill', 'clean-up', 'health', 'report'

try {
    # pwsh -File gives a list as one word.
    $tasks = @($Task -split ',' | ForEach-Object Trim | Where-Object { $_ })
    $strange = @($tasks | Where-Object { $_ -notin $known })
    if ($strange -or -not $tasks) { throw "There is no task '$($strange -join "', '")'. There are: $($known -join ', ')." }
    $beside = Join-Path $PSScriptRoot '../BotCore.Backup.psd1'
    Import-Module $(if ($Module) { $Module } elseif (Test-Path -LiteralPath (Join-Path $PSScriptRoot '../BotCore.Backup.Cmdlets.dll')) { $beside } else { 'BotCore.Backup' })
    $common = if ($Configuration) { @{ Configuration = $Configuration } } else { @{} }
    # Settings that cannot be read are found here, before anything is done.
    $settings = Get-BotBackupConfiguration @common
    $common = @{ Configuration = $settings }
}
catch {
    [Console]::Error.WriteLine("$(Get-Date -AsUTC -Format 'yyyy-MM-dd HH:mm:ss') It could not start: $_")
    exit 2
}

# Good is what says so; nothing at all is not.
function Test-Good($Result) {
    switch ($Result.GetType().Name) {
        'BotBackupHealth' { $Result.State -eq 'Healthy' }
        'FileInfo' { $true }
        'BotBackupRemoval' { $Result.Outcome -eq 'Succeeded' -or ($Result.Outcome -eq 'Skipped' -and $Result.Rule -eq 'Locked') }
        default { $Result.Outcome -eq 'Succeeded' -or ($Result.Outcome -eq 'Skipped' -and $Result.Reason -eq 'Unchanged') }
    }
}

function Invoke-Task([string] $Name, [scriptblock] $Work, [switch] $MayBeNothing) {
    $started = [datetime]::UtcNow
    $results = [Collections.Generic.List[object]]::new()
    $errors = [Collections.Generic.List[object]]::new()
    try {
        $ErrorActionPreference = 'Continue'
        & $Work 2>&1 3>&1 | ForEach-Object {
            if ($_ -is [Management.Automation.ErrorRecord]) { $errors.Add($_) } elseif ($_ -is [Management.Automation.WarningRecord]) { Write-Host "  WARNING $_" } else { $results.Add($_) }
        }
    }
    catch { $errors.Add($_) }
    $bad = @($results | Where-Object { -not (Test-Good $_) })
    $good = $errors.Count -eq 0 -and $bad.Count -eq 0 -and ($MayBeNothing -or $results.Count -gt 0)
    foreach ($one in $bad) { Write-Host "  NOT GOOD $one" }
    foreach ($one in $errors) { Write-Host "  ERROR $($one.FullyQualifiedErrorId): $one" }
    $took = ([datetime]::UtcNow - $started).TotalSeconds.ToString('0.0', [cultureinfo]::InvariantCulture)
    Write-Host "$($started.ToString("yyyy-MM-dd HH:mm:ss'Z'", [cultureinfo]::InvariantCulture)) $Name $(if ($good) { 'good' } else { 'FAILED' }), $($results.Count) results, $took s"
    $good
}

$system = @(
    if (-not $settings.ConfigPathsAreDefault -or ($settings.ConfigPaths | Where-Object { Test-Path -LiteralPath $_ })) { 'Config' }
    if ($settings.Volumes -or $settings.Directories) { 'Volume' }
    if ($settings.ModelPaths) { 'Model' }
)
if (-not $PSBoundParameters.ContainsKey('Task')) { $tasks = @($tasks | Where-Object { ($_ -ne 'full' -or $settings.DatabaseUrl) -and ($_ -ne 'system' -or $system) }) }
$allGood = $true
$mayRemove = $true
foreach ($name in $tasks) {
    $good = switch ($name) {
        'incremental' { Invoke-Task $name { Invoke-BotBackup MongoDb -Type Incremental -OnGap Full @common } }
        'full' { Invoke-Task $name { Invoke-BotBackup MongoDb @common } }
        'system' { Invoke-Task $name { Invoke-BotBackup $system @common } }
        'verify' { Invoke-Task $name { Test-BotBackup -Budget $Budget -Depth Archive @common } }
        'restore-test' { Invoke-Task $name { Get-BotBackup MongoDb, Config -Latest @common | Test-BotBackup -Depth Restore @common } }
        'drill' {
            Invoke-Task $name {
                $drills = Invoke-BotBackupDrill All -Automated @common
                $drills
                if ($drills) { $drills | Export-BotBackupReport @common }
            }
        }
        'health' {
            Invoke-Task $name {
                if ($settings.MetricsFile) { Export-BotBackupMetric @common }
                Test-BotBackupHealth @common
            }
        }
        'report' {
            Invoke-Task $name {
                Export-BotBackupReport @common
                Export-BotBackupReport -As Daily @common
                if ($settings.EmailRecipients) { Get-BotBackupStatus -AsText @common | Send-BotBackupNotice -Subject "Daily backup report of $([Environment]::MachineName)" -Channel email @common }
            }
        }
        'clean-up' {
            if ($mayRemove) { Invoke-Task $name { Remove-BotBackupExpired -Force @common } -MayBeNothing }
            else {
                Write-Host 'clean-up was left out: a backup or a proof failed, so nothing is removed.'
                $false
            }
        }
    }
    $allGood = $allGood -and $good
    if (-not $good -and $name -in 'incremental', 'full', 'system', 'verify', 'restore-test', 'drill') { $mayRemove = $false }
}

exit $(if ($allGood) { 0 } else { 1 })
