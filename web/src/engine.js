// engine.js - the page's side: starts the worker, asks it, and returns answers. Holds no model and does no work of its own.
import { EngineError, aborted, makeError, unpackError } from './errors.js'
import { toParts, toPolicy } from './model.js'
import { chunker, collect, toRequest } from './openai.js'

/** Starts an engine and loads a model into it; see index.d.ts for the options. Rejects with one of the errors of errors.js, and leaves nothing behind. */
export async function createEngine({ model, trust, onProgress, signal, context, kv, cache = true, variant, memory64, threads, wasm, worker } = {}) {
  if (signal?.aborted) throw aborted()
  const parts = toParts(model)
  const policy = toPolicy(trust)
  const urls = wasm && Object.fromEntries(Object.entries(wasm).map(([name, url]) => [name, new URL(url, location.href).href]))
  const session = { ...(context && { n_ctx: context }), ...(kv && { kv }) }
  const link = new Link(worker ?? new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'retort' }))
  const stop = () => link.end(aborted())
  signal?.addEventListener('abort', stop, { once: true })
  try {
    const info = await link.ask('open', { parts, policy, cache, variant, memory64, threads, wasm: urls, session }, { onEvent: onProgress }).value
    return new Engine(link, info)
  } catch (error) {
    link.end(error)
    throw error
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

/** Requests to the worker and their answers. */
class Link {
  #worker
  #waiting = new Map()
  #last = 0
  #ended = null
  #pool = []

  constructor(worker) {
    this.#worker = worker
    worker.onmessage = ({ data }) => this.#receive(data)
    worker.onerror = (event) => {
      event.preventDefault?.()
      this.end(makeError('worker', `the worker could not be started or failed: ${event.message ?? 'its script was not found, or the page forbids it'}`))
    }
  }

  #receive({ id, value, error, event, pool }) {
    if (pool) return this.#help(pool)
    const waiting = this.#waiting.get(id)
    if (!waiting) return
    if (event) return void waiting.onEvent?.(event)
    this.#waiting.delete(id)
    if (error) waiting.reject(unpackError(error))
    else waiting.resolve(value)
  }

  // Starts the worker's other threads, and tells it when they are there.
  #help(pool) {
    const come = pool.map((port, i) => new Promise((resolve) => {
      const helper = new Worker(new URL('./pool.js', import.meta.url), { type: 'module', name: `retort ${i + 1}` })
      helper.onmessage = helper.onerror = resolve
      helper.postMessage(port, [port])
      this.#pool.push(helper)
    }))
    Promise.all(come).then(() => this.#ended || this.#worker.postMessage({ op: 'joined' }))
  }

  /** { value: promise, cancel() } */
  ask(op, args, { onEvent } = {}) {
    if (this.#ended) return { value: Promise.reject(this.#ended), cancel() {} }
    const id = ++this.#last
    const value = new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject, onEvent }))
    this.#worker.postMessage({ id, op, ...args })
    return { value, cancel: () => this.#worker.postMessage({ id, op: 'cancel' }) }
  }

  /** Ends the worker, which gives its memory back; whatever waits is told why. */
  end(error) {
    if (this.#ended) return
    this.#ended = error
    for (const each of [this.#worker, ...this.#pool]) each.terminate()
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}

class Engine {
  #link
  #info

  constructor(link, info) {
    this.#link = link
    this.#info = info
    this.chat = { completions: { create: (body) => this.#create(body) } }
  }

  get info() {
    return this.#info
  }

  async tokenize(text, { special = false, bos = false } = {}) {
    return Array.from(await this.#link.ask('tokenize', { text, special, bos }).value)
  }

  async detokenize(ids, { special = false } = {}) {
    return this.#link.ask('detokenize', { ids: Array.from(ids), special }).value
  }

  async digests() {
    return this.#link.ask('digests', {}).value
  }

  /** Forgets a conversation and gives its memory back. */
  async reset(conversation = '') {
    await this.#link.ask('reset', { name: conversation }).value
    this.#info = await this.#link.ask('info', {}).value
  }

  async dispose() {
    this.#link.end(new EngineError('disposed', 'the engine was disposed of'))
  }

  async #create(body) {
    const request = toRequest(body)
    if (body.signal?.aborted) throw aborted()
    const chunks = this.#answer(request, body)
    if (body.stream) return chunks
    return collect(chunks)
  }

  // Asks at once, so that a stream which nobody reads yet is under way. Leaving the loop over it cancels the answer.
  #answer(request, { conversation: name = '', logprobs, top_logprobs = 0, signal }) {
    const make = chunker(this.#info.model.name ?? 'model')
    const ready = [make.first()]
    let done = false
    let failure = null
    let wake = () => {}
    const job = this.#link.ask('chat', { request, name, logprobs: logprobs ? top_logprobs : undefined }, { onEvent: (event) => (ready.push(make.next(event)), wake()) })
    const finish = (error) => {
      failure ??= error
      done = true
      signal?.removeEventListener('abort', stop)
      wake()
    }
    const stop = () => {
      job.cancel()
      finish(aborted())
    }
    signal?.addEventListener('abort', stop, { once: true })
    job.value.then((end) => (ready.push(make.last(end)), finish(null)), finish)
    const next = async () => {
      for (;;) {
        if (failure) throw failure
        if (ready.length) return { value: ready.shift(), done: false }
        if (done) return { value: undefined, done: true }
        await new Promise((resolve) => (wake = resolve))
      }
    }
    const leave = async () => {
      if (!done) job.cancel()
      ready.length = 0
      finish(null)
      return { value: undefined, done: true }
    }
    return { next, return: leave, [Symbol.asyncIterator]() { return this } }
  }
}
