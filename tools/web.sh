# web.sh - dist/web: the demo page, Ember, and the npm package in retort-web/. Sourced by build.sh.

# Arguments go to cmake, for the plugin's modules.
web() {
  local package
  wasi_modules "$@"
  wasm/toolchain.sh build/wasm-bin "$(node_js)" || die "there is no toolchain for 64-bit WebAssembly"
  wasm_deps build/wasm64-deps wasm64
  browser_modules wasm-threads retort
  browser_modules wasm64 retort64
  rm -rf dist/web
  mkdir -p dist/web/models dist/web/retort-web/wasm
  cp web/demo/* dist/web/
  npm_packages web/render render
  NODE_PATH=$PWD/build/render/node_modules "$(node_js)" build/render/node_modules/esbuild/bin/esbuild web/render/render.js --bundle --minify \
    --format=esm --target=es2022 --loader:.woff2=file --asset-names=[name] --splitting --chunk-names=[name] --outdir=dist/web \
    --log-level=warning || die "the demo's libraries could not be bundled"
  for package in marked temml; do
    printf '%s\n\n' "$package"
    cat "build/render/node_modules/$package/LICENSE"
  done >dist/web/LICENSES.txt
  cp models/ember/ember.gguf models/ember/ember.gguf.sig models/ember/ember.gguf.chunks models/retort-project.pub dist/web/models/
  cp -r web/src web/package.json LICENSE dist/web/retort-web/
  cp docs/BROWSER.md dist/web/retort-web/README.md
  cp dist/retort-plugin.wasm dist/web/retort-web/wasm/retort.wasm
  cp build/wasm-threads/small/*.wasm build/wasm64/small/*.wasm dist/web/retort-web/wasm/
  say "built dist/web"
}
