// page.mjs - the demo as a person uses it: mouse, keyboard, phone, screen reader, damage.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'

const until = (page, test, ...args) => page.waitForFunction(test, { timeout: 30000, polling: 50 }, ...args)
const text = (page, selector) => page.$eval(selector, (e) => e.textContent)
const loaded = (page) => until(page, () => document.getElementById('badge-text').textContent === 'verified')
const answered = (page) => until(page, () => document.querySelector('.turn:last-child .speed')?.textContent)
const dark = (page, yes) => page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: yes ? 'dark' : 'light' }])

async function shoot({ screens, name }, page, title) {
  if (screens && name === 'chromium') await page.screenshot({ path: path.join(screens, `demo-${title}.png`) })
}

async function violations({ packages }, page) {
  await page.evaluate(fs.readFileSync(packages.resolve('axe-core/axe.min.js'), 'utf8'))
  return page.evaluate(async () => (await axe.run()).violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target).join(' ')}`))
}

export const pageCases = [
  {
    title: 'page: first visit, example, folded reasoning, proof',
    async run(t) {
      const start = performance.now()
      const page = await t.newPage('/')
      await page.setViewport({ width: 1100, height: 900 })
      await loaded(page)
      const ready = performance.now() - start
      await shoot(t, page, 'start')
      await page.click('#examples button')
      await answered(page)
      assert.equal(await text(page, '.text'), 'The answer is 5217.')
      assert.equal(await page.$eval('.reasoning', (e) => e.open), false)
      assert.match(await text(page, '.reasoning pre'), /thousands:4\+1=5/)
      await page.click('.reasoning summary')
      await page.click('.prove')
      await until(page, () => !document.querySelector('.proof').hidden)
      await shoot(t, page, 'desktop')
      const line = await text(page, '.proof-line')
      assert.equal(line, t.nativeProof('What is 4821 + 396?', ['--temp', '0', '--top-p', '0.95', '--seed', '7', '-n', '1024', '--thinking-budget', '512']))
      assert.match(await text(page, '.proof-command'), /--temp 0 --top-p 0.95 --seed 7 -n 1024 --thinking-budget 512 --proof 'What is 4821 \+ 396\?'$/)
      await page.click('.retry')
      await until(page, () => document.querySelector('.proof').hidden)
      await answered(page)
      assert.equal(await text(page, '.text'), 'The answer is 5217.')
      assert.deepEqual(t.complaints, [])
      return `ready after ${Math.round(ready)} ms`
    },
  },
  {
    title: 'page: what was altered on the way is refused, and said so',
    async run(t) {
      t.server.faults = { '/models/ember.gguf': { flip: 2000000 } }
      const page = await t.newPage('/')
      await page.setViewport({ width: 1100, height: 800 })
      await until(page, () => document.getElementById('badge-text').textContent === 'refused')
      assert.match(await text(page, '#status'), /refused, and nothing of it was used/)
      assert.equal(await page.$eval('#send', (e) => e.disabled), true)
      await page.click('#badge')
      await shoot(t, page, 'refused')
    },
  },
  {
    title: 'page: keyboard alone, on a phone, in the dark',
    async run(t) {
      const page = await t.newPage('/')
      await page.setViewport({ width: 390, height: 780, isMobile: t.name === 'chromium', hasTouch: t.name === 'chromium', deviceScaleFactor: t.name === 'chromium' ? 2 : 1 })
      if (t.name === 'chromium') await dark(page, true)
      await loaded(page)
      for (let i = 0; i < 12 && (await page.evaluate(() => document.activeElement.id)) !== 'question'; i++) await page.keyboard.press('Tab')
      assert.equal(await page.evaluate(() => document.activeElement.id), 'question')
      await page.keyboard.type('What is 84 divided by 7?')
      await page.keyboard.press('Enter')
      await answered(page)
      assert.match(await text(page, '.text'), /12/)
      assert.equal(await page.evaluate(() => document.activeElement.id), 'question')
      await shoot(t, page, 'dark')
      if (t.name === 'chromium') await dark(page, false)
      await shoot(t, page, 'phone')
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'it scrolls sideways')
      assert.deepEqual(t.complaints, [])
    },
  },
  {
    title: 'page: no accessibility violation, light and dark, every dialog',
    async run(t) {
      const page = await t.newPage('/')
      await loaded(page)
      await page.click('#examples button')
      await answered(page)
      await page.click('.prove')
      await until(page, () => !document.querySelector('.proof').hidden)
      for (const scheme of t.name === 'chromium' ? [false, true] : [false]) {
        if (t.name === 'chromium') await dark(page, scheme)
        assert.deepEqual(await violations(t, page), [])
        for (const id of ['badge', 'open-models', 'open-settings']) {
          await page.click('#' + id)
          assert.deepEqual(await violations(t, page), [], id)
          await page.click('dialog[open] form[method=dialog] button')
        }
      }
    },
  },
  {
    title: 'page: a file of one\'s own, unsigned only when asked for',
    async run(t) {
      const page = await t.newPage('/')
      await loaded(page)
      await page.click('#open-models')
      const input = await page.$('#file')
      const file = path.join(t.models, 'ember/ember.gguf')
      await input.uploadFile(file)
      await until(page, () => document.getElementById('badge-text').textContent === 'refused')
      await page.click('#unsigned')
      await input.uploadFile(file)
      await until(page, () => document.getElementById('badge-text').textContent === 'not verified')
      await page.click('#open-models')
      await page.click('#unsigned')
      await input.uploadFile(file, file + '.sig', file + '.chunks')
      await loaded(page)
      await until(page, () => !document.getElementById('models').open)
    },
  },
  {
    title: 'page: its thread stays free while it loads and answers',
    async run(t) {
      const page = await t.newPage('/')
      await page.evaluate(() => {
        window.longest = 0
        let last = performance.now()
        window.watch = setInterval(() => {
          const now = performance.now()
          window.longest = Math.max(window.longest, now - last)
          last = now
        }, 4)
      })
      await loaded(page)
      await page.click('#examples button')
      await answered(page)
      const tasks = await page.evaluate(() => window.longest)
      assert.ok(tasks < 100, `held for ${tasks} ms`)
      return `longest ${Math.round(tasks)} ms`
    },
  },
]
