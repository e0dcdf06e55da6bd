// split.mjs - a GGUF file in two, as `gguf-split` would make it: NAME-00001-of-00002.gguf with all metadata and the first half of the tensors, and the rest.
import fs from 'node:fs'

const WIDTHS = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 }
const STRING = 8
const ARRAY = 9

export function split(file, prefix) {
  const data = fs.readFileSync(file)
  const number = (at) => Number(data.readBigUInt64LE(at))
  const skipValue = (type, at) => {
    if (type === STRING) return at + 8 + number(at)
    if (type !== ARRAY) return at + WIDTHS[type]
    const inner = data.readUInt32LE(at)
    let end = at + 12
    for (let i = number(at + 4); i > 0; i--) end = skipValue(inner, end)
    return end
  }
  const [tensors, pairs] = [number(8), number(16)]
  let at = 24
  for (let i = 0; i < pairs; i++) {
    const key = at + 8 + number(at)
    at = skipValue(data.readUInt32LE(key), key + 4)
  }
  const metadata = data.subarray(24, at)
  const infos = Array.from({ length: tensors }, () => {
    const start = at
    at += 8 + number(at)
    at += 4 + 8 * data.readUInt32LE(at) + 4 + 8
    return { head: data.subarray(start, at - 8), offset: number(at - 8) }
  })
  const base = Math.ceil(at / 32) * 32 // general.alignment is not set in our files
  const ends = [...infos.map((t) => t.offset), data.length - base].sort((a, b) => a - b)
  for (const t of infos) t.bytes = data.subarray(base + t.offset, base + ends[ends.indexOf(t.offset) + 1])
  const half = tensors >> 1
  return [infos.slice(0, half), infos.slice(half)].map((list, i) => {
    const name = `${prefix}-0000${i + 1}-of-00002.gguf`
    fs.writeFileSync(name, part(list, i, i === 0 ? metadata : Buffer.alloc(0), i === 0 ? pairs : 0, tensors))
    return name
  })
}

function part(list, no, metadata, pairs, tensors) {
  const u64 = (n) => (b => (b.writeBigUInt64LE(BigInt(n)), b))(Buffer.alloc(8))
  const u32 = (n) => (b => (b.writeUInt32LE(n), b))(Buffer.alloc(4))
  const u16 = (n) => u32(n).subarray(0, 2)
  const pair = (key, type, value) => Buffer.concat([u64(key.length), Buffer.from(key), u32(type), value])
  const ours = [pair('split.no', 2, u16(no)), pair('split.count', 2, u16(2)), pair('split.tensors.count', 5, u32(tensors))]
  const infos = []
  const bytes = []
  let offset = 0
  for (const t of list) {
    const room = Math.ceil(t.bytes.length / 32) * 32
    infos.push(t.head, u64(offset))
    bytes.push(t.bytes, Buffer.alloc(room - t.bytes.length))
    offset += room
  }
  const head = Buffer.concat([Buffer.from('GGUF'), u32(3), u64(list.length), u64(pairs + 3), metadata, ...ours, ...infos])
  return Buffer.concat([head, Buffer.alloc(Math.ceil(head.length / 32) * 32 - head.length), ...bytes])
}
