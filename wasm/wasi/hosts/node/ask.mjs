// Answers the requests of ../../tests/hosts.py, a line of JSON each: node ask.mjs PLUGIN.
import fs from 'node:fs'
import readline from 'node:readline'
import { Model, RetortError } from './retort.mjs'

const module = await WebAssembly.compile(fs.readFileSync(process.argv[2]))
const models = [], sessions = [] // sessions: with the number of their model

async function answer(request) {
  if ('open' in request) {
    const model = await Model.open(module, request.open, request.trust)
    return { model: models.push(model) - 1, info: model.info }
  }
  if ('session' in request) return { session: sessions.push([request.session, models[request.session].session(request.options)]) - 1 }
  if ('end' in request) {
    const [model, session] = sessions[request.end]
    session.close()
    return { memory: models[model].memoryBytes }
  }
  if ('close' in request) {
    models[request.close] = null
    return {}
  }
  const { messages, ...options } = request.chat
  const session = sessions[request.in][1], pieces = [], out = {}
  for (const piece of session.chat(messages, options)) {
    if (pieces.push(piece) !== request.after) continue
    if (!request.meanwhile) break
    out.meanwhile = await answer(request.meanwhile)
  }
  for (const section of ['answer', 'reasoning']) out[section] = pieces.filter((p) => p.section === section).map((p) => p.text).join('')
  const finish = pieces.at(-1).finish
  return { ...out, finish_reason: finish, usage: session.usage(), proof: finish ? session.proof() : null }
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const got = await answer(JSON.parse(line)).catch((error) => {
    if (!(error instanceof RetortError)) throw error
    return { error: error.kind, message: error.message }
  })
  process.stdout.write(JSON.stringify(got) + '\n')
}
