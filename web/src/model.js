// model.js - what a page may pass as `model` and `trust`, brought into the one form that the worker reads.
import { makeError } from './errors.js'

const BESIDE = /\.(sig|minisig|chunks)$/
const SPLIT = /-00001-of-(\d{5})\.gguf$/

const nameOf = (url) => decodeURIComponent(new URL(url).pathname.split('/').pop()) || 'model.gguf'

function toPart(thing) {
  if (typeof thing === 'string' || thing instanceof URL) return toPart({ url: thing })
  if (thing instanceof Blob) return { blob: thing, name: thing.name ?? 'model.gguf' }
  if (thing instanceof ArrayBuffer || ArrayBuffer.isView(thing)) return { bytes: thing, name: 'model.gguf' }
  const { url, file, bytes, name, signature, chunks } = thing ?? {}
  if (url) {
    const href = new URL(url, globalThis.document?.baseURI ?? globalThis.location?.href).href
    return { url: href, name: name ?? nameOf(href), signature, chunks }
  }
  if (file instanceof Blob) return { blob: file, name: name ?? file.name ?? 'model.gguf', signature, chunks }
  if (bytes) return { bytes, name: name ?? 'model.gguf', signature, chunks }
  throw makeError('argument', '`model` is a URL, a File, bytes, { url | file | bytes, name, signature, chunks }, or an array of those')
}

/** Files of the model in order, each with its signature and chunk list where they were passed too. The first URL of a split set stands for all. */
export function toParts(model) {
  const things = (Array.isArray(model) || (globalThis.FileList && model instanceof FileList) ? [...model] : [model]).map(toPart)
  const beside = new Map(things.filter((p) => p.blob && BESIDE.test(p.name)).map((p) => [p.name, p.blob]))
  const parts = things.filter((p) => !beside.has(p.name))
  for (const p of parts) {
    p.chunks ??= beside.get(p.name + '.chunks')
    p.signature ??= beside.get(p.name + '.sig') ?? beside.get(p.name + '.minisig')
  }
  const split = parts.length === 1 && parts[0].url && SPLIT.exec(parts[0].name)
  if (!split) return sorted(parts)
  return Array.from({ length: Number(split[1]) }, (_, i) => {
    const change = (text) => text.replace(/-00001-of-(\d{5})\.gguf/, `-${String(i + 1).padStart(5, '0')}-of-$1.gguf`)
    return i === 0 ? parts[0] : { url: change(parts[0].url), name: change(parts[0].name) }
  })
}

const sorted = (parts) => {
  if (parts.length === 0) throw makeError('argument', 'there is no model file among the files')
  return parts.length > 1 ? parts.sort((a, b) => (a.name < b.name ? -1 : 1)) : parts
}

/** The policy in the words of wasm/abi.h. There is no default: somebody must say whom to trust. */
export function toPolicy(trust) {
  const methods = { keys: 'key', certificates: 'certificate', minisign: 'minisign', signify: 'signify', pins: 'pinned', unsigned: 'unsigned' }
  const named = Object.keys(methods).filter((name) => trust?.[name])
  if (named.length !== 1) throw makeError('trust', '`trust` must name one of keys, certificates, minisign, signify, pins or, knowingly, unsigned: true')
  for (const name of Object.keys(trust)) if (!(name in methods) && !['modelName', 'modelDigest', 'time', 'atSigningTime', 'complete'].includes(name)) throw makeError('argument', `trust: there is no "${name}"`)
  const policy = { method: methods[named[0]] }
  if (policy.method === 'pinned') policy.pins = [trust.pins].flat()
  else if (policy.method !== 'unsigned') policy.anchors = [trust[named[0]]].flat()
  if (trust.modelName) policy.model_name = trust.modelName
  if (trust.modelDigest) policy.model_digest = trust.modelDigest
  if (trust.complete) policy.complete = true
  if (trust.atSigningTime) policy.at_signing_time = true
  else if (policy.method === 'certificate') policy.time = Math.floor((trust.time ? new Date(trust.time).getTime() : Date.now()) / 1000)
  return policy
}
