# shellcheck shell=bash
# Part of bench/race.sh: one file to an S3 server (a Ceph RADOS gateway) and to an SFTP server (OpenSSH) and back, ours against s3cmd and sftp. Servers are started on loopback and given back.

race_stores() {
    local race=$here/StoreRace missing=() pair
    for pair in s3cmd=s3cmd ceph-mon=ceph-mon ceph-osd=ceph-osd radosgw=radosgw ceph=ceph-common ssh=openssh-client /usr/sbin/sshd=openssh-server /usr/lib/openssh/sftp-server=openssh-sftp-server; do
        command -v "${pair%%=*}" > /dev/null || missing+=("${pair#*=}")
    done
    if ((${#missing[@]} > 0)); then
        ((EUID == 0)) || die "needs ${missing[*]}: install them, or run this as root on Debian."
        say "installing ${missing[*]}"
        DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" > /dev/null
    fi
    dotnet build "$race" -c Release --nologo --verbosity quiet > /dev/null
    local table
    table=$(dotnet "$race/bin/Release/net10.0/StoreRace.dll" "$megabytes" "$runs")
    echo "Stores, $(nproc) cores (the servers' work included), load before $load_before, after $(cut -d' ' -f1-3 /proc/loadavg)."
    echo "$table"
}
