// A unit converter that shows its working: node example.mjs retort-plugin.wasm ember.gguf retort-project.pub "Convert 5 km to m."
import fs from 'node:fs'
import { Model } from './retort.mjs'

const [plugin, file, key, question] = process.argv.slice(2)
const model = await Model.open(plugin, file, { method: 'key', anchors: [fs.readFileSync(key, 'utf8')], model_name: 'ember' })
let section = ''
for (const piece of model.session().chat([{ role: 'user', content: question }], { temperature: 0, max_tokens: 300 })) {
  if (piece.section !== section) process.stdout.write(`\n[${(section = piece.section)}]\n`)
  process.stdout.write(piece.text)
}
process.stdout.write(`\n\n${model.info.trust.text}\n`)
