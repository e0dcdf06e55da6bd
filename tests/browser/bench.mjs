// bench.mjs - speed in Chromium: node bench.mjs --packages FOLDER --site dist/web [--repeat N] [MODEL.gguf ...]; without a model, Ember.
//
// Models besides Ember are taken unsigned, from a link in the site. For each variant and number of threads, interleaved: medians of reading a prompt of about 128
// tokens and of generating 32 (of Ember: its answer to a sum).
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { serve } from './server.mjs'

const { values: given, positionals: files } = parseArgs({ options: { packages: { type: 'string' }, site: { type: 'string' }, repeat: { type: 'string', default: '3' } }, allowPositionals: true })
const { default: puppeteer } = await import(createRequire(path.resolve(given.packages, 'x')).resolve('puppeteer-core'))
const server = await serve(path.resolve(given.site))
const browser = await puppeteer.launch({ executablePath: '/usr/bin/chromium', headless: true, args: ['--no-sandbox', '--disable-gpu', '--no-first-run'] })
const median = (list) => list.sort((a, b) => a - b)[list.length >> 1]

for (const file of files.length ? files : [null]) {
  const rows = {}
  const link = file && path.join(given.site, 'models', path.basename(file))
  if (file) fs.symlinkSync(path.resolve(file), link)
  try {
    for (let i = 0; i < Number(given.repeat); i++)
      for (const [variant, threads] of [['simd128', 1], ['relaxed', 1], ['simd128', 2], ['relaxed', 2]]) {
        const page = await browser.newPage()
        await page.goto(server.origin + '/empty.html')
        const got = await page.evaluate(async (variant, threads, name) => {
          const { createEngine } = await import('/retort-web/src/index.js')
          const key = await (await fetch('/models/retort-project.pub')).text()
          const engine = await createEngine({ model: '/models/' + (name ?? 'ember.gguf'), trust: name ? { unsigned: true } : { keys: [key] }, variant, threads, cache: false, context: 512 })
          const content = name ? 'one two three four five six seven eight '.repeat(14) : 'What is 12345678 + 87654321?'
          const ask = () => engine.chat.completions.create({ messages: [{ role: 'user', content }], temperature: 0, max_tokens: name ? 32 : 300, conversation: String(Math.random()) })
          if (!name) await ask() // compiled by the better compiler, as it is after a second of use
          const { timings, usage } = await ask()
          return { ...timings, load: engine.info.load, tokens: usage.prompt_tokens, memory: engine.info.memory_bytes, threads: engine.info.threads }
        }, variant, threads, file && path.basename(file))
        const row = (rows[`${variant}, ${got.threads} thread${got.threads > 1 ? 's' : ''}`] ??= { prompt: [], tokens: [], load: [], got })
        row.prompt.push(got.prompt_per_second)
        row.tokens.push(got.predicted_per_second)
        row.load.push(got.load.engine_ms + got.load.model_ms)
        await page.close()
      }
  } finally {
    if (file) fs.unlinkSync(link)
  }
  for (const [name, { prompt, tokens, load, got }] of Object.entries(rows))
    console.log(`${file ? path.basename(file) : 'ember'}, ${name}: load ${median(load).toFixed(0)} ms, prompt of ${got.tokens} ${median(prompt).toFixed(1)} tokens/s, ${got.predicted_n} generated at ${median(tokens).toFixed(1)} tokens/s, memory ${(got.memory / 1e6).toFixed(0)} MB`)
}
await browser.close()
server.close()
