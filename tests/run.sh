#!/usr/bin/env bash
# The one test command. Needs the .NET SDK only; what else a test wants is installed where that can be done, and otherwise that test skips and says why.
# The last line is "N passed, N failed, N skipped" over xunit and Pester together; the exit code is 0 only where nothing failed and every runner came to its end.
#   BOTBACKUP_NO_INSTALL=1   install nothing
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
results=$(mktemp -d "${TMPDIR:-/tmp}/botbackup-tests.XXXXXX")
trap 'rm -rf "$results"' EXIT

# A build node that outlives this script would hold its output open.
export MSBUILDDISABLENODEREUSE=1 DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 POWERSHELL_TELEMETRY_OPTOUT=1 POWERSHELL_UPDATECHECK=Off
export DOTNET_CLI_HOME="${DOTNET_CLI_HOME:-${HOME:-$results}}"

passed=0 failed=0 skipped=0

say() { printf '\n== %s\n' "$*"; }

broken() {
    printf 'FAILED: %s\n' "$*"
    failed=$((failed + 1))
}

install_tools() {
    local missing=()
    local pair
    for pair in gpg=gnupg setfattr=attr setfacl=acl rsync=rsync pigz=pigz bsdtar=libarchive-tools strace=strace unshare=util-linux ssh=openssh-client /usr/sbin/sshd=openssh-server \
        /usr/lib/openssh/sftp-server=openssh-sftp-server dockerd=docker.io runc=runc busybox=busybox-static podman=podman ceph-mon=ceph-mon ceph-osd=ceph-osd radosgw=radosgw ceph=ceph-common \
        promtool=prometheus prometheus-node-exporter=prometheus-node-exporter crontab=cron systemd-analyze=systemd postfix=postfix dovecot=dovecot-core; do
        command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
    done
    { ldconfig -p 2>/dev/null || true; } | grep -F libdeflate.so.0 >/dev/null || missing+=(libdeflate0)
    [[ ${#missing[@]} -gt 0 ]] || return 0
    if [[ -n ${BOTBACKUP_NO_INSTALL:-} || $(id -u) -ne 0 ]] || ! command -v apt-get >/dev/null; then
        say "Not installed, so tests that need them skip: ${missing[*]}"
        return 0
    fi
    say "Installing ${missing[*]}"
    local apt=(timeout 300 apt-get -qq -o Acquire::Retries=1 -o Acquire::http::Timeout=15)
    export DEBIAN_FRONTEND=noninteractive
    if ! { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${missing[@]}"; } >"$results/apt.log" 2>&1; then
        tail -n 3 "$results/apt.log"
        echo "They could not be installed; tests that need them skip."
    fi
}

# Counters of a trx file: total is what there was, executed what was run.
counter() { sed -n "s/.*<Counters [^>]*\\b$2=\"\\([0-9]*\\)\".*/\\1/p" "$1" | head -n 1; }

run_xunit() {
    local project=$1 name code=0
    name=$(basename "$project" .csproj)
    say "$name"
    dotnet test "$project" -c Release --no-build --nologo --logger "trx;LogFileName=$name.trx" --results-directory "$results" \
        --blame-hang-timeout 8m --blame-hang-dump-type none || code=$?
    local trx="$results/$name.trx"
    local total executed good
    total=$(counter "$trx" total 2>/dev/null || true)
    executed=$(counter "$trx" executed 2>/dev/null || true)
    good=$(counter "$trx" passed 2>/dev/null || true)
    if [[ -z $total || -z $executed || -z $good ]]; then
        broken "$name left no result; its runner ended with $code."
        return
    fi
    passed=$((passed + good))
    failed=$((failed + executed - good))
    skipped=$((skipped + total - executed))
    if [[ $total -eq 0 ]]; then
        broken "$name has no test."
    elif [[ $code -ne 0 && $executed -eq $good ]]; then
        broken "$name ended with $code though no test failed: its runner crashed or hung."
    fi
}

# PowerShell and Pester from NuGet, where this machine has none: into the folder of the results, gone with it.
install_pwsh() {
    [[ -n $(pester_hindrance) && -z ${BOTBACKUP_NO_INSTALL:-} ]] || return 0
    say "Fetching PowerShell and Pester"
    local packages
    if ! timeout 120 dotnet tool install PowerShell --version 7.6.9 --tool-path "$results/tools" --verbosity quiet ||
        ! timeout 120 dotnet restore tests/Module/Pester.csproj --verbosity quiet ||
        ! packages=$(dotnet msbuild tests/Module/Pester.csproj -getProperty:NuGetPackageRoot); then
        echo "They are not to be had."
        return 0
    fi
    # The tool's own pwsh starts another process, so a signal or a kill would never reach the one that works.
    local host=("$results"/tools/.store/powershell/*/powershell/*/tools/*/any/unix/pwsh.dll)
    # Some tests start it as nobody, who has to reach it.
    chmod 755 "$results"
    rm "$results/tools/pwsh"
    printf '#!/bin/sh\nexec dotnet "%s" "$@"\n' "${host[0]}" >"$results/tools/pwsh"
    chmod +x "$results/tools/pwsh"
    mkdir -p "$results/modules"
    ln -s "${packages%/}/pester/5.7.1/tools" "$results/modules/Pester"
    export PATH="$results/tools:$PATH" PSModulePath="$results/modules${PSModulePath:+:$PSModulePath}"
}

# Why the Pester suite cannot run; nothing where it can.
pester_hindrance() {
    if ! command -v pwsh >/dev/null; then
        echo "pwsh is not on PATH"
        return
    fi
    # shellcheck disable=SC2016  # The dollars are PowerShell's.
    pwsh -NoProfile -NonInteractive -Command '
        if ($PSVersionTable.PSVersion -lt [version] "7.6") { "pwsh is $($PSVersionTable.PSVersion), and the module needs 7.6" }
        elseif (-not (Get-Module -ListAvailable Pester | Where-Object { $_.Version -ge [version] "5.0" })) { "Pester 5 is not installed (Install-Module Pester)" }' ||
        echo "pwsh does not start"
}

run_pester() {
    say "Pester, against the staged module"
    local hindrance code=0 good bad left
    hindrance=$(pester_hindrance)
    if [[ -n $hindrance ]]; then
        echo "SKIPPED: $hindrance. The cmdlets are tested there only."
        return
    fi
    timeout --kill-after=10 600 pwsh -NoProfile -NonInteractive -File tests/Module/run.ps1 \
        -Module "$results/stage/BotCore.Backup" -Count "$results/pester.count" || code=$?
    if ! read -r good bad left 2>/dev/null <"$results/pester.count"; then
        broken "Pester left no result; it ended with $code."
        return
    fi
    passed=$((passed + good))
    failed=$((failed + bad))
    skipped=$((skipped + left))
    if [[ $good -eq 0 ]]; then
        broken "Pester ran no test."
    elif [[ $code -ne 0 && $bad -eq 0 ]]; then
        broken "Pester ended with $code though no test failed."
    fi
}

finish() {
    printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
    [[ $failed -eq 0 ]]
}

build() {
    dotnet restore BotCore.Backup.sln --locked-mode --verbosity quiet &&
        dotnet build BotCore.Backup.sln -c Release --no-restore --nologo --verbosity quiet &&
        dotnet build src/BotCore.Backup.Cmdlets -c Release --no-restore --nologo --verbosity quiet -t:StageModule -p:StageFolder="$results/stage/BotCore.Backup/"
}

install_tools
install_pwsh
say "Building"
if ! build; then
    broken "The solution does not build."
    finish
    exit
fi
for project in tests/*/*.Tests.csproj; do
    run_xunit "$project"
done
run_pester
finish
