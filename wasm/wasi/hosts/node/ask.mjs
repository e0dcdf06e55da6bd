// Answers one request: node ask.mjs PLUGIN MODEL.gguf < {"trust": {...}, "chat": {"messages": [...], ...}}, and prints what came as JSON.
import fs from 'node:fs'
import { Model, RetortError } from './retort.mjs'

const request = JSON.parse(fs.readFileSync(0, 'utf8'))
try {
  const model = await Model.open(process.argv[2], process.argv[3], request.trust)
  const session = model.session()
  const { messages, ...options } = request.chat
  const pieces = [...session.chat(messages, options)]
  const text = (section) => pieces.filter((p) => p.section === section).map((p) => p.text).join('')
  console.log(JSON.stringify({ text: text('answer'), reasoning: text('reasoning'), finish_reason: pieces.at(-1).finish, usage: session.usage(), proof: session.proof(), info: model.info }))
} catch (error) {
  if (!(error instanceof RetortError)) throw error
  console.log(JSON.stringify({ error: error.kind, message: error.message }))
}
