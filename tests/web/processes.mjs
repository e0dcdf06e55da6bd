// processes.mjs - the processes of browsers started from here, by /proc: the memory that they hold, and the processor's time of their main threads.
// Only those below the browser's own count, which in Firefox keeps for a while what it downloaded.
import fs from 'node:fs'

/** [{ pid, size: bytes resident, ticks: of 10 ms that it has computed }] */
function below() {
  const parents = new Map()
  const sizes = new Map()
  const ticks = new Map()
  for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8')
      parents.set(Number(pid), Number(/^PPid:\s*(\d+)/m.exec(status)[1]))
      sizes.set(Number(pid), 1024 * Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1] ?? 0))
      const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ')
      ticks.set(Number(pid), Number(fields[11]) + Number(fields[12]))
    } catch {
      // it ended meanwhile
    }
  }
  const depth = (pid) => (pid === process.pid ? 0 : parents.has(pid) ? 1 + depth(parents.get(pid)) : -Infinity)
  return [...sizes].filter(([pid]) => depth(pid) > 1).map(([pid, size]) => ({ pid, size, ticks: ticks.get(pid) ?? 0 }))
}

export const resident = () => below().reduce((sum, { size }) => sum + size, 0)
/** Watches from now on. The result, called, gives the time in ms that the processes which are there then have computed since. */
export function watchComputing() {
  const before = new Map(below().map(({ pid, ticks }) => [pid, ticks]))
  return () => below().reduce((sum, { pid, ticks }) => sum + 10 * (ticks - (before.get(pid) ?? 0)), 0)
}

/** Watches from now on. The result, called with [{ from, to }] (ms of Date.now()), ends it and gives the most time that one main thread can have computed
 * within one of these spans, in ms: the samples around it, so rather too much. */
export function watchMainThreads() {
  if (!fs.existsSync('/proc/self/schedstat')) return (spans) => Math.max(0, ...spans.map(({ from, to }) => to - from)) // by the clock alone
  const files = below().map(({ pid }) => `/proc/${pid}/task/${pid}/schedstat`)
  const computed = (file) => {
    try {
      return Number(fs.readFileSync(file, 'utf8').split(' ')[0]) / 1e6
    } catch {
      return 0
    }
  }
  const samples = []
  const take = () => samples.push({ at: Date.now(), times: files.map(computed) })
  take()
  const timer = setInterval(take, 5)
  return (spans) => {
    clearInterval(timer)
    take()
    return Math.max(0, ...spans.map(({ from, to }) => {
      const [first, last] = [samples.findLast(({ at }) => at <= from) ?? samples[0], samples.find(({ at }) => at >= to) ?? samples.at(-1)]
      return Math.min(to - from, Math.max(...files.map((_, i) => last.times[i] - first.times[i])))
    }))
  }
}
