#!/usr/bin/env bash
# tarball.sh - the board's release in an empty folder that is all there is: no other file, no /proc, no home, no locale.
#
#   tarball.sh FILE.tar.gz     exit status 77 where the sums are right, but only root may run it so
set -euo pipefail
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
tar -xzf "$1" -C "$root" --strip-components=1
(cd "$root" && sha256sum --quiet -c SHA256SUMS)
[ "$(id -u)" = 0 ] || { echo "skipped: the sums are right, but an empty root takes root"; exit 77; }
cp "$(command -v qemu-aarch64-static)" "$root/qemu"
jail=$(command -v chroot || echo /usr/sbin/chroot)
said=$(env -i "$jail" "$root" /qemu -cpu cortex-a76 /retort run "What is 4821 + 396?" && env -i "$jail" "$root" /qemu /retort device)
[[ $said == *5217*bandwidth* ]] || { echo "in an empty root it said: $said"; exit 1; }
echo "runs in an empty root"
