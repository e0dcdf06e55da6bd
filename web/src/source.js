// source.js - where a model's bytes come from: a URL, a file that the user chose, or memory; one `Part` for each file of the model.
//
// A part knows its name and size before its bytes are asked for, and gives them from any offset. A download that breaks off goes on where it stopped
// (Range, If-Range). Nothing here is trusted: the engine verifies what comes out.
import { makeError } from './errors.js'

const ATTEMPTS = 5
const wait = (ms, signal) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => (clearTimeout(timer), reject(signal.reason)), { once: true })
  })

/** The size that a list of chunks (docs/SIGNING.md) speaks of; null where this is no such list. */
export function parseChunks(list) {
  const header = new TextEncoder().encode('RETORTCK')
  if (!list || list.length < 32 || header.some((byte, i) => byte !== list[i])) return null
  const view = new DataView(list.buffer, list.byteOffset, list.length)
  return { chunkSize: Number(view.getBigUint64(16, true)), size: Number(view.getBigUint64(24, true)), hash: (i) => list.subarray(32 + 32 * i, 64 + 32 * i) }
}

/** A file or bytes of the user. */
export class BlobPart {
  constructor({ name, blob, bytes }) {
    this.name = name
    this.blob = blob ?? new Blob([bytes])
    this.size = this.blob.size
  }
  async open() {}
  async *stream(from) {
    const reader = this.blob.slice(from).stream().getReader()
    for (let piece; !(piece = await reader.read()).done; ) yield piece.value
  }
}

export class UrlPart {
  #response = null // a request already under way, whose body begins at #start
  #start = 0
  #etag = null
  #begun = false
  changed = false // on the server, since the earlier visit

  constructor({ url, name, signal }) {
    this.url = url
    this.name = name
    this.signal = signal
    this.size = 0
  }

  get etag() {
    return this.#etag
  }

  /** Asks for the bytes from `from` on, and learns the size. `known`: { size, etag } of an earlier visit. */
  async open(from = 0, known = null, chunks = null) {
    this.#etag = known?.etag ?? null
    if (known && from >= known.size) {
      this.size = known.size
      return
    }
    await this.#begin(from)
    this.changed = Boolean(known?.etag && this.#etag && known.etag !== this.#etag)
    if (this.changed && this.#start > 0) {
      this.#drop() // this server does not heed If-Range
      await this.#begin(0)
    }
    this.#begun = true
    const response = this.#response
    const encoded = response.headers.get('content-encoding')
    const total = response.status === 206 ? Number(response.headers.get('content-range')?.split('/')[1]) : Number(response.headers.get('content-length') ?? NaN)
    this.size = chunks?.size ?? (encoded ? NaN : total)
    if (!Number.isSafeInteger(this.size)) throw makeError('network', `${this.url}: the server does not say how large the file is; it must send Content-Length and no Content-Encoding, or put a .chunks file beside it`, { url: this.url })
  }

  async #begin(from) {
    this.#response = await this.#request(from)
    this.#start = this.#response.status === 206 ? from : 0 // a server without ranges begins anew
  }

  async #request(from, upTo = null) {
    const headers = {}
    if (from > 0 || upTo !== null) headers.Range = `bytes=${from}-${upTo === null ? '' : upTo - 1}`
    // Across origins this header would cost a preflight that few servers answer; there the verification alone notices a changed file.
    if (headers.Range && this.#etag && new URL(this.url).origin === self.location.origin) headers['If-Range'] = this.#etag
    const response = await fetch(this.url, { headers, signal: this.signal, cache: 'no-store' })
    if (!response.ok) throw makeError('network', `${this.url}: the server says ${response.status}`, { url: this.url, status: response.status })
    const etag = response.headers.get('etag')
    if (this.#begun && this.#etag && etag && etag !== this.#etag) throw makeError('network', `${this.url} changed while it was read; load it again`, { url: this.url })
    this.#etag = etag && !etag.startsWith('W/') ? etag : null
    return response
  }

  #drop() {
    this.#response?.body.cancel().catch(() => {})
    this.#response = null
  }

  /** These bytes alone; null if the server has no ranges. */
  async range(from, upTo) {
    const response = await this.#request(from, upTo)
    if (response.status !== 206) return void response.body?.cancel()
    const bytes = new Uint8Array(await response.arrayBuffer())
    return bytes.length === upTo - from ? bytes : null
  }

  async *stream(from) {
    let failures = 0
    for (let at = from; at < this.size; ) {
      let reader
      try {
        if (this.#start > at) this.#drop() // what was kept is not used after all
        if (!this.#response) await this.#begin(at)
        let skip = at - this.#start
        reader = this.#response.body.getReader()
        for (let piece; at < this.size && !(piece = await reader.read()).done; ) {
          const bytes = piece.value.subarray(Math.min(skip, piece.value.length), Math.min(piece.value.length, skip + this.size - at))
          skip -= Math.min(skip, piece.value.length)
          if (bytes.length === 0) continue
          at += bytes.length
          failures = 0
          yield bytes
        }
        if (at < this.size) throw new TypeError('the connection ended early')
      } catch (error) {
        this.signal.throwIfAborted()
        if (error.code && !(error.details?.status >= 500)) throw error
        if (++failures >= ATTEMPTS) throw makeError('network', `${this.url}: ${error.message}; ${at} of ${this.size} bytes came, and ${ATTEMPTS} attempts brought no more`, { url: this.url, received: at })
        await wait(250 << failures, this.signal)
      } finally {
        reader?.cancel().catch(() => {})
        this.#response = null
      }
    }
  }
}

const BESIDE_MOST = 64 << 20 // a chunk list of 2 TiB in chunks of 1 MiB has as much

// Stops as soon as more comes than is believed, whatever the server said of the size.
async function limited(response, url) {
  const pieces = []
  let size = 0
  const reader = response.body.getReader()
  for (let piece; !(piece = await reader.read()).done; pieces.push(piece.value)) {
    size += piece.value.length
    if (size <= BESIDE_MOST) continue
    reader.cancel().catch(() => {})
    throw makeError('trust', `${url} is larger than the ${BESIDE_MOST} bytes that a file beside a model may have; refused`, { url })
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer())
}

/** A small file beside the model: bytes, or null where there is none. A page in its place counts as none: some servers answer every path with one. */
export async function fetchBeside(url, signal) {
  const response = await fetch(url, { signal, cache: 'no-cache' })
  if (response.status === 404 || response.status === 410 || (response.ok && /^text\/html\b/.test(response.headers.get('content-type') ?? ''))) return null
  if (!response.ok) throw makeError('network', `${url}: the server says ${response.status}`, { url, status: response.status })
  return limited(response, url)
}
