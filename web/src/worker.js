// worker.js - the thread that owns the engine. Takes messages { id, op, ... } of engine.js and answers { id, value }, { id, error } or, in between,
// { id, event }. Everything runs in the order it was asked for; only a cancellation overtakes.
import { aborted, makeError, packError } from './errors.js'
import { loadModel } from './load.js'
import { Session } from './session.js'
import { chooseThreads, chooseVariant, hasMemory64, startCore } from './variants.js'

const WASM = {
  plain: new URL('../wasm/retort.wasm', import.meta.url),
  simd128: new URL('../wasm/retort.simd128.wasm', import.meta.url),
  relaxed: new URL('../wasm/retort.relaxed.wasm', import.meta.url),
  simd12864: new URL('../wasm/retort64.simd128.wasm', import.meta.url),
  relaxed64: new URL('../wasm/retort64.relaxed.wasm', import.meta.url),
}
// A larger model has no room beside its cache in 32-bit addresses.
const MOST_NARROW = 3.5 * 2 ** 30
const FLUSH_MS = 16 // text is posted at most this often, and messages looked at

const jobs = new Map() // id -> AbortController of what waits or runs
const sessions = new Map() // name of a conversation -> Session
let core, model, description, variant, sessionOptions
let loaded = {}

// Lets waiting messages in. A timer would wait 4 ms.
const channel = new MessageChannel()
let wake = null
channel.port1.onmessage = () => wake()
const breathe = () => new Promise((resolve) => ((wake = resolve), channel.port2.postMessage(0)))

const operations = {
  async open({ parts, policy, variant: wanted, memory64, threads: most, wasm, cache, session }, signal, post) {
    const start = performance.now()
    variant = chooseVariant(wanted)
    const threads = chooseThreads(most)
    const starter = (wide) => startCore({ ...WASM, ...wasm }, { variant, threads, wide, signal })
    // The usual module starts while the model's first bytes are on their way; how large the model is decides whether it stays.
    const narrow = memory64 === true ? null : starter(false)
    let started = start
    narrow?.then(() => (started = performance.now()), () => {})
    let wide = null
    let threadsCame
    const withThreads = (chosen) => {
      core = chosen
      threadsCame ??= bringThreads() // they come while the model does, and help to verify it
      return core
    }
    const coreFor = async (size) => {
      if (memory64 !== true && (memory64 === false || size <= MOST_NARROW)) return withThreads(await narrow)
      if (!hasMemory64()) throw makeError(memory64 ? 'browser' : 'memory', `the model has ${(size / 1e9).toFixed(1)} GB, and this browser no 64-bit addresses for more than 4; Chrome 133 and Firefox 134 do`)
      const chosen = await (wide ??= starter(true))
      started = performance.now()
      return withThreads(chosen)
    }
    const { id, cached } = await loadModel(coreFor, { parts, policy, cache, signal, onProgress: post })
    model = id
    await threadsCame
    description = core.json('model_info', model)
    sessionOptions = session
    conversation('') // fails now, if it must, and not at the first question
    loaded = { engine_ms: started - start, model_ms: performance.now() - started, cached_bytes: cached }
    return info()
  },

  async chat({ request, name, logprobs }, signal, post) {
    let text = ''
    let section = ''
    let last = performance.now()
    let measured = []
    const flush = () => {
      if (text || measured.length) post({ ...(text && { [section]: text }), ...(measured.length && { logprobs: measured }) })
      text = ''
      measured = []
      last = performance.now()
    }
    for (const event of conversation(name).answer(request, logprobs)) {
      if (event.kind === 'text') {
        if (event.section !== section) flush()
        section = event.section
        text += event.text
        if (event.logprob) measured.push(event.logprob)
      }
      if (event.kind === 'end') {
        flush()
        return event
      }
      if (performance.now() - last < FLUSH_MS) continue
      if (event.kind === 'prompt') post({ prompt_progress: { done: event.done, total: event.total } })
      flush()
      await breathe()
      if (signal.aborted) throw aborted()
    }
  },

  async tokenize({ text, special, bos }) {
    const n = core.withBytes(new TextEncoder().encode(text), (at, size) => core.call('tokenize', model, at, size, Number(special) | (Number(bos) << 1)))
    return new Int32Array(core.result(4 * n).buffer)
  },

  async detokenize({ ids, special }) {
    return new TextDecoder().decode(core.detokenize(model, ids, special))
  },

  async digests() {
    return core.json('digests', model)
  },

  async reset({ name }) {
    sessions.get(name)?.close()
    sessions.delete(name)
  },

  async info() {
    return info()
  },
}

// The page starts the other threads, because a worker that starts workers may stand still for ever in Firefox 153 (docs/BROWSER.md). They are waited for,
// but not for long: the share of one that never comes is done by this thread.
let joined = () => {}
async function bringThreads() {
  const pool = core.helpers()
  if (!pool.length) return
  const all = new Promise((resolve) => (joined = resolve))
  const ports = pool.map((work) => {
    const { port1, port2 } = new MessageChannel()
    port1.postMessage(work)
    return port2
  })
  self.postMessage({ pool: ports }, ports)
  await Promise.race([all, new Promise((resolve) => setTimeout(resolve, 2000))])
}

function conversation(name) {
  if (!sessions.has(name)) sessions.set(name, new Session(core, model, sessionOptions))
  return sessions.get(name)
}

function info() {
  const { trust, ...shape } = description
  const context = conversation('').info()
  return { model: shape, trust, variant, threads: core.threads, memory64: core.wide, memory_bytes: core.memoryBytes, context: context.n_ctx, conversations: sessions.size, load: loaded }
}

let queue = Promise.resolve()
self.onmessage = ({ data: { id, op, ...args } }) => {
  if (op === 'cancel') return void jobs.get(id)?.abort()
  if (op === 'joined') return joined()
  const controller = new AbortController()
  jobs.set(id, controller)
  queue = queue.then(async () => {
    try {
      if (controller.signal.aborted) throw aborted()
      self.postMessage({ id, value: await operations[op](args, controller.signal, (event) => self.postMessage({ id, event })) })
    } catch (error) {
      self.postMessage({ id, error: packError(error) })
    } finally {
      jobs.delete(id)
    }
  })
}
self.postMessage({ ready: true })
