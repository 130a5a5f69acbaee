# shellcheck shell=bash
# Part of bench/race.sh: the first and the second backup of a folder in which nothing changed, ours against restic and borg. Each encrypts and compresses with zstd; what a turn wrote is what its repository grew by.

# grown NAME COMMAND...: runs it, and notes by how many bytes its repository grew.
grown() {
    local name=$1 before
    shift
    before=$(du -sb "$work/store-${name%%_*}" | cut -f 1)
    "$@" || return
    echo "$name $(($(du -sb "$work/store-${name%%_*}" | cut -f 1) - before))" >> "$work/grown"
}

ours_first() { grown ours_first ours '' seal-folder.ps1; }
ours_second() { grown ours_second ours '' seal-again.ps1; }
restic_first() { grown restic_first measured restic backup --quiet "$data"; }
restic_second() { grown restic_second measured restic backup --quiet "$data"; }
borg_first() { grown borg_first measured borg create --compression zstd,3 "::first-{utcnow}" "$data"; }
borg_second() { grown borg_second measured borg create --compression zstd,3 "::second-{utcnow}" "$data"; }

# second_row NAME LABEL REFERENCE: median time, most written, most memory, and all three by those of the reference.
second_row() {
    cat "$work/results" <(sed 's/^/grown /' "$work/grown") | awk -v name="$1" -v label="$2" -v reference="$3" '
        function median(list, count,    i, j, held) {
            for (i = 2; i <= count; i++) {
                held = list[i]
                for (j = i - 1; j > 0 && list[j] > held; j--) list[j + 1] = list[j]
                list[j + 1] = held
            }
            return count % 2 ? list[(count + 1) / 2] : (list[count / 2] + list[count / 2 + 1]) / 2
        }
        $1 == "grown" && $2 == name && $3 > bytes { bytes = $3 }
        $1 == "grown" && $2 == reference && $3 > other_bytes { other_bytes = $3 }
        $1 == name { times[++n] = $2; if ($3 > rss) rss = $3 }
        $1 == reference { others[++m] = $2; if ($3 > other_rss) other_rss = $3 }
        END {
            mine = median(times, n); theirs = median(others, m)
            printf "| %s | %.2f | %.2f | %.0f | %.2f x | %.2f x | %.2f x |\n", label, mine, bytes / 1048576, rss / 1024, mine / theirs, bytes / other_bytes, rss / other_rss
        }'
}

race_second-run() {
    local missing=() pair name copies=1
    for pair in restic=restic borg=borgbackup; do
        command -v "${pair%%=*}" > /dev/null || missing+=("${pair#*=}")
    done
    if ((${#missing[@]} > 0)); then
        ((EUID == 0)) || die "needs ${missing[*]}: install them, or run this as root on Debian."
        say "installing ${missing[*]}"
        DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" > /dev/null
    fi

    if [[ -z $data ]]; then
        data=$work/data
        say "copying data"
        make_data "$data"
        while (($(bytes_of "$data") < megabytes * 1024 * 1024)); do
            cp -a "$data/usr" "$data/more$((copies++))"
            # Who deduplicates would find a copy alike: each is changed, letter by letter.
            find "$data/more$((copies - 1))" -type f -print0 | SHIFT=$((copies - 1)) perl -0ne 'chomp; open(F, "+<:raw", $_) or next; { local $/; $c = <F>; } $c =~ tr/a-z/b-za/ for 1 .. $ENV{SHIFT}; seek(F, 0, 0); print F $c; close F'
        done
    fi
    data_bytes=$(bytes_of "$data")

    mkdir "$work/store-ours" "$work/store-restic" "$work/store-borg"
    settings "$work/store-ours" << SETTINGS
COMPRESSION=zstd
BACKUP_DIRECTORIES=race=$data
STORES_VOLUMES=local
SETTINGS
    export RESTIC_REPOSITORY=$work/store-restic RESTIC_PASSWORD_FILE=$work/passphrase RESTIC_CACHE_DIR=$work/cache-restic
    export BORG_REPO=$work/store-borg BORG_BASE_DIR=$work/base-borg
    BORG_PASSPHRASE=$(< "$work/passphrase")
    export BORG_PASSPHRASE
    mkdir "$BORG_BASE_DIR"
    restic init --quiet
    borg init --encryption repokey

    say "warming up"
    find "$data" -type f -exec cat {} + > /dev/null
    : > "$work/grown"
    take_turns 1 ours_first restic_first borg_first
    take_turns "$runs" ours_second restic_second borg_second

    echo "Folder of $((data_bytes / 1048576)) MiB in $(find "$data" -type f | wc -l) files, first backup once, then $runs of what had not changed, $(nproc) cores, load before $load_before, after $(cut -d' ' -f1-3 /proc/loadavg)."
    echo "$(restic version | cut -d' ' -f1-2), $(borg --version). pwsh alone: $((bare_rss / 1024)) MiB peak RSS. Ratios: by ours."
    for name in first second; do
        echo
        echo "| $name backup | seconds (median) | MiB written | peak RSS MiB | time / ours | written / ours | memory / ours |"
        echo "| --- | --- | --- | --- | --- | --- | --- |"
        second_row "ours_$name" ours "ours_$name"
        second_row "restic_$name" restic "ours_$name"
        second_row "borg_$name" borg "ours_$name"
    done
}
