// history.js - the dialog with the chats that are kept on this device: open, take along, forget.
import { showChat, shown } from './chat.js'
import { $, button, download, element } from './dom.js'
import { chats, forgetChat, forgetChats, markdownOf, titleOf } from './keep.js'

const day = (at) => new Date(at).toISOString().slice(0, 10)

function list() {
  const kept = chats()
  $('chat-list').replaceChildren(...kept.map((chat) => {
    const item = element('li', '')
    const open = button(titleOf(chat), () => ($('history').close(), showChat(chat)))
    open.classList.add('chat-title')
    if (chat.id === shown()) open.setAttribute('aria-current', 'true')
    const actions = element('span', '', 'row')
    actions.append(
      button('Export', () => download(`chat-${day(chat.at)}.md`, 'text/markdown', markdownOf(chat)), `Export: ${titleOf(chat)}`),
      button('Delete', () => (forgetChat(chat.id), chat.id === shown() && showChat(), list()), `Delete: ${titleOf(chat)}`),
    )
    item.append(open, actions)
    return item
  }))
  $('no-chats').hidden = kept.length > 0
  $('export-all').disabled = $('delete-all').disabled = kept.length === 0
}

$('open-history').onclick = () => (list(), $('history').showModal())
$('export-all').onclick = () => download(`chats-${day(Date.now())}.json`, 'application/json', JSON.stringify(chats(), null, 1))
$('delete-all').onclick = () => {
  if (!confirm('Delete all chats from this device?')) return
  forgetChats()
  showChat()
  list()
}
