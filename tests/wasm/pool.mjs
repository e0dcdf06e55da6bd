// pool.mjs - the browser's pool with several callers: node pool.mjs POOL.wasm. Two helpers that compute shares, and first one, then three threads that
// call at once; every share of every region must run exactly once. Ends with 1 where it does not, and where nobody comes to an end.
import fs from 'node:fs'
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads'

const HELPERS = 2
const CALLERS = 3
const REGIONS = 20000
const PAGES = 256 // of 64 KiB

async function start(module, memory, index) {
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } })
  exports.__stack_pointer.value = exports.stack_end(index)
  return exports
}

if (!isMainThread) {
  const { module, memory, index } = workerData
  const exports = await start(module, memory, index)
  if (index < HELPERS) exports.retort_pool_work(index + 1)
  parentPort.postMessage(exports.regions(REGIONS))
} else {
  const module = await WebAssembly.compile(fs.readFileSync(process.argv[2]))
  const memory = new WebAssembly.Memory({ initial: PAGES, maximum: 65536, shared: true })
  const exports = await start(module, memory, HELPERS + CALLERS)
  exports.retort_pool_open(HELPERS + 1)
  const fail = (what) => (console.log(what), process.exit(1))
  setTimeout(() => fail('the callers sleep for ever'), 120e3)
  const run = (index) => new Worker(new URL(import.meta.url), { workerData: { module, memory, index } }).on('error', (e) => fail(e.message))
  const result = (index) => new Promise((done) => run(index).on('message', done))
  for (let i = 0; i < HELPERS; i++) run(i)
  for (const callers of [1, CALLERS]) {
    const wrong = await Promise.all(Array.from({ length: callers }, (_, i) => result(HELPERS + i)))
    if (wrong.some(Boolean)) fail(`a share ran twice or not at all, in the regions ${wrong}`)
  }
  console.log(`${REGIONS} regions of one caller, then of ${CALLERS} at once: each share ran once`)
  process.exit(0)
}
