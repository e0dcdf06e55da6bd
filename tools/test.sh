# test.sh - builds what a set of tests needs, then has ctest run the tests of that label. Sourced by build.sh.
#
# Each build folder has its own ctest: build/sanitize and build/test (this machine), build/wasi (WebAssembly, its hosts and browsers),
# build/aarch64-linux-gnu and build/arm-linux-gnueabihf (emulated ARM), build/x86 (emulated x86). Every test has a label that is a set's name.

failed=0
labelled() { # folder label [ctest argument...]
  local folder=$1 label=$2
  shift 2
  ctest --test-dir "$folder" --output-on-failure --no-tests=error -j "$jobs" -L "^($label)\$" "$@" || failed=1
}

test_set() { # set [argument...]
  local set=$1
  shift
  case $set in
    quick) test_here quick;;
    full)
      test_here 'quick|full'
      [ $failed = 0 ] || return 1
      fuzz 1 || failed=1
      test_arm full
      test_x86
      reproducible_table || failed=1;;
    wasm)
      native
      wasm_options build/retort
      wasi_modules "${options[@]}"
      labelled build/wasi wasm;;
    hosts)
      native
      wasm_options build/retort
      wasi_adapters "${options[@]}"
      labelled build/wasi hosts;;
    browser)
      need chromium chromium firefox-esr firefox-esr webkit2gtk-driver WebKitWebDriver xvfb Xvfb
      native
      wasm_options build/retort
      web "${options[@]}"
      npm_packages tests/web browser
      labelled build/wasi browser;;
    arm) test_arm "${1:-quick}";;
    x86) test_x86 "$@";;
  esac
  return $failed
}

# Units under the sanitizers, then everything at full speed, then WebAssembly against the program.
test_here() { # quick, or quick|full
  local options=()
  deps
  smollm2
  need minisign minisign signify-openbsd signify-openbsd curl curl jq jq
  wycheproof
  venv venv tests/requirements.txt
  options=(-DRETORT_PYTHON="$PWD/build/venv/bin/python" -DRETORT_TEST_MODEL="$model" -DRETORT_DEPS="$PWD/build/deps")
  [ "$1" = quick ] || full_options
  say "building (sanitize)"
  configure sanitize "${options[@]}"
  compile sanitize build/sanitize
  labelled build/sanitize "$1" -R '^(unit|native)\.'
  say "building (test)"
  configure test "${options[@]}"
  compile test build/test
  labelled build/test "$1"
  wasm_options build/test/retort
  web "${options[@]}"
  npm_packages tests/web browser
  labelled build/wasi quick
}
full_options() { # adds to options
  need clang clang clang-tools scan-build
  venv venv-full tests/requirements-full.txt
  venv venv-train models/ember/train/requirements.txt
  options+=(-DRETORT_PYTHON_FULL="$PWD/build/venv-full/bin/python" -DRETORT_PYTHON_TORCH="$PWD/build/venv-train/bin/python")
}
wasm_options() { # program of this machine: sets options
  venv venv-hosts tests/wasm/hosts/requirements.txt
  options=(-DRETORT_NATIVE="$PWD/$1" -DRETORT_PYTHON_HOSTS="$PWD/build/venv-hosts/bin/python")
}

# The units and the program on emulated ARM CPUs, and the tarball. quick: without the two longest units.
test_arm() { # quick|full
  local without=()
  [ "$1" = full ] || without=(-LE '^full$')
  need qemu-user-static qemu-aarch64-static jq jq
  smollm2
  native
  venv venv tests/requirements.txt
  arm
  cross_options=(-DRETORT_PYTHON="$PWD/build/venv/bin/python" -DRETORT_TEST_MODEL="$model" -DRETORT_NATIVE="$PWD/build/retort")
  cross aarch64-linux-gnu
  cross arm-linux-gnueabihf
  labelled build/aarch64-linux-gnu arm "${without[@]}"
  labelled build/arm-linux-gnueabihf arm "${without[@]}"
}

# The x86 variants that this machine may lack.
test_x86() { # variant...
  [ -f /usr/lib/ISOLINUX/isolinux.bin ] && [ -f /usr/lib/syslinux/modules/bios/ldlinux.c32 ] || install_packages isolinux syslinux-common
  need xorriso xorriso cpio cpio busybox-static busybox curl curl g++ g++
  deps
  configure x86
  compile x86 build/x86 --target test_kernels test_reproducible retort
  labelled build/x86 x86 -R "^x86\\.($(IFS='|'; echo "${*:-.*}"))\$"
}

# What the machines and engines of the tests said of each model's logits, in one table.
reproducible_table() {
  local logs
  mapfile -t logs < <(ls build/*/Testing/Temporary/LastTest.log build/x86/x86-*.log 2>/dev/null)
  python3 tests/emulated/reproducible_table.py "${logs[@]}"
}
