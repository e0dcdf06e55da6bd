// api.mjs - the package by itself, on an empty page under `default-src 'self'; script-src 'self' 'wasm-unsafe-eval'`.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { resident } from './processes.mjs'
import { split } from './split.mjs'

const MODEL = '/models/ember.gguf'
const SIZE = 3520384
const KEEPING = ['chromium', 'firefox'] // WebKitGTK has no private file system
// Variant, threads, 64-bit addresses. WebKitGTK has neither shared memory nor relaxed SIMD nor memory64.
const CELLS = [['simd128', 1], ['relaxed', 1], ['simd128', 2], ['relaxed', 2], ['relaxed', 5], ['simd128', 1, true], ['relaxed', 2, true]].map(([variant, threads, memory64 = false]) => ({
  options: { variant, threads, memory64 }, name: `${variant}, threads ${threads}${memory64 ? ', memory64' : ''}`, only: variant === 'simd128' && threads === 1 && !memory64 ? undefined : KEEPING,
}))

/** A page with `start(options)`, which makes an engine for Ember with the project's key, and `message`, the question. */
async function open({ newPage }) {
  const page = await newPage('/empty.html')
  await page.evaluate(async () => {
    const retort = await import('/retort-web/src/index.js')
    const key = await (await fetch('/models/retort-project.pub')).text()
    window.retort = retort
    window.start = (more = {}) => retort.createEngine({ model: '/models/ember.gguf', trust: { keys: [key] }, ...more })
    window.messages = (content = 'What is 4821 + 396?') => [{ role: 'user', content }]
    window.code = (promise) => promise.then(() => 'none', (error) => [error.constructor.name, error.code].join(' '))
  })
  return page
}
/** In the page: an answer, what came from this device, and whether the model is kept whole now. */
async function keepOne() {
  const engine = await start()
  const done = await engine.chat.completions.create({ messages: messages(), temperature: 0 })
  await engine.dispose()
  return [done.choices[0].message.content.trim(), engine.info.load.cached_bytes, (await retort.models.list()).some((m) => m.complete)]
}
const modelRequests = (server) => server.requests.filter((r) => r.path === MODEL)

export const apiCases = [
  {
    title: 'answers in chunks of OpenAI\'s shape',
    async run(t) {
      const page = await open(t)
      const { chunks, info } = await page.evaluate(async () => {
        const engine = await start()
        const chunks = []
        for await (const chunk of await engine.chat.completions.create({ messages: messages(), stream: true, temperature: 0, max_reasoning_tokens: 512 })) chunks.push(chunk)
        return { chunks, info: engine.info }
      })
      const text = (name) => chunks.map((c) => c.choices[0].delta[name] ?? '').join('')
      assert.equal(text('content').trim(), 'The answer is 5217.')
      assert.match(text('reasoning_content'), /ones:1\+6=7/)
      assert.equal(chunks[0].choices[0].delta.role, 'assistant')
      const last = chunks.at(-1)
      assert.equal(last.choices[0].finish_reason, 'stop')
      assert.equal(last.usage.total_tokens, last.usage.prompt_tokens + last.usage.completion_tokens)
      assert.ok(last.usage.completion_tokens_details.reasoning_tokens > 20 && last.timings.predicted_per_second > 0)
      assert.equal(info.trust.name, 'ember')
      assert.equal(info.model.architecture, 'qwen2')
      assert.deepEqual(t.complaints, [])
      return `${info.variant}, ${info.threads} threads, engine ${Math.round(info.load.engine_ms)} ms, model ${Math.round(info.load.model_ms)} ms, ${Math.round(last.timings.predicted_per_second)} tokens/s`
    },
  },
  ...CELLS.map(({ options, name, only }) => ({
    title: `proves the same bits as the native program, ${name}`,
    only,
    async run(t) {
      const page = await open(t)
      const questions = ['What is 4821 + 396?', 'How many times does the letter r occur in strawberry?', 'What is 84 divided by 7?']
      const got = await page.evaluate(async (options, questions) => {
        const engine = await start(options)
        const lines = []
        for (const [i, question] of questions.entries()) {
          const done = await engine.chat.completions.create({ messages: messages(question), seed: 7 + i, temperature: 0.8, max_tokens: 200, proof: true })
          lines.push(done.proof_line)
        }
        lines.push((await engine.chat.completions.create({ messages: messages(), temperature: 0, stop: ['hundreds'], proof: true, conversation: 'other' })).proof_line)
        return { lines, variant: engine.info.model.kernels, threads: engine.info.threads, memory64: engine.info.memory64 }
      }, options, questions)
      assert.deepEqual({ variant: got.variant, threads: got.threads, memory64: got.memory64 }, options)
      questions.forEach((question, i) => assert.equal(got.lines[i], t.nativeProof(question, ['--temp', '0.8', '--seed', String(7 + i), '-n', '200'])))
      assert.equal(got.lines[3], t.nativeProof(questions[0], ['--temp', '0', '--stop', 'hundreds']))
    },
  })),
  ...CELLS.filter(({ options }) => options.threads < 5).map(({ options, name, only }) => ({
    title: `small models of every tensor type give the native program's bits, ${name}`,
    only,
    timeout: 300000,
    async run(t) {
      const minis = t.minis()
      const page = await open(t)
      const got = await page.evaluate(async (options, list) => {
        const lines = []
        for (const { file, pin, question } of list) {
          const engine = await start({ model: '/models/' + file, trust: { pins: [pin] }, cache: false, context: 512, ...options })
          lines.push((await engine.chat.completions.create({ messages: messages(question), max_tokens: 12, proof: true })).proof_line)
          await engine.dispose()
        }
        return lines
      }, options, minis)
      minis.forEach(({ file, line }, i) => assert.equal(got[i], line, file))
      return `${got.length} types`
    },
  })),
  {
    title: 'a model beyond 4 GiB, its weights behind the first 4 GiB',
    only: KEEPING,
    timeout: 300000,
    async run(t) {
      if (!t.huge) return 'NOT RUN: for ./build.sh test browser'
      const free = /MemAvailable: +(\d+)/.exec(fs.existsSync('/proc/meminfo') ? fs.readFileSync('/proc/meminfo', 'utf8') : '')
      if (!free || free[1] < 7e6) return 'NOT RUN: it takes 7 GB of free memory'
      const { file, question, text } = t.large(4400000000)
      const page = await open(t)
      const got = await page.evaluate(async (file, question) => {
        const engine = await start({ model: '/models/' + file, trust: { unsigned: true }, cache: false, context: 512 })
        const done = await engine.chat.completions.create({ messages: messages(question), max_tokens: 12, temperature: 0 })
        const made = { text: done.choices[0].message.content, memory: engine.info.memory_bytes, memory64: engine.info.memory64, narrow: await code(start({ model: '/models/' + file, trust: { unsigned: true }, cache: false, memory64: false })) }
        await engine.dispose()
        return made
      }, file, question)
      assert.ok(got.memory64 && got.memory > 4.4e9, JSON.stringify(got))
      assert.equal(got.text, text)
      assert.equal(got.narrow, 'MemoryError memory')
      return `${(got.memory / 1e9).toFixed(1)} GB`
    },
  },
  {
    title: 'one request without streaming, tokens, conversations, errors, dispose',
    async run(t) {
      const page = await open(t)
      const got = await page.evaluate(async () => {
        const engine = await start()
        const ask = (more) => engine.chat.completions.create({ messages: messages(), temperature: 0, ...more })
        const first = await ask()
        const again = await ask()
        const parallel = await Promise.all([ask({ conversation: 'a' }), ask({ conversation: 'b', max_tokens: 5 })])
        const ids = await engine.tokenize('What is 2+3?')
        const result = {
          first, cached: again.usage.prompt_tokens_details.cached_tokens, same: again.choices[0].message.content === first.choices[0].message.content,
          parallel: parallel.map((p) => p.choices[0].finish_reason), text: await engine.detokenize(ids), count: ids.length,
          typo: await code(ask({ temprature: 1 })), bad: await code(ask({ temperature: 'hot' })), long: await code(ask({ messages: messages('7 '.repeat(30000)) })), image: await code(ask({ messages: [{ role: 'user', content: [{ type: 'image_url' }] }] })),
        }
        await engine.reset('a')
        result.conversations = engine.info.conversations
        await engine.dispose()
        result.disposed = await code(ask())
        return result
      })
      assert.equal(got.first.object, 'chat.completion')
      assert.equal(got.first.choices[0].message.content.trim(), 'The answer is 5217.')
      assert.ok(got.cached > 0 && got.same)
      assert.deepEqual(got.parallel, ['stop', 'length'])
      assert.equal(got.text, 'What is 2+3?')
      assert.equal(got.typo, 'RequestError argument')
      assert.match(got.bad, /^RequestError json/)
      assert.equal(got.long, 'RequestError context')
      assert.equal(got.image, 'RequestError argument')
      assert.equal(got.conversations, 2)
      assert.equal(got.disposed, 'EngineError disposed')
    },
  },
  {
    title: 'gives the memory back when it is disposed of',
    timeout: 120000,
    async run(t) {
      if (!fs.existsSync('/proc/self/status')) return 'NOT RUN: it takes /proc to see the memory of all processes of a browser'
      const { file } = t.large(300000000)
      const page = await open(t)
      const before = resident()
      const seen = []
      for (let round = 0; round < 3; round++) {
        await page.evaluate(async (file) => (window.engine = await start({ model: '/models/' + file, trust: { unsigned: true }, cache: false, context: 512 })) && undefined, file)
        seen.push(resident() - before)
        await page.evaluate(() => window.engine.dispose())
        for (let i = 0; i < 100 && resident() - before > 200e6; i++) await new Promise((resolve) => setTimeout(resolve, 100))
        seen.push(resident() - before)
      }
      const mb = seen.map((bytes) => Math.round(bytes / 1e6)).join(' ')
      seen.forEach((bytes, i) => assert.ok(i % 2 ? bytes < 200e6 : bytes > 290e6, `MB more than before, with an engine and without, in turns: ${mb}`))
      return `MB more than before: ${mb}`
    },
  },
  {
    title: 'tells the probabilities of tokens, as the logits of the native program have them',
    async run(t) {
      const page = await open(t)
      const got = await page.evaluate(async () => {
        const engine = await start()
        const ask = (more) => engine.chat.completions.create({ messages: messages(), temperature: 0, logprobs: true, ...more })
        const whole = await ask({ top_logprobs: 3 })
        const streamed = []
        for await (const { choices } of await ask({ stream: true })) streamed.push(...(choices[0].logprobs?.content ?? []))
        return { content: whole.choices[0].logprobs.content, streamed, tokens: whole.usage.completion_tokens, without: (await ask({ logprobs: false })).choices[0].logprobs, many: await code(ask({ top_logprobs: 21 })), alone: await code(ask({ logprobs: false, top_logprobs: 2 })) }
      })
      const expected = t.nativeLogprobs('What is 4821 + 396?')
      assert.equal(got.content.length, got.tokens)
      assert.equal(expected.length, got.tokens)
      got.content.forEach(({ token, logprob, bytes, top_logprobs }, i) => {
        assert.ok(Math.abs(logprob - expected[i]) < 1e-9, `token ${i}: ${logprob}, not ${expected[i]}`)
        assert.deepEqual([top_logprobs.length, top_logprobs[0].token, Buffer.from(bytes).toString()], [3, token, token]) // greedy takes the likeliest
        assert.ok(top_logprobs[0].logprob >= top_logprobs[1].logprob && top_logprobs[1].logprob >= top_logprobs[2].logprob)
      })
      assert.deepEqual(got.streamed.map((c) => c.logprob), got.content.map((c) => c.logprob))
      assert.deepEqual([got.without, got.many, got.alone], [null, 'RequestError argument', 'RequestError argument'])
    },
  },
  {
    title: 'a template of one\'s own, drafts or none, errors as JSON',
    async run(t) {
      const page = await open(t)
      const got = await page.evaluate(async () => {
        const engine = await start()
        const ask = async (more) => (await engine.chat.completions.create({ messages: messages(), temperature: 0, max_tokens: 60, ...more }))
        const [own, plain, drafted] = [await ask({ chat_template: '{{ bos_token }}{{ messages[0].content }} {{ tail }}', chat_template_kwargs: { tail: 'yes' } }), await ask({ draft: 0 }), await ask({ draft: 8 })]
        const error = JSON.parse(JSON.stringify(await ask({ chat_template: '{% if %}' }).catch((e) => e)))
        return { shorter: own.usage.prompt_tokens !== plain.usage.prompt_tokens, same: JSON.stringify(plain.choices) === JSON.stringify(drafted.choices), error, digests: await engine.digests() }
      })
      assert.deepEqual([got.shorter, got.same], [true, true])
      assert.deepEqual({ ...got.error.error, message: '' }, { message: '', type: 'ModelError', param: null, code: 'template' })
      assert.ok(got.error.error.message.length > 10)
      assert.equal(got.digests[0], createHash('sha256').update(fs.readFileSync(`${t.models}/ember/ember.gguf`)).digest('hex'))
    },
  },
  {
    title: 'a split set by the address of its first file; conversations that keep their caches',
    async run(t) {
      const parts = split(`${t.models}/ember/ember.gguf`, `${t.site}/models/halves`)
      try {
        const page = await open(t)
        const got = await page.evaluate(async () => {
          const engine = await start({ model: '/models/halves-00001-of-00002.gguf', trust: { unsigned: true }, cache: false })
          const talk = { a: [], b: [] }
          const cached = []
          for (const [name, question] of [['a', 'What is 2 + 3?'], ['b', 'What is 84 divided by 7?'], ['a', 'What is 4 + 5?'], ['b', 'Who are you?']]) {
            talk[name].push({ role: 'user', content: question })
            const { choices, usage } = await engine.chat.completions.create({ messages: talk[name], temperature: 0, conversation: name })
            talk[name].push(choices[0].message)
            cached.push([usage.prompt_tokens_details.cached_tokens, usage.prompt_tokens])
          }
          return { answers: [talk.a[1].content, talk.b[1].content], cached, files: engine.info.trust.files, digests: (await engine.digests()).length, missing: await code(start({ model: '/models/thirds-00001-of-00003.gguf', trust: { unsigned: true } })) }
        })
        assert.deepEqual(got.answers.map((a) => a.trim()), ['The answer is 5.', 'The answer is 12.'])
        assert.ok(got.cached[0][0] === 0 && got.cached[1][0] === 0 && got.cached[2][0] > 5 && got.cached[3][0] > 5, JSON.stringify(got.cached))
        assert.deepEqual([got.files, got.digests, got.missing], [2, 2, 'NetworkError network'])
      } finally {
        for (const part of parts) fs.unlinkSync(part)
      }
    },
  },
  {
    title: 'refuses what is not signed so',
    async run(t) {
      const page = await open(t)
      const load = (more) => page.evaluate((more) => code(start({ cache: false, ...more })), more)
      const results = {}
      for (const at of [0, 5000, 1048576, SIZE - 1]) {
        t.server.faults = { [MODEL]: { flip: at } }
        results[`byte ${at}`] = await load()
      }
      const signature = fs.readFileSync(`${t.site}${MODEL}.sig`, 'utf8')
      for (const at of [0, signature.indexOf('mediaType'), signature.search(/"payload": *"/) + 60, signature.search(/"sig": *"/) + 20]) {
        t.server.faults = { [MODEL + '.sig']: { flip: at } }
        results[`signature, byte ${at}`] = await load()
      }
      for (const at of [0, 16, 40]) {
        t.server.faults = { [MODEL + '.chunks']: { flip: at } }
        results[`chunk list, byte ${at}`] = await load()
      }
      t.server.faults = { [MODEL + '.sig']: { status: 404 } }
      results.none = await load()
      t.server.faults = {}
      results.pin = await load({ trust: { pins: ['00'.repeat(32)] } })
      results.name = await page.evaluate(async () => code(start({ trust: { keys: [await (await fetch('/models/retort-project.pub')).text()], modelName: 'another' } })))
      results.key = await load({ trust: { keys: ['-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEMKBCTNIcKUSDii11ySs3526iDZ8A\niTo7Tu6KPAqv7D7gS2XpJFbZiItSs3m9+9Ue6GnvHw/GW2ZZaVtszggXIw==\n-----END PUBLIC KEY-----\n'] } })
      results.garbled = await load({ trust: { keys: ['-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n'] } })
      results.policy = await load({ trust: {} })
      for (const [what, result] of Object.entries(results)) assert.equal(result, 'TrustError trust', what)
      assert.equal(await load({ trust: { pins: ['81eb9407b32492fee0aa44e90a9ffc5371435d5bb54f4e678ba9a6cd9a467418'] } }), 'none')
    },
  },
  {
    title: 'says what the network did',
    async run(t) {
      const page = await open(t)
      assert.equal(await page.evaluate(() => code(start({ model: '/models/none.gguf' }))), 'TrustError trust')
      assert.equal(await page.evaluate(() => code(start({ model: '/models/none.gguf', trust: { unsigned: true } }))), 'NetworkError network')
      assert.equal(await page.evaluate(() => code(start({ model: '/index.html', trust: { unsigned: true } }))), 'ModelError format')
      assert.equal(await page.evaluate(() => code(start({ wasm: { plain: '/nothing.wasm', simd128: '/nothing.wasm', relaxed: '/nothing.wasm' } }))), 'NetworkError network')
    },
  },
  {
    title: 'stops: an answer, a loop that is left, a download',
    async run(t) {
      const page = await open(t)
      const got = await page.evaluate(async () => {
        const engine = await start()
        const long = { messages: messages('What is 12345678 + 87654321?'), temperature: 0, stream: true }
        const control = new AbortController()
        let seen = 0
        const stopped = await code((async () => {
          for await (const chunk of await engine.chat.completions.create({ ...long, signal: control.signal })) if (++seen === 2) control.abort()
        })())
        for await (const chunk of await engine.chat.completions.create(long)) break
        const before = await code(engine.chat.completions.create({ ...long, signal: AbortSignal.abort() }))
        const after = (await engine.chat.completions.create({ messages: messages(), temperature: 0 })).choices[0].message.content
        return { stopped, before, after, seen }
      })
      assert.deepEqual({ ...got, after: got.after.trim() }, { stopped: 'AbortError aborted', before: 'AbortError aborted', after: 'The answer is 5217.', seen: 2 })
      t.server.faults = { [MODEL]: { slow: 50 } }
      assert.equal(await page.evaluate(() => {
        const control = new AbortController()
        return code(start({ signal: control.signal, cache: false, onProgress: () => control.abort() }))
      }), 'AbortError aborted')
    },
  },
  {
    title: 'reads files and bytes',
    async run(t) {
      const page = await open(t)
      const got = await page.evaluate(async () => {
        const get = async (suffix) => (await fetch('/models/ember.gguf' + suffix)).blob()
        const model = new File([await get('')], 'ember.gguf')
        const beside = [new File([await get('.sig')], 'ember.gguf.sig'), new File([await get('.chunks')], 'ember.gguf.chunks')]
        const answer = async (engine) => (await engine.chat.completions.create({ messages: messages(), temperature: 0 })).choices[0].message.content.trim()
        return {
          file: await answer(await start({ model: [...beside, model] })), unsigned: await answer(await start({ model, trust: { unsigned: true } })),
          bytes: await answer(await start({ model: { bytes: await model.arrayBuffer(), name: 'ember.gguf', signature: await beside[0].text() } })),
          alone: await code(start({ model })), noise: await code(start({ model: new Uint8Array(5000), trust: { unsigned: true } })), empty: await code(start({ model: [] })),
        }
      })
      assert.deepEqual(got, { file: 'The answer is 5217.', unsigned: 'The answer is 5217.', bytes: 'The answer is 5217.', alone: 'TrustError trust', noise: 'ModelError format', empty: 'RequestError argument' })
    },
  },
  {
    title: 'keeps the model: second visit, without a network too',
    only: KEEPING,
    async run(t) {
      let page = await open(t)
      assert.equal(await page.evaluate(async () => (await start()).info.load.cached_bytes), 0)
      assert.equal(modelRequests(t.server).length, 1)
      page = await open(t)
      const began = performance.now()
      assert.equal(await page.evaluate(async () => (await start()).info.load.cached_bytes), SIZE)
      const took = performance.now() - began
      assert.equal(modelRequests(t.server).length, 1)
      for (const suffix of ['', '.sig', '.chunks']) t.server.faults[MODEL + suffix] = { cut: 0 }
      assert.equal(await page.evaluate(async () => (await start()).info.load.cached_bytes), SIZE)
      const { usage, quota } = await page.evaluate(() => retort.models.usage())
      assert.ok(usage >= SIZE && quota > usage, `${usage} of ${quota}`)
      const list = await page.evaluate(async () => {
        const list = await retort.models.list()
        await retort.models.remove(list[0].url)
        return [list, await retort.models.list()]
      })
      assert.deepEqual([list[0].length, list[0][0].complete, list[1].length], [1, true, 0])
      return `second visit ${Math.round(took)} ms`
    },
  },
  {
    title: 'goes on with an interrupted download',
    only: KEEPING,
    async run(t) {
      let page = await open(t)
      t.server.faults = { [MODEL]: { cut: 2300000 } }
      assert.equal(await page.evaluate(() => {
        const control = new AbortController()
        return code(start({ signal: control.signal, onProgress: () => setTimeout(() => control.abort(), 1000) }))
      }), 'AbortError aborted')
      await page.close()
      t.server.faults = {}
      t.server.requests.length = 0
      page = await open(t)
      const cached = await page.evaluate(async () => (await start()).info.load.cached_bytes)
      assert.equal(cached, 2097152)
      assert.deepEqual(modelRequests(t.server).map((r) => r.range), ['bytes=2097152-'])
      // Within one load: a connection that ends early, and a server that cannot send parts.
      await page.evaluate(async () => retort.models.remove((await retort.models.list())[0].url))
      t.server.faults = { [MODEL]: [{ cut: 1500000 }, { ranges: false }] }
      assert.equal(await page.evaluate(() => code(start())), 'none')
    },
  },
  {
    title: 'never joins two versions of a file',
    only: KEEPING,
    timeout: 120000,
    async run(t) {
      const page = await open(t)
      const plain = { [MODEL + '.chunks']: { status: 404 } } // nothing but HTTP can tell
      const whole = fs.readFileSync(t.site + MODEL)
      const digest = (flip) => {
        const other = Buffer.from(whole)
        other[flip] ^= 1
        return createHash('sha256').update(other).digest('hex')
      }
      for (const heedless of [false, true]) {
        t.server.faults = { ...plain, [MODEL]: { cut: 2300000 } }
        assert.equal(await page.evaluate(() => {
          const control = new AbortController()
          return code(start({ trust: { unsigned: true }, signal: control.signal, onProgress: () => setTimeout(() => control.abort(), 1000) }))
        }), 'AbortError aborted')
        t.server.faults = { ...plain, [MODEL]: { flip: 1500000, heedless } }
        t.server.requests.length = 0
        // Another visit finds another file: what was kept of the first is dropped.
        const got = await page.evaluate(async () => {
          const engine = await start({ trust: { unsigned: true } })
          return [engine.info.load.cached_bytes, ...(await engine.digests())]
        })
        assert.deepEqual(got, [0, digest(1500000)])
        assert.match(modelRequests(t.server)[0].range, /^bytes=[12]\d{6}-$/)
        await page.evaluate(async () => retort.models.remove((await retort.models.list())[0].url))
        // The file changes while it comes.
        t.server.faults = { ...plain, [MODEL]: [{ cut: 1500000 }, { flip: 2000000, heedless }] }
        const said = await page.evaluate(() => start({ trust: { unsigned: true } }).then(() => 'loaded', (error) => `${error.code}: ${error.message}`))
        assert.match(said, /^network: .*ember\.gguf changed while it was read; load it again$/)
        t.server.faults = { ...plain, [MODEL]: { flip: 2000000 } }
        assert.equal(await page.evaluate(async () => (await (await start({ trust: { unsigned: true } })).digests())[0]), digest(2000000))
        await page.evaluate(async () => retort.models.remove((await retort.models.list())[0].url))
      }
      // Kept whole, and replaced by one of another size: the new list of chunks tells.
      const other = path.join(t.site, 'models/other.gguf')
      try {
        fs.copyFileSync(t.site + MODEL, other)
        const load = () => page.evaluate(async () => (await (await start({ model: '/models/other.gguf', trust: { unsigned: true } })).digests())[0])
        assert.equal(await load(), createHash('sha256').update(whole).digest('hex'))
        const bytes = fs.readFileSync(path.join(t.site, 'models', t.minis()[0].file))
        const list = Buffer.from(fs.readFileSync(`${t.site}${MODEL}.chunks`).subarray(0, 32))
        list.writeBigUInt64LE(BigInt(bytes.length), 24)
        const chunks = Array.from({ length: Math.ceil(bytes.length / 1048576) }, (_, i) => createHash('sha256').update(bytes.subarray(i * 1048576, (i + 1) * 1048576)).digest())
        fs.writeFileSync(other + '.chunks', Buffer.concat([list, ...chunks]))
        fs.writeFileSync(other, bytes)
        assert.equal(await load(), createHash('sha256').update(bytes).digest('hex'))
      } finally {
        for (const suffix of ['', '.chunks']) fs.rmSync(other + suffix, { force: true })
      }
    },
  },
  {
    title: 'repairs what rotted on the device, and forgets what was refused',
    only: KEEPING,
    async run(t) {
      const page = await open(t)
      const rot = () => page.evaluate(async () => {
        const dir = await (await navigator.storage.getDirectory()).getDirectoryHandle('retort')
        for await (const [name, handle] of dir.entries()) {
          if (!name.endsWith('.gguf')) continue
          const writer = await handle.createWritable({ keepExistingData: true })
          await writer.write({ type: 'write', position: 1500000, data: new Uint8Array(100) })
          await writer.close()
        }
      })
      await page.evaluate(async () => (await start()).dispose())
      await rot()
      t.server.requests.length = 0
      assert.equal(await page.evaluate(async () => (await start()).info.load.cached_bytes), SIZE - 1048576)
      assert.deepEqual(modelRequests(t.server).map((r) => r.range), ['bytes=1048576-2097151'])
      assert.equal(await page.evaluate(async () => (await start()).info.load.cached_bytes), SIZE)
      // The chunk cannot be had again in part: everything is loaded anew.
      await rot()
      t.server.faults = { [MODEL]: { ranges: false } }
      assert.equal(await page.evaluate(async () => (await start()).info.load.cached_bytes), 0)
      // Refused bytes of the server are not kept.
      await page.evaluate(async () => retort.models.remove((await retort.models.list())[0].url))
      t.server.faults = { [MODEL]: { flip: 2000000 } }
      assert.equal(await page.evaluate(() => code(start())), 'TrustError trust')
      assert.equal(await page.evaluate(async () => (await retort.models.list()).length), 0)
      // A wrong key or a broken signature says nothing of the bytes that are kept.
      t.server.faults = {}
      await page.evaluate(async () => (await start()).dispose())
      t.server.faults = { [MODEL + '.sig']: { flip: 0 } }
      assert.equal(await page.evaluate(() => code(start())), 'TrustError trust')
      t.server.faults = { [MODEL + '.sig']: { cut: 0 } }
      assert.equal(await page.evaluate(async () => (await start()).info.load.cached_bytes), SIZE)
    },
  },
  {
    title: 'two tabs at once load once',
    only: KEEPING,
    async run(t) {
      t.server.faults = { [MODEL]: { slow: 10 } }
      const pages = [await open(t), await open(t)]
      const cached = await Promise.all(pages.map((page) => page.evaluate(async () => (await start()).info.load.cached_bytes)))
      assert.deepEqual(cached.sort((a, b) => a - b), [0, SIZE])
      assert.equal(modelRequests(t.server).length, 1)
    },
  },
  {
    title: 'a full quota costs the keeping, not the model',
    only: ['chromium'],
    async run(t) {
      const page = await open(t)
      const client = await page.createCDPSession()
      for (const quotaSize of [500000, 1]) {
        await client.send('Storage.overrideQuotaForOrigin', { origin: t.server.origin, quotaSize })
        assert.deepEqual(await page.evaluate(keepOne), ['The answer is 5217.', 0, false])
      }
    },
  },
  {
    title: 'a full quota costs the keeping, not the model (Firefox, told to keep 1 MiB in all)',
    only: ['firefox'],
    prefs: { 'dom.quotaManager.temporaryStorage.fixedLimit': 1024 },
    async run(t) {
      const page = await open(t)
      assert.deepEqual(await page.evaluate(keepOne), ['The answer is 5217.', 0, false])
    },
  },
  {
    title: 'a private window loads into memory',
    only: ['firefox'], // whose private windows refuse the file system; every test's context in Chromium is a private window, and WebKitGTK has no such files
    prefs: { 'browser.privatebrowsing.autostart': true },
    async run(t) {
      const page = await open(t)
      assert.equal(await page.evaluate(() => navigator.storage.getDirectory().then(() => 'none', (error) => error.name)), 'SecurityError')
      for (let visit = 0; visit < 2; visit++) assert.deepEqual(await page.evaluate(keepOne), ['The answer is 5217.', 0, false])
      assert.equal(modelRequests(t.server).length, 2)
      assert.deepEqual(await page.evaluate(async () => [await retort.models.list(), await retort.models.remove('/models/ember.gguf')]), [[], false])
    },
  },
  {
    title: 'works where nothing is kept and nothing isolated',
    async run(t) {
      t.server.isolated = false
      const page = await open(t)
      const got = await page.evaluate(async () => {
        const engine = await start({ cache: false })
        return [crossOriginIsolated, engine.info.threads, (await engine.chat.completions.create({ messages: messages(), temperature: 0 })).choices[0].message.content.trim()]
      })
      assert.deepEqual(got, [false, 1, 'The answer is 5217.'])
    },
  },
]
