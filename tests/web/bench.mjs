// bench.mjs - speed in Chromium, beside wllama where it is given:
//
//   node bench.mjs --packages FOLDER --site dist/web [--peer node_modules/@wllama/wllama] [--retort PROGRAM] [--prompt 128] [--tokens 32] [--repeat 3]
//     [--threads 1,2] [--signed] [--download BYTES_PER_SECOND] [MODEL.gguf ...]
//
// Without a model: Ember, and no peer. Models are taken unsigned (--signed: with the key in MODEL.gguf.pub), from a link in the site, and kept in the
// origin's private files, from where both engines load them, each in a new page, with the native program's own bench between them; each repetition begins
// with another of them. Reported are medians (least to most): from the call that loads to the first token of a one-word question, reading a prompt of
// about --prompt tokens, generating --tokens at temperature 0 without drafts, the module's memory at the end, and the most that the browser's processes
// held more than before the page. Models for this need a vocabulary (tests/bench/shape.py ... bytes).
//
// With --download nothing of that, but how long a download at this rate takes, and how long the browser's processes compute for it: unsigned, signed, and
// signed and kept; the model has its .sig and .chunks beside it, and its key in MODEL.gguf.pub. Single measurements go to standard error.
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { resident, watchComputing } from './processes.mjs'
import { serve } from './server.mjs'

const { values: given, positionals: files } = parseArgs({
  options: {
    packages: { type: 'string' }, site: { type: 'string' }, peer: { type: 'string' }, prompt: { type: 'string', default: '128' }, 'peer-prompt': { type: 'string' }, tokens: { type: 'string', default: '32' },
    retort: { type: 'string' }, download: { type: 'string' }, repeat: { type: 'string', default: '3' }, threads: { type: 'string', default: '1,2' }, variants: { type: 'string', default: 'relaxed,simd128' }, signed: { type: 'boolean' },
  },
  allowPositionals: true,
})
const { default: puppeteer } = await import(createRequire(path.resolve(given.packages, 'x')).resolve('puppeteer-core'))
const server = await serve(path.resolve(given.site))
const browser = await puppeteer.launch({ executablePath: '/usr/bin/chromium', headless: true, protocolTimeout: 900000, args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'] })
const median = (list) => list.sort((a, b) => a - b)[list.length >> 1]
const spread = (list, digits, scale = 1) => {
  const [middle, least, most] = [median(list), list[0], list.at(-1)].map((x) => (x / scale).toFixed(digits))
  return list.length > 1 ? `${middle} (${least} to ${most})` : middle
}
// Words that do not repeat in a way that a cache or a draft could use; about one token each.
const WORDS = 'time year people way day man thing woman life child world school state family student group country problem hand part place case week company system program question work government number night point home water room mother area money story fact month lot right study book eye job word business issue side kind head house service friend father power hour game line end member law car city community name president team minute idea kid body information back parent face others level office door health person art war history party result change morning reason research girl guy moment air teacher force education'.split(' ')
const text = (n) => Array.from({ length: n }, (_, i) => WORDS[(i * 7) % WORDS.length]).join(' ')

/** Runs in the page, like the two after it: `content` cut to n tokens. */
async function prepare({ name, content, n }) {
  const { createEngine } = await import('/retort-web/src/index.js')
  const engine = await createEngine({ model: '/models/' + name, trust: { unsigned: true }, context: 512 })
  const cut = await engine.detokenize((await engine.tokenize(content)).slice(0, n))
  await engine.dispose()
  return cut
}

async function ours({ name, key, variant, threads, prompt, tokens }) {
  const { createEngine } = await import('/retort-web/src/index.js')
  const trust = key ? { keys: [await (await fetch(key)).text()] } : { unsigned: true }
  const start = performance.now()
  const engine = await createEngine({ model: '/models/' + name, trust, variant, threads, context: 512 })
  const loaded = performance.now() - start
  const ask = (content, max_tokens) => engine.chat.completions.create({ messages: [{ role: 'user', content }], temperature: 0, max_tokens, draft: 0, ...(name !== 'ember.gguf' && { chat_template: '{{ messages[0].content }}' }) })
  await ask('Hi', 1)
  const first = performance.now() - start
  const { timings } = await ask(prompt, tokens)
  await engine.reset('none') // which brings the figures up to date
  return { loaded, first, timings, memory: engine.info.memory_bytes, threads: engine.info.threads, verdict: engine.info.trust.method }
}

async function peer({ name, threads, prompt, tokens }) {
  const { Wllama } = await import('/peer/esm/index.js')
  const silent = { debug() {}, log() {}, warn() {}, error: console.error }
  const dir = await (await navigator.storage.getDirectory()).getDirectoryHandle('retort')
  const key = Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(new URL('/models/' + name, location.href).href))), (b) => b.toString(16).padStart(2, '0')).join('')
  const file = await (await dir.getFileHandle(key + '.gguf')).getFile()
  const start = performance.now()
  const engine = new Wllama({ default: '/peer/esm/wasm/wllama.wasm' }, { suppressNativeLog: true, logger: silent })
  await engine.loadModel([file], { n_ctx: 512, n_threads: threads, n_gpu_layers: 0 })
  const loaded = performance.now() - start
  await engine.createCompletion({ prompt: 'Hi', max_tokens: 1, temperature: 0 })
  const first = performance.now() - start
  const { timings } = await engine.createCompletion({ prompt, max_tokens: tokens, temperature: 0 })
  const used = engine.getNumThreads()
  await engine.exit()
  return { loaded, first, timings, threads: used }
}

async function download({ name, signed, cache }) {
  const { createEngine } = await import('/retort-web/src/index.js')
  const trust = signed ? { keys: [await (await fetch(`/models/${name}.pub`)).text()] } : { unsigned: true }
  const start = performance.now()
  const engine = await createEngine({ model: '/models/' + name, trust, cache, context: 512 })
  const took = performance.now() - start
  await engine.dispose()
  return { took }
}

async function measure(work, options) {
  const page = await browser.newPage()
  let sampler
  try {
    await page.goto(server.origin + '/empty.html')
    const before = resident()
    const computed = watchComputing()
    let most = before
    sampler = setInterval(() => (most = Math.max(most, resident())), 500)
    const got = await page.evaluate(work, options)
    return typeof got === 'object' ? { ...got, held: most - before, computed: computed() } : got
  } finally {
    clearInterval(sampler)
    await page.close()
  }
}

/** `retort bench` in the words of the engines above. */
function native({ file, threads, tokens }) {
  const ran = spawnSync(path.resolve(given.retort), ['bench', '-m', file, '--allow-unsigned', '-p', given.prompt, '-n', String(tokens), '-r', '1', '-t', String(threads), '--json'], { encoding: 'utf8' })
  if (ran.status !== 0) throw new Error(ran.stderr)
  const [prompt, generated] = JSON.parse(ran.stdout)
  return { threads, timings: { prompt_n: prompt.n_prompt, prompt_per_second: prompt.avg_ts, predicted_n: generated.n_gen, predicted_per_second: generated.avg_ts } }
}

async function downloads(file, name) {
  server.faults = { ['/models/' + name]: { rate: Number(given.download) } }
  const kinds = { 'not verified': { signed: false, cache: false }, verified: { signed: true, cache: false }, 'verified and kept': { signed: true, cache: true } }
  const [times, cpu] = [0, 1].map(() => Object.fromEntries(Object.keys(kinds).map((kind) => [kind, []])))
  for (let i = 0; i < Number(given.repeat); i++)
    for (const [kind, options] of Object.entries(kinds)) {
      const got = await measure(download, { name, ...options })
      times[kind].push(got.took)
      cpu[kind].push(got.computed)
      console.error(`${name}: ${kind}: ${JSON.stringify(got)}`)
      if (options.cache) await measure(async (name) => (await import('/retort-web/src/index.js')).models.remove(new URL('/models/' + name, location.href).href), name)
    }
  const size = fs.statSync(file).size
  console.log(`${name}: ${(size / 1e6).toFixed(0)} MB at ${given.download / 1e6} MB/s (${(size / given.download).toFixed(1)} s): ${Object.entries(times).map(([kind, list]) => `${kind} ${spread(list, 2, 1000)} s, of it ${spread(cpu[kind], 2, 1000)} s computing`).join('; ')}`)
}

const links = []
const link = (target, name) => (fs.symlinkSync(path.resolve(target), path.join(given.site, name)), links.push(path.join(given.site, name)))
try {
  if (given.peer) {
    link(given.peer, 'peer')
    server.policy = "default-src 'self' blob:; script-src 'self' blob: 'wasm-unsafe-eval'; worker-src 'self' blob:; connect-src 'self' blob:" // its workers are blobs
  }
  for (const file of files.length ? files : [null]) {
    const name = file ? path.basename(file) : 'ember.gguf'
    if (file) for (const suffix of ['', '.sig', '.chunks', '.pub']) if (fs.existsSync(file + suffix)) link(file + suffix, 'models/' + name + suffix)
    if (given.download) {
      await downloads(file ?? path.join(given.site, 'models/ember.gguf'), name)
      continue
    }
    const content = 'What is 12345678 + 87654321?'
    const tokens = file ? Number(given.tokens) : 200
    // Brings it into the private files, and the disk's cache.
    const cut = async (n) => (file ? measure(prepare, { name, content: text(n), n }) : content)
    const [mine, theirs] = [await cut(Number(given.prompt)), await cut(Number(given['peer-prompt'] ?? given.prompt))]
    const rows = {}
    for (let i = 0; i < Number(given.repeat); i++)
      for (const threads of given.threads.split(',').map(Number)) {
        const key = !file ? '/models/retort-project.pub' : given.signed && `/models/${name}.pub`
        const runs = given.variants.split(',').filter(Boolean).map((variant) => [`retort ${variant}`, ours, { name, key, variant, threads, prompt: mine, tokens }])
        if (given.peer && file) runs.push(['wllama', peer, { name, threads, prompt: theirs, tokens }])
        if (given.retort && file) runs.push(['native', native, { file, threads, tokens }])
        for (const [engine, work, options] of [...runs.slice(i % runs.length), ...runs.slice(0, i % runs.length)]) {
          const got = work === native ? native(options) : await measure(work, options)
          console.error(`${name}: ${engine}: ${JSON.stringify(got)}`)
          const row = (rows[`${engine}, ${got.threads} thread${got.threads > 1 ? 's' : ''}`] ??= { first: [], loaded: [], held: [], prompt: [], tokens: [], got })
          for (const what of ['first', 'loaded', 'held']) row[what].push(got[what])
          row.prompt.push(got.timings.prompt_per_second)
          row.tokens.push(got.timings.predicted_per_second)
        }
      }
    for (const [what, { first, loaded, held, prompt, tokens, got }] of Object.entries(rows))
      console.log(`${name}: ${what}: ${got.first ? `loaded ${spread(loaded, 0)} ms, first token ${spread(first, 0)} ms, ` : ''}prompt of ${got.timings.prompt_n} ${spread(prompt, 1)} tokens/s, ${got.timings.predicted_n} generated at ${spread(tokens, 1)} tokens/s${got.memory ? `, memory ${(got.memory / 1e6).toFixed(0)} MB` : ''}${got.held ? `, processes at most ${spread(held, 0, 1e6)} MB more` : ''}`)
  }
} finally {
  for (const each of links) fs.unlinkSync(each)
  await browser.close()
  server.close()
}
