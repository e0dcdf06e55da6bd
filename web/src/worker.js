// worker.js - the thread that owns the engine. Takes messages { id, op, ... } of engine.js and answers { id, value }, { id, error } or, in between,
// { id, event }. Everything runs in the order it was asked for; only a cancellation overtakes.
import { aborted, packError } from './errors.js'
import { loadModel } from './load.js'
import { Session } from './session.js'
import { chooseThreads, chooseVariant, startCore } from './variants.js'

const WASM = {
  simd128: new URL('../wasm/retort.wasm', import.meta.url),
  relaxed: new URL('../wasm/retort.relaxed.wasm', import.meta.url),
  simd128Threads: new URL('../wasm/retort.threads.wasm', import.meta.url),
  relaxedThreads: new URL('../wasm/retort.threads.relaxed.wasm', import.meta.url),
}
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
  async open({ parts, policy, variant: wanted, threads: most, wasm, cache, session }, signal, post) {
    const start = performance.now()
    variant = chooseVariant(wanted)
    const threads = chooseThreads(most)
    const module = threads > 1 ? variant + 'Threads' : variant
    core = await startCore(wasm?.[module] ?? WASM[module], threads, signal)
    const started = performance.now()
    const { id, cached } = await loadModel(core, { parts, policy, cache, signal, onProgress: post })
    model = id
    await core.join()
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

function conversation(name) {
  if (!sessions.has(name)) sessions.set(name, new Session(core, model, sessionOptions))
  return sessions.get(name)
}

function info() {
  const { trust, ...shape } = description
  const context = conversation('').info()
  return { model: shape, trust, variant, threads: core.threads, memory_bytes: core.memoryBytes, context: context.n_ctx, conversations: sessions.size, load: loaded }
}

let queue = Promise.resolve()
self.onmessage = ({ data: { id, op, ...args } }) => {
  if (op === 'cancel') return void jobs.get(id)?.abort()
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
