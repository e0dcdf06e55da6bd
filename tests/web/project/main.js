// main.js - what somebody might write first with the package: load, ask, show. The title says when it is done.
import { createEngine } from 'retort-web'

const show = (id, text) => (document.getElementById(id).textContent = text)

try {
  const key = await (await fetch('/models/retort-project.pub')).text()
  const engine = await createEngine({ model: '/models/ember.gguf', trust: { keys: [key] } })
  const done = await engine.chat.completions.create({ messages: [{ role: 'user', content: 'What is 4821 + 396?' }], seed: 7, temperature: 0, proof: true })
  show('answer', done.choices[0].message.content)
  show('proof', done.proof_line)
  show('engine', JSON.stringify({ variant: engine.info.variant, threads: engine.info.threads }))
  await engine.dispose()
  document.title = 'done'
} catch (error) {
  show('answer', `${error.name} ${error.code}: ${error.message}`)
  document.title = 'failed'
}
