// store.js - models kept on this device, in the origin private file system: `retort/KEY.gguf` and `KEY.json` beside it (KEY: SHA-256 of the URL).
//
// A download is appended chunk by chunk, each after it was verified, so its length says how far it came. What is read back is verified again by the
// engine, like bytes from a stranger. The caller holds a lock on the model while an entry is open. Used in a worker, where synchronous handles are.
const FOLDER = 'retort'

const hex = (buffer) => Array.from(new Uint8Array(buffer), (b) => b.toString(16).padStart(2, '0')).join('')
const keyOf = async (url) => hex(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(url)))
const folder = async () => (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true })

/** Waits for the lock; calls of the result release it. Without Web Locks there is none. */
export function lock(name, signal) {
  if (!navigator.locks) return Promise.resolve(() => {})
  return new Promise((resolve, reject) => {
    navigator.locks.request('retort:' + name, { signal }, () => new Promise((release) => resolve(release))).catch(reject)
  })
}

/** The entry of `url`, made if there is none; null where this browser (or private window) keeps nothing, or another tab holds it. */
export async function openEntry(url) {
  try {
    const key = await keyOf(url)
    const dir = await folder()
    const handle = await (await dir.getFileHandle(key + '.gguf', { create: true })).createSyncAccessHandle()
    const entry = new Entry(dir, key, handle)
    entry.meta = await readMeta(dir, key)
    if (!entry.meta) entry.clear() // bytes of which nothing is known
    return entry
  } catch {
    return null
  }
}

async function readMeta(dir, key) {
  try {
    return JSON.parse(await (await (await dir.getFileHandle(key + '.json')).getFile()).text())
  } catch {
    return null // never written, or cut off while it was
  }
}

class Entry {
  #dir
  #key
  #handle

  constructor(dir, key, handle) {
    this.#dir = dir
    this.#key = key
    this.#handle = handle
  }

  get held() {
    return this.meta ? this.#handle.getSize() : 0
  }

  /** Fills `bytes`, which may be memory that threads share; false where less was there. */
  read(offset, bytes) {
    return this.#handle.read(bytes, { at: offset }) === bytes.length
  }

  /** False: the quota is used up. */
  write(offset, bytes) {
    try {
      return this.#handle.write(bytes, { at: offset }) === bytes.length
    } catch {
      return false
    }
  }

  async describe(meta) {
    this.meta = meta
    const handle = await (await this.#dir.getFileHandle(this.#key + '.json', { create: true })).createSyncAccessHandle()
    handle.truncate(0)
    handle.write(new TextEncoder().encode(JSON.stringify(meta)))
    handle.close()
  }

  /** Forgets what is kept, but stays open for a new start. */
  clear() {
    this.meta = null
    this.#handle.truncate(0)
  }

  close() {
    this.#handle.flush()
    this.#handle.close()
  }

  async remove() {
    this.#handle.close()
    for (const suffix of ['.gguf', '.json']) await this.#dir.removeEntry(this.#key + suffix).catch(() => {})
  }
}

/** What this origin keeps: for pages. Every call works where nothing is kept. */
export const models = {
  async list() {
    const list = []
    try {
      const dir = await folder()
      for await (const [name, handle] of dir.entries()) {
        if (!name.endsWith('.json')) continue
        const meta = await readMeta(dir, name.slice(0, -5))
        const file = await dir.getFileHandle(name.slice(0, -5) + '.gguf').then((h) => h.getFile(), () => null)
        if (meta && file && handle) list.push({ url: meta.url, size: meta.size, held: Math.min(file.size, meta.size), complete: file.size >= meta.size, added: meta.added })
      }
    } catch {
      // no such file system here: an empty list
    }
    return list
  },
  async remove(url) {
    try {
      const key = await keyOf(String(url))
      const dir = await folder()
      for (const suffix of ['.gguf', '.json']) await dir.removeEntry(key + suffix)
      return true
    } catch {
      return false
    }
  },
  async usage() {
    const { usage = 0, quota = 0 } = (await navigator.storage?.estimate?.()) ?? {}
    return { usage, quota }
  },
}
