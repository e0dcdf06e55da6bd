# release.sh - static programs for other machines and the tarballs of a release (docs/RELEASING.md). Sourced by build.sh.

# cross TARGET CMAKE_BUILD_ARGUMENT...: the pinned libraries, and the tree by the preset TARGET, in build/TARGET. `cross_options` go to cmake.
cross_options=()
cross() {
  local target=$1 libc=libc6-dev # which Debian's cross compilers only recommend
  shift
  toolchain
  case $target in aarch64-*) libc=libc6-dev-arm64-cross;; arm-*) libc=libc6-dev-armhf-cross;; esac
  [ -f "$("$target-gcc" -print-file-name=crt1.o 2>/dev/null)" ] || install_packages "gcc-$target" $libc
  CC=$target-gcc AR=$target-ar DEPS_HOST=$target \
    CFLAGS="-Os -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-unwind-tables" \
    DEPS_CMAKE_ARGS="-DCMAKE_TOOLCHAIN_FILE=$PWD/cmake/$target.cmake -DCMAKE_C_FLAGS_RELEASE=-DNDEBUG" deps/deps.sh "build/$target/deps"
  configure "$target" "${cross_options[@]}"
  compile "$target" "build/$target" "$@"
}

# release TARGET NAME: one static program and what belongs to it, dist/retort-VERSION-NAME.tar.gz; the same bytes from the same commit,
# wherever and whenever it is built.
release() {
  local version out size ember
  cross "$1" --target retort
  version=$(sed -n 's/^project(retort VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
  out=dist/retort-$version-$2
  rm -rf "$out"
  mkdir -p "$out/examples"
  "$1-strip" -o "$out/retort" "build/$1/retort"
  size=$(stat -c %s "$out/retort") ember=$(cat models/ember/ember.gguf models/ember/ember.gguf.sig models/ember/ember.gguf.chunks | wc -c)
  say "built $out/retort ($size bytes; without the embedded model $((size - ember)))"
  [ "$2" != aarch64-linux ] || [ $((size - ember)) -le 2300000 ] || die "the program is larger than 2.3 MB without its model"
  cp LICENSE docs/DEVICE.md docs/SIGNING.md native/share/retort.1 native/share/retort.bash native/share/retort.fish models/retort-project.pub "$out/"
  cp native/share/retort-update.service native/share/retort-update.timer "$out/examples/"
  tarball "$out"
}

tarball() { # folder below dist/
  (cd "$1" && LC_ALL=C find . -type f ! -name SHA256SUMS -printf '%P\n' | LC_ALL=C sort | xargs sha256sum >SHA256SUMS)
  chmod -R u=rwX,go=rX "$1" && find "$1" -type f ! -name retort -exec chmod 644 {} +
  tar --sort=name --format=ustar --owner=0 --group=0 --numeric-owner --mtime="@$(git log -1 --format=%ct 2>/dev/null || echo 0)" \
    -C dist -cf - "${1#dist/}" | gzip -9n >"$1.tar.gz"
  say "built $1.tar.gz ($(stat -c %s "$1.tar.gz") bytes, SHA-256 $(sha256sum "$1.tar.gz" | cut -d' ' -f1))"
}

arm() { release aarch64-linux-gnu aarch64-linux; }

# All tarballs, their sums, and signatures where there is the key.
dist() {
  local file
  native
  rm -f dist/retort-*.tar.gz* dist/SHA256SUMS*
  release x86_64-linux-gnu x86_64-linux
  arm
  release arm-linux-gnueabihf armhf-linux
  (cd dist && LC_ALL=C sha256sum retort-*.tar.gz >SHA256SUMS)
  [ -n "${RETORT_RELEASE_KEY:-}" ] || { say "not signed: a development build (a release sets RETORT_RELEASE_KEY, docs/RELEASING.md)"; return 0; }
  for file in dist/retort-*.tar.gz dist/SHA256SUMS; do
    build/retort sign -k "$RETORT_RELEASE_KEY" "$file" || die "$file could not be signed"
  done
}
