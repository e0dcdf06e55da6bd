// run.mjs - dist/web in real browsers: node run.mjs --packages FOLDER --site dist/web --retort PROGRAM [--npm SCRIPT --projects NAMES] [--large] [--only TEXT] [--screens FOLDER] [BROWSER...]
//
// Each case is something a person could do by hand. What the page proves is compared with what the native program prints. A browser that is not
// installed is named as skipped (exit status 77 where there is no other). Without a browser: the package's types and sizes, and the server.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import http from 'node:http'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { apiCases } from './api.mjs'
import { pageCases } from './page.mjs'
import { makeProjects } from './projects.mjs'
import { serve } from './server.mjs'
import { launchWebkit, webkitPath } from './webkit.mjs'

const { values: given, positionals: browsers } = parseArgs({
  options: { packages: { type: 'string' }, site: { type: 'string' }, large: { type: 'boolean' }, retort: { type: 'string' }, only: { type: 'string', default: '' }, screens: { type: 'string' }, projects: { type: 'string' }, npm: { type: 'string' } }, allowPositionals: true,
})
const packages = createRequire(path.resolve(given.packages, 'x'))
const site = path.resolve(given.site)
const models = path.resolve(import.meta.dirname, '../../models')
const { default: puppeteer } = await import(packages.resolve('puppeteer-core'))

const PROGRAMS = { chromium: ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'], firefox: ['/usr/bin/firefox-esr', '/usr/bin/firefox'], webkit: [webkitPath].filter(Boolean) }
const PACKAGES = { chromium: 'chromium', firefox: 'firefox-esr', webkit: 'webkit2gtk-driver xvfb' }
const ARGS = { chromium: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'], firefox: [], webkit: [] }

/** What `retort run --proof` prints, without the answer. */
function nativeProof(question, args) {
  const ran = spawnSync(path.resolve(given.retort), ['run', '-m', `${models}/ember/ember.gguf`, '--key', `${models}/retort-project.pub`, '--proof', ...args, question], { encoding: 'utf8' })
  if (ran.status !== 0) throw new Error(ran.stderr)
  return ran.stdout.trim().split('\n').at(-1)
}

/** The logarithm of the probability of each token of the greedy answer, from the native program's logits. */
function nativeLogprobs(question) {
  const ember = ['-m', `${models}/ember/ember.gguf`, '--key', `${models}/retort-project.pub`]
  const run = (...args) => {
    const ran = spawnSync(path.resolve(given.retort), args, { encoding: 'utf8' })
    if (ran.status !== 0) throw new Error(ran.stderr)
    return ran.stdout
  }
  const { prompt_ids, ids } = JSON.parse(run('run', ...ember, '--json', '--temp', '0', question))
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'retort-logits-'))
  run('logits', ...ember, '--ids', [...prompt_ids, ...ids].join(), '--out', path.join(folder, 'l.npy'))
  const npy = fs.readFileSync(path.join(folder, 'l.npy'))
  fs.rmSync(folder, { recursive: true })
  const header = 10 + npy.readUInt16LE(8)
  const rows = prompt_ids.length + ids.length
  const floats = new Float32Array(npy.buffer.slice(npy.byteOffset + header, npy.byteOffset + npy.length))
  const width = floats.length / rows
  return ids.map((id, i) => {
    const row = floats.subarray((prompt_ids.length - 1 + i) * width, (prompt_ids.length + i) * width)
    const most = Math.max(...row)
    return row[id] - most - Math.log(row.reduce((sum, x) => sum + Math.exp(x - most), 0))
  })
}

/** Small models below the site's models/, and what the native program says to each: made once, at the first use. */
const made = { minis: null, files: [] }
function writeModel(...args) {
  const ran = spawnSync('python3', ['-c', 'import sys; sys.path[:0] = [sys.argv[1]]; sys.dont_write_bytecode = True; import models; models.browser(*sys.argv[2:])', path.resolve(import.meta.dirname, '../support'), ...args], { encoding: 'utf8' })
  if (ran.status !== 0) throw new Error(ran.stderr)
  return ran.stdout.trim().split('\n')
}
function runNative(...args) {
  const ran = spawnSync(path.resolve(given.retort), ['run', ...args], { encoding: 'utf8' })
  if (ran.status !== 0) throw new Error(ran.stderr)
  return ran.stdout.trim()
}
function minis() {
  const question = 'Grüße aus dem Browser, '.repeat(4)
  return (made.minis ??= writeModel(path.join(site, 'models')).map((name) => {
    const file = path.join(site, 'models', name)
    made.files.push(file)
    const pin = createHash('sha256').update(fs.readFileSync(file)).digest('hex')
    return { file: name, pin, question, line: runNative('-m', file, '--pin', pin, '-n', '12', '--proof', question).split('\n').at(-1) }
  }))
}
/** A small model with `gap` bytes of nothing before its weights. */
function large(gap) {
  const [small, file] = writeModel(path.join(site, 'models'), String(gap))
  made.files.push(path.join(site, 'models', small), path.join(site, 'models', file))
  const question = 'Hello'
  // The same weights without what lies before them: the native program need not read all that.
  const { text } = JSON.parse(runNative('-m', path.join(site, 'models', small), '--allow-unsigned', '-n', '12', '--temp', '0', '--json', question))
  return { file, question, text }
}

let passed = 0
const failed = []
const skipped = []

async function inBrowser(name) {
  const executablePath = PROGRAMS[name].find(fs.existsSync)
  if (!executablePath) {
    skipped.push(name)
    return console.log(`${name}: skipped, it is not installed (apt-get install ${PACKAGES[name]})`)
  }
  const server = await serve(site)
  const launch = (extraPrefsFirefox) => (name === 'webkit' ? launchWebkit() : puppeteer.launch({ browser: name === 'firefox' ? 'firefox' : 'chrome', executablePath, headless: true, args: ARGS[name], extraPrefsFirefox }))
  const browser = await launch()
  console.log(`${name}: ${await browser.version()}`)
  for (const { title, run, only, prefs, timeout = 60000 } of [...apiCases, ...pageCases, ...projectCases]) {
    if (!title.includes(given.only) || (only && !only.includes(name))) continue
    // A context of its own, or a browser with other settings: nothing kept, nothing shared.
    const special = prefs && (await launch(prefs))
    const context = special ? special.defaultBrowserContext() : await browser.createBrowserContext()
    server.faults = {}
    server.requests.length = 0
    server.isolated = true
    const complaints = []
    const newPage = async (where) => {
      const page = await context.newPage()
      page.on('pageerror', (error) => complaints.push(error.message))
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
      await page.goto(new URL(where, server.origin).href)
      return page
    }
    const start = performance.now()
    try {
      const said = await within(timeout, run({ browser, name, minis, large, huge: given.large, context, server, newPage, nativeProof, nativeLogprobs, packages, complaints, screens: given.screens, models, site }))
      passed++
      console.log(`  ok    ${title} (${Math.round(performance.now() - start)} ms)${said ? ': ' + said : ''}`)
    } catch (error) {
      failed.push(`${name}: ${title}`)
      console.log(`  FAIL  ${title}\n${String(error.stack).replace(/^/gm, '        ')}${complaints.map((c) => '\n        page: ' + c).join('')}`)
    }
    await (special ?? context).close()
  }
  await browser.close()
  server.close()
}

const within = (ms, promise) => {
  let timer
  return Promise.race([promise, new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(`not done in ${ms / 1000} s`)), ms)))]).finally(() => clearTimeout(timer))
}

/** The types, by a compiler, with uses that must not compile; as Node.js and as bundlers find them. */
function checkTypes() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'retort-types-'))
  fs.mkdirSync(path.join(folder, 'node_modules'))
  fs.cpSync(path.join(site, 'retort-web'), path.join(folder, 'node_modules/retort-web'), { recursive: true })
  fs.copyFileSync(path.join(import.meta.dirname, 'types.ts'), path.join(folder, 'types.ts'))
  for (const resolution of [['--module', 'nodenext'], ['--module', 'esnext', '--moduleResolution', 'bundler']]) {
    const ran = spawnSync(process.execPath, [packages.resolve('typescript/lib/tsc.js'), '--noEmit', '--strict', ...resolution, '--target', 'es2022', '--lib', 'es2022,dom,dom.iterable', 'types.ts'], { cwd: folder, encoding: 'utf8' })
    if (ran.status === 0) passed++
    else failed.push('types')
    console.log(ran.status === 0 ? `types: ok (${resolution.at(-1)})` : `types: FAIL\n${ran.stdout}`)
  }
  fs.rmSync(folder, { recursive: true })
}

/** What a page downloads: each module at most 600 KB, and with Brotli 220 KB; the package's JavaScript at most 25 KB with gzip. */
function checkSizes() {
  const folder = path.join(site, 'retort-web')
  const bytes = (file) => fs.readFileSync(path.join(folder, file))
  const sizes = fs.readdirSync(path.join(folder, 'wasm')).map((file) => [file, bytes('wasm/' + file).length, 600 << 10, brotliCompressSync(bytes('wasm/' + file)).length, 220 << 10])
  const script = Buffer.concat(fs.readdirSync(path.join(folder, 'src')).filter((file) => file.endsWith('.js')).map((file) => bytes('src/' + file)))
  sizes.push(['JavaScript', script.length, Infinity, gzipSync(script).length, 25 << 10])
  for (const [what, raw, most, compressed, mostCompressed] of sizes) {
    const right = raw <= most && compressed <= mostCompressed
    if (right) passed++
    else failed.push(`size of ${what}`)
    console.log(`${what}: ${right ? 'ok' : 'TOO LARGE'} (${raw} bytes, ${compressed} compressed)`)
  }
}

/** What lies beside a model has a limit, whatever the server says of its size. */
async function checkBeside() {
  const { fetchBeside } = await import('../../web/src/source.js')
  const server = http.createServer((request, response) => {
    if (request.url === '/small') return void response.end('abc')
    const more = () => {
      while (response.write(Buffer.alloc(1 << 20)));
      response.once('drain', more)
    }
    more()
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const at = `http://127.0.0.1:${server.address().port}`
  const small = new TextDecoder().decode(await fetchBeside(`${at}/small`))
  const said = await fetchBeside(`${at}/endless`).then(() => 'taken', (error) => error.message)
  server.closeAllConnections()
  server.close()
  const ok = small === 'abc' && said.includes('is larger than the 67108864 bytes')
  ok ? passed++ : failed.push('what lies beside a model has a limit')
  console.log(`  ${ok ? 'ok   ' : 'FAIL '} what lies beside a model has a limit: ${said}`)
}

/** The server that `./build.sh web --serve` starts: isolated, strict, and with ranges. */
async function checkServe() {
  const child = spawn('python3', [path.resolve(import.meta.dirname, '../../web/serve.py'), site, '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const origin = /http:\S+/.exec(await new Promise((resolve) => child.stdout.once('data', (data) => resolve(String(data)))))[0]
    const part = await fetch(origin + 'models/ember.gguf', { headers: { Range: 'bytes=100-199' } })
    const whole = fs.readFileSync(path.join(site, 'models/ember.gguf'))
    const right = part.status === 206 && part.headers.get('content-range') === `bytes 100-199/${whole.length}` && Buffer.from(await part.arrayBuffer()).equals(whole.subarray(100, 200)) &&
      part.headers.get('cross-origin-embedder-policy') === 'require-corp' && (await fetch(origin + '../../etc/passwd')).status === 404
    if (right) passed++
    else failed.push('serve')
    console.log(`serve: ${right ? 'ok' : 'FAIL'}`)
  } finally {
    child.kill()
  }
}

if (!browsers.length) {
  checkTypes()
  checkSizes()
  await checkServe()
  await checkBeside()
}
const projectCases = given.projects ? await makeProjects(given.projects.split(','), { site, folder: path.resolve(given.packages, '..'), npm: path.resolve(given.npm) }) : []
for (const name of browsers) await inBrowser(name)
for (const file of made.files) fs.rmSync(file, { force: true })
console.log(`${passed} passed, ${failed.length} failed${failed.map((f) => '\n  ' + f).join('')}`)
process.exitCode = failed.length ? 1 : passed ? 0 : skipped.length ? 77 : 1
