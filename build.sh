#!/usr/bin/env bash
# build.sh - the only script a person needs, a door to tools/*.sh. `./build.sh help` lists what it does.
set -euo pipefail
cd "$(dirname "$0")"

help() {
  cat <<'TEXT'
usage: ./build.sh VERB [ARGUMENTS]        ./build.sh VERB --help says more and does nothing else

  run "PROMPT" [OPTIONS]   build, answer with the embedded model, or with another (-m FILE)
  native                   build the program: build/retort
  test [SET]               everything one needs to trust a change; or a set: quick full arm x86 wasm hosts browser
  arm                      cross-build for 64-bit ARM Linux, one static program in a tarball
  dist                     the tarballs of a release: x86-64, 64-bit and 32-bit ARM
  wasi [all]               the plugin for any WebAssembly host
  web [--serve [PORT]]     the package and the page for browsers: dist/web
  bench [OPTIONS]          speed against llama.cpp or ik_llama.cpp on the same files, and against the machine's limits
  analyze                  clang's static analyser over runtime/
  fuzz [MINUTES] [TARGET]  libFuzzer on everything that takes bytes from outside, and what it reaches
  clean                    remove build/

Missing tools are installed when this runs as root on a system with apt; otherwise the one command to run is printed.
Sources of the pinned libraries, the test model and test vectors are kept in ${RETORT_CACHE:-~/.cache/retort}.
TEXT
}

about() { # verb
  case $1 in
    run) cat <<'TEXT'
usage: ./build.sh run "PROMPT" [OPTIONS]
  Builds build/retort and has it answer, with the embedded model or with another (-m FILE). OPTIONS are those of `build/retort run`:
TEXT
      build/retort run --help 2>/dev/null || echo '  they are shown here once the program is built (./build.sh native)';;
    native) echo 'usage: ./build.sh native
  Builds the program for this machine: build/retort. Its libraries are built once, from pinned sources, in build/deps.';;
    test) cat <<'TEXT'
usage: ./build.sh test [quick]            sanitizer build, unit, oracle and program tests, WebAssembly in Python, Node.js and Chromium
       ./build.sh test full               the long proofs too (whole matrices, big oracles, fuzzing), with arm full and x86
       ./build.sh test arm [full]         units and program on emulated ARM CPUs: plain NEON, dotprod, i8mm, and 32-bit; logits as here
       ./build.sh test x86 [VARIANT...]   the kernels avx-vnni and avx512 on CPUs emulated instruction by instruction (builds Bochs once)
       ./build.sh test wasm               the WebAssembly kernels and the plugin in Python and Node.js (makes the toolchain once: 3 GB)
       ./build.sh test hosts              the plugin in every host language: Python, Node.js, Go, Rust, C, Java; Extism, and as a component
       ./build.sh test browser            the package and the page in Chromium, Firefox and WebKitGTK, and the package in new projects
  Builds what the set needs, then runs the tests of that label: ctest -L SET. What cannot run here is named, with the reason.
TEXT
      ;;
    arm) echo 'usage: ./build.sh arm
  Cross-builds for 64-bit ARM Linux: dist/retort-VERSION-aarch64-linux.tar.gz with one static program (docs/DEVICE.md).';;
    dist) echo 'usage: ./build.sh dist
  Builds the tarballs of a release in dist/: x86-64, 64-bit and 32-bit ARM, static, and their sums; signed where RETORT_RELEASE_KEY names
  the key (docs/RELEASING.md).';;
    wasi) echo 'usage: ./build.sh wasi [all]
  Builds the plugin for any WebAssembly host: dist/retort-plugin.wasm and dist/retort-plugin.relaxed.wasm (docs/PLUGIN.md).
  all: its other builds too: weights from a directory or pulled, for Extism, and a component (this one with wasm-tools of Rust).';;
    web) echo 'usage: ./build.sh web [--serve [PORT]]
  Builds the package and the page for browsers: dist/web (docs/BROWSER.md). --serve opens it to this machine, at PORT (8000).';;
    bench) echo 'usage: ./build.sh bench [OPTIONS]
  Builds, and measures against llama.cpp or ik_llama.cpp on the same files, interleaved (docs/PERFORMANCE.md). OPTIONS are those of:'
      python3 tests/bench/bench.py --help 2>/dev/null || echo '  python3 tests/bench/bench.py --help';;
    analyze) echo 'usage: ./build.sh analyze
  Runs the static analyser of clang over runtime/; a report is in build/analyze/report.';;
    fuzz) echo 'usage: ./build.sh fuzz [MINUTES [TARGET...]]
  Builds the fuzz targets with clang and runs each for MINUTES (1), as many at once as there are cores; then says how much of each file
  they reach. Corpora are kept in ${RETORT_CACHE:-~/.cache/retort}/fuzz, findings lie in build/fuzz/findings, and tests/fuzz/executions.tsv
  counts. Targets: '"$(sed -n 's/^fuzz_target(\([a-z]*\) .*/\1/p' tests/fuzz/CMakeLists.txt | paste -sd' ')";;
    clean) echo 'usage: ./build.sh clean
  Removes build/. What was built into dist/, and ${RETORT_CACHE:-~/.cache/retort}, stay.';;
  esac
}

say() { printf 'build: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
refuse() { say "$1; ./build.sh $verb --help says what it takes"; exit 2; }

# at_most N ARGUMENT...: no more arguments than N.
at_most() { [ $(($# - 1)) -le "$1" ] || refuse "unknown argument '${*:$(($1 + 2)):1}'"; }
# one_of WORD WORD...: the first is one of the others.
one_of() {
  local word=$1 other
  shift
  for other in "$@"; do [ "$word" != "$other" ] || return 0; done
  refuse "unknown argument '$word'"
}

check() { # the arguments of verb
  local word
  case $verb in
    run|bench) ;; # the program's, and the script's own
    test)
      case ${1:-quick} in
        arm) at_most 2 "$@"; one_of "${2:-quick}" quick full;;
        x86) for word in "${@:2}"; do one_of "$word" avx-vnni avx512; done;;
        *) at_most 1 "$@"; one_of "${1:-quick}" quick full wasm hosts browser;;
      esac;;
    wasi) at_most 1 "$@"; one_of "${1:-all}" all;;
    web) at_most 2 "$@"; one_of "${1:---serve}" --serve; [[ ${2:-8000} =~ ^[0-9]+$ ]] || refuse "'$2' is no port";;
    native|arm|dist|analyze|clean) at_most 0 "$@";;
    fuzz)
      [[ ${1:-1} =~ ^[0-9.]+$ ]] || refuse "'$1' is no number of minutes"
      for word in "${@:2}"; do [ -f "tests/fuzz/fuzz_$word.c" ] || refuse "there is no target '$word'"; done;;
    *) help >&2; die "unknown verb '$verb'";;
  esac
}

verb=${1:-help}
[ $# -eq 0 ] || shift
case $verb in help|-h|--help) help; exit 0;; esac
for word in "$@"; do
  [ "$word" != -- ] || break
  case $word in -h|--help) [ -z "$(about "$verb")" ] || { about "$verb"; exit 0; };; esac
done
check "$@"

cache=${RETORT_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/retort}
jobs=$(nproc 2>/dev/null || echo 2)
for part in packages models native release wasm web fuzz test; do
  # shellcheck source=/dev/null
  . "tools/$part.sh"
done
case $verb in
  native) native; say "built build/retort";;
  test) test_set "${@:-quick}";;
  wasi) if [ "${1:-}" = all ]; then wasi_adapters; else wasi_modules; fi;;
  web)
    web
    [ "${1:-}" != --serve ] || exec python3 web/serve.py dist/web "${2:-8000}";;
  clean) rm -rf build;;
  *) "$verb" "$@";;
esac
