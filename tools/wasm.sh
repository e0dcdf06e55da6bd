# wasm.sh - the plugin for WebAssembly hosts, and the package and the page for browsers. Sourced by build.sh.

# The wasm compilers below build/wasm-bin, and third-party libraries for WASI below build/wasi-deps.
wasi_tools() {
  need cmake cmake ninja-build ninja python3 python3 bzip2 bzip2
  [ -n "${WASI_SDK_PATH:-}" ] || need mmdebstrap mmdebstrap patchelf patchelf
  wasm/toolchain.sh build/wasm-bin || die "there is no WebAssembly toolchain"
  wasm_deps build/wasi-deps wasi
  venv venv-wasm wasm/requirements.txt
}
wasm_deps() { # folder wasi|wasm64: third-party libraries, small, because a page downloads the trust code before it can check anything
  local bin=$PWD/build/wasm-bin
  CC=$bin/$2-clang AR=$bin/wasi-ar CFLAGS="-Oz -mbulk-memory -mnontrapping-fptoint -ffunction-sections -fdata-sections -D_WASI_EMULATED_SIGNAL" \
    DEPS_CMAKE_ARGS="-DCMAKE_TOOLCHAIN_FILE=$PWD/wasm/cmake/$2.cmake -DRETORT_WASM_BIN=$bin" \
    deps/deps.sh "$1" jansson libsodium mbedtls || die "the libraries for $2 could not be built"
}

# The plugin's two modules, in dist/. Arguments go to cmake.
wasi_modules() {
  wasi_tools
  say "building (wasi)"
  configure wasi -DRETORT_NODE="$(node_js)" -DRETORT_NPM="$(npm_js)" "$@"
  compile wasi build/wasi
  shrink build/wasi/wasm/wasi dist retort-plugin retort-plugin.relaxed
}

# What imports something, and the component; in dist/ too.
wasi_adapters() {
  local suffix tools small=build/wasi/small
  wasi_modules "$@"
  say "building (the plugin's other builds)"
  compile wasi build/wasi --target adapters
  shrink build/wasi/wasm/wasi dist retort-plugin.{pull,directory,extism}{,.relaxed}
  shrink build/wasi/wasm/wasi $small retort-plugin.component retort-plugin.component.relaxed
  tools=$(wasm_tools) || { say "NOT BUILT: the component, for there is neither wasm-tools nor cargo to build it with"; return 0; }
  for suffix in "" .relaxed; do
    { "$tools" component embed wasm/wasi/retort.wit "$small/retort-plugin.component$suffix.wasm" -o $small/typed.wasm &&
      "$tools" component new $small/typed.wasm -o "dist/retort-plugin.component$suffix.wasm"; } || die "the component could not be made"
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
  local from=$1 to=$2 name features=(simd relaxed-simd bulk-memory sign-ext nontrapping-float-to-int mutable-globals multivalue reference-types threads memory64)
  shift 2
  mkdir -p "$to"
  for name in "$@"; do
    if [ "$to/$name.wasm" -nt "$from/$name.wasm" ]; then
      :
    elif [ -x build/wasm-bin/wasm-opt ]; then
      build/wasm-bin/wasm-opt -Oz --gufa -Oz --simplify-locals -Oz --low-memory-unused "${features[@]/#/--enable-}" --strip-debug --strip-producers \
        "$from/$name.wasm" -o "$to/$name.wasm" || die "wasm-opt failed on $name"
    else
      cp "$from/$name.wasm" "$to/"
    fi
    say "built $to/$name.wasm ($(stat -c %s "$to/$name.wasm") bytes)"
  done
}

# The browser's modules of a preset, as build/PRESET/small/NAME.*.wasm. browser_modules PRESET NAME
browser_modules() {
  say "building ($1)"
  configure "$1"
  compile "$1" "build/$1"
  shrink "build/$1/wasm/browser" "build/$1/small" "$2.simd128" "$2.relaxed"
}
