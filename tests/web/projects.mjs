// projects.mjs - the package as its users meet it: `npm pack`, the tarball installed into new projects, each built with its tool's own command and
// opened in the browsers under the strict policy. What each tool needs to be told is written down here, and in docs/BROWSER.md in the same words.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { serve } from './server.mjs'

const ENTRY = '<script type="module" src="/main.js"></script>'

const TOOLS = {
  // No tool at all: the tarball unpacked beside the page.
  plain: { script: '<script type="module" src="main.js"></script>', main: (text) => text.replace("'retort-web'", "'./node_modules/retort-web/src/index.js'") },
  vite: { script: ENTRY, run: 'vite build', out: 'dist' },
  webpack: {
    script: '<script src="/main.js"></script>',
    files: { 'webpack.config.cjs': "module.exports = { mode: 'production', entry: './main.js' }\n" },
    run: 'webpack', out: 'dist', page: true,
  },
  // esbuild does not follow `new URL(..., import.meta.url)`: the two workers are entries of their own, and the modules are copied.
  esbuild: {
    script: '<script type="module" src="/js/main.js"></script>',
    run: 'esbuild main.js retort-web/worker retort-web/pool --bundle --minify --format=esm --outdir=dist/js --entry-names=[name]', out: 'dist', page: true,
    after: (folder) => fs.cpSync(path.join(folder, 'node_modules/retort-web/wasm'), path.join(folder, 'dist/wasm'), { recursive: true }),
  },
  // Vite's server for development, told only to isolate the page.
  'vite-dev': {
    script: ENTRY,
    files: {
      'public/favicon.ico': '', // the browser asks for it, and a test takes every complaint seriously
      'vite.config.js': `export default { server: { headers: { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' } } }
`,
    },
    serves: 'vite',
  },
}

/** Packs `site`'s package and builds the projects `names` below `folder`, beside whose node_modules the tools are. Gives back the cases to run. */
export async function makeProjects(names, { site, folder, npm }) {
  const root = path.join(folder, 'projects')
  fs.rmSync(root, { recursive: true, force: true })
  fs.mkdirSync(root, { recursive: true })
  command(root, npm, ['pack', '--silent', '--pack-destination', root, path.join(site, 'retort-web')])
  const tarball = fs.readdirSync(root).find((name) => name.endsWith('.tgz'))
  for (const name of names) makeProject(name, { root, site, npm, tarball: path.join(root, tarball) })
  return names.map((name) => caseOf(name, path.join(root, name), folder))
}

function makeProject(name, { root, site, npm, tarball }) {
  const tool = TOOLS[name]
  const project = path.join(root, name)
  const source = path.join(import.meta.dirname, 'project')
  const html = fs.readFileSync(path.join(source, 'index.html'), 'utf8').replace('SCRIPT', tool.script)
  fs.mkdirSync(path.join(project, 'public'), { recursive: true })
  fs.writeFileSync(path.join(project, 'package.json'), JSON.stringify({ name, private: true, type: 'module' }))
  command(project, npm, ['install', '--silent', '--offline', '--no-audit', '--no-fund', '--ignore-scripts', tarball])
  const main = fs.readFileSync(path.join(source, 'main.js'), 'utf8')
  for (const [file, text] of Object.entries({ ...tool.files, 'index.html': html, 'main.js': tool.main?.(main) ?? main })) fs.writeFileSync(path.join(project, file), text)
  if (tool.run) command(project, npm, ['exec', '--offline', '--', ...tool.run.split(' ')])
  const out = path.join(project, tool.out ?? '.')
  tool.after?.(project)
  if (tool.page) fs.writeFileSync(path.join(out, 'index.html'), html)
  fs.cpSync(path.join(site, 'models'), path.join(tool.serves ? path.join(project, 'public') : out, 'models'), { recursive: true })
}

function caseOf(name, project, folder) {
  const tool = TOOLS[name]
  return {
    title: `project: ${name}`,
    async run(t) {
      const served = tool.serves ? await serveBy(tool.serves, project, folder) : await serve(path.join(project, tool.out ?? '.'))
      try {
        const page = await t.newPage(served.origin + '/')
        await page.waitForFunction(() => document.title === 'done' || document.title === 'failed', { timeout: 30000, polling: 50 })
        const said = await page.evaluate(() => Object.fromEntries(['answer', 'proof', 'engine'].map((id) => [id, document.getElementById(id).textContent])))
        assert.equal(said.answer.trim(), 'The answer is 5217.')
        assert.equal(said.proof, t.nativeProof('What is 4821 + 396?', ['--temp', '0', '--seed', '7']))
        const engine = JSON.parse(said.engine)
        if (t.name !== 'webkit') assert.ok(engine.variant === 'relaxed' && (engine.threads > 1 || os.availableParallelism() === 1), said.engine) // the fastest of the modules was found, and the threads came
        assert.deepEqual(t.complaints, [])
        return said.engine
      } finally {
        await served.close()
      }
    },
  }
}

/** A tool's own server. */
async function serveBy(tool, project, folder) {
  const child = spawn(process.execPath, [path.join(folder, 'node_modules/vite/bin/vite.js'), '--port', '0', '--host', '127.0.0.1'], { cwd: project, stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NO_COLOR: '1' } })
  let said = ''
  const origin = await new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error(`${tool} ended: ${said}`)))
    child.stdout.on('data', (data) => {
      const found = /http:\/\/[\d.]+:\d+/.exec((said += data))
      if (found) resolve(found[0])
    })
  })
  return { origin, close: () => new Promise((resolve) => (child.removeAllListeners('exit'), child.once('exit', resolve), child.kill())) }
}

function command(cwd, npm, args) {
  const ran = spawnSync(process.execPath, [npm, ...args], { cwd, encoding: 'utf8', env: { ...process.env, PATH: `${path.dirname(process.execPath)}:${process.env.PATH}`, npm_config_update_notifier: 'false', NO_COLOR: '1' } })
  if (ran.status !== 0) throw new Error(`npm ${args.join(' ')}\n${ran.stdout}${ran.stderr}`)
}
