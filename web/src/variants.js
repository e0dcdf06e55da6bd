// variants.js - which of the modules this engine can run, and an instance of it.
//
// A feature test alone is not enough for relaxed SIMD: engines have shipped the dot product with wrong sums. So its answers are compared with known
// ones before the module that uses it is taken; the module checks once more, more thoroughly, when it opens a model. Likewise 64-bit addresses: what
// lies beyond the memory must trap, and not be cut to 32 bits.
import { makeError } from './errors.js'
import { Core } from './core.js'

const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16))

// (func (result v128) (i8x16.popcnt (i8x16.splat (i32.const 0))))
const SIMD128 = bytes('0061736d010000000105016000017b030201000a0a010800' + '4100fd0ffd620b')
// (func (export "dot") (param i32 i32) (result i32): lane 0 of relaxed_dot_i8x16_i7x16_add_s(splat p0, splat p1, 0)
const DOT = bytes('0061736d0100000001070160027f7f017f03020100070701' + '03646f7400000a24012200' + '2000fd112001fd11fd0c' + '00'.repeat(16) + 'fd9302' + 'fd1b000b')

// (memory i64 1) (func (export "test") (param i64) (result i32): stores the byte 42 there and loads it)
const MEMORY64 = bytes('0061736d01000000010601' + '60017e017f03020100' + '0503010401' + '0708010474657374' + '0000' + '0a10010e00' + '2000412a3a0000' + '20002d0000' + '0b')

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

/** 'relaxed' or 'simd128'; `wanted` may ask for one of them. Relaxed SIMD is for engines with shared memory: all that have it do. */
export function chooseVariant(wanted) {
  if (typeof WebAssembly !== 'object' || !WebAssembly.validate(SIMD128)) throw makeError('browser', 'this browser has no WebAssembly SIMD; Chrome 91, Firefox 89 and Safari 16.4 do')
  if (wanted === 'simd128') return wanted
  if (hasSharedMemory() && relaxedDotIsRight()) return 'relaxed'
  if (wanted === 'relaxed') throw makeError('browser', 'this engine has no relaxed SIMD, or gets its dot product wrong')
  return 'simd128'
}

/** Whether the engine has 64-bit addresses, and gets them right. */
export function hasMemory64() {
  if (!WebAssembly.validate(MEMORY64)) return false
  const { test } = new WebAssembly.Instance(new WebAssembly.Module(MEMORY64)).exports
  try {
    if (test(100n) !== 42) return false
    test(2n ** 32n + 100n)
    return false
  } catch {
    return true
  }
}

/** How many threads to use, `wanted` or as many as pay: one, where the page is not isolated and memory cannot be shared. */
export function chooseThreads(wanted) {
  if (!self.crossOriginIsolated || typeof SharedArrayBuffer !== 'function') return 1
  const cores = navigator.hardwareConcurrency || 1
  // Of many, half are usually the second threads of a core, which do not compute faster.
  return Math.max(1, Math.min(32, wanted ?? Math.min(8, cores > 4 ? Math.ceil(cores / 2) : cores)))
}

const PAGES = 65536 // 4 GiB, of 64 KiB; what the modules say
const WIDE_PAGES = 4 * PAGES
const STACK = 512 << 10

/** An instance of the module in `urls` for the variant, with its memory. Memory that threads may share is made also for one thread, because a module for it
 * serves any number; where the engine has none there is a module with a memory of its own. */
export async function startCore(urls, { variant, threads, wide, signal }) {
  const memory = sharedMemory(wide)
  const wasm = await compile(memory ? urls[wide ? variant + '64' : variant] : urls.plain, signal)
  const { exports } = await WebAssembly.instantiate(wasm, memory ? { env: { memory } } : {})
  exports.retort_seed(crypto.getRandomValues(new Uint32Array(1))[0])
  const core = new Core(exports, memory ?? exports.memory, wide)
  if (threads > 1) {
    core.threads = exports.retort_pool_open(threads)
    core.helpers = () => helpers(core, wasm, memory)
  }
  return core
}

async function compile(url, signal) {
  const response = await fetch(url, { signal }).catch((error) => {
    throw signal.aborted ? error : makeError('network', `the engine could not be fetched from ${url}: ${error.message}`, { url: String(url) })
  })
  if (!response.ok) throw makeError('network', `the engine could not be fetched from ${url}: the server says ${response.status}`, { url: String(url), status: response.status })
  // Streaming wants the type application/wasm, which simple servers may not send.
  return /^application\/wasm\b/.test(response.headers.get('content-type') ?? '') ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer())
}

// What each of the other threads is told (pool.js).
function helpers(core, wasm, memory) {
  return Array.from({ length: core.threads - 1 }, (_, i) => {
    const top = core.address('alloc', STACK) + STACK - 16
    const stack = top - (top % 16)
    return { wasm, memory, stack: core.wide ? BigInt(stack) : stack, index: i + 1 }
  })
}

// Null: this engine has no shared memory. Some devices cannot reserve all addresses.
function sharedMemory(wide) {
  for (let maximum = wide ? WIDE_PAGES : PAGES; maximum >= 4096; maximum /= 2) {
    try {
      return wide ? new WebAssembly.Memory({ address: 'i64', initial: 64n, maximum: BigInt(maximum), shared: true }) : new WebAssembly.Memory({ initial: 64, maximum, shared: true })
    } catch {
      // less, then
    }
  }
  if (wide) throw makeError('memory', 'this browser gives no memory beyond 4 GiB; take a smaller model')
  return null
}

/** Whether the engine can share memory at all, isolated or not. */
export function hasSharedMemory() {
  try {
    new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
    return true
  } catch {
    return false
  }
}
