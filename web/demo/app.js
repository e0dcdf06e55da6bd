// app.js - the demo: one conversation with one model. Everything that a person or a model wrote goes to the page as text, never as HTML.
import { createEngine, models } from './retort-web/src/index.js'

const $ = (id) => document.getElementById(id)
const EXAMPLES = ['What is 4821 + 396?', 'How many times does the letter r occur in strawberry?', 'What is 84 divided by 7?', 'Who are you?']
const EMBER = new URL('models/ember.gguf', location.href).href

let engine = null
let loading = null // AbortController
let answering = null // AbortController
let turns = [] // { question, answer, settings, view }

// ---- model ----

async function load(model, trust, title) {
  loading?.abort()
  answering?.abort()
  const control = (loading = new AbortController())
  await engine?.dispose()
  engine = null
  ready(false)
  setBadge('', 'loading', true)
  say(`Loading ${title}`)
  $('progress').hidden = false
  const start = performance.now()
  const onProgress = ({ loaded, total, cached }) => {
    $('progress').value = loaded / total
    const seconds = (performance.now() - start) / 1000
    const rate = loaded / seconds
    if (seconds > 1) say(`${megabytes(loaded)} of ${megabytes(total)}${cached ? ' (kept here)' : ''}, ${megabytes(rate)}/s, ${Math.ceil((total - loaded) / rate)} s left`)
  }
  try {
    engine = await createEngine({ model, trust, onProgress, signal: control.signal })
    say('')
    describe(title, performance.now() - start)
    ready(true)
    return true
  } catch (error) {
    if (control.signal.aborted) return false
    const refused = error.code === 'trust'
    setBadge('bad', refused ? 'refused' : 'failed')
    say(refused ? `This model was refused, and nothing of it was used. ${sentence(error.message)}` : sentence(error.message), true)
    facts('trust-facts', { File: title, Reason: error.code })
    $('trust-text').textContent = sentence(error.message)
    $('models-error').textContent = sentence(error.message)
    return false
  } finally {
    if (loading === control) $('progress').hidden = true
  }
}

async function loadEmber() {
  const key = await (await fetch('models/retort-project.pub')).text()
  return load(EMBER, { keys: [key], modelName: 'ember' }, 'Ember')
}

function describe(title, ms) {
  const { trust, model, variant, threads, memory_bytes, context, load: times } = engine.info
  const vouched = trust.method !== 'unsigned'
  setBadge(vouched ? 'good' : 'warn', vouched ? 'verified' : 'not verified')
  $('trust-text').textContent = vouched ? `Every byte of this model was verified before it was used: ${trust.text}.` : 'Nobody vouches for this model. You chose to load it all the same.'
  facts('trust-facts', { File: title, Method: trust.method, Signer: trust.signer, Name: trust.name, SHA256: model.model_sha256.join(', '), Bytes: trust.bytes.toLocaleString('en') })
  facts('engine-facts', {
    Model: `${model.name ?? title}, ${model.architecture}, ${(model.n_parameters / 1e6).toFixed(1)} million parameters`, Engine: `retort ${model.version}, numerics ${model.numerics}, ${variant}, ${threads} thread${threads > 1 ? 's' : ''}`,
    Context: `${context} tokens`, Memory: megabytes(memory_bytes), Loaded: `in ${(ms / 1000).toFixed(2)} s, ${times.cached_bytes ? megabytes(times.cached_bytes) + ' from this device' : 'from the network or a file'}`,
  })
  document.title = `${model.name ?? title} · retort`
}

function facts(id, pairs) {
  $(id).replaceChildren(...Object.entries(pairs).filter(([, v]) => v).flatMap(([k, v]) => [element('dt', k), element('dd', v)]))
}

function setBadge(kind, text, busy = false) {
  $('badge').className = `badge ${kind}${busy ? ' busy' : ''}`
  $('badge-text').textContent = text
}

function say(text, bad = false) {
  $('status').textContent = text
  $('status').className = bad ? 'bad' : ''
}

// Names of files keep their first letter.
const sentence = (text) => (/^[a-z]+[ ,]/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text) + (/[.!?]$/.test(text) ? '' : '.')
const megabytes = (n) => (n < 1e9 ? `${(n / 1e6).toFixed(1)} MB` : `${(n / 1e9).toFixed(2)} GB`)

function element(tag, text, className = '') {
  const made = document.createElement(tag)
  made.textContent = text
  made.className = className
  return made
}

// ---- answers ----

function ready(yes) {
  $('send').disabled = !yes
  for (const button of document.querySelectorAll('#examples button, .retry, .prove')) button.disabled = !yes
}

function settings() {
  const values = Object.fromEntries(new FormData($('settings-form')))
  for (const key in values) values[key] = Number(values[key])
  return values
}

const messagesOf = (list) => list.flatMap((t) => [{ role: 'user', content: t.question }, ...(t.answer === undefined ? [] : [{ role: 'assistant', content: t.answer }])])

async function ask(question) {
  if (!engine || answering || !question.trim()) return
  $('welcome').hidden = true
  const turn = { question, view: $('turn').content.firstElementChild.cloneNode(true) }
  turn.view.querySelector('.question').textContent = question
  turn.view.querySelector('.copy').onclick = () => copy(turn)
  turn.view.querySelector('.retry').onclick = () => retry(turn)
  turn.view.querySelector('.prove').onclick = () => prove(turn)
  $('log').append(turn.view)
  turns.push(turn)
  await answer(turn, settings())
}

async function answer(turn, options) {
  const part = (name) => turn.view.querySelector('.' + name)
  for (const name of ['text', 'error', 'speed']) part(name).textContent = ''
  part('reasoning').querySelector('pre').textContent = ''
  part('reasoning').hidden = true
  part('proof').hidden = true
  part('actions').hidden = true
  turn.settings = options
  turn.answer = undefined
  turn.reasoning = ''
  turn.whole = false
  turn.messages = messagesOf(turns.slice(0, turns.indexOf(turn) + 1))
  const control = (answering = new AbortController())
  busy(true)
  let text = ''
  try {
    const stream = await engine.chat.completions.create({ messages: turn.messages, stream: true, signal: control.signal, ...options })
    for await (const chunk of stream) {
      const { delta } = chunk.choices[0]
      if (delta.reasoning_content) {
        part('reasoning').hidden = false
        turn.reasoning += delta.reasoning_content
        part('reasoning').querySelector('pre').textContent = turn.reasoning
      }
      if (delta.content) part('text').textContent = text = (text + delta.content).trimStart()
      if (chunk.usage) finish(turn, chunk)
      const chat = $('chat')
      if (chat.scrollHeight - chat.scrollTop - chat.clientHeight < 200) chat.scrollTop = chat.scrollHeight
    }
    turn.whole = true
  } catch (error) {
    part('error').textContent = error.code === 'aborted' ? 'Stopped.' : sentence(error.message)
  } finally {
    turn.answer = text
    if (answering === control) answering = null
    part('actions').hidden = false
    part('prove').hidden = !turn.whole
    busy(false)
  }
}

function finish(turn, { usage, timings, choices }) {
  const { reasoning_tokens } = usage.completion_tokens_details
  turn.view.querySelector('summary').textContent = `Thought for ${reasoning_tokens} tokens`
  turn.view.querySelector('.speed').textContent = `${usage.completion_tokens} tokens, ${timings.predicted_per_second.toFixed(0)} tokens/s` + (choices[0].finish_reason === 'length' ? ', cut off at the limit' : '')
}

function busy(yes) {
  $('send').hidden = yes
  $('stop').hidden = !yes
  ready(!yes && engine !== null)
  if (!yes) $('question').focus({ preventScroll: true })
}

async function copy(turn) {
  await navigator.clipboard.writeText(turn.answer)
  const button = turn.view.querySelector('.copy')
  button.textContent = 'Copied'
  setTimeout(() => (button.textContent = 'Copy'), 1500)
}

// What came after depends on this answer, so it goes.
async function retry(turn) {
  if (answering) return
  for (const later of turns.splice(turns.indexOf(turn) + 1)) later.view.remove()
  await answer(turn, { ...settings(), seed: turn.settings.temperature > 0 ? turn.settings.seed + 1 : turn.settings.seed })
}

const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`

async function prove(turn) {
  if (!engine || answering) return
  const box = turn.view.querySelector('.proof')
  const control = (answering = new AbortController())
  busy(true)
  try {
    const again = await engine.chat.completions.create({ messages: turn.messages, proof: true, conversation: 'proof', signal: control.signal, ...turn.settings })
    await engine.reset('proof')
    const { content, reasoning_content = '' } = again.choices[0].message
    const same = content.trimStart() === turn.answer && reasoning_content === turn.reasoning
    box.className = `proof ${same ? 'good' : 'bad'}`
    box.querySelector('.proof-verdict').textContent = same ? `Answered again from nothing: the same ${again.usage.completion_tokens} tokens.` : 'The second answer differs from the first.'
    box.querySelector('.proof-line').textContent = again.proof_line
    const s = turn.settings
    const single = turn.messages.length === 1
    box.querySelector('.proof-how').textContent = single ? 'The program prints the same line, on any machine:' : 'The line covers the whole conversation. To check it with one command, prove the first question of a new chat.'
    box.querySelector('.proof-command').textContent = single
      ? `build/retort run -m MODEL.gguf --temp ${s.temperature} --top-p ${s.top_p} --seed ${s.seed} -n ${s.max_tokens} --thinking-budget ${s.max_reasoning_tokens} --proof ${quote(turn.question)}`.replace('MODEL.gguf', engine.info.trust.name === 'ember' ? 'models/ember/ember.gguf --key models/retort-project.pub' : 'MODEL.gguf') : ''
    box.hidden = false
    box.scrollIntoView({ block: 'nearest' })
  } catch (error) {
    turn.view.querySelector('.error').textContent = error.code === 'aborted' ? 'Stopped.' : sentence(error.message)
  } finally {
    if (answering === control) answering = null
    busy(false)
  }
}

// ---- the page ----

for (const text of EXAMPLES) {
  const button = element('button', text)
  button.disabled = true
  button.onclick = () => ask(text)
  const item = document.createElement('li')
  item.append(button)
  $('examples').append(item)
}

function send() {
  const question = $('question').value
  if (!engine || answering || !question.trim()) return
  $('question').value = ''
  ask(question)
}
$('composer').onsubmit = (event) => (event.preventDefault(), send())
$('question').onkeydown = (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
  event.preventDefault()
  send()
}
$('stop').onclick = () => answering?.abort()
document.addEventListener('keydown', (event) => event.key === 'Escape' && !document.querySelector('dialog[open]') && answering?.abort())
function clear() {
  answering?.abort()
  turns = []
  $('log').replaceChildren()
  $('welcome').hidden = false
}
$('new').onclick = async () => {
  clear()
  $('question').focus()
  await engine?.reset()
}
$('badge').onclick = () => $('trust').showModal()
$('open-settings').onclick = () => $('settings').showModal()
$('open-models').onclick = () => (showKept(), $('models').showModal())

async function showKept() {
  const list = await models.list()
  $('kept').replaceChildren(...list.map(({ url, size, held, complete }) => {
    const item = element('li', `${decodeURIComponent(url.split('/').pop())}, ${complete ? megabytes(size) : `${megabytes(held)} of ${megabytes(size)}`}`)
    const button = element('button', 'Remove', 'plain')
    button.onclick = async () => (await models.remove(url), showKept())
    item.append(button)
    return item
  }))
  if (list.length === 0) $('kept').append(element('li', 'Nothing.'))
  const { usage, quota } = await models.usage()
  $('usage').textContent = quota ? `${megabytes(usage)} of ${megabytes(quota)} used.` : ''
}

async function loadOther(model, title) {
  $('models-error').textContent = ''
  const key = $('key').value.trim() || (await (await fetch('models/retort-project.pub')).text())
  clear()
  if (await load(model, $('unsigned').checked ? { unsigned: true } : { keys: [key] }, title)) {
    $('models').close()
    $('hint').textContent = title
  }
}
$('url-form').onsubmit = (event) => (event.preventDefault(), loadOther($('url').value, $('url').value.split('/').pop()))
const take = (files) => loadOther(files, files.find((f) => f.name.endsWith('.gguf'))?.name ?? files[0].name)
$('file').onchange = () => {
  const files = [...$('file').files]
  $('file').value = '' // or choosing the same file again would be no change
  if (files.length) take(files)
}
$('ember').onclick = () => (loadEmber(), $('models').close())
document.addEventListener('dragover', (event) => (event.preventDefault(), $('drop').classList.add('over')))
document.addEventListener('dragleave', () => $('drop').classList.remove('over'))
document.addEventListener('drop', (event) => {
  event.preventDefault()
  $('drop').classList.remove('over')
  const files = [...event.dataTransfer.files]
  if (files.length === 0) return
  if (!$('models').open) $('open-models').click()
  take(files)
})

loadEmber()
