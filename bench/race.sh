#!/usr/bin/env bash
# Races whole jobs against the tools that people use instead, side by side on this machine, and prints a Markdown table.
#
#   bench/race.sh folder [DIR] [--runs N]
#   bench/race.sh mongodb [--megabytes N] [--collections N] [--runs N]
#   bench/race.sh replay [--entries N] [--runs N]
#   bench/race.sh stores [--megabytes N] [--runs N]
#   bench/race.sh codecs [--runs N]
#   bench/race.sh second-run [DIR] [--megabytes N] [--runs N]
#
# folder: DIR to one encrypted archive, and back. Without DIR, 1 GiB is copied from /usr/lib, /usr/share and /usr/bin.
# mongodb: a database (default 1024 MiB in 20 collections) to one encrypted archive, and back into another database; the server is the Sandbox, or BOTBACKUP_TEST_MONGODB.
# replay: an oplog of N entries (default 500000) over 1, 2 and 4 lanes, against one entry per applyOps; the same server.
# second-run: the first and the second backup of DIR, or of N MiB (default 5120), in which nothing changed, against restic and borg.
# stores: one file (default 1024 MiB) to an S3 server and an SFTP server on this machine, against s3cmd and sftp.
# codecs: gzip, bzip2, xz and zstd against pigz, pbzip2, xz -T and zstd -T, file to file; RACE_CODECS names some of them.
# Contenders take turns N times (3 or more, default 3), and each turn another one starts. The data is read once before, so all
# read from the page cache; nothing is dropped or set on the machine. Everything is below one temporary folder (in TMPDIR), removed at the end.
#
# BOTBACKUP_MODULE   the staged module, default out/BotCore.Backup of this repository
# RACE_SEAL, RACE_DUMP, RACE_PROVE, RACE_RESTORE, RACE_DUMP_RESTORE   commands in place of ours, which are pwsh with bench/race/*.ps1; they get BOTBACKUP_CONFIGURATION,
#                    BOTBACKUP_MODULE and RACE_DESTINATION, and sealing leaves its *.gpg below the BACKUP_DIR of those settings
# BOTBACKUP_LIBDEFLATE=off   races without libdeflate
#
# Peak RSS: GNU time's maximum resident set of each process; of a pipe the sum over its processes, which peak about together.
# Ours publishes as always while it is timed: fsync, checksum, manifest. Theirs do none of that.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
readonly gib=$((1024 * 1024 * 1024))

usage() {
    sed -n '2,27s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
}

die() {
    echo "race.sh: $*" >&2
    exit 1
}

say() { echo "race.sh: $*" >&2; }

install_peers() {
    local missing=()
    command -v pigz > /dev/null || missing+=(pigz)
    command -v gpg > /dev/null || missing+=(gnupg)
    [[ -x /usr/bin/time ]] || missing+=(time)
    ((${#missing[@]} == 0)) && return
    if ((EUID != 0)) || ! command -v apt-get > /dev/null; then
        die "needs ${missing[*]}: install them, or run this as root on Debian."
    fi
    say "installing ${missing[*]}"
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" > /dev/null
}

# A stop of gpg's agent, which would outlive us, and of our own folder; of nothing else.
clean_up() {
    GNUPGHOME=$work/gnupg gpgconf --kill gpg-agent 2> /dev/null || true
    rm -rf "$work"
}

# make_data FOLDER: a mix of libraries, documents and programs of 1 GiB or a little more.
make_data() {
    local folder=$1 root budget copies=1
    mkdir "$folder"
    for root in /usr/lib:512 /usr/share:384 /usr/bin:128; do
        budget=$((${root#*:} * 1024 * 1024))
        find "${root%:*}" -xdev -type f -readable ! -name $'*\n*' -printf '%s %p\n' | sort -k2 |
            awk -v budget="$budget" 'total < budget { total += $1; sub(/^[0-9]+ /, ""); print }' |
            tar c -C / --files-from=- 2> /dev/null | tar x -C "$folder"
    done
    # A small system has less: then take what there is more than once.
    while (($(bytes_of "$folder") < gib)); do
        cp -a "$folder/usr" "$folder/copy$((copies++))"
    done
}

# bytes_of FOLDER: bytes of its files.
bytes_of() { find "$1" -type f -printf '%s\n' | awk '{ total += $1 } END { printf "%.0f", total }'; }

# measured COMMAND...: runs it and notes its peak RSS in KiB.
measured() { /usr/bin/time -f %M -a -o "$work/rss" -- "$@"; }

encrypt() {
    measured gpg --batch --yes --quiet --pinentry-mode loopback --passphrase-file "$work/passphrase" --symmetric --cipher-algo AES256 "$@"
}

decrypt() { measured gpg --batch --quiet --pinentry-mode loopback --passphrase-file "$work/passphrase" --decrypt "$@"; }

# The contenders. Each leaves its output in $work/NAME.

# ours COMMAND SCRIPT: the command, where one is set, else our script.
ours() {
    if [[ -n $1 ]]; then
        measured bash -c "$1"
    else
        measured pwsh -NoProfile -NonInteractive -File "$here/race/$2"
    fi
}

ours_folder() { ours "${RACE_SEAL:-}" seal-folder.ps1; }

pigz_folder() {
    measured tar c -C "$data" . | measured pigz -6 | encrypt --compress-algo none -o "$work/pigz_folder/folder.tar.gz.gpg"
}

# As the old scripts did: a file between the two steps, and gpg compresses what is compressed.
scripts_folder() {
    measured tar czf "$work/scripts_folder/folder.tar.gz" -C "$data" .
    encrypt -o "$work/scripts_folder/folder.tar.gz.gpg" "$work/scripts_folder/folder.tar.gz"
    rm "$work/scripts_folder/folder.tar.gz"
}

# Reads back what was sealed last. Ours reads its own archive, theirs the one of pigz.
ours_prove() { ours "${RACE_PROVE:-}" prove.ps1; }

ours_restore() {
    export RACE_DESTINATION=$work/ours_restore
    ours "${RACE_RESTORE:-}" restore.ps1
}

tar_unseal() { decrypt "$work/pigz_folder/folder.tar.gz.gpg" | measured tar xz -C "$work/tar_unseal"; }

# turn NAME: one timed run of a contender.
turn() {
    local name=$1 start end status=0
    rm -rf "${work:?}/$name" "$work/rss"
    mkdir "$work/$name"
    # What the turn before has left to be written is not this one's burden.
    sync -f "$work"
    start=$(date +%s%N)
    "$name" > "$work/log" 2>&1 || status=$?
    end=$(date +%s%N)
    if ((status != 0)); then
        cat "$work/log" >&2
        die "$name failed with exit code $status."
    fi
    awk -v name="$name" -v seconds="$(((end - start) / 1000000))" \
        '{ rss += $1 } END { printf "%s %.3f %d\n", name, seconds / 1000, rss }' "$work/rss" >> "$work/results"
    say "$(tail -n 1 "$work/results") KiB"
}

# take_turns RUNS NAME...: every run starts with the next one.
take_turns() {
    local runs=$1 run i
    shift
    for ((run = 0; run < runs; run++)); do
        for ((i = 0; i < $#; i++)); do
            local at=$(((run + i) % $# + 1))
            turn "${!at}"
        done
    done
}

# row NAME LABEL REFERENCE SIZE: a line of the table; the ratio is its median time by that of REFERENCE.
row() {
    awk -v name="$1" -v label="$2" -v reference="$3" -v size="$4" -v bytes="$data_bytes" '
        function sort_numbers(list, count,    i, j, held) {
            for (i = 2; i <= count; i++) {
                held = list[i]
                for (j = i - 1; j > 0 && list[j] > held; j--) list[j + 1] = list[j]
                list[j + 1] = held
            }
        }
        function median(list, count) { return count % 2 ? list[(count + 1) / 2] : (list[count / 2] + list[count / 2 + 1]) / 2 }
        $1 == name { times[++n] = $2; if ($3 > rss) rss = $3 }
        $1 == reference { others[++m] = $2 }
        END {
            sort_numbers(times, n); sort_numbers(others, m)
            printf "| %s | %.2f / %.2f / %.2f | %.0f | %s | %.0f | %.2f x |\n", label, times[1], median(times, n), times[n],
                bytes / 1048576 / median(times, n), size == "" ? "" : sprintf("%.1f", size / 1048576), rss / 1024, median(times, n) / median(others, m)
        }' "$work/results"
}

sealed() { find "$work/$1" -name '*.tar.gz.gpg' -printf '%s\n' | awk '{ total += $1 } END { printf "%.0f", total }'; }

# Both must have done the job: what stock tools take out of an archive is what went in.
compare_archives() {
    local name archive
    for name in ours_folder pigz_folder scripts_folder; do
        mkdir "$work/compared"
        archive=$(find "$work/$name" -name '*.tar.gz.gpg')
        decrypt "$archive" | tar xz -C "$work/compared"
        diff -r --no-dereference "$data" "$work/compared" || die "the archive of $name does not hold what was sealed."
        rm -rf "$work/compared"
    done
    diff -r --no-dereference "$data" "$work/ours_restore" || die "ours_restore did not restore what was sealed."
}

print_tables() {
    local ours pigz scripts
    ours=$(sealed ours_folder) pigz=$(sealed pigz_folder) scripts=$(sealed scripts_folder)
    echo "Folder of $((data_bytes / 1048576)) MiB in $(find "$data" -type f | wc -l) files, $runs alternating runs, $(nproc) cores, load before $load_before, after $(cut -d' ' -f1-3 /proc/loadavg)."
    echo "pwsh alone: $((bare_rss / 1024)) MiB peak RSS. time / ours: the median of the contender by that of ours."
    echo
    echo "| seal | seconds min / median / max | MiB/s | output MiB | peak RSS MiB | time / ours |"
    echo "| --- | --- | --- | --- | --- | --- |"
    row ours_folder "ours (size $(awk -v a="$ours" -v b="$pigz" 'BEGIN { printf "%.4f", a / b }') of pigz's)" ours_folder "$ours"
    row pigz_folder 'tar c \| pigz -6 \| gpg --compress-algo none' ours_folder "$pigz"
    row scripts_folder 'tar czf, then gpg' ours_folder "$scripts"
    echo
    echo "| unseal | seconds min / median / max | MiB/s | output MiB | peak RSS MiB | time / ours |"
    echo "| --- | --- | --- | --- | --- | --- |"
    row ours_prove 'ours: Test-BotBackup -Depth Archive' ours_prove ""
    row tar_unseal 'gpg -d \| tar xz' ours_prove ""
    row ours_restore 'ours: whole verified restore' ours_prove ""
}

# settings BACKUP_DIR: settings for ours, with more of them from the input; and what both sides need besides.
settings() {
    (umask 077 && head -c 24 /dev/urandom | base64 > "$work/passphrase")
    mkdir -m 700 "$work/gnupg"
    export GNUPGHOME=$work/gnupg
    {
        cat << SETTINGS
BACKUP_DIR=$1
LOG_DIR=$work
COMPRESSION=gzip
ENCRYPTION_ENABLED=true
GPG_PASSPHRASE_FILE=$work/passphrase
ENABLE_NOTIFICATIONS=false
SETTINGS
        cat
    } > "$work/settings.env"
    export BOTBACKUP_CONFIGURATION=$work/settings.env
    : > "$work/rss"
    measured pwsh -NoProfile -NonInteractive -Command 'exit 0'
    bare_rss=$(< "$work/rss")
}

race_folder() {
    if [[ -z $data ]]; then
        data=$work/data
        say "copying data"
        make_data "$data"
    fi
    data_bytes=$(bytes_of "$data")
    ((data_bytes > 0)) || die "there are no files in $data."
    ((data_bytes >= gib)) || say "$data has less than 1 GiB: the start of pwsh weighs more than it would"

    settings "$work/ours_folder" << SETTINGS
BACKUP_DIRECTORIES=race=$data
STORES_VOLUMES=local
SETTINGS

    say "warming up"
    find "$data" -type f -exec cat {} + > /dev/null
    take_turns "$runs" ours_folder pigz_folder scripts_folder
    take_turns "$runs" ours_prove tar_unseal ours_restore
    compare_archives
    print_tables
}

# shellcheck source=bench/race/mongodb.sh
source "$here/race/mongodb.sh"
# shellcheck source=bench/race/replay.sh
source "$here/race/replay.sh"
# shellcheck source=bench/race/stores.sh
source "$here/race/stores.sh"
# shellcheck source=bench/race/codecs.sh
source "$here/race/codecs.sh"
# shellcheck source=bench/race/second-run.sh
source "$here/race/second-run.sh"

job=${1:-}
[[ $job == folder || $job == mongodb || $job == replay || $job == stores || $job == codecs || $job == second-run ]] || usage
shift
data='' runs=3 megabytes=1024 collections=20 entries=500000
[[ $job != second-run ]] || megabytes=5120
while (($# > 0)); do
    case $1 in
        --runs | --megabytes | --collections | --entries)
            [[ ${2:-} =~ ^[0-9]+$ ]] || usage
            printf -v "${1#--}" %s "$2"
            shift 2
            ;;
        -*) usage ;;
        *)
            [[ ($job == folder || $job == second-run) && -z $data && -d $1 ]] || usage
            data=$(cd "$1" && pwd)
            shift
            ;;
    esac
done
((runs >= 3)) || die "--runs takes a number, 3 or more."

export BOTBACKUP_MODULE=${BOTBACKUP_MODULE:-$here/../out/BotCore.Backup}
[[ $job == replay || $job == stores || $job == codecs || -n ${RACE_SEAL:-}${RACE_DUMP:-} || -f $BOTBACKUP_MODULE/BotCore.Backup.psd1 ]] || die "no module in $BOTBACKUP_MODULE: build it first (./build.ps1 Stage), or set BOTBACKUP_MODULE."
load_before=$(cut -d' ' -f1-3 /proc/loadavg)
work=$(mktemp -d "${TMPDIR:-/tmp}/race.XXXXXXXX")
trap clean_up EXIT
trap 'exit 130' INT TERM
install_peers
"race_$job"
