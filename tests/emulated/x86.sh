#!/usr/bin/env bash
# x86.sh - the kernel variants of x86 CPUs that this machine may lack, on emulated machines: Bochs executes every instruction of CPUs with AVX-VNNI and
# with AVX-512 VNNI; on each a Linux kernel starts whose only program is the tests, static, and what they say comes out of the serial port.
#
#   tests/emulated/x86.sh BUILD [VARIANT...]   BUILD: folder of a static build with test_kernels, test_reproducible and retort; no variant: all
#
# Bochs 3.0 is built once from its pinned source (about five minutes of CPU time), the kernel comes from Debian trixie's signed archive; both are kept
# in ${RETORT_CACHE:-~/.cache/retort}. One line of Bochs is mended: it took the high bit of a gather's index register (zmm16 to zmm31) for a register that
# the instruction does not have, and refused it as illegal. Exit status 1 when a test failed or a machine said nothing.
set -euo pipefail
build=$(cd "$1" && pwd); shift
cache=${RETORT_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/retort}
bochs=$cache/bochs-3.0-2 kernel=$cache/x86-vmlinuz-1
mkdir -p "$cache"

say() { printf 'x86: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

mirror() { "$(dirname "$0")/../../deps/debian_mirror.sh" || die "apt has no Debian mirror among its sources: add one, for Bochs's source and the kernel come from there"; }
work=$(mktemp -d "$cache/x86.XXXXXX")
trap 'rm -rf "$work"' EXIT

make_bochs() {
  local mirror; mirror=$(mirror)
  local file=$work/bochs.tar.xz sha=78f6c73d4a6472d5130a87ab9dc306d02c7c71ed8e25b3a8ef642e2a7acd282b
  say "building Bochs 3.0, once"
  curl -fsL --connect-timeout 5 --max-time 300 -o "$file" "${mirror%/}/pool/main/b/bochs/bochs_3.0+dfsg.orig.tar.xz" || die "Bochs's source could not be fetched from $mirror"
  [ "$(sha256sum "$file" | cut -d' ' -f1)" = "$sha" ] || die "Bochs's source is not the pinned one"
  mkdir "$work/bochs"
  tar -xf "$file" -C "$work/bochs" --strip-components=1
  sed -i 's/^ *i->setSibIndex(i->sibIndex() | (vvv & 0x10));$/& vvv \&= 15;/' "$work/bochs/cpu/decoder/fetchdecode32.cc"
  grep -q 'vvv &= 15;$' "$work/bochs/cpu/decoder/fetchdecode32.cc" || die "Bochs's source is not as expected"
  (cd "$work/bochs" && CFLAGS=-O3 CXXFLAGS=-O3 ./configure --with-nogui --enable-cpu-level=6 --enable-x86-64 --enable-avx --enable-evex --enable-amx --enable-all-optimizations \
     --enable-long-phy-address --enable-pci --disable-docbook && make -j "$(nproc)" bochs) >"$cache/bochs.log" 2>&1 || { tail -n 20 "$cache/bochs.log" >&2; die "Bochs could not be built ($cache/bochs.log)"; }
  mkdir "$work/done"
  cp "$work/bochs/bochs" "$work/bochs/bios/bios.bin-1.13.0" "$work/bochs/bios/vgabios-cirrus.bin-1.13.0" "$work/done/"
  mv "$work/done" "$bochs"
}

# With a private apt directory, so that the system's lists stay as they are.
make_kernel() {
  local dir=$work/apt name key=/usr/share/keyrings/debian-archive-keyring.gpg mirror
  mirror=$(mirror)
  say "fetching a Linux kernel, once"
  mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
  : >"$dir/status"
  echo "deb [signed-by=$key] $mirror trixie main" >"$dir/sources.list"
  local options=(-qq -o Dir::State="$dir" -o Dir::State::Lists="$dir/lists" -o Dir::State::status="$dir/status" -o Dir::Cache="$dir/cache" -o Dir::Etc::sourcelist="$dir/sources.list"
                 -o Dir::Etc::sourceparts=/dev/null -o APT::Sandbox::User=root -o Acquire::Languages=none)
  apt-get "${options[@]}" update || die "apt cannot read $mirror"
  name=$(apt-cache "${options[@]:1}" depends linux-image-cloud-amd64 | awk '/Depends: linux-image/ { print $2; exit }')
  (cd "$dir" && apt-get "${options[@]}" download "$name") || die "the kernel $name could not be fetched"
  dpkg-deb -x "$dir/$name"_*.deb "$dir/root"
  mv "$dir"/root/boot/vmlinuz-* "$kernel"
}

# One machine: its disc, its run, what it said.
machine() { # variant cpu
  local dir=$work/$1 log=$build/x86-$1.log failed=0 start=$SECONDS
  mkdir -p "$dir/root/bin" "$dir/root/proc" "$dir/root/dev" "$dir/disc/isolinux"
  cp "$(command -v busybox)" "$build/tests/test_kernels" "$build/tests/test_reproducible" "$build/retort" "$dir/root/bin/"
  strip "$dir"/root/bin/test_* "$dir/root/bin/retort"
  cat >"$dir/root/init" <<TEXT
#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox grep -m1 'model name' /proc/cpuinfo
/bin/retort inspect --cpu; echo "exit of inspect: \$?"
/bin/test_kernels short $1; echo "exit of test_kernels: \$?"
/bin/test_reproducible once $1; echo "exit of test_reproducible: \$?"
/bin/busybox sleep 2 # the serial port is slow, and what it has not sent yet would be lost
/bin/busybox poweroff -f
TEXT
  chmod +x "$dir/root/init"
  (cd "$dir/root" && find . | cpio -o -H newc --quiet) >"$dir/disc/initrd"
  cp "$kernel" "$dir/disc/vmlinuz"
  cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$dir/disc/isolinux/"
  printf 'default linux\nlabel linux\n kernel /vmlinuz\n append initrd=/initrd console=ttyS0 quiet mitigations=off nokaslr panic=-1 tsc=reliable lpj=1000000 hpet=disable no_timer_check\n' >"$dir/disc/isolinux/isolinux.cfg"
  xorriso -as mkisofs -quiet -o "$dir/disc.iso" -b isolinux/isolinux.bin -c isolinux/boot.cat -no-emul-boot -boot-load-size 4 -boot-info-table "$dir/disc" 2>/dev/null
  cat >"$dir/bochsrc" <<TEXT
display_library: nogui
romimage: file=$bochs/bios.bin-1.13.0
vgaromimage: file=$bochs/vgabios-cirrus.bin-1.13.0
cpu: model=$2, count=1, ips=200000000
memory: guest=1024, host=1024
ata0-master: type=cdrom, path=$dir/disc.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$log
clock: sync=none
log: $dir/bochs.log
panic: action=fatal
TEXT
  rm -f "$log"
  timeout 7200 "$bochs/bochs" -q -f "$dir/bochsrc" </dev/null >/dev/null 2>&1 || true
  tr -d '\r' <"$log" >"$log.text" && mv "$log.text" "$log" || die "$1: the machine said nothing"
  for test in inspect test_kernels test_reproducible; do
    if grep -q "^exit of $test: 0\$" "$log"; then say "$1 on $2: $test passed"; else failed=1; say "$1 on $2: $test FAILED"; fi
  done
  grep -q "^$1  *yes" "$log" || { failed=1; say "$1 on $2: the variant is not among those that run there"; }
  [ "$failed" = 0 ] || cat "$log" >&2
  say "$1 on $2: $((SECONDS - start)) s ($log)"
  return $failed
}

exec 9>"$cache/x86.lock" # two may run at a time
flock 9
[ -x "$bochs/bochs" ] || make_bochs
[ -f "$kernel" ] || make_kernel
flock -u 9
failed=0
[ $# -gt 0 ] || set -- avx-vnni avx512
for variant in "$@"; do
  # Not Sapphire Rapids: with half of AMX's state, which Bochs 3.0 offers there, Linux does not start.
  case $variant in avx-vnni) cpu=arrow_lake;; avx512) cpu=corei7_icelake_u;; *) die "no machine is known for '$variant': avx-vnni or avx512";; esac
  machine "$variant" "$cpu" || failed=1
done
exit $failed
