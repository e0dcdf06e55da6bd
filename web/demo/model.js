// model.js - the one model that the page has loaded: loading it with progress, pause and resume, and what its verification said.
import { createEngine, models } from './retort-web/src/index.js'
import { $, duration, facts, megabytes, nameOf, say, sentence } from './dom.js'
import { threadsWanted } from './settings.js'

const EMBER = new URL('models/ember.gguf', location.href).href
const listeners = []
let loading = null // AbortController
let last = null // what load() was asked for, to do it again

export let engine = null
export let title = ''
export const onModel = (listener) => listeners.push(listener)
const tell = () => listeners.forEach((listener) => listener())

export const projectKey = async () => (await fetch('models/retort-project.pub')).text()

export async function loadEmber() {
  return load(EMBER, { keys: [await projectKey()], modelName: 'ember' }, 'Ember')
}

export const reload = () => last && load(...last)
export const isLoading = (url) => loading !== null && last[0] === url

/** True once the model is there; says itself what went wrong. */
export async function load(model, trust, name) {
  loading?.abort()
  const control = (loading = new AbortController())
  last = [model, trust, name]
  await engine?.dispose()
  engine = null
  title = name
  tell()
  setBadge('', 'loading', true)
  say(`Loading ${name}`)
  showLoading(typeof model === 'string')
  const start = performance.now()
  try {
    engine = await createEngine({ model, trust, threads: threadsWanted(), onProgress: progress(start), signal: control.signal })
    say('')
    describe(performance.now() - start)
    return true
  } catch (error) {
    if (control === loading) failed(error)
    return false
  } finally {
    if (loading === control) {
      loading = null
      $('loading').hidden = true
      tell()
    }
  }
}

// Speed and time left come from the bytes of the network alone; what the device kept is there in no time.
const progress = (start) => ({ loaded, total, cached }) => {
  $('progress').value = loaded / total
  const seconds = (performance.now() - start) / 1000
  const rate = (loaded - cached) / seconds
  $('progress').textContent = $('load-text').textContent =
    `${megabytes(loaded)} of ${megabytes(total)}` + (cached ? `, ${megabytes(cached)} of it kept here` : '') + (seconds > 1 && rate > 0 ? `, ${megabytes(rate)}/s, ${duration((total - loaded) / rate)} left` : '')
}

function showLoading(canPause) {
  $('loading').hidden = false
  $('load-text').textContent = ''
  $('progress').value = 0
  $('pause').hidden = !canPause
  $('resume').hidden = $('drop-load').hidden = true
}

/** Ends the loading for now; what came stays on this device. */
export function pause() {
  if (!loading) return
  loading.abort()
  loading = null
  setBadge('warn', 'paused')
  say(`Loading ${title} is paused.`)
  $('pause').hidden = true
  $('resume').hidden = $('drop-load').hidden = false
  $('resume').focus()
}

async function dropLoad() {
  await models.remove(last[0])
  await loadEmber()
}

/** Forgets what is kept of `url`, also while it is being loaded. */
export async function remove(url) {
  if (isLoading(url)) pause()
  const removed = await models.remove(url)
  if (last?.[0] === url && !engine) await loadEmber()
  return removed
}

function failed(error) {
  const refused = error.code === 'trust'
  setBadge('bad', refused ? 'refused' : 'failed')
  say(refused ? `This model was refused, and nothing of it was used. ${sentence(error.message)}` : sentence(error.message), true)
  facts('trust-facts', { File: title, Address: typeof last[0] === 'string' ? last[0] : '', Error: error.code })
  $('trust-text').textContent = sentence(error.message) + (refused ? ' Nothing of it was used. If it was damaged on its way, loading it once more under Model helps; if not, ask whoever offers it for the file that was signed.' : '')
  $('models-error').textContent = sentence(error.message)
}

function describe(ms) {
  const { trust, model, variant, threads, memory_bytes, context, load: times } = engine.info
  const vouched = trust.method !== 'unsigned'
  setBadge(vouched ? 'good' : 'warn', vouched ? 'verified' : 'not verified')
  $('trust-text').textContent = vouched ? `Every byte of this model was verified before it was used: ${trust.text}.` : 'Nobody vouches for this model. You chose to load it all the same.'
  facts('trust-facts', { File: title, Method: trust.method, Signer: trust.signer, Name: trust.name, SHA256: 'being computed', Bytes: trust.bytes.toLocaleString('en') })
  facts('engine-facts', {
    Model: `${model.name ?? title}, ${model.architecture}, ${(model.n_parameters / 1e6).toFixed(1)} million parameters`, Engine: `retort ${model.version}, numerics ${model.numerics}, ${variant}, ${threads} thread${threads > 1 ? 's' : ''}`,
    Context: `${context} tokens`, Memory: megabytes(memory_bytes), Loaded: `in ${(ms / 1000).toFixed(2)} s, ${times.cached_bytes ? megabytes(times.cached_bytes) + ' from this device' : 'from the network or a file'}`,
  })
  $('hint').textContent = model.name === 'Ember' || trust.name === 'ember' ? $('hint').dataset.ember : title
  document.title = `${model.name ?? title} · retort`
}

function setBadge(kind, text, busy = false) {
  $('badge').className = `badge ${kind}${busy ? ' busy' : ''}`
  $('badge-text').textContent = text
}

$('pause').onclick = pause
$('resume').onclick = reload
$('drop-load').onclick = dropLoad
$('badge').onclick = async () => {
  $('trust').showModal()
  const place = [...$('trust-facts').children].find((e) => e.textContent === 'SHA256')?.nextSibling
  if (place) place.textContent = (await engine.digests()).join(', ')
}

export const titleOfUrl = (url) => (url === EMBER ? 'Ember' : nameOf(url))
export const isEmber = (url) => url === EMBER
