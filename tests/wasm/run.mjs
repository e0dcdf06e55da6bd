// run.mjs - runs a WASI program in Node.js, which sees the repository's models/ as /models: node run.mjs PROGRAM.wasm [ARGUMENTS...]
import fs from 'node:fs'
import { fileURLToPath } from 'node:url'
import { WASI } from 'node:wasi'

const wasi = new WASI({ version: 'preview1', args: process.argv.slice(2), env: {}, preopens: { '/models': fileURLToPath(new URL('../../models', import.meta.url)) } })
const module = await WebAssembly.compile(fs.readFileSync(process.argv[2]))
process.exitCode = wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject()))
