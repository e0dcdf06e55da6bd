// webkit.mjs - WebKitGTK's MiniBrowser by WebDriver, in the few words of puppeteer that the tests use.
//
// It stands in for Safari, as far as it reaches: no shared memory, no relaxed SIMD and no private file system are in it, and its driver tells nothing of the
// console. A context is a session of its own with one window.
import { spawn } from 'node:child_process'
import fs from 'node:fs'

const BINARY = ['4.1', '6.0', '4.0'].map((version) => `/usr/lib/x86_64-linux-gnu/webkit2gtk-${version}/MiniBrowser`).find(fs.existsSync)
export const webkitPath = ['/usr/bin/WebKitWebDriver', '/usr/bin/Xvfb'].every(fs.existsSync) ? BINARY : undefined

const KEYS = { Enter: '\uE007', Escape: '\uE00C', Tab: '\uE004', Control: '\uE009' }
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

export async function launchWebkit() {
  const display = ':' + (100 + (process.pid % 400))
  const port = 20000 + (process.pid % 20000)
  const screen = spawn('Xvfb', [display, '-screen', '0', '1400x1100x24', '-nolisten', 'tcp'], { stdio: 'ignore' })
  const env = { ...process.env, DISPLAY: display, WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1', WEBKIT_DISABLE_DMABUF_RENDERER: '1', LIBGL_ALWAYS_SOFTWARE: '1', GTK_A11Y: 'none' }
  await wait(500)
  const driver = spawn('WebKitWebDriver', [`--port=${port}`], { stdio: 'ignore', env })
  const send = async (method, path, body) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, body: method === 'POST' ? JSON.stringify(body ?? {}) : undefined })
    const { value } = await response.json()
    if (!response.ok) throw new Error(`${path}: ${value.error}: ${value.message}`)
    return value
  }
  for (let i = 0; ; i++) {
    try {
      await send('GET', '/status')
      break
    } catch (error) {
      if (i === 50) throw error
      await wait(100)
    }
  }
  let version = 'WebKitGTK'
  const browser = {
    version: async () => version,
    async createBrowserContext() {
      const { sessionId, capabilities } = await send('POST', '/session', { capabilities: { alwaysMatch: { 'webkitgtk:browserOptions': { binary: BINARY, args: ['--automation'] } } } })
      version = `${capabilities.browserName} ${capabilities.browserVersion}`
      const session = `/session/${sessionId}`
      await send('POST', session + '/timeouts', { script: 60000, pageLoad: 60000 })
      const command = (method, path, body) => send(method, session + path, body)
      // The session ends with its last window, so a window whose page was closed waits empty for the next.
      const free = [await command('GET', '/window')]
      return {
        newPage: async () => new Page(command, free.pop() ?? (await command('POST', '/window/new', { type: 'window' })).handle, free),
        close: () => send('DELETE', session),
      }
    },
    async close() {
      driver.kill()
      screen.kill()
    },
  }
  await (await browser.createBrowserContext()).close() // learns the version
  return browser
}

class Page {
  #command
  #close

  constructor(command, handle, free) {
    this.#close = async () => (await this.goto('about:blank'), free.push(handle))
    // One window of the session hears at a time.
    this.#command = async (...args) => (await command('POST', '/window', { handle }), command(...args))
    const press = (...keys) => this.#command('POST', '/actions', { actions: [{ type: 'key', id: 'keyboard', actions: keys.flatMap(([type, value]) => [{ type, value: KEYS[value] ?? value }]) }] })
    this.keyboard = {
      press: (key) => press(['keyDown', key], ['keyUp', key]), down: (key) => press(['keyDown', key]), up: (key) => press(['keyUp', key]),
      type: async (text) => { for (const c of text) await press(['keyDown', c], ['keyUp', c]) },
    }
  }

  on() {}
  goto(url) {
    return this.#command('POST', '/url', { url })
  }
  reload() {
    return this.#command('POST', '/refresh')
  }
  close() {
    return this.#close()
  }
  async setViewport({ width, height }) {
    await this.#command('POST', '/window/rect', { width, height })
  }

  /** A function with its arguments, or a script, which has no value. */
  evaluate(work, ...args) {
    return this.#run(typeof work === 'string' ? `{ ${work}\n }` : `(${work})(...args)`, args)
  }

  async #run(body, args = []) {
    const { value, error } = await this.#command('POST', '/execute/async', {
      script: `const args = [...arguments]; const done = args.pop(); (async () => ${body})().then((value) => done({ value }), (error) => done({ error: String(error?.stack ?? error) + ' ' + String(error?.message ?? '') }))`, args,
    })
    if (error) throw new Error(error)
    return value
  }

  async waitForFunction(test, { timeout, polling }, ...args) {
    for (const start = Date.now(); !(await this.evaluate(test, ...args)); await wait(polling)) if (Date.now() - start > timeout) throw new Error(`not so within ${timeout} ms: ${test}`)
  }

  async #find(selector) {
    return Object.values(await this.#command('POST', '/element', { using: 'css selector', value: selector }))[0]
  }
  async click(selector) {
    await this.#command('POST', `/element/${await this.#find(selector)}/click`)
  }
  async type(selector, text) {
    await this.#command('POST', `/element/${await this.#find(selector)}/value`, { text })
  }
  $eval(selector, work) {
    return this.#run(`(${work})(document.querySelector(${JSON.stringify(selector)}))`)
  }
  $$eval(selector, work) {
    return this.#run(`(${work})([...document.querySelectorAll(${JSON.stringify(selector)})])`)
  }
  async $(selector) {
    const id = await this.#find(selector)
    return { uploadFile: (...files) => this.#command('POST', `/element/${id}/value`, { text: files.join('\n') }) }
  }
}
