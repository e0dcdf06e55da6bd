// memory.mjs - what browsers started from here hold, where there is /proc.
import fs from 'node:fs'

/** Bytes held by the processes below the browser's own, which in Firefox keeps what it downloaded for a while. */
export function resident() {
  const parents = new Map()
  const sizes = new Map()
  for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8')
      parents.set(Number(pid), Number(/^PPid:\s*(\d+)/m.exec(status)[1]))
      sizes.set(Number(pid), 1024 * Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1] ?? 0))
    } catch {
      // it ended meanwhile
    }
  }
  const depth = (pid) => (pid === process.pid ? 0 : parents.has(pid) ? 1 + depth(parents.get(pid)) : -Infinity)
  return [...sizes].filter(([pid]) => depth(pid) > 1).reduce((sum, [, size]) => sum + size, 0)
}
