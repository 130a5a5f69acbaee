# shellcheck shell=bash
# Part of bench/race.sh: the codecs as the seal uses them, against the parallel tools that people use, on the start of a tar of the mixed data. Both write files; no start of pwsh, no encryption.

race_codecs() {
    local race=$here/CodecRace missing=() pair
    for pair in pigz=pigz pbzip2=pbzip2 xz=xz-utils zstd=zstd; do
        command -v "${pair%%=*}" > /dev/null || missing+=("${pair#*=}")
    done
    if ((${#missing[@]} > 0)); then
        ((EUID == 0)) || die "needs ${missing[*]}: install them, or run this as root on Debian."
        say "installing ${missing[*]}"
        DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" > /dev/null
    fi
    dotnet build "$race" -c Release --nologo --verbosity quiet > /dev/null
    codec=$race/bin/Release/net10.0/CodecRace.dll
    make_data "$work/data"
    tar c -C "$work/data" . > "$work/data.tar"
    rm -rf "$work/data"
    echo "Codecs, $(nproc) cores, load before $load_before. The start of a tar of libraries, documents and programs; each turn a process of its own, ours with .NET's start."
    echo
    echo "| codec | seconds min / median / max | MiB/s | output MiB | peak RSS MiB | time / ours |"
    echo "| --- | --- | --- | --- | --- | --- |"
    local each
    for each in ${RACE_CODECS:-gzip bzip2 xz zstd}; do
        case $each in
            gzip) codec_pair gzip 1024 pigz 'pigz -p2 -6' ;;
            bzip2) codec_pair bzip2 384 pbzip2 'pbzip2 -p2 -9' ;;
            # What makes two threads of xz comparable: both may take a gibibyte, in this race alone.
            xz) codec_pair xz 192 xz 'xz -T2 -6 --memlimit-compress=1GiB' ;;
            zstd) codec_pair zstd 1024 zstd 'zstd -T2 -3' ;;
        esac
    done
    echo
    echo "192 MiB at default level within the module's own limit of 256 MiB (fewer threads, same preset):"
    echo
    echo "| codec | seconds | peak RSS MiB, .NET included |"
    echo "| --- | --- | --- |"
    local name
    head -c "$((192 << 20))" "$work/data.tar" > "$work/input"
    for name in gzip:6 bzip2:9 xz:6 zstd:3; do
        : > "$work/results"
        turn "limited_${name%%:*}"
        awk -v name="${name%%:*} -${name#*:}" '{ printf "| %s | %.2f | %.0f |\n", name, $2, $3 / 1024 }' "$work/results"
    done
}

# codec_pair NAME MEBIBYTES TOOL LABEL: ours against a tool's.
codec_pair() {
    head -c "$((($2) << 20))" "$work/data.tar" > "$work/input"
    data_bytes=$(stat -c %s "$work/input")
    : > "$work/results"
    take_turns "$runs" "ours_$1" "theirs_$1"
    local ours theirs
    ours=$(stat -c %s "$work/ours_$1/out")
    theirs=$(stat -c %s "$work/theirs_$1/out")
    # What the stock tool takes out of ours is what went in.
    "$3" -dc < "$work/ours_$1/out" | cmp - "$work/input" || die "what ours made of $1 is not what went in."
    row "ours_$1" "ours: $1, $2 MiB (size $(awk -v a="$ours" -v b="$theirs" 'BEGIN { printf "%.4f", a / b }') of $3's)" "ours_$1" "$ours"
    row "theirs_$1" "\`$4\`" "ours_$1" "$theirs"
}

our_codec() { measured dotnet "$codec" "$1" "$2" 2 "$3" < "$work/input" > "$work/$4/out"; }

ours_gzip() { our_codec gzip 6 256 ours_gzip; }
ours_bzip2() { our_codec bzip2 9 256 ours_bzip2; }
ours_xz() { our_codec xz 6 1024 ours_xz; }
ours_zstd() { our_codec zstd 3 256 ours_zstd; }
limited_gzip() { our_codec gzip 6 256 limited_gzip; }
limited_bzip2() { our_codec bzip2 9 256 limited_bzip2; }
limited_xz() { our_codec xz 6 256 limited_xz; }
limited_zstd() { our_codec zstd 3 256 limited_zstd; }
theirs_gzip() { measured pigz -p2 -6 -c "$work/input" > "$work/theirs_gzip/out"; }
theirs_bzip2() { measured pbzip2 -p2 -9 -c "$work/input" > "$work/theirs_bzip2/out"; }
theirs_xz() { measured xz -T2 -6 --memlimit-compress=1GiB -c "$work/input" > "$work/theirs_xz/out"; }
theirs_zstd() { measured zstd -q -T2 -3 -c "$work/input" > "$work/theirs_zstd/out"; }
