// logprobs.js - what the model thought of a token, in OpenAI's words: the logarithm of its probability at temperature 1, and the likeliest tokens.
//
// The softmax is computed here, in doubles, from the logits of the module. The logits are the same bits everywhere; Math.exp is not, in its last digit.

/** { logprob, top: [[id, logprob]...] } of token `id` among `logits` (n_vocab). */
function measure(logits, id, count) {
  let most = -Infinity
  for (const x of logits) if (x > most) most = x
  let sum = 0
  for (const x of logits) sum += Math.exp(x - most)
  const base = most + Math.log(sum)
  const top = []
  for (let i = 0; count && i < logits.length; i++) {
    if (top.length === count && logits[i] <= logits[top.at(-1)]) continue
    let at = top.length
    while (at && logits[top[at - 1]] < logits[i]) at--
    top.splice(at, 0, i)
    if (top.length > count) top.pop()
  }
  return { logprob: logits[id] - base, top: top.map((i) => [i, logits[i] - base]) }
}

/** The entry of `choices[0].logprobs.content` for token `id`; bytesOf(id) gives its bytes. */
export function logprobOf(logits, id, count, bytesOf) {
  const named = (id, logprob) => {
    const bytes = bytesOf(id)
    return { token: new TextDecoder().decode(bytes), logprob, bytes: Array.from(bytes) }
  }
  const { logprob, top } = measure(logits, id, count)
  return { ...named(id, logprob), top_logprobs: top.map(([id, logprob]) => named(id, logprob)) }
}
