// core.js - one instance of the WebAssembly module: calls by name, text in and out of its memory. Knows nothing of models or chats (wasm/abi.h does).
import { makeError } from './errors.js'

// Which arguments are addresses or sizes in memory: 64 bits wide where the module's addresses are.
const WIDE = { alloc: [0], free: [0], load_begin: [0, 1], load_chunks: [2, 3], tokenize: [1, 2], detokenize: [1, 2], session_new: [1, 2], chat: [1, 2] }
const number = (address) => (typeof address === 'bigint' ? Number(address) : address >>> 0)
const encoder = new TextEncoder()
const decoder = new TextDecoder()

export class Core {
  #exports
  #memory
  #vocab
  threads = 1
  helpers = () => [] // what the workers of the other threads are told

  /** `wide`: its addresses have 64 bits. */
  constructor(exports, memory, wide = false) {
    this.#exports = exports
    this.#memory = memory
    this.wide = wide
  }

  #call(name, args = []) {
    return this.#exports['retort_' + name](...(this.wide ? args.map((value, i) => (WIDE[name]?.includes(i) ? BigInt(value) : value)) : args))
  }

  get memoryBytes() {
    return this.#memory.buffer.byteLength
  }

  /** retort_NAME(...args); a status below 0 becomes an error. */
  call(name, ...args) {
    const value = this.#call(name, args)
    if (value < 0) {
      throw makeError(this.word('status_name', Number(value)), this.word('last_error'))
    }
    return value
  }

  /** The NUL-terminated text that retort_NAME(...args) points to. */
  word(name, ...args) {
    const text = new Uint8Array(this.#memory.buffer, number(this.#call(name, args)), 508)
    return decoder.decode(text.slice(0, text.indexOf(0)))
  }

  address(name, ...args) {
    const at = number(this.#call(name, args))
    if (at === 0) throw makeError('memory', 'the engine has no more memory')
    return at
  }

  /** A view of the module's memory; void once the memory grows, so it is never kept. */
  view(at, size) {
    return new Uint8Array(this.#memory.buffer, at, size)
  }

  // A copy, because decoders refuse memory that threads share.
  text(at, size) {
    return decoder.decode(this.view(at, size).slice())
  }

  result(size) {
    return this.view(number(this.#call('result')), size).slice()
  }

  textOf(name, ...args) {
    return decoder.decode(this.result(this.call(name, ...args)))
  }

  json(name, ...args) {
    return JSON.parse(this.textOf(name, ...args))
  }

  withBytes(bytes, use) {
    const at = this.address('alloc', bytes.length)
    try {
      this.view(at, bytes.length).set(bytes)
      return use(at, bytes.length)
    } finally {
      this.#call('free', [at])
    }
  }

  /** A copy, for reading while the module goes on. */
  floats(at, count) {
    return new Float32Array(this.view(at, 4 * count).slice().buffer)
  }

  /** The last event of a session: numbers by the names of abi_event. */
  event(session) {
    const at = this.address('event', session)
    const [kind, token, section, text, size, finish, done, total, , high = 0] = new Uint32Array(this.view(at, this.wide ? 40 : 36).slice().buffer)
    return { kind, token, section, text: text + high * 2 ** 32, size, finish, done, total }
  }

  vocab(model) {
    return (this.#vocab ??= this.json('model_info', model).n_vocab)
  }

  detokenize(model, ids, special) {
    const bytes = new Uint8Array(Int32Array.from(ids).buffer)
    return this.result(this.withBytes(bytes, (at) => this.call('detokenize', model, at, ids.length, Number(special))))
  }

  /** Calls NAME(...before, json, size). */
  send(name, value, ...before) {
    return this.withBytes(encoder.encode(JSON.stringify(value)), (at, size) => this.call(name, ...before, at, size))
  }
}
