// load.js - brings a model into the engine: signature and chunk list first, then the bytes, each chunk verified as it arrives.
//
// Bytes go straight into the module's memory, where retort_load_fed hashes them; only what passed is kept on the device. What the device kept is read into
// that memory too. Where it is refused it is read once more, each chunk compared with its list here, and damaged ones are fetched again where the server can
// send parts; refused again, it is forgotten and loaded anew. This file decides nothing about trust; wasm/abi.h does.
import { RetortError, makeError } from './errors.js'
import { BlobPart, UrlPart, fetchBeside, parseChunks } from './source.js'
import { lock, openEntry } from './store.js'

const MIB = 1 << 20
const PATIENCE = 50 // ms that a chunk may wait for more
const PIECE = 8 * MIB // about so many bytes are read from the device, and hashed by all threads, at a time

/** Returns { id, cached }: the model's number, and the bytes that came from this device. coreFor(bytes) gives the instance that is to hold it. */
export async function loadModel(coreFor, options) {
  const urls = options.parts.filter((p) => p.url).map((p) => p.url)
  const release = options.cache && urls.length ? await lock(urls[0], options.signal) : () => {}
  try {
    for (const kept of ['used', 'compared']) {
      try {
        return await attempt(coreFor, options, kept)
      } catch (error) {
        // Bytes of the server that are refused stay refused; those of the device may have rotted.
        if (!(error instanceof RetortError && error.code === 'trust' && error.details.cached)) throw error
      }
    }
    return await attempt(coreFor, options, 'forgotten')
  } finally {
    release()
  }
}

async function attempt(coreFor, options, kept) {
  const files = []
  let core
  let loader = 0
  let fed = false
  const counted = { cached: 0 }
  try {
    for (const part of options.parts) files.push(await openFile(part, options, kept))
    const signatures = await findSignatures(files, options)
    for (const f of files) await openSource(f, options)
    core = await coreFor(files.reduce((sum, f) => sum + f.source.size, 0))
    loader = core.send('load_begin', { trust: options.policy, signatures, files: files.map((f) => ({ name: f.source.name, size: f.source.size })) })
    files.forEach((f, i) => f.chunks && core.withBytes(f.chunks, (at, size) => core.call('load_chunks', loader, i, at, size)))
    openLoader(core, loader)
    fed = true
    for (const f of files) await describe(f)
    const report = reporter(files, options.onProgress)
    for (let i = 0; i < files.length; i++) await feed(core, loader, i, files[i], options, kept, counted, report)
    const id = core.call('load_finish', loader)
    loader = 0
    for (const f of files) f.entry?.close()
    return { id, cached: counted.cached }
  } catch (error) {
    if (loader) core.call('close', loader)
    // A wrong key or signature says nothing of the bytes that are kept.
    const refused = fed && error instanceof RetortError && error.code === 'trust'
    if (refused) error.details = { ...error.details, cached: counted.cached > 0 }
    const forget = refused && !(kept === 'used' && counted.cached)
    for (const f of files) await (forget || !f.entry?.held ? f.entry?.remove() : f.entry?.close())
    throw error
  }
}

// Nothing of the model was read yet, so what is malformed here is the policy, a key, a signature or a list of chunks.
function openLoader(core, loader) {
  try {
    core.call('load_open', loader)
  } catch (error) {
    throw error.code === 'format' || error.code === 'json' ? makeError('trust', error.message) : error
  }
}

// ---- what lies beside a model ----

const bytesOf = async (thing) => (typeof thing === 'string' ? new TextEncoder().encode(thing) : thing instanceof Blob ? new Uint8Array(await thing.arrayBuffer()) : ArrayBuffer.isView(thing) ? thing : new Uint8Array(thing))
const base64 = (bytes) => btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join(''))
const unbase64 = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0))

/** The file's chunk list, its entry on this device, and its source, not yet open. */
async function openFile(part, { cache, signal }, kept) {
  const entry = part.url && cache ? await openEntry(part.url) : null
  if (kept === 'forgotten') entry?.clear()
  const source = part.url ? new UrlPart({ ...part, signal }) : new BlobPart(part)
  const file = { part, entry, source, chunks: part.chunks ? await bytesOf(part.chunks) : null }
  if (part.url && !part.chunks) file.chunks = await beside(file, '.chunks', signal)
  return file
}

// Fetched, or, without a network, as it was when the model was kept.
async function beside(file, suffix, signal) {
  const url = new URL(file.part.url)
  url.pathname += suffix
  try {
    return await fetchBeside(url.href, signal)
  } catch (error) {
    signal.throwIfAborted()
    const kept = file.entry?.meta?.beside?.[suffix]
    if (kept !== undefined) return kept && unbase64(kept)
    throw error.code ? error : makeError('network', `${url.href} could not be fetched: ${error.message}`, { url: url.href })
  }
}

async function findSignatures(files, { policy, signal }) {
  if (policy.method === 'unsigned' || policy.method === 'pinned') return []
  const each = policy.method === 'minisign' || policy.method === 'signify'
  const suffix = policy.method === 'minisign' ? '.minisig' : '.sig'
  const texts = []
  for (const f of each ? files : files.slice(0, 1)) {
    const given = f.part.signature
    f.signature = given ? await bytesOf(given) : f.part.url ? await beside(f, suffix, signal) : null
    if (!f.signature) throw makeError('trust', f.part.url ? `there is no signature: ${f.part.url}${suffix} does not exist` : `${f.source.name} comes without a signature (${f.source.name}${suffix})`)
    texts.push(new TextDecoder().decode(f.signature))
  }
  for (const f of files) {
    if (!f.entry) continue
    f.beside = { '.chunks': f.chunks && base64(f.chunks), [suffix]: f.signature && base64(f.signature) }
  }
  return texts
}

async function openSource({ entry, source, part, chunks }, { signal }) {
  const list = parseChunks(chunks)
  const known = list && entry?.meta?.size !== list.size ? null : entry?.meta // of another size: another version
  try {
    await source.open(known ? entry.held : 0, known, list)
  } catch (error) {
    signal.throwIfAborted()
    throw error.code ? error : makeError('network', `${part.url} could not be fetched: ${error.message}`, { url: part.url })
  }
}

async function describe(file) {
  const { entry, source, part, chunks, beside } = file
  if (!entry) return
  const added = entry.meta?.added ?? Date.now()
  // Of a file that changed, a list of chunks tells which are still right.
  if (entry.meta && (entry.meta.size !== source.size || (source.changed && !chunks))) entry.clear()
  try {
    await entry.describe({ url: part.url, size: source.size, etag: source.etag, added, beside: beside ?? { '.chunks': chunks && base64(chunks) } })
  } catch {
    await entry.remove() // no room for even that
    file.entry = null
  }
}

// ---- bytes ----

/** At most ten reports a second, and the last. */
function reporter(files, onProgress) {
  const total = files.reduce((sum, f) => sum + f.source.size, 0)
  let loaded = 0
  let last = 0
  return (bytes, cached) => {
    loaded += bytes
    const now = performance.now()
    if (now - last < 100 && loaded < total) return
    last = now
    onProgress({ phase: 'load', loaded, total, cached })
  }
}

async function feed(core, loader, index, file, { policy, signal }, kept, counted, report) {
  const { source, entry } = file
  const base = core.address('load_buffer', loader, index)
  const chunk = Number(core.call('load_chunk_size', loader, index))
  // Chunks whole; a signify signature covers the file as one; everything else as it comes.
  const step = chunk || (policy.method === 'signify' ? source.size : 0)
  let filled = 0
  let fed = 0
  let keeping = entry !== null
  let last = 0
  // Hashes what came, as far as it makes whole steps; where chunks come fast, four at a time, which take little longer than one.
  const advance = (size, fromDevice) => {
    filled += size
    counted.cached += fromDevice ? size : 0
    const ready = step && filled < source.size ? filled - (filled % step) : filled
    if (ready > fed && (fromDevice || filled === source.size || ready - fed >= 4 * chunk || performance.now() - last > PATIENCE)) {
      core.call('load_fed', loader, index, BigInt(fed), ready - fed)
      if (keeping && !fromDevice) keeping = entry.write(fed, core.view(base + fed, ready - fed))
      fed = ready
      last = performance.now()
    }
    report(size, counted.cached)
  }
  if (entry) await feedKept(file, core, base, step, kept, advance, signal)
  for await (const bytes of source.stream(filled)) {
    signal.throwIfAborted()
    // In parts, so that a large one does not run past a chunk that will be refused.
    for (let i = 0; i < bytes.length; ) {
      const size = step ? Math.min(bytes.length - i, step - (filled % step)) : bytes.length - i
      core.view(base + filled, size).set(bytes.subarray(i, i + size))
      advance(size, false)
      i += size
    }
  }
  if (filled < source.size) throw makeError('network', `${source.name} became shorter while it was read`)
}

async function feedKept({ source, entry, chunks }, core, base, step, kept, advance, signal) {
  const list = kept === 'compared' ? parseChunks(chunks) : null
  const held = Math.min(entry.held, source.size)
  const unit = list?.chunkSize ?? PIECE
  const whole = held === source.size ? held : held - (held % (step || MIB)) // a last chunk that was cut off is fetched again
  for (let at = 0; at < whole; ) {
    signal.throwIfAborted()
    const size = Math.min(unit, whole - at)
    let fromDevice = entry.read(at, core.view(base + at, size))
    if (list && !(fromDevice && (await matches(core.view(base + at, size).slice(), list.hash(at / unit))))) {
      const fresh = await source.range(at, at + size).catch(() => null)
      if (fresh) {
        entry.write(at, fresh)
        core.view(base + at, size).set(fresh)
        fromDevice = false
      }
    } else if (!fromDevice) break // the rest comes from the network
    advance(size, fromDevice)
    at += size
  }
}

async function matches(bytes, hash) {
  const got = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return got.every((byte, i) => byte === hash[i])
}
