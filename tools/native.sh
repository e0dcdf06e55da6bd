# native.sh - the program for this machine, and what measures and analyses it. Sourced by build.sh.

# configure PRESET [CMAKE_ARGUMENT...], compile PRESET FOLDER [CMAKE_ARGUMENT...]: quiet, but for what went wrong.
configure() {
  mkdir -p build
  cmake --preset "$@" >"build/$1.configure.log" 2>&1 || { cat "build/$1.configure.log" >&2; die "cmake failed ($1)"; }
}
compile() {
  local name=$1 folder=$2
  shift 2
  cmake --build "$folder" -j "$jobs" "$@" >"build/$name.log" 2>&1 || { cat "build/$name.log" >&2; die "the build failed ($name)"; }
}

# Third-party libraries of this machine in build/deps: those of deps.lock that are named, or all.
deps() {
  toolchain
  deps/deps.sh build/deps "$@"
}

native() {
  local libraries
  mapfile -t libraries < <(awk '$1 !~ /^#/ && $1 != "cmocka" && NF { print $1 }' deps/deps.lock)
  deps "${libraries[@]}"
  configure native
  compile native build --target retort
}

run() {
  local start=$SECONDS
  native
  if [ -t 2 ]; then printf '\033[2mset-up took %s s\033[0m\n' $((SECONDS - start)) >&2; else say "set-up took $((SECONDS - start)) s"; fi
  exec build/retort run -v "$@"
}

bench() {
  native
  need g++ g++
  venv venv-bench tests/bench/requirements.txt
  compile limits build --target limits
  smollm2
  build/venv-bench/bin/python tests/bench/bench.py --retort build/retort --limits build/limits --models "$cache/bench" --small "$model" "$@"
}

analyze() {
  need clang clang clang-tools scan-build
  deps
  tests/structure/analyze.sh build/analyze build/deps
}
