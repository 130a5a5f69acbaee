# shellcheck shell=bash
# Part of bench/race.sh: a database to an encrypted archive, and back into another database of the same server.
# The server is the Sandbox in a process of its own, or the one at BOTBACKUP_TEST_MONGODB; against that one mongodump --gzip and mongorestore race too, where they are installed.

ours_dump() { ours "${RACE_DUMP:-}" dump.ps1; }

ours_dump_proof() { ours "${RACE_PROVE:-}" prove.ps1; }

ours_dump_restore() { ours "${RACE_DUMP_RESTORE:-}" restore-database.ps1; }

# The stock tools encrypt nothing; the same gpg as in the other races does it for them.
stock_dump() {
    measured mongodump --quiet --uri "$race_uri" --gzip --archive | encrypt --compress-algo none -o "$work/stock_dump/dump.gpg"
}

stock_restore() {
    decrypt "$work/stock_dump/dump.gpg" | measured mongorestore --quiet --uri "$server_uri" --gzip --archive --drop --nsFrom 'race.*' --nsTo 'race_stock.*'
}

# uri_of DATABASE: the server's URI with a database in it.
uri_of() { sed -E "s#^(mongodb(\+srv)?://[^/?]+)/?[^?]*#\1/$1#" <<< "$server_uri"; }

start_server() {
    local host=$here/SandboxHost
    dotnet build "$host" -c Release --nologo --verbosity quiet > /dev/null
    mkfifo "$work/hold"
    dotnet "$host/bin/Release/net10.0/SandboxHost.dll" "${BOTBACKUP_TEST_MONGODB:-sandbox}" "$megabytes" "$collections" < "$work/hold" > "$work/uri" &
    server=$!
    exec 9> "$work/hold"
    until [[ -s $work/uri ]]; do
        kill -0 "$server" 2> /dev/null || die "the server could not be filled."
        read -r -t 0.2 <> <(:) || true
    done
    server_uri=$(< "$work/uri")
    race_uri=$(uri_of race)
}

stop_server() {
    exec 9>&-
    wait "$server" || true
}

# rate NAME: documents a second of the median run.
rate() { awk -v name="$1" -v documents="$documents" '$1 == name { times[++n] = $2 } END { asort_n(times, n); printf "%.0f", documents / times[int((n + 1) / 2)] }
    function asort_n(list, count,    i, j, held) {
        for (i = 2; i <= count; i++) { held = list[i]; for (j = i - 1; j > 0 && list[j] > held; j--) list[j + 1] = list[j]; list[j + 1] = held }
    }' "$work/results"; }

race_mongodb() {
    local dumps=(ours_dump) restores=(ours_dump_proof ours_dump_restore)
    say "filling $megabytes MiB into $collections collections"
    start_server
    if [[ -n ${BOTBACKUP_TEST_MONGODB:-} ]] && command -v mongodump > /dev/null && command -v mongorestore > /dev/null; then
        dumps+=(stock_dump)
        restores+=(stock_restore)
    fi
    data_bytes=$((megabytes * 1024 * 1024))
    settings "$work/ours_dump" << SETTINGS
DATABASE_URL=$race_uri
STORES_MONGODB=local
SETTINGS
    RACE_DESTINATION=$(uri_of race_restored)
    export RACE_DESTINATION

    take_turns "$runs" "${dumps[@]}"
    take_turns "$runs" "${restores[@]}"
    documents=$(pwsh -NoProfile -NonInteractive -File "$here/race/documents.ps1")
    stop_server
    print_database_tables
}

print_database_tables() {
    local what=Sandbox
    [[ -n ${BOTBACKUP_TEST_MONGODB:-} ]] && what='the server at BOTBACKUP_TEST_MONGODB'
    echo "Database of $megabytes MiB in $documents documents and $collections collections on $what, $runs runs, $(nproc) cores (the server's work included), load before $load_before, after $(cut -d' ' -f1-3 /proc/loadavg)."
    echo "pwsh alone: $((bare_rss / 1024)) MiB peak RSS."
    echo
    echo "| job | seconds min / median / max | MiB/s | output MiB | peak RSS MiB | time / ours |"
    echo "| --- | --- | --- | --- | --- | --- |"
    row ours_dump "ours: full backup, read back ($(rate ours_dump) documents/s)" ours_dump "$(sealed ours_dump)"
    [[ " ${dumps[*]} " == *" stock_dump "* ]] && row stock_dump "mongodump --gzip \\| gpg ($(rate stock_dump) documents/s)" ours_dump "$(stat -c %s "$work/stock_dump/dump.gpg")"
    row ours_dump_proof 'ours: Test-BotBackup -Depth Archive' ours_dump_proof ""
    row ours_dump_restore "ours: whole verified restore ($(rate ours_dump_restore) documents/s)" ours_dump_restore ""
    [[ " ${restores[*]} " == *" stock_restore "* ]] && row stock_restore "gpg \\| mongorestore ($(rate stock_restore) documents/s)" ours_dump_restore ""
    return 0
}
