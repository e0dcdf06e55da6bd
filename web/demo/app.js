// app.js - the demo: one conversation with one model. Everything that a person or a model wrote goes to the page as text, never as HTML.
import { ask, showChat, stop } from './chat.js'
import { $, button } from './dom.js'
import './history.js'
import './manager.js'
import { loadEmber, reload } from './model.js'
import { openSettings } from './settings.js'

const EXAMPLES = ['What is 4821 + 396?', 'How many times does the letter r occur in strawberry?', 'What is 84 divided by 7?', 'Who are you?']

for (const text of EXAMPLES) {
  const item = document.createElement('li')
  const example = button(text, () => ask(text))
  example.className = ''
  example.disabled = true
  item.append(example)
  $('examples').append(item)
}

function send() {
  if ($('send').disabled || $('send').hidden || !$('question').value.trim()) return
  const question = $('question').value
  $('question').value = ''
  ask(question)
}
$('composer').onsubmit = (event) => (event.preventDefault(), send())
$('question').onkeydown = (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
  event.preventDefault()
  send()
}
$('stop').onclick = stop
document.addEventListener('keydown', (event) => event.key === 'Escape' && !document.querySelector('dialog[open]') && stop())
$('new').onclick = () => (showChat(), $('question').focus())
$('open-settings').onclick = () => openSettings(reload)

loadEmber()
