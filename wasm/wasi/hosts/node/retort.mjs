// retort.mjs - a reasoning model in a sandbox inside your Node.js program (20 or newer; 24 or newer for retort-plugin.relaxed.wasm).
//
// The module imports nothing: no file, clock or network is open to it. This file reads the model and feeds it piece by piece; the plugin hashes each
// piece, and parses nothing before all of it was verified. docs/PLUGIN.md describes the functions called here.
//
//   const model = await Model.open('retort-plugin.wasm', 'ember.gguf', { method: 'key', anchors: [key] })
//   for (const piece of model.session().chat([{ role: 'user', content: 'What is 2+3?' }])) process.stdout.write(piece.text)
//
// Leave the loop to end an answer early. To keep the event loop free, run it in a worker, or await between pieces.
import fs from 'node:fs'
import path from 'node:path'

const PIECE = 16 << 20 // bytes read at a time where the file has no list of chunks

/** What the plugin refused: `kind` is a stable word ("trust", "memory", "format", ...). */
export class RetortError extends Error {
  constructor(kind, message) {
    super(message)
    this.kind = kind
  }
}

export class Model {
  #exports
  #model

  /** `plugin`: a path or a WebAssembly.Module. `files`: one GGUF file, or those of a split set; signatures and chunk lists are found beside them
   * (FILE.sig, FILE.minisig, FILE.chunks). `trust`: the policy, which has no default.
   * `directory`: for retort-plugin.directory.wasm, which finds the files in that one (node:wasi); `readAt`: for retort-plugin.pull.wasm, a function of file
   * index, offset and size to the bytes, none at the end; `files` are then { name, size } and `signatures` texts. */
  static async open(plugin, files, trust, { directory, readAt, signatures = [] } = {}) {
    const module = plugin instanceof WebAssembly.Module ? plugin : await WebAssembly.compile(fs.readFileSync(plugin))
    const wasi = directory && new (await import('node:wasi')).WASI({ version: 'preview1', preopens: { '/': directory } })
    let model = null
    const read_at = (file, offset, at, size) => {
      const bytes = readAt(file, Number(offset), size >>> 0)
      model.write(at >>> 0, bytes)
      return bytes.length
    }
    const instance = await WebAssembly.instantiate(module, wasi ? wasi.getImportObject() : readAt ? { retort: { read_at } } : {})
    wasi?.initialize(instance)
    model = new Model(instance)
    files = [files].flat()
    if (directory) model.#model = model.send('load_directory', { trust, files })
    else if (readAt) model.#model = model.call('load_pull', model.send('load_begin', { trust, signatures, files }))
    else model.#model = model.#load(files, trust)
    model.info = model.json('model_info', model.#model)
    return model
  }

  constructor(instance) {
    this.#exports = instance.exports
  }

  /** A conversation; options: n_ctx, n_batch, kv. */
  session(options = {}) {
    return new Session(this, this.send('session_new', options, this.#model))
  }

  tokenize(text, { special = false, bos = false } = {}) {
    const n = this.withBytes(Buffer.from(text), (at, size) => this.call('tokenize', this.#model, at, size, Number(special) | (Number(bos) << 1)))
    const bytes = this.result(4 * n)
    return Array.from({ length: n }, (_, i) => bytes.readInt32LE(4 * i))
  }

  detokenize(ids, { special = false } = {}) {
    const n = this.withBytes(Buffer.from(Int32Array.from(ids).buffer), (at) => this.call('detokenize', this.#model, at, ids.length, Number(special)))
    return this.result(n)
  }

  get memoryBytes() {
    return this.#exports.memory.buffer.byteLength
  }

  // ---- the functions of the plugin ----

  call(name, ...args) {
    const value = this.#exports['retort_' + name](...args)
    if (value < 0) {
      throw new RetortError(this.word('status_name', Number(value)), this.word('last_error'))
    }
    return value
  }

  // The NUL-terminated text that retort_NAME(...args) points to.
  word(name, ...args) {
    const text = this.read(this.#exports['retort_' + name](...args) >>> 0, 508)
    return text.subarray(0, text.indexOf(0)).toString()
  }

  address(name, ...args) {
    const at = this.#exports['retort_' + name](...args) >>> 0
    if (at === 0) throw new RetortError('memory', 'the sandbox has no more memory')
    return at
  }

  // A copy: the memory may grow, and then every view of it is void.
  read(at, size) {
    return Buffer.from(this.#exports.memory.buffer.slice(at, at + size))
  }

  write(at, bytes) {
    new Uint8Array(this.#exports.memory.buffer, at, bytes.length).set(bytes)
  }

  result(size) {
    return this.read(this.#exports.retort_result() >>> 0, size)
  }

  json(name, ...args) {
    return JSON.parse(this.result(this.call(name, ...args)).toString())
  }

  withBytes(bytes, use) {
    const at = this.address('alloc', bytes.length)
    try {
      this.write(at, bytes)
      return use(at, bytes.length)
    } finally {
      this.#exports.retort_free(at)
    }
  }

  send(name, value, ...before) {
    return this.withBytes(Buffer.from(JSON.stringify(value)), (at, size) => this.call(name, ...before, at, size))
  }

  #signatures(files, method) {
    if (method === 'unsigned' || method === 'pinned') return []
    if (method === 'minisign') return files.map((name) => name + '.minisig').filter(fs.existsSync)
    if (method === 'signify') return files.map((name) => name + '.sig').filter(fs.existsSync)
    return [files[0] + '.sig', path.join(path.dirname(files[0]), 'model.sig')].filter(fs.existsSync).slice(0, 1)
  }

  #load(files, trust) {
    const described = files.map((name) => ({ name: path.basename(name), size: fs.statSync(name).size }))
    const signatures = this.#signatures(files, trust.method).map((name) => fs.readFileSync(name, 'utf8'))
    const loader = this.send('load_begin', { trust, signatures, files: described })
    files.forEach((name, index) => {
      if (fs.existsSync(name + '.chunks')) this.withBytes(fs.readFileSync(name + '.chunks'), (at, size) => this.call('load_chunks', loader, index, at, size))
    })
    this.call('load_open', loader)
    files.forEach((name, index) => {
      const at = this.address('load_buffer', loader, index)
      const whole = described[index].size
      const step = Number(this.call('load_chunk_size', loader, index)) || (trust.method === 'signify' ? whole || 1 : PIECE)
      const piece = Buffer.alloc(Math.min(step, whole))
      const file = fs.openSync(name, 'r')
      try {
        for (let offset = 0; offset < whole; ) {
          const want = Math.min(step, whole - offset)
          let got = 0
          while (got < want) {
            const n = fs.readSync(file, piece, got, want - got, offset + got)
            if (n === 0) throw new RetortError('io', `${name} became shorter while it was read`)
            got += n
          }
          this.write(at + offset, piece.subarray(0, got))
          this.call('load_fed', loader, index, BigInt(offset), got)
          offset += got
        }
      } finally {
        fs.closeSync(file)
      }
    })
    return this.call('load_finish', loader)
  }
}

export class Session {
  #model
  #id

  constructor(model, id) {
    this.#model = model
    this.#id = id
  }

  /** Yields { text, section, token, finish } as they come. options: temperature, top_p, seed, max_tokens, thinking_budget, stop, proof, ... (docs/PLUGIN.md);
   * `work`: prompt tokens, or drafts, per step at most: how long the plugin keeps your thread at a time. */
  chat(messages, options = {}) {
    return this.#answer({ messages, ...options })
  }

  /** The same for raw text, without the chat template. */
  complete(prompt, options = {}) {
    return this.#answer({ prompt, ...options })
  }

  *#answer({ work = 0, ...request }) {
    const model = this.#model
    model.send('chat', request, this.#id)
    for (;;) {
      const kind = model.call('step', this.#id, work)
      const event = model.read(model.address('event', this.#id), 36)
      if (kind === 0) continue
      const text = model.read(event.readUInt32LE(12), event.readUInt32LE(16)).toString()
      yield { text, section: event.readUInt32LE(8) ? 'reasoning' : 'answer', token: event.readInt32LE(4), finish: kind === 2 ? model.word('finish_name', event.readUInt32LE(20)) : null }
      if (kind === 2) return
    }
  }

  usage() {
    return this.#model.json('usage', this.#id)
  }

  proof() {
    return this.#model.json('proof', this.#id)
  }

  info() {
    return this.#model.json('session_info', this.#id)
  }

  close() {
    this.#model.call('close', this.#id)
  }
}
