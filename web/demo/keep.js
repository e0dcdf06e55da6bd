// keep.js - what the page remembers on this device: settings and chats, in localStorage. Where that is not to be had the page forgets, and works.
const MOST = 100 // chats

function read(key, otherwise) {
  try {
    return JSON.parse(localStorage.getItem('retort.' + key)) ?? otherwise
  } catch {
    return otherwise
  }
}

function write(key, value) {
  try {
    localStorage.setItem('retort.' + key, JSON.stringify(value))
    return true
  } catch {
    return false
  }
}

export const settingsKept = () => read('settings', {})
export const keepSettings = (values) => write('settings', values)

/** { id, at, model, turns: [{ question, reasoning, answer, settings, speed, whole }] }, newest first. */
export const chats = () => read('chats', [])

/** Keeps `chat` in the first place. Where room runs out the oldest go. */
export function keepChat(chat) {
  const list = [chat, ...chats().filter(({ id }) => id !== chat.id)].slice(0, MOST)
  while (list.length && !write('chats', list)) list.pop()
}

export const forgetChat = (id) => write('chats', chats().filter((chat) => chat.id !== id))
export const forgetChats = () => write('chats', [])

export const titleOf = (chat) => chat.turns[0]?.question ?? 'Empty chat'

/** A chat for people. */
export const markdownOf = (chat) =>
  [`# ${titleOf(chat)}`, `${new Date(chat.at).toLocaleString()}, ${chat.model}`, ...chat.turns.map((t) => `## ${t.question}\n\n${t.reasoning ? `<details><summary>Reasoning</summary>\n\n${t.reasoning.trim()}\n\n</details>\n\n` : ''}${t.answer ?? ''}`)].join('\n\n') + '\n'
