// variants.js - which of the modules this engine can run, and an instance of it.
//
// A feature test alone is not enough for relaxed SIMD: engines have shipped the dot product with wrong sums. So its answers are compared with known
// ones before the module that uses it is taken; the module checks once more, more thoroughly, when it opens a model.
import { makeError } from './errors.js'
import { Core } from './core.js'

const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16))

// (func (result v128) (i8x16.popcnt (i8x16.splat (i32.const 0))))
const SIMD128 = bytes('0061736d010000000105016000017b030201000a0a010800' + '4100fd0ffd620b')
// (func (export "dot") (param i32 i32) (result i32): lane 0 of relaxed_dot_i8x16_i7x16_add_s(splat p0, splat p1, 0)
const DOT = bytes('0061736d0100000001070160027f7f017f03020100070701' + '03646f7400000a24012200' + '2000fd112001fd11fd0c' + '00'.repeat(16) + 'fd9302' + 'fd1b000b')

function relaxedDotIsRight() {
  if (!WebAssembly.validate(DOT)) return false
  const { dot } = new WebAssembly.Instance(new WebAssembly.Module(DOT)).exports
  for (let test = 0; test < 256; test++) {
    let a = 0
    let b = 0
    let sum = 0
    for (let i = 0; i < 4; i++) {
      const mixed = Math.imul(4 * test + i + 1, 2654435761)
      const signed = test === 0 ? -128 : test === 1 ? 127 : mixed >> 24
      const small = test < 4 ? 127 : (mixed >>> 16) & 127
      a |= (signed & 255) << (8 * i)
      b |= small << (8 * i)
      sum += signed * small
    }
    if (dot(a, b) !== sum) return false
  }
  return true
}

/** 'relaxed' or 'simd128'; `wanted` may ask for one of them. */
export function chooseVariant(wanted) {
  if (typeof WebAssembly !== 'object' || !WebAssembly.validate(SIMD128)) throw makeError('browser', 'this browser has no WebAssembly SIMD; Chrome 91, Firefox 89 and Safari 16.4 do')
  if (wanted === 'simd128') return wanted
  if (relaxedDotIsRight()) return 'relaxed'
  if (wanted === 'relaxed') throw makeError('browser', 'this engine has no relaxed SIMD, or gets its dot product wrong')
  return 'simd128'
}

/** How many threads to use, `wanted` or as many as pay: one, where the page is not isolated and memory cannot be shared. */
export function chooseThreads(wanted) {
  if (!self.crossOriginIsolated || typeof SharedArrayBuffer !== 'function') return 1
  // Firefox 153 stands still now and then with threads (docs/BROWSER.md), so there is one.
  if (/\bFirefox\//.test(navigator.userAgent)) return 1
  const cores = navigator.hardwareConcurrency || 1
  // Of many, half are usually the second threads of a core, which do not compute faster.
  return Math.max(1, Math.min(32, wanted ?? Math.min(8, cores > 4 ? Math.ceil(cores / 2) : cores)))
}

/** An instance of the module at `url`; with threads, also the workers that help it. */
export async function startCore(url, threads, signal) {
  const response = await fetch(url, { signal }).catch((error) => {
    throw signal.aborted ? error : makeError('network', `the engine could not be fetched from ${url}: ${error.message}`, { url: String(url) })
  })
  if (!response.ok) throw makeError('network', `the engine could not be fetched from ${url}: the server says ${response.status}`, { url: String(url), status: response.status })
  // Streaming wants the type application/wasm, which simple servers may not send.
  const wasm = /^application\/wasm\b/.test(response.headers.get('content-type') ?? '') ? await WebAssembly.compileStreaming(response) : await WebAssembly.compile(await response.arrayBuffer())
  if (threads > 1) return startThreads(wasm, threads)
  const { exports } = await WebAssembly.instantiate(wasm, {})
  return new Core(exports, exports.memory)
}

const PAGES = 65536 // 4 GiB, of 64 KiB; what the module says
const STACK = 512 << 10

async function startThreads(wasm, threads) {
  const memory = sharedMemory()
  const { exports } = await WebAssembly.instantiate(wasm, { env: { memory } })
  const core = new Core(exports, memory)
  core.threads = exports.retort_pool_open(threads)
  core.join = () => joinThreads(core, wasm, memory)
  return core
}

// Begins the workers and waits until they are there, but not for long: the share of one that never comes is done by this thread.
function joinThreads(core, wasm, memory) {
  const comes = Array.from({ length: core.threads - 1 }, (_, i) => new Promise((resolve) => {
    const stack = core.address('alloc', STACK) + STACK - 16
    const worker = new Worker(new URL('./pool.js', import.meta.url), { type: 'module', name: `retort ${i + 1}` })
    worker.onmessage = resolve
    worker.onerror = resolve
    worker.postMessage({ wasm, memory, stack: stack - (stack % 16), index: i + 1 })
  }))
  return Promise.race([Promise.all(comes), new Promise((resolve) => setTimeout(resolve, 2000))])
}

// Some devices cannot reserve all addresses.
function sharedMemory() {
  for (let maximum = PAGES; ; maximum /= 2) {
    try {
      return new WebAssembly.Memory({ initial: 64, maximum, shared: true })
    } catch (error) {
      if (maximum <= 4096) throw makeError('memory', `no memory could be shared with threads (${error.message}); ask for threads: 1`)
    }
  }
}
