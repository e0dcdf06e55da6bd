#!/usr/bin/env bash
# toolchain.sh - finds or makes the compilers for WebAssembly and puts them under one roof.
#
#   wasm/toolchain.sh BIN [NODE]    fills BIN with wasi-clang, wasi-ar, wasm-opt, and, given a Node.js program, wasm64-clang: the same with 64-bit addresses
#
# An installed one is used where there is one: $WASI_SDK_PATH (WASI SDK 24 or newer), $EMSDK (Emscripten 3.1.60 or newer). What is left
# comes from Debian trixie's own packages (clang 19, wasi-libc, Emscripten 3.1.69), unpacked once into ${RETORT_CACHE:-~/.cache/retort}:
# 3 GB, one to three minutes, on a system with apt and as root. Its programs are told (patchelf) to use the libraries beside them, so they run
# without chroot on any older Debian or Ubuntu. The folder is made aside and renamed when it is whole.
set -euo pipefail
mkdir -p "$1"; bin=$(cd "$1" && pwd); node=${2:-}
cache=${RETORT_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/retort}
root=$cache/wasm-toolchain-1

say() { printf 'toolchain: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

wrap() { # name command...: an executable BIN/name that runs the command
  local name=$1; shift
  printf '#!/bin/sh\nexec %s "$@"\n' "$*" > "$bin/$name.new"
  chmod +x "$bin/$name.new"
  mv "$bin/$name.new" "$bin/$name"
}
new_enough() { # version least
  [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]
}

debian() {
  [ -f "$root/ready" ] && return 0
  command -v apt-get >/dev/null || die "neither \$WASI_SDK_PATH and emcc (3.1.60 or newer), nor apt to make a toolchain with: install the WASI SDK and Emscripten and run me again"
  local missing=()
  command -v mmdebstrap >/dev/null || missing+=(mmdebstrap)
  command -v patchelf >/dev/null || missing+=(patchelf)
  [ ${#missing[@]} = 0 ] || die "these are missing; install them and run me again:  sudo apt-get install ${missing[*]}"
  local mirror; mirror=$("$(dirname "$0")/../deps/debian_mirror.sh") || mirror= # then mmdebstrap knows one
  local room; room=$(df -Pk "$cache" | awk 'NR == 2 { print int($4 / 1024) }')
  [ "$room" -ge 4000 ] || die "the toolchain needs 4 GB in $cache, which has $room MB; set RETORT_CACHE to a larger place"
  part=$root.part.$$
  local start=$SECONDS
  trap 'rm -rf "$part"' EXIT
  say "making the WebAssembly toolchain once from Debian trixie's packages in $root (3 GB, a few minutes)"
  mmdebstrap --quiet --variant=extract --aptopt='Acquire::Languages "none"' --aptopt='APT::Install-Recommends "false"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --include=emscripten,clang-19,lld-19,libclang-rt-19-dev-wasm32,wasi-libc,binaryen,wabt trixie "$part" ${mirror:+"$mirror"} > "$cache/wasm-toolchain.log" 2>&1 ||
    { tail -n 20 "$cache/wasm-toolchain.log" >&2; die "mmdebstrap failed ($cache/wasm-toolchain.log); run it as root, or install the WASI SDK and Emscripten"; }
  # Programs find their libraries below the folder's final name.
  local file llvm=usr/lib/llvm-19 lib; lib=usr/lib/$(uname -m)-linux-gnu
  local loader; loader=$(cd "$part" && ls "$lib"/ld-linux-*.so.? | head -n 1) || die "there is no dynamic loader in the folder that mmdebstrap made"
  local programs=("$part"/usr/bin/wasm*)
  for file in clang lld llvm-ar llvm-nm llvm-objcopy llvm-objdump llvm-strip llvm-ranlib llvm-dwarfdump llvm-dwp; do programs+=("$part/$llvm/bin/$file"); done
  for file in "${programs[@]}"; do
    [ -f "$file" ] && [ ! -L "$file" ] && head -c 4 "$file" | grep -q ELF || continue
    patchelf --set-interpreter "$root/$loader" --force-rpath --set-rpath "$root/$lib:$root/$llvm/lib" "$file" || die "patchelf failed on $file"
  done
  # Where clang looks for the target's builtins, and a configuration for Emscripten.
  mkdir -p "$part/$llvm/lib/clang/19/lib/wasm32-unknown-wasip1"
  ln -sf ../wasi/libclang_rt.builtins-wasm32.a "$part/$llvm/lib/clang/19/lib/wasm32-unknown-wasip1/libclang_rt.builtins.a"
  cat > "$part/emscripten.config" <<TEXT
LLVM_ROOT = '$root/$llvm/bin'
BINARYEN_ROOT = '$root/usr'
CACHE = '$root/usr/share/emscripten/cache'
FROZEN_CACHE = True
TEXT
  touch "$part/ready"
  rm -rf "$root"
  mv "$part" "$root" 2>/dev/null || [ -f "$root/ready" ] || die "$root could not be put in place"
  say "made in $((SECONDS - start)) s"
}

mkdir -p "$cache"
if [ -n "${WASI_SDK_PATH:-}" ]; then
  [ -x "$WASI_SDK_PATH/bin/clang" ] || die "\$WASI_SDK_PATH is $WASI_SDK_PATH, but there is no bin/clang in it"
  wrap wasi-clang "'$WASI_SDK_PATH/bin/clang'" --target=wasm32-wasip1 "--sysroot='$WASI_SDK_PATH/share/wasi-sysroot'"
  wrap wasi-ar "'$WASI_SDK_PATH/bin/llvm-ar'"
  # Version 116 is the first whose optimiser leaves the relaxed dot product whole. Without one, modules are larger by a tenth.
  rm -f "$bin/wasm-opt"
  optimiser=$(command -v wasm-opt || true)
  [ -z "$optimiser" ] || ! new_enough "$("$optimiser" --version | grep -oE '[0-9]+' | head -n 1)" 116 || wrap wasm-opt "'$optimiser'"
else
  debian
  wrap wasi-clang "'$root/usr/lib/llvm-19/bin/clang'" --target=wasm32-wasip1 "--sysroot='$root/usr'" "-fuse-ld='$root/usr/lib/llvm-19/bin/wasm-ld'" -Wno-unused-command-line-argument
  wrap wasi-ar "'$root/usr/lib/llvm-19/bin/llvm-ar'"
  wrap wasm-opt "'$root/usr/bin/wasm-opt'"
fi

[ -n "$node" ] || exit 0
# WASI has no C library for 64-bit addresses, Emscripten has one: built once, from the sources that come with it.
if [ -n "${EMSDK:-}" ]; then
  emscripten=$EMSDK/upstream/emscripten llvm=$EMSDK/upstream/bin config=$EMSDK/.emscripten
  [ -f "$emscripten/embuilder.py" ] || die "\$EMSDK is $EMSDK, but there is no upstream/emscripten/embuilder.py in it"
else
  debian
  emscripten=$root/usr/share/emscripten llvm=$root/usr/lib/llvm-19/bin config=$root/emscripten.config
fi
libc64=$cache/wasm64-libc-$(tr -d '"\n' < "$emscripten/emscripten-version.txt")
if [ ! -f "$libc64/ready" ]; then
  python3 -c '' 2>/dev/null || die "Emscripten needs python3; install it and run me again:  sudo apt-get install python3"
  say "building the C library for 64-bit addresses once, in $libc64 (a minute or two)"
  part=$libc64.part.$$
  trap 'rm -rf "$part"' EXIT
  env EM_NODE_JS="$node" EM_CONFIG="$config" EM_FROZEN_CACHE=0 EM_CACHE="$part" NODE_PATH="$root/usr/share/nodejs" python3 "$emscripten/embuilder.py" --wasm64 build \
    libc libbulkmemory libdlmalloc libcompiler_rt libstandalonewasm-nocatch-memgrow > "$cache/wasm64-libc.log" 2>&1 || { tail -n 20 "$cache/wasm64-libc.log" >&2; die "embuilder failed ($cache/wasm64-libc.log)"; }
  touch "$part/ready"
  rm -rf "$libc64"
  mv "$part" "$libc64" 2>/dev/null || [ -f "$libc64/ready" ] || die "$libc64 could not be put in place"
fi
wrap wasm64-clang "'$llvm/clang'" --target=wasm64-unknown-emscripten "--sysroot='$libc64/sysroot'" "-fuse-ld='$llvm/wasm-ld'" -Wno-unused-command-line-argument
