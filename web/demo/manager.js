// manager.js - the model dialog: by address, by file, and what is kept on this device.
import { models } from './retort-web/src/index.js'
import { $, button, element, megabytes, nameOf } from './dom.js'
import { isEmber, isLoading, load, loadEmber, projectKey, remove, titleOfUrl } from './model.js'

async function showKept() {
  const list = await models.list()
  $('kept').replaceChildren(...list.map(({ url, size, held, complete }) => {
    const name = titleOfUrl(url)
    const item = element('li', '')
    item.append(element('span', `${name}, ${complete ? megabytes(size) : `${megabytes(held)} of ${megabytes(size)}`}`))
    const actions = element('span', '', 'row')
    if (!isLoading(url)) actions.append(button(complete ? 'Load' : 'Resume', () => (isEmber(url) ? loadKept() : loadOther(url, name)), `${complete ? 'Load' : 'Resume'} ${name}`))
    actions.append(button('Remove', async () => (await remove(url), showKept()), `Remove ${name}`))
    item.append(actions)
    return item
  }))
  if (list.length === 0) $('kept').append(element('li', 'Nothing.'))
  const { usage, quota } = await models.usage()
  $('usage').textContent = quota ? `${megabytes(usage)} of ${megabytes(quota)} used.` : ''
}

const loadKept = () => ($('models').close(), loadEmber())

async function loadOther(model, title) {
  $('models-error').textContent = ''
  const trust = $('unsigned').checked ? { unsigned: true } : { keys: [$('key').value.trim() || (await projectKey())] }
  // Progress and its buttons are on the page; the dialog comes back only to say what went wrong.
  $('models').close()
  if (!(await load(model, trust, title)) && $('models-error').textContent) openModels()
}

export function openModels() {
  showKept()
  if (!$('models').open) $('models').showModal()
}

function take(files) {
  if (files.length) loadOther(files, files.find((f) => f.name.endsWith('.gguf'))?.name ?? files[0].name)
}

$('url-form').onsubmit = (event) => (event.preventDefault(), loadOther(new URL($('url').value).href, nameOf($('url').value)))
$('file').onchange = () => {
  const files = [...$('file').files]
  $('file').value = '' // or choosing the same file again would be no change
  take(files)
}
$('ember').onclick = loadKept
$('open-models').onclick = () => (($('models-error').textContent = ''), openModels())
document.addEventListener('dragover', (event) => (event.preventDefault(), $('drop').classList.add('over')))
document.addEventListener('dragleave', () => $('drop').classList.remove('over'))
document.addEventListener('drop', (event) => {
  event.preventDefault()
  $('drop').classList.remove('over')
  take([...event.dataTransfer.files])
})
