// openai.js - OpenAI's request and response shapes around the engine's own. An unknown member of a request is an error: nothing is dropped in silence.
import { makeError } from './errors.js'

// Handed on as they are; the module reads them (service/options.def), and a test holds this list against its table.
const OPTIONS = ['temperature', 'top_p', 'min_p', 'top_k', 'repetition_penalty', 'repetition_window', 'seed', 'max_tokens', 'max_completion_tokens', 'max_reasoning_tokens', 'stop', 'proof', 'draft', 'chat_template', 'chat_template_kwargs']
// Read here and by the engine.
const OURS = ['messages', 'model', 'stream', 'stream_options', 'n', 'conversation', 'signal', 'logprobs', 'top_logprobs']

/** The request in the words of wasm/abi.h. */
export function toRequest(body) {
  const request = {}
  for (const [key, value] of Object.entries(body)) {
    if (!OPTIONS.includes(key) && !OURS.includes(key)) throw makeError('argument', `the request: there is no "${key}"`)
    if (OPTIONS.includes(key) && value !== undefined && value !== null) request[key] = value
  }
  if (!Array.isArray(body.messages) || body.messages.length === 0) throw makeError('argument', 'the request needs "messages", an array of { role, content }')
  if ((body.n ?? 1) !== 1) throw makeError('argument', '"n" can only be 1')
  if (body.logprobs != null && typeof body.logprobs !== 'boolean') throw makeError('argument', '"logprobs" is true or false')
  if (body.top_logprobs != null && !(body.logprobs && Number.isInteger(body.top_logprobs) && body.top_logprobs >= 0 && body.top_logprobs <= 20)) throw makeError('argument', '"top_logprobs" is a whole number from 0 to 20, and needs "logprobs": true')
  request.messages = body.messages.map((m) => ({ ...m, content: Array.isArray(m.content) ? m.content.map(textOf).join('') : m.content }))
  if (typeof request.seed === 'bigint') request.seed = String(request.seed)
  return request
}

function textOf(part) {
  if (part?.type !== 'text') throw makeError('argument', `a message has a part of type "${part?.type}"; only text can be read`)
  return part.text
}

const newId = () => 'chatcmpl-' + Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, '0')).join('')
const seconds = () => Math.floor(Date.now() / 1000)

/** Makes the chunks of one answer. */
export function chunker(model) {
  const head = { id: newId(), object: 'chat.completion.chunk', created: seconds(), model }
  const chunk = (delta, finish_reason = null, more = {}, logprobs) => ({ ...head, choices: [{ index: 0, delta, finish_reason, logprobs: logprobs ? { content: logprobs } : null }], ...more })
  return {
    first: () => chunk({ role: 'assistant' }),
    next: ({ prompt_progress, logprobs, ...delta }) => chunk(delta, null, prompt_progress ? { prompt_progress } : {}, logprobs),
    last: ({ finish_reason, usage, timings, proof }) => chunk({}, finish_reason, { usage, timings, ...proof }),
  }
}

/** One response of all chunks. */
export async function collect(chunks) {
  const message = { role: 'assistant', content: '' }
  const content = []
  let end
  for await (end of chunks) {
    const { delta, logprobs } = end.choices[0]
    const { reasoning_content } = delta
    if (delta.content) message.content += delta.content
    if (logprobs) content.push(...logprobs.content)
    if (reasoning_content) message.reasoning_content = (message.reasoning_content ?? '') + reasoning_content
  }
  const { choices, object, ...rest } = end
  return { ...rest, object: 'chat.completion', choices: [{ index: 0, message, finish_reason: choices[0].finish_reason, logprobs: content.length ? { content } : null }] }
}
