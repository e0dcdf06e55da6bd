// pool.js - one more thread for the engine: an instance of its module on its memory, which computes shares of parallel work until it is terminated.
self.onmessage = async ({ data: { wasm, memory, stack, index } }) => {
  const { exports } = await WebAssembly.instantiate(wasm, { env: { memory } })
  exports.__stack_pointer.value = stack
  self.postMessage('here')
  exports.retort_pool_work(index)
}
