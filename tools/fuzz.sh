# fuzz.sh - builds the fuzzers and runs them. Sourced by build.sh.

# Clang with the library of its fuzzer, and the tools that tell coverage.
fuzz_tools() {
  need clang clang llvm llvm-cov
  [ -n "$(find "$(clang -print-resource-dir)/lib" -name 'libclang_rt.fuzzer*' 2>/dev/null | head -n 1)" ] ||
    install_packages "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"
}

# The libraries once more: mbedTLS parses keys and certificates, so that the fuzzer is to see into it.
fuzz() { # [minutes [target...]]
  local libraries minutes=${1:-1}
  shift || true
  toolchain
  fuzz_tools
  mapfile -t libraries < <(awk '$1 !~ /^#/ && $1 != "mbedtls" && NF { print $1 }' deps/deps.lock)
  deps/deps.sh build/fuzz-deps "${libraries[@]}"
  CC=clang CFLAGS='-O1 -g -fPIC -fsanitize=fuzzer-no-link,address' deps/deps.sh build/fuzz-deps mbedtls
  say "building (fuzz)"
  configure fuzz
  compile fuzz build/fuzz --target fuzzers
  python3 tests/fuzz/fuzz.py build/fuzz "$cache/fuzz" "$minutes" "$@"
}
