// index.d.ts - the package's whole contract. Shapes of requests and responses are OpenAI's; what is ours besides is named as such.

export interface EngineOptions {
  /** A URL (the first file stands for a split set), a File or Blob, bytes, or an array with the files of the model and, beside them, FILE.sig and FILE.chunks. */
  model: ModelInput | ModelInput[] | FileList
  /** Whom to trust. There is no default. */
  trust: TrustPolicy
  onProgress?: (progress: Progress) => void
  /** Aborts the loading. */
  signal?: AbortSignal
  /** Positions that a conversation may have; default: the model's own, at most 4096. */
  context?: number
  /** How the cache keeps keys and values: q8_0 takes half the memory and rounds (docs/NUMERICS.md). Default f16. */
  kv?: 'f16' | 'f32' | 'q8_0'
  /** Keep downloads on this device (OPFS) and go on with interrupted ones; default true. */
  cache?: boolean
  /** Default: relaxed where the engine computes it right, else simd128. Changes no bit of an answer. */
  variant?: 'simd128' | 'relaxed'
  /** Default: as many as pay, where the page is cross-origin isolated; else one. Changes no bit of an answer. */
  threads?: number
  /** 64-bit addresses. Default: for models of more than 3.5 GiB, which need them (Chrome 133, Firefox 134). Changes no bit of an answer. */
  memory64?: boolean
  /** Where the modules are, if not beside this package. */
  wasm?: { plain?: string | URL; simd128?: string | URL; relaxed?: string | URL; simd12864?: string | URL; relaxed64?: string | URL }
  /** A module worker running retort-web/worker, for bundlers that do not follow `new URL(..., import.meta.url)`. */
  worker?: Worker
}

export type ModelInput = string | URL | Blob | ArrayBuffer | Uint8Array | {
  url?: string | URL
  file?: Blob
  bytes?: ArrayBuffer | Uint8Array
  name?: string
  signature?: string | Blob | Uint8Array
  chunks?: Blob | Uint8Array
}

/** Exactly one of the first six. */
export interface TrustPolicy {
  /** PEM public keys; the signature is an OpenSSF Model Signing bundle, FILE.sig. */
  keys?: string | string[]
  /** PEM root certificates. */
  certificates?: string | string[]
  minisign?: string | string[]
  signify?: string | string[]
  /** SHA-256 of the file, in hex. */
  pins?: string | string[]
  /** Nobody vouches for the file, and that is meant. */
  unsigned?: true
  modelName?: string
  modelDigest?: string
  /** When certificates must be valid; default: now. */
  time?: Date | number | string
  atSigningTime?: boolean
  complete?: boolean
}

export interface Progress {
  phase: 'load'
  loaded: number
  total: number
  /** Bytes of `loaded` that came from this device. */
  cached: number
}

export interface Engine {
  readonly chat: { readonly completions: { create: Create } }
  readonly info: EngineInfo
  tokenize(text: string, options?: { special?: boolean; bos?: boolean }): Promise<number[]>
  detokenize(ids: Iterable<number>, options?: { special?: boolean }): Promise<string>
  /** SHA-256 of each file of the model, in hex; hashes them at the first call, which takes seconds for a large model. */
  digests(): Promise<string[]>
  /** Forgets a conversation. */
  reset(conversation?: string): Promise<void>
  /** Ends the worker and gives all memory back. */
  dispose(): Promise<void>
}

export interface Create {
  (request: ChatRequest & { stream: true }): Promise<AsyncIterableIterator<ChatChunk>>
  (request: ChatRequest & { stream?: false }): Promise<ChatCompletion>
}

export interface ChatRequest {
  messages: { role: 'system' | 'user' | 'assistant' | 'tool'; content: string | { type: 'text'; text: string }[]; [more: string]: unknown }[]
  model?: string
  stream?: boolean
  stream_options?: { include_usage?: boolean }
  n?: 1
  seed?: number | bigint
  temperature?: number
  top_p?: number
  max_tokens?: number
  max_completion_tokens?: number
  stop?: string | string[]
  signal?: AbortSignal
  /** Tell with every token, those of the reasoning too, the logarithm of its probability at temperature 1, and of the likeliest, up to 20. */
  logprobs?: boolean
  top_logprobs?: number
  /** Ours: most tokens of reasoning; then the engine closes it. -1: no limit; 0: no reasoning. */
  max_reasoning_tokens?: number
  min_p?: number
  top_k?: number
  repetition_penalty?: number
  /** Ours: how many tokens the penalty looks back at; 64 by default. */
  repetition_window?: number
  /** Ours: tokens drafted ahead where the text repeats itself, 0 to 15; -1, the default: as many as pay. Changes no bit of an answer. */
  draft?: number
  /** Ours: hash the logits of every generated token; the last chunk has `proof` and `proof_line`. */
  proof?: boolean
  /** As vLLM has them: a Jinja template in place of the model's, and variables for it. */
  chat_template?: string
  chat_template_kwargs?: Record<string, unknown>
  /** Ours: conversations of different names keep their caches apart. */
  conversation?: string
}

export interface Usage {
  prompt_tokens: number
  completion_tokens: number
  total_tokens: number
  prompt_tokens_details: { cached_tokens: number }
  completion_tokens_details: { reasoning_tokens: number }
}

export interface Timings {
  cache_n: number
  prompt_n: number
  prompt_ms: number
  prompt_per_second: number
  predicted_n: number
  predicted_ms: number
  predicted_per_second: number
}

export interface Proof {
  numerics: number
  model_sha256: string[]
  prompt_sha256: string
  options: Record<string, unknown>
  seed: string
  positions: number
  logits_sha256: string
}

export interface TokenLogprob {
  token: string
  logprob: number
  bytes: number[]
}

export interface Logprobs {
  content: (TokenLogprob & { top_logprobs: TokenLogprob[] })[]
}

export type FinishReason = 'stop' | 'length'

export interface ChatChunk {
  id: string
  object: 'chat.completion.chunk'
  created: number
  model: string
  choices: [{ index: 0; delta: { role?: 'assistant'; content?: string; reasoning_content?: string }; finish_reason: FinishReason | null; logprobs: Logprobs | null }]
  /** The last chunk has these. */
  usage?: Usage
  timings?: Timings
  proof?: Proof
  /** What `retort run --proof` prints for the same answer, on any machine. */
  proof_line?: string
  /** While a long prompt is read. */
  prompt_progress?: { done: number; total: number }
}

export interface ChatCompletion {
  id: string
  object: 'chat.completion'
  created: number
  model: string
  choices: [{ index: 0; message: { role: 'assistant'; content: string; reasoning_content?: string }; finish_reason: FinishReason; logprobs: Logprobs | null }]
  usage: Usage
  timings: Timings
  proof?: Proof
  /** What `retort run --proof` prints for the same answer, on any machine. */
  proof_line?: string
}

export interface EngineInfo {
  model: {
    version: string; numerics: number; architecture: string; name: string | null; kernels: string; n_parameters: number; n_vocab: number; n_ctx_train: number
    n_layers: number; n_embd: number; n_heads: number; kv_bytes_per_token: number; chat_template: boolean; warnings: string[]
    [more: string]: unknown
  }
  /** Who vouches for the model; `text` says it in a sentence. */
  trust: {
    method: string; signer: string; name: string; digest: string; files: number; bytes: number; left_out: number; mode: 'none' | 'whole' | 'chunks'; text: string
    signed_time: number | null; valid_time: number | null
  }
  variant: 'simd128' | 'relaxed'
  threads: number
  memory64: boolean
  memory_bytes: number
  context: number
  conversations: number
  load: { engine_ms: number; model_ms: number; cached_bytes: number }
}

export function createEngine(options: EngineOptions): Promise<Engine>

/** What this origin keeps on this device. */
export const models: {
  list(): Promise<{ url: string; size: number; held: number; complete: boolean; added: number }[]>
  remove(url: string | URL): Promise<boolean>
  usage(): Promise<{ usage: number; quota: number }>
}

/** `code`: trust, format, unsupported, template, argument, json, context, memory, network, aborted, browser, worker, crashed, disposed, internal. */
export class RetortError extends Error {
  readonly code: string
  readonly details: Record<string, unknown>
  toJSON(): { error: { message: string; type: string; param: null; code: string } }
}
export class TrustError extends RetortError {}
export class ModelError extends RetortError {}
export class RequestError extends RetortError {}
export class MemoryError extends RetortError {}
export class NetworkError extends RetortError {}
export class AbortError extends RetortError {}
export class EngineError extends RetortError {}
