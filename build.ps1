#Requires -Version 7.6
<#
.SYNOPSIS
    Builds, stages, tests and packages BotCore.Backup; thin over dotnet.
.DESCRIPTION
    Build    the whole solution.
    Stage    out/BotCore.Backup, ready for Import-Module. A loaded module cannot be replaced: import it in a pwsh of its own.
    Test     tests/run.sh, the one test command (bash).
    Package  artifacts/BotCore.Backup.<version>.zip with its .sha256: the staged module, to be unpacked into a folder of $env:PSModulePath.
.EXAMPLE
    ./build.ps1 -Task Build, Test
.EXAMPLE
    ./build.ps1 Stage; pwsh -NoProfile -Command 'Import-Module ./out/BotCore.Backup; Get-Command -Module BotCore.Backup'
#>
[CmdletBinding()]
param(
    [Parameter(Position = 0)]
    [ValidateSet('Build', 'Stage', 'Test', 'Package')]
    [string[]] $Task = 'Build',

    [ValidateSet('Release', 'Debug')]
    [string] $Configuration = 'Release'
)

$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $true
Set-StrictMode -Version Latest

$cmdlets = Join-Path $PSScriptRoot 'src/BotCore.Backup.Cmdlets'

function Invoke-Stage([string] $Folder) {
    dotnet build $cmdlets -c $Configuration --nologo -v quiet -t:StageModule "-p:StageFolder=$Folder/"
}

function Invoke-Package {
    $artifacts = Join-Path $PSScriptRoot 'artifacts'
    $module = Join-Path $artifacts 'BotCore.Backup'
    Invoke-Stage $module
    $version = (Import-PowerShellDataFile (Join-Path $module 'BotCore.Backup.psd1')).ModuleVersion
    $package = Join-Path $artifacts "BotCore.Backup.$version.zip"
    Compress-Archive -Path $module -DestinationPath $package -Force
    $hash = (Get-FileHash -Algorithm SHA256 -LiteralPath $package).Hash.ToLowerInvariant()
    [IO.File]::WriteAllText("$package.sha256", "$hash  $(Split-Path -Leaf $package)`n")
    Get-Item -LiteralPath $package
}

foreach ($step in $Task) {
    switch ($step) {
        'Build' { dotnet build (Join-Path $PSScriptRoot 'BotCore.Backup.sln') -c $Configuration --nologo -v quiet }
        'Stage' { Invoke-Stage (Join-Path $PSScriptRoot 'out/BotCore.Backup') }
        'Test' { & (Join-Path $PSScriptRoot 'tests/run.sh') }
        'Package' { Invoke-Package }
    }
}
