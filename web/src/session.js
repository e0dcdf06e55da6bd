// session.js - one conversation in the module: an answer step by step, with times. The cache of earlier turns is the module's affair.

import { logprobOf } from './logprobs.js'

// Prompt tokens computed a step: how long a stop must wait at most. A session keeps room for no more at once. Changes no bit of an answer.
const WORK = 64

export class Session {
  #core
  #model
  #id

  constructor(core, model, options) {
    this.#core = core
    this.#model = model
    this.#id = core.send('session_new', { n_batch: WORK, ...options }, model)
  }

  /** Yields { kind: 'prompt', done, total }, then { kind: 'text', section, text, logprob }, and at last { kind: 'end', ... }. Leaving the loop ends the
   * answer. `logprobs`: how many likeliest tokens to tell with each; undefined: nothing. */
  *answer(request, logprobs) {
    const core = this.#core
    const start = performance.now()
    core.send('chat', request, this.#id)
    let promptEnd = 0
    for (;;) {
      const kind = core.call('step', this.#id, WORK)
      const { token, section, text, size, done, total } = core.event(this.#id)
      if (kind === 0) {
        yield { kind: 'prompt', done, total }
        continue
      }
      promptEnd ||= performance.now()
      const logprob = kind === 1 && logprobs !== undefined ? this.#logprob(token, logprobs) : undefined
      if (size || logprob) yield { kind: 'text', section: section ? 'reasoning_content' : 'content', text: core.text(text, size), logprob }
      if (kind === 2) break
    }
    const { finish } = core.event(this.#id)
    const usage = core.json('usage', this.#id)
    const reason = core.word('finish_name', finish) === 'length' ? 'length' : 'stop' // OpenAI has one word for the model's end and a stop string
    yield { kind: 'end', finish_reason: reason, ...totals(usage, promptEnd - start, performance.now() - promptEnd), proof: request.proof ? this.#proof() : undefined }
  }

  #logprob(token, count) {
    const core = this.#core
    const logits = core.floats(core.address('logits', this.#id), core.vocab(this.#model))
    return logprobOf(logits, token, count, (id) => core.detokenize(this.#model, [id], true))
  }

  // The options stay as the module wrote them: C and JavaScript print numbers differently, and the line must be the same everywhere.
  #proof() {
    const text = this.#core.textOf('proof', this.#id)
    const proof = JSON.parse(text)
    const options = text.slice(text.indexOf('"options":') + 10, text.lastIndexOf(',"seed":'))
    return {
      proof,
      proof_line: `proof: RETORT_NUMERICS=${proof.numerics} model=sha256:${proof.model_sha256.join(',')} prompt=sha256:${proof.prompt_sha256} options=${options} seed=${proof.seed} positions=${proof.positions} logits=sha256:${proof.logits_sha256}`,
    }
  }

  info() {
    return this.#core.json('session_info', this.#id)
  }

  close() {
    this.#core.call('close', this.#id)
  }
}

const rate = (n, ms) => (n > 0 && ms > 0 ? (1000 * n) / ms : 0)

// The prompt's time ends with the first token, so the rate of generation counts the tokens after it.
function totals(u, promptMs, tokenMs) {
  const computed = u.prompt_tokens - u.cached_tokens
  return {
    usage: {
      prompt_tokens: u.prompt_tokens, completion_tokens: u.completion_tokens, total_tokens: u.total_tokens,
      prompt_tokens_details: { cached_tokens: u.cached_tokens }, completion_tokens_details: { reasoning_tokens: u.reasoning_tokens },
    },
    timings: {
      cache_n: u.cached_tokens, prompt_n: computed, prompt_ms: promptMs, prompt_per_second: rate(computed, promptMs),
      predicted_n: u.completion_tokens, predicted_ms: tokenMs, predicted_per_second: rate(u.completion_tokens - 1, tokenMs),
    },
  }
}
