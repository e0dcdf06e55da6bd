// index.js - what the package offers; index.d.ts describes it.
export { createEngine } from './engine.js'
export { models } from './store.js'
export { RetortError, TrustError, ModelError, RequestError, MemoryError, NetworkError, AbortError, EngineError } from './errors.js'
