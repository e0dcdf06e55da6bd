// server.mjs - the test's web server: a folder under the strictest policy that retort-web promises to run under, with faults to order.
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'

const TYPES = { '.js': 'text/javascript', '.wasm': 'application/wasm', '.html': 'text/html; charset=utf-8', '.css': 'text/css', '.svg': 'image/svg+xml', '.json': 'application/json' }
const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'"

/** { origin, requests, faults, isolated, policy, close() }. faults[path]: { flip: offset, cut: bytes, status, slow: ms a 64 KiB, rate: bytes a second, ranges: false, heedless: of
 * If-Range }, for every request; or a list, one for each request in turn and none for those after. */
export async function serve(root) {
  const state = { requests: [], faults: {}, isolated: true, policy: POLICY }
  const server = http.createServer((request, response) => {
    answer(root, state, request, response).catch(() => response.destroy())
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  state.origin = `http://localhost:${server.address().port}`
  state.close = () => (server.closeAllConnections(), server.close())
  return state
}

async function answer(root, state, request, response) {
  const name = decodeURIComponent(new URL(request.url, 'http://x').pathname)
  const ordered = state.faults[name]
  const fault = (Array.isArray(ordered) ? ordered.shift() : ordered) ?? {}
  state.requests.push({ path: name, range: request.headers.range ?? null })
  const headers = { 'Content-Security-Policy': state.policy, 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff', 'Cross-Origin-Resource-Policy': 'same-origin' }
  if (state.isolated) Object.assign(headers, { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' })
  if (name === '/favicon.ico') return void response.writeHead(204, headers).end()
  if (name === '/empty.html') return void response.writeHead(200, { ...headers, 'Content-Type': 'text/html' }).end('<!doctype html><html lang="en"><title>empty</title>')
  const file = path.join(root, name === '/' ? '/index.html' : name)
  if (fault.status || !file.startsWith(root) || !fs.existsSync(file)) return void response.writeHead(fault.status ?? 404, headers).end()
  const size = fs.statSync(file).size
  const etag = `"${size}-${fault.flip ?? 'whole'}"`
  const asked = fault.ranges !== false && /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '')
  const partly = asked && (fault.heedless || (request.headers['if-range'] ?? etag) === etag)
  const start = partly ? Number(asked[1]) : 0
  const end = partly && asked[2] ? Math.min(size, Number(asked[2]) + 1) : size
  response.writeHead(partly ? 206 : 200, {
    ...headers, ETag: etag, 'Content-Type': TYPES[path.extname(file)] ?? 'application/octet-stream', 'Content-Length': end - start,
    ...(partly && { 'Content-Range': `bytes ${start}-${end - 1}/${size}` }),
  })
  let at = start
  const begun = performance.now()
  for await (const piece of start < end ? fs.createReadStream(file, { start, end: end - 1, ...(fault.rate && { highWaterMark: 1 << 20 }) }) : []) {
    if (fault.cut !== undefined && at >= fault.cut) return void response.destroy()
    if (fault.flip >= at && fault.flip < at + piece.length) piece[fault.flip - at] ^= 1
    at += piece.length
    if (!response.write(piece)) await drained(response)
    if (response.destroyed) return
    const ahead = fault.rate ? begun + (1000 * (at - start)) / fault.rate - performance.now() : 0
    if (ahead > 2) await new Promise((resolve) => setTimeout(resolve, ahead)) // a timer takes a millisecond at least
    if (fault.slow || fault.cut !== undefined) await new Promise((resolve) => setTimeout(resolve, fault.slow ?? 5))
  }
  response.end()
}

function drained(response) {
  return new Promise((resolve) => {
    const done = () => (response.off('drain', done), response.off('close', done), resolve())
    response.on('drain', done).on('close', done)
  })
}
