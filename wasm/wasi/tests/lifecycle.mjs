// lifecycle.mjs - the life of sessions and instances in Node.js: node lifecycle.mjs WRAPPER PLUGIN MODEL KEY
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { pathToFileURL } from 'node:url'

const [wrapper, plugin, file, key] = process.argv.slice(2)
const { Model } = await import(pathToFileURL(wrapper))
const module = await WebAssembly.compile(fs.readFileSync(plugin))
const trust = { method: 'key', anchors: [fs.readFileSync(key, 'utf8')] }
const question = [{ role: 'user', content: 'What is 4821 + 396?' }]
const options = { temperature: 0, max_tokens: 200, proof: true }
const one = await Model.open(module, file, trust)
const two = await Model.open(module, file, trust)

const first = one.session(), second = two.session()
const a = first.chat(question, options), b = second.chat(question, options)
let turns = 0
for (;;) { // in turns: two instances at once
  const x = a.next(), y = b.next()
  assert.deepEqual(x, y)
  if (x.done) break
  turns++
}
assert.ok(turns > 20)
assert.equal(first.proof().logits_sha256, second.proof().logits_sha256)

const third = one.session() // left in the middle; a new session is not touched by that
for (const piece of third.chat(question, options)) if (piece.section === 'reasoning' && piece.text) break
const fourth = one.session()
for (const _ of fourth.chat(question, { ...options, work: 1 }));
assert.equal(fourth.proof().logits_sha256, first.proof().logits_sha256)
for (const s of [first, third, fourth]) s.close()
assert.throws(() => first.usage(), { kind: 'argument' })

let before = 0
for (let i = 0; i < 100; i++) {
  const s = one.session()
  for (const _ of s.chat(question, { max_tokens: 2 }));
  s.close()
  if (i === 1) before = one.memoryBytes
}
assert.equal(one.memoryBytes, before)
assert.deepEqual(Buffer.from(one.detokenize(one.tokenize('Grüße, 12 km'))).toString(), 'Grüße, 12 km')
console.log(`${turns} tokens in turns; memory ${before} bytes after 2 sessions and after 100`)
