# shellcheck shell=bash
# Part of bench/race.sh: an oplog replayed in batches, over one, two and four lanes, against one entry per applyOps. Server and replay are a process each.

race_replay() {
    local race=$here/ReplayRace
    dotnet build "$race" -c Release --nologo --verbosity quiet > /dev/null
    megabytes=0 collections=0
    start_server
    local table
    table=$(dotnet "$race/bin/Release/net10.0/ReplayRace.dll" "$server_uri" "$entries" "$runs")
    stop_server
    # A URI may hold a password, so it is not shown.
    local where='the Sandbox'
    [[ -n ${BOTBACKUP_TEST_MONGODB:-} ]] && where='the server at BOTBACKUP_TEST_MONGODB'
    echo "Replay on $where, $runs runs after one to warm up, $(nproc) cores (the server's work included), load before $load_before, after $(cut -d' ' -f1-3 /proc/loadavg)."
    echo "$table"
}
