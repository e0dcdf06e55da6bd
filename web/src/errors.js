// errors.js - what can go wrong, as classes with stable codes. They cross from the worker to the page as plain objects.

/** The base of all: `code` is stable, `message` is for people, `details` depends on the code. */
export class RetortError extends Error {
  constructor(code, message, details = {}) {
    super(message)
    this.name = this.constructor.name
    this.code = code
    this.details = details
  }

  /** As OpenAI's servers put it, for those who pass it on. */
  toJSON() {
    return { error: { message: this.message, type: this.constructor.name, param: null, code: this.code } }
  }
}
/** The model is not what its signer signed, nobody signed it, or no policy was given. Nothing of it was used. */
export class TrustError extends RetortError {}
/** The bytes are no model that can be run: `format`, `unsupported`, `template`. */
export class ModelError extends RetortError {}
/** The request cannot be served as it is: `argument`, `json`, `context`. */
export class RequestError extends RetortError {}
/** There is not enough memory for the model or the conversation. */
export class MemoryError extends RetortError {}
/** A file could not be fetched; `details.status` where a server answered. */
export class NetworkError extends RetortError {}
/** The signal that was passed has aborted, or the engine was disposed of. Named as the platform names it. */
export class AbortError extends RetortError {
  constructor(code, message, details) {
    super(code, message, details)
    this.name = 'AbortError'
  }
}
/** The engine itself: `browser` (a feature is missing), `worker` (its script could not be started), `crashed` (a trap; make a new engine). */
export class EngineError extends RetortError {}

const CLASSES = {
  trust: TrustError, format: ModelError, unsupported: ModelError, template: ModelError, argument: RequestError, json: RequestError, context: RequestError,
  memory: MemoryError, network: NetworkError, aborted: AbortError, browser: EngineError, worker: EngineError, crashed: EngineError,
}

export function makeError(code, message, details) {
  return new (CLASSES[code] ?? RetortError)(code, message, details)
}

export function packError(error) {
  if (error instanceof RetortError) return { code: error.code, message: error.message, details: error.details }
  if (error?.name === 'AbortError') return { code: 'aborted', message: 'the request was aborted', details: {} }
  if (error instanceof WebAssembly.RuntimeError) return { code: 'crashed', message: `the engine crashed (${error.message}); dispose of it and make a new one`, details: {} }
  return { code: 'internal', message: String(error?.stack ?? error), details: {} }
}

export const unpackError = ({ code, message, details }) => makeError(code, message, details)

export const aborted = () => makeError('aborted', 'the request was aborted')
