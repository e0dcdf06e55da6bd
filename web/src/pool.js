// pool.js - one more thread for the engine: an instance of its module on its memory, which computes shares of parallel work until it is terminated.
//
// Module and memory come from the engine's worker through a port, past the page: a page that had seen the memory would keep it until its garbage is
// collected, long after the engine was disposed of.
self.onmessage = ({ data: port }) => {
  port.onmessage = async ({ data: { wasm, memory, stack, index } }) => {
    const { exports } = await WebAssembly.instantiate(wasm, { env: { memory } })
    exports.__stack_pointer.value = stack
    self.postMessage('here')
    exports.retort_pool_work(index)
  }
}
