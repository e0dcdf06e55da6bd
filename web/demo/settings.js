// settings.js - the settings dialog: what every answer is asked with, and with how many threads.
import { $ } from './dom.js'
import { keepSettings, settingsKept } from './keep.js'

const form = $('settings-form')
const inputs = [...form.elements].filter((input) => input.name)
const defaults = Object.fromEntries(inputs.map((input) => [input.name, input.value]))

const show = (values) => {
  for (const input of inputs) if (values[input.name] !== undefined) input.value = values[input.name]
}
const numbers = () => Object.fromEntries(inputs.map((input) => [input.name, Number(input.validity.valid ? input.value : defaults[input.name])]))

/** What a request takes. */
export function settings() {
  const { threads, ...values } = numbers()
  return values
}

/** undefined: as many as pay. */
export const threadsWanted = () => numbers().threads || undefined

/** `onThreads()`: another number of threads is wanted. */
export function openSettings(onThreads) {
  const before = threadsWanted()
  $('settings').showModal()
  $('settings').onclose = () => {
    keepSettings(numbers())
    if (threadsWanted() !== before) onThreads()
  }
}

$('defaults').onclick = () => show(defaults)
form.onsubmit = (event) => (event.preventDefault(), form.reportValidity() && $('settings').close())
show(settingsKept())
