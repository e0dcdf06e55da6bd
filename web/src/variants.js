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

/** An instance of the module at `url`. It imports nothing. */
export async function startCore(url, signal) {
  const response = await fetch(url, { signal }).catch((error) => {
    throw signal.aborted ? error : makeError('network', `the engine could not be fetched from ${url}: ${error.message}`, { url: String(url) })
  })
  if (!response.ok) throw makeError('network', `the engine could not be fetched from ${url}: the server says ${response.status}`, { url: String(url), status: response.status })
  // Streaming wants the type application/wasm, which simple servers may not send.
  const wasm = /^application\/wasm\b/.test(response.headers.get('content-type') ?? '') ? await WebAssembly.compileStreaming(response) : await WebAssembly.compile(await response.arrayBuffer())
  const { exports } = await WebAssembly.instantiate(wasm, {})
  return new Core(exports, exports.memory)
}
