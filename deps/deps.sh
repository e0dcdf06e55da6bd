#!/usr/bin/env bash
# deps.sh - fetches the pinned third-party sources of deps.lock and builds them as static libraries into a prefix.
#
#   deps/deps.sh PREFIX [NAME...]      CC, AR, CFLAGS, DEPS_HOST and DEPS_CMAKE_ARGS choose the target; default: all libraries, for this machine
#
# A tarball comes from its upstream address, or, where that cannot be reached, from the Debian source package that carries the same file;
# whatever the route, its SHA-256 must be the one in deps.lock. Downloads are kept in ${RETORT_CACHE:-~/.cache/retort}/sources.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
prefix=$(mkdir -p "$1" && cd "$1" && pwd); shift
cache=${RETORT_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/retort}/sources
mkdir -p "$cache"

say() { printf 'deps: %s\n' "$*" >&2; }
sha_ok() { [ -f "$1" ] && [ "$(sha256sum "$1" | cut -d' ' -f1)" = "$2" ]; }

# The Debian route, with a private apt directory so that the system's lists stay as they are.
from_debian() { # source-package=version file out
  local dir mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  command -v apt-get >/dev/null || return 1
  mirror=$("$here/debian_mirror.sh") || return 1
  [ -f "$keyring" ] || { say "no Debian archive keyring"; return 1; }
  dir=$cache/apt
  mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
  : > "$dir/status"
  { for suite in bookworm trixie; do echo "deb-src [signed-by=$keyring] $mirror $suite main"; done; } > "$dir/sources.list"
  local apt="apt-get -qq -o Dir::State=$dir -o Dir::State::Lists=$dir/lists -o Dir::State::status=$dir/status -o Dir::Cache=$dir/cache
             -o Dir::Etc::sourcelist=$dir/sources.list -o Dir::Etc::sourceparts=/dev/null -o APT::Sandbox::User=root"
  [ -n "$(find "$dir/lists" -maxdepth 1 -name '*Sources*' -mmin -600 2>/dev/null | head -n 1)" ] || $apt update >&2 || return 1
  local work; work=$(mktemp -d "$cache/src.XXXXXX")
  (cd "$work" && $apt source --download-only "$1" >&2) || { rm -rf "$work"; return 1; }
  local found; found=$(find "$work" -name "$2" | head -n 1)
  [ -n "$found" ] && mv "$found" "$3"
  rm -rf "$work"
  [ -f "$3" ]
}

fetch() { # name version sha url debian
  local file=$cache/$1-$2.tar
  if ! sha_ok "$file" "$3"; then
    rm -f "$file" "$file.part"
    say "fetching $1 $2"
    if ! { command -v curl >/dev/null && curl -fsL --connect-timeout 5 --max-time 120 -o "$file.part" "$4" && sha_ok "$file.part" "$3"; }; then
      rm -f "$file.part"
      [ "$5" != - ] && from_debian "${5%%:*}" "${5##*:}" "$file.part" || { say "$1 $2 could be had neither from $4 nor as Debian source (${5%%:*})"; return 1; }
    fi
    sha_ok "$file.part" "$3" || { say "$1 $2: SHA-256 $(sha256sum "$file.part" | cut -d' ' -f1) is not the pinned $3; file refused"; rm -f "$file.part"; return 1; }
    mv "$file.part" "$file"
  fi
  printf '%s\n' "$file"
}

cmake_build() { # source-dir, further cmake arguments
  local dir=$1; shift
  local generator=(); command -v ninja >/dev/null && generator=(-G Ninja)
  cmake -S "$dir" -B "$dir/build.retort" "${generator[@]}" -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$prefix" -DCMAKE_INSTALL_LIBDIR=lib \
        -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DBUILD_SHARED_LIBS=OFF -DCMAKE_POLICY_VERSION_MINIMUM=3.5 ${DEPS_CMAKE_ARGS:-} "$@" > "$dir/log" 2>&1 &&
  cmake --build "$dir/build.retort" >> "$dir/log" 2>&1 && cmake --install "$dir/build.retort" >> "$dir/log" 2>&1 || { tail -n 30 "$dir/log" >&2; return 1; }
}

# One function a library: builds the unpacked source in $1.
build_jansson() { cmake_build "$1" -DJANSSON_BUILD_DOCS=OFF -DJANSSON_WITHOUT_TESTS=ON -DJANSSON_EXAMPLES=OFF -DUSE_URANDOM=OFF -DUSE_WINDOWS_CRYPTOAPI=OFF; }
build_cmocka() { cmake_build "$1" -DWITH_STATIC_LIB=ON -DWITH_EXAMPLES=OFF -DUNIT_TESTING=OFF; cp "$(find "$1/build.retort" -name 'libcmocka*.a' | head -n 1)" "$prefix/lib/libcmocka-static.a"; }
# Only the static library: the examples would need a terminal library, in whose place native/terminal/termcap.c stands. configure insists on linking one:
# it gets an empty archive of that name. AR and DEPS_HOST serve cross builds.
build_libedit() {
  mkdir "$1/empty" && ${AR:-ar} qcs "$1/empty/libncurses.a" &&
  (cd "$1" && ac_cv_lib_ncurses_tgetent=yes CPPFLAGS="-I$here/../native/terminal" LDFLAGS="-L$1/empty" ./configure --prefix="$prefix" ${DEPS_HOST:+--host=$DEPS_HOST} \
     --enable-static --disable-shared --disable-examples --with-pic && make -C src install) > "$1/log" 2>&1 ||
  { tail -n 30 "$1/log" >&2; return 1; }
}

# These are compiled file by file, without their configure scripts: the same few lines then serve every compiler (CC, AR and
# CFLAGS: gcc, clang, emcc, clang --target=wasm32-wasi). The linker takes only what is used.
compile_all() { # library folder with the sources flags...
  local library=$1 dir=$2; shift 2
  find "$dir" -name '*.c' | LC_ALL=C sort | xargs -P "$(nproc 2>/dev/null || echo 2)" -I '{}' ${CC:-cc} ${CFLAGS:--O2 -fPIC} -ffunction-sections -fdata-sections -ffile-prefix-map="$dir=." -w "$@" -c '{}' -o '{}.o' > "$dir/log" 2>&1 ||
    { tail -n 30 "$dir/log" >&2; return 1; }
  rm -f "$prefix/lib/$library"; mkdir -p "$prefix/lib" "$prefix/include"
  find "$dir" -name '*.c.o' | LC_ALL=C sort | xargs ${AR:-ar} qcs "$prefix/lib/$library"
}
build_libsodium() {
  local dir=$1/src/libsodium flags=()
  cp "$1/builds/msvc/version.h" "$dir/include/sodium/"
  # Field arithmetic in 128-bit integers where the target has 64-bit registers for them.
  # (Not piped into grep -q: it leaves at the first match, and the compiler that then cannot write on would count as a failure, now and then.)
  grep -q '__LP64__' <<<"$(${CC:-cc} ${CFLAGS:-} -dM -E - < /dev/null)" && flags+=(-DHAVE_TI_MODE=1)
  compile_all libsodium.a "$dir" -DCONFIGURED=1 -DNATIVE_LITTLE_ENDIAN=1 -DSODIUM_STATIC=1 -D_GNU_SOURCE "${flags[@]}" -I "$dir/include" -I "$dir/include/sodium" &&
  cp "$dir/include/sodium.h" "$prefix/include/" && rm -rf "$prefix/include/sodium" && cp -R "$dir/include/sodium" "$prefix/include/"
}
build_mbedtls() {
  cp "$here/mbedtls_config.h" "$1/include/mbedtls/mbedtls_config.h"
  compile_all libmbedtls.a "$1/library" -I "$1/include" -I "$1/library" &&
  rm -rf "$prefix/include/mbedtls" "$prefix/include/psa" && cp -R "$1/include/mbedtls" "$1/include/psa" "$prefix/include/"
}
build_c-ares() { # the crate's folder c-ares
  local dir=$1/c-ares
  cp "$here/c-ares_config.h" "$dir/src/lib/ares_config.h" && cp "$dir/include/ares_build.h.dist" "$dir/include/ares_build.h" &&
  compile_all libcares.a "$dir/src/lib" -Os -DHAVE_CONFIG_H -DCARES_STATICLIB -D_GNU_SOURCE -I "$dir/include" -I "$dir/src/lib" -I "$dir/src/lib/include" &&
  cp "$dir"/include/ares*.h "$prefix/include/"
}
build_curl() { # after mbedtls and c-ares
  cp "$here/curl_config.h" "$1/lib/" &&
  compile_all libcurl.a "$1/lib" -Os -DHAVE_CONFIG_H -DBUILDING_LIBCURL -DCURL_STATICLIB -DCARES_STATICLIB -D_GNU_SOURCE -I "$1/include" -I "$1/lib" -I "$prefix/include" &&
  rm -rf "$prefix/include/curl" && cp -R "$1/include/curl" "$prefix/include/"
}

build_one() { # name version sha url debian
  local stamp=$prefix/stamp/$1-$3
  [ -f "$here/$1_config.h" ] && stamp+=-$(sha256sum "$here/$1_config.h" | cut -c1-8)
  local recipe
  recipe="${CC:-} ${AR:-} ${CFLAGS:-} ${DEPS_HOST:-} ${DEPS_CMAKE_ARGS:-} $(declare -f "build_$1" cmake_build compile_all)"
  stamp+=-$(sha256sum <<<"${recipe//"$PWD"/}" | cut -c1-8) # wherever the tree lies
  [ -f "$stamp" ] && return 0
  local tarball; tarball=$(fetch "$@")
  local src; src=$(mktemp -d "$cache/build.XXXXXX")
  tar -xf "$tarball" -C "$src" --strip-components=1
  say "building $1 $2"
  if "build_$1" "$src"; then mkdir -p "$prefix/stamp" && rm -f "$prefix/stamp/$1-"* && touch "$stamp"; rm -rf "$src"; else rm -rf "$src"; say "building $1 failed"; return 1; fi
}

while read -r name version sha url debian; do
  case $name in ''|'#'*) continue;; esac
  if [ $# -gt 0 ]; then case " $* " in *" $name "*) ;; *) continue;; esac; fi
  build_one "$name" "$version" "$sha" "$url" "$debian"
done < "$here/deps.lock"
