#!/bin/sh
# Runs bench-store: as root on a loop device with an ext4 of its own (made in FOLDER, removed after), whose
# counters tell what was really written; else in FOLDER. Arguments: PROGRAM FOLDER [options of the program].
set -eu
program=$1 folder=$2
shift 2
mkdir -p "$folder"
image=$folder/bench-store.image mount=$folder/bench-store.mount loop=
cleanup() {
    [ -z "$loop" ] || { umount "$mount" 2>/dev/null || true; losetup -d "$loop" || true; }
    rm -rf "$image" "$mount" "$folder/bench-store" "$folder/bench-store-rate"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

echo "$(uname -sr), $(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg), $(date -u +%FT%RZ); options: ${*:-none}"
mkdir -p "$mount"
if [ "$(id -u)" -eq 0 ] && truncate -s "${BENCH_STORE_IMAGE:-16G}" "$image" && mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 "$image" &&
    loop=$(losetup --direct-io=on -f --show "$image" 2>/dev/null || losetup -f --show "$image") &&
    mount "$loop" "$mount"; then
    echo "on a loop device with ext4"
    set -- "--device=${loop#/dev/}" "$@" "$mount"
else
    echo "in $folder; bytes written are the process's own: no loop device could be had"
    set -- "$@" "$folder"
fi
status=0
"$program" "$@" || status=$?
[ "$status" -le 1 ] || exit "$status"
