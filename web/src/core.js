// core.js - one instance of the WebAssembly module: calls by name, text in and out of its memory. Knows nothing of models or chats (wasm/abi.h does).
import { makeError } from './errors.js'

// The names of retort_status, in its order.
const STATUS = ['', 'argument', 'memory', 'format', 'unsupported', 'context', 'template', 'json', 'buffer', 'trust', 'io', 'interrupted']
const encoder = new TextEncoder()
const decoder = new TextDecoder()

export class Core {
  #exports
  #memory
  #vocab
  threads = 1
  join = async () => {} // brings the other threads in

  constructor(exports, memory) {
    this.#exports = exports
    this.#memory = memory
  }

  get memoryBytes() {
    return this.#memory.buffer.byteLength
  }

  /** retort_NAME(...args); a status below 0 becomes an error. */
  call(name, ...args) {
    const value = this.#exports['retort_' + name](...args)
    if (value < 0) {
      const at = this.#exports.retort_last_error() >>> 0
      const text = new Uint8Array(this.#memory.buffer, at, 508)
      throw makeError(STATUS[-Number(value)] ?? 'internal', decoder.decode(text.slice(0, text.indexOf(0))))
    }
    return value
  }

  address(name, ...args) {
    const at = this.#exports['retort_' + name](...args) >>> 0
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
    const at = this.#exports.retort_result() >>> 0
    return this.view(at, size).slice()
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
      this.#exports.retort_free(at)
    }
  }

  /** A copy, for reading while the module goes on. */
  floats(at, count) {
    return new Float32Array(this.view(at, 4 * count).slice().buffer)
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
