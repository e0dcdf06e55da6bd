// chat.js - the conversation on the page: asking, answering, trying again, changing a question, and proving an answer.
//
// A turn is what is kept (question, reasoning, answer, settings, speed, whole) and its view. What stands above a turn decides its answer, so a turn
// that is asked again takes those below it away.
import { $, announce, element, sentence } from './dom.js'
import { keepChat } from './keep.js'
import { engine, onModel, title } from './model.js'
import { settings } from './settings.js'

let answering = null // AbortController
let chat = fresh()

const PAINT_MS = 60 // an answer is drawn at most this often: Markdown is read anew each time

// Until it is there, and where it cannot be had, an answer is plain text.
let render = (place, text) => (place.textContent = text)
import('./render.js').then((module) => {
  render = module.render
  for (const turn of chat.turns) showAnswer(turn)
}, () => {})

function fresh() {
  return { id: `${Date.now()}-${Math.random().toString(36).slice(2)}`, at: Date.now(), model: '', turns: [] }
}

const showAnswer = (turn) => render(turn.view.querySelector('.text'), turn.answer ?? '')

function keep() {
  const turns = chat.turns.filter((t) => t.answer !== undefined).map(({ view, ...turn }) => turn)
  if (turns.length) keepChat({ ...chat, model: title, turns })
}

// ---- the page's state ----

export const stop = () => answering?.abort()

function enable() {
  const free = !answering && engine !== null
  $('send').hidden = answering !== null
  $('stop').hidden = answering === null
  $('send').disabled = !free
  for (const each of document.querySelectorAll('#examples button, .retry, .prove, .edit')) each.disabled = !free
}
onModel(() => (answering?.abort(), enable()))

// While `control` runs nothing else is asked.
async function alone(turn, work) {
  const control = (answering = new AbortController())
  enable()
  try {
    await work(control.signal)
  } catch (error) {
    turn.view.querySelector('.error').textContent = error.code === 'aborted' ? 'Stopped.' : error.code === 'disposed' ? 'Stopped, because another model is being loaded.' : sentence(error.message)
  } finally {
    if (answering === control) answering = null
    enable()
    if (!document.querySelector('dialog[open]')) $('question').focus({ preventScroll: true })
  }
}

/** Shows a chat that was kept, or an empty page. */
export function showChat(kept = fresh()) {
  stop()
  chat = { ...kept, turns: kept.turns.map((turn) => ({ ...turn })) }
  $('log').replaceChildren()
  $('welcome').hidden = chat.turns.length > 0
  for (const turn of chat.turns) {
    show(turn)
    showThought(turn)
    showAnswer(turn)
    const view = turn.view.querySelector.bind(turn.view)
    view('.speed').textContent = turn.speed ?? ''
    view('.prove').hidden = !turn.whole
  }
  enable()
  $('chat').scrollTop = 0
  return engine?.reset()
}

export const shown = () => chat.id

// ---- turns ----

const messagesOf = (turns) => turns.flatMap((t) => [{ role: 'user', content: t.question }, ...(t.answer === undefined ? [] : [{ role: 'assistant', content: t.answer }])])
const messagesUpTo = (turn) => [...messagesOf(chat.turns.slice(0, chat.turns.indexOf(turn))), { role: 'user', content: turn.question }]

function show(turn) {
  turn.view = $('turn').content.firstElementChild.cloneNode(true)
  const view = turn.view.querySelector.bind(turn.view)
  view('.question').textContent = turn.question
  view('.copy').onclick = () => copy(turn)
  view('.edit').onclick = () => edit(turn)
  view('.retry').onclick = () => retry(turn)
  view('.prove').onclick = () => prove(turn)
  $('log').append(turn.view)
}

export async function ask(question) {
  if (!engine || answering || !question.trim()) return
  $('welcome').hidden = true
  const turn = { question }
  chat.turns.push(turn)
  show(turn)
  await answer(turn, settings())
}

function showThought(turn) {
  const box = turn.view.querySelector('.reasoning')
  box.hidden = !turn.reasoning
  box.querySelector('pre').textContent = turn.reasoning ?? ''
  box.querySelector('summary').textContent = turn.thought === undefined ? 'Thinking' : `Thought for ${turn.thought} tokens`
}

function follow() {
  const main = $('chat')
  if (main.scrollHeight - main.scrollTop - main.clientHeight < 200) main.scrollTop = main.scrollHeight
}

async function answer(turn, options) {
  const part = (name) => turn.view.querySelector('.' + name)
  const messages = messagesUpTo(turn)
  Object.assign(turn, { settings: options, answer: undefined, reasoning: '', thought: undefined, speed: '', whole: false })
  for (const name of ['text', 'error', 'speed']) part(name).textContent = ''
  part('proof').hidden = part('actions').hidden = true
  announce('Thinking')
  let text = ''
  let timer = 0
  const paint = () => {
    timer = 0
    showThought(turn)
    render(part('text'), text)
    follow()
  }
  await alone(turn, async (signal) => {
    paint()
    const stream = await engine.chat.completions.create({ messages, stream: true, signal, ...options })
    for await (const { choices: [{ delta, finish_reason }], usage, timings, prompt_progress } of stream) {
      part('speed').textContent = prompt_progress ? `Reading, ${prompt_progress.done} of ${prompt_progress.total} tokens` : ''
      if (delta.reasoning_content) turn.reasoning += delta.reasoning_content
      if (delta.content) text = (text + delta.content).trimStart()
      if (usage) finish(turn, usage, timings, finish_reason)
      timer ||= setTimeout(paint, PAINT_MS)
    }
    turn.whole = true
  })
  clearTimeout(timer)
  turn.answer = text
  paint()
  part('speed').textContent = turn.speed
  part('actions').hidden = false
  part('prove').hidden = !turn.whole
  announce(turn.whole ? `Answer: ${text}` : 'No whole answer.')
  keep()
}

function finish(turn, usage, timings, reason) {
  turn.thought = usage.completion_tokens_details.reasoning_tokens
  turn.speed = `${usage.completion_tokens} tokens, ${timings.predicted_per_second.toFixed(0)} tokens/s` + (reason === 'length' ? ', cut off at the limit' : '')
}

async function copy(turn) {
  const button = turn.view.querySelector('.copy')
  const done = await navigator.clipboard.writeText(turn.answer).then(() => true, () => false)
  button.textContent = done ? 'Copied' : 'Not allowed'
  setTimeout(() => (button.textContent = 'Copy'), 1500)
}

// What came after depends on this answer, so it goes.
function cut(turn) {
  for (const later of chat.turns.splice(chat.turns.indexOf(turn) + 1)) later.view.remove()
}

// Without chance in it the answer would be the same again; with it, the next seed may bring another.
async function retry(turn) {
  if (answering || !engine) return
  cut(turn)
  const now = settings()
  await answer(turn, { ...now, seed: now.temperature > 0 ? (turn.settings?.seed ?? now.seed) + 1 : now.seed })
}

/** The question becomes a field: Enter asks it, Escape leaves it as it was. */
function edit(turn) {
  const question = turn.view.querySelector('.question')
  const field = element('textarea', '', 'editing')
  field.value = turn.question
  field.setAttribute('aria-label', 'Change the question')
  const end = (asked) => {
    field.replaceWith(question)
    if (!asked || !field.value.trim() || !engine || answering) return turn.view.querySelector('.edit').focus()
    question.textContent = turn.question = field.value
    cut(turn)
    answer(turn, settings())
  }
  field.onkeydown = (event) => {
    if (event.isComposing || (event.key !== 'Enter' && event.key !== 'Escape') || event.shiftKey) return
    event.preventDefault()
    event.stopPropagation()
    field.onblur = null
    end(event.key === 'Enter')
  }
  field.onblur = () => end(false)
  question.replaceWith(field)
  field.focus()
}

// ---- proof ----

const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`

function commandFor(turn) {
  const s = turn.settings
  const more = [s.top_k > 0 && `--top-k ${s.top_k}`, s.min_p > 0 && `--min-p ${s.min_p}`, s.repetition_penalty !== 1 && `--repeat-penalty ${s.repetition_penalty}`].filter(Boolean).map((option) => option + ' ').join('')
  const model = engine.info.trust.name === 'ember' ? 'models/ember/ember.gguf --key models/retort-project.pub' : 'MODEL.gguf'
  return `build/retort run -m ${model} --temp ${s.temperature} --top-p ${s.top_p} ${more}--seed ${s.seed} -n ${s.max_tokens} --thinking-budget ${s.max_reasoning_tokens} --proof ${quote(turn.question)}`
}

async function prove(turn) {
  if (!engine || answering) return
  const box = turn.view.querySelector('.proof')
  await alone(turn, async (signal) => {
    const again = await engine.chat.completions.create({ messages: messagesUpTo(turn), proof: true, conversation: 'proof', signal, ...turn.settings })
    await engine.reset('proof')
    const { content, reasoning_content = '' } = again.choices[0].message
    const same = content.trimStart() === turn.answer && reasoning_content === turn.reasoning
    box.className = `proof ${same ? 'good' : 'bad'}`
    box.hidden = false
    box.querySelector('.proof-verdict').textContent = same ? `Answered again from nothing: the same ${again.usage.completion_tokens} tokens.` : 'The second answer differs from the first, which was another model’s or another version’s.'
    box.querySelector('.proof-line').textContent = again.proof_line
    const single = chat.turns[0] === turn
    box.querySelector('.proof-how').textContent = single ? 'The program prints the same line, on any machine:' : 'The line covers the whole conversation. To check it with one command, prove the first question of a new chat.'
    box.querySelector('.proof-command').textContent = single ? commandFor(turn) : ''
    box.querySelector('.proof-command').hidden = !single
    box.scrollIntoView({ block: 'nearest' })
  })
}
