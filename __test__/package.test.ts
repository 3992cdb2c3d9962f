// The package, packed by npm and installed into empty projects without a network, works as CommonJS, as ESM and with TypeScript.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import test from 'ava'

const directory = mkdtempSync(join(tmpdir(), 'cutover-package-'))
const compiler = resolve('node_modules/typescript/bin/tsc')
test.after.always(() => rmSync(directory, { recursive: true, force: true }))

/** Runs a program to its end; a failure throws with all that it said. */
function run(cwd: string, command: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (error) throw error
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`)
  return stdout.trim()
}

/** npm through the npm that runs the tests, where there is one. */
const npm = (cwd: string, ...args: string[]): string => {
  const entry = process.env['npm_execpath']
  return entry ? run(cwd, process.execPath, entry, ...args) : run(cwd, 'npm', ...args)
}

/** What npm packed of the package, or of what it depends on, which no registry is asked for. */
const archive = (of = 'cutover'): string => readdirSync(directory).find((entry) => entry.startsWith(`${of}-`)) ?? ''

/** An empty project with the package installed and this source in it. */
function project(name: string, manifest: object, files: Record<string, string>): string {
  const path = join(directory, name)
  mkdirSync(path)
  writeFileSync(join(path, 'package.json'), JSON.stringify({ name, private: true, ...manifest }))
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text)
  const packed = [archive(), archive('commander')].map((file) => `../${file}`)
  npm(path, 'install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', ...packed)
  return path
}

/** Builds an index and asks it; prints what it finds. The types are checked where there are types. */
const job = `
async function job(): Promise<string> {
  const index = await openTemporary({ fields: { title: { type: 'text' }, year: { type: 'integer' } } })
  await index.rebuild([{ id: 'a', title: 'Moby Dick', year: 1851 }])
  const { hits } = await index.search({ text: 'moby', where: { year: { lt: 1900 } } })
  await index.close()
  const found: string | undefined = hits[0]?.document.title
  return String(found)
}
void job().then((found) => console.log(found))
`
const untyped = job.replace(': Promise<string>', '').replace(': string | undefined', '')
const strict = {
  strict: true,
  module: 'nodenext',
  target: 'es2022',
  types: [],
  lib: ['es2022', 'dom'],
  noEmitOnError: true,
}

test.before(() => {
  for (const path of ['.', 'node_modules/commander'])
    npm(resolve(path), 'pack', '--ignore-scripts', '--pack-destination', directory)
})

test.serial('the archive holds the package and nothing of its making', (t) => {
  const names = run(directory, 'tar', '-tzf', archive())
    .split('\n')
    .map((name) => name.replace(/^package\//, ''))
  for (const name of ['package.json', 'README.md', 'LICENSE', 'NOTICE', 'index.js', 'dist/index.js', 'dist/index.d.ts'])
    t.true(names.includes(name), name)
  t.is(names.filter((name) => name.endsWith('.node')).length, 1)
  t.deepEqual(
    names.filter((name) => /^(src|crates|scripts|__test__|bench|examples|docs|target|\.)/.test(name)),
    [],
  )
})

test.serial('its store is imported by TypeScript, with its types, and works', (t) => {
  const source = `import { openStore } from 'cutover/store'
async function job(): Promise<string> {
  const store = await openStore('versions', { keep: { versions: 2 } })
  const { id } = await store.rebuild((directory: string) => import('fs').then((fs) => fs.writeFileSync(directory + '/a', 'x')))
  const found: string = (await store.versions())[0]?.id === id ? 'found' : 'lost'
  await store.close()
  return found
}
void job().then((found) => console.log(found))
`
  const files = {
    'fs.d.ts': "declare module 'fs' { export function writeFileSync(path: string, text: string): void }",
    'main.ts': source,
    'tsconfig.json': JSON.stringify({ compilerOptions: strict, include: ['main.ts', 'fs.d.ts'] }),
  }
  const path = project('store', { type: 'module' }, files)
  run(path, process.execPath, compiler, '-p', '.')
  t.is(run(path, process.execPath, 'main.js'), 'found')
})

test.serial('it is required', (t) => {
  const source = `const { openTemporary } = require('cutover')\n${untyped}`
  const path = project('commonjs', {}, { 'main.js': source })
  t.is(run(path, process.execPath, 'main.js'), 'Moby Dick')
})

test.serial('its primitives are required and imported under a name of their own', (t) => {
  const write = "replaceFile('file', 'written').then(() => console.log(readFileSync('file', 'utf8')))"
  const path = project(
    'atomic',
    {},
    {
      'main.js': `const { replaceFile } = require('cutover/atomic')\nconst { readFileSync } = require('node:fs')\n${write}`,
      'main.mjs': `import { replaceFile } from 'cutover/atomic'\nimport { readFileSync } from 'node:fs'\n${write}`,
    },
  )
  for (const file of ['main.js', 'main.mjs']) t.is(run(path, process.execPath, file), 'written')
})

test.serial('it is imported', (t) => {
  const source = `import { openTemporary } from 'cutover'\n${untyped}`
  const path = project('esm', { type: 'module' }, { 'main.js': source })
  t.is(run(path, process.execPath, 'main.js'), 'Moby Dick')
})

test.serial('its command line runs', (t) => {
  const path = project('command', {}, { 'books.ndjson': '{"id":"a","title":"Moby Dick"}\n' })
  const cutover = join(path, 'node_modules/.bin/cutover')
  t.regex(run(path, cutover, 'build', 'books', 'books.ndjson', '--fields', '{"title":{"type":"text"}}'), /^Published /)
  t.regex(run(path, cutover, 'search', 'books', 'moby'), /^1\. a .*\n {4}title {2}Moby Dick\n/)
})

for (const type of ['module', 'commonjs'])
  test.serial(`it is imported by TypeScript that becomes ${type}, with its types`, (t) => {
    const files = {
      'main.ts': `import { openTemporary } from 'cutover'\n${job}`,
      'tsconfig.json': JSON.stringify({ compilerOptions: strict, include: ['main.ts'] }),
    }
    const path = project(`typescript-${type}`, { type }, files)
    run(path, process.execPath, compiler, '-p', '.')
    t.is(run(path, process.execPath, 'main.js'), 'Moby Dick')

    writeFileSync(join(path, 'main.ts'), files['main.ts'].replace("type: 'integer'", "type: 'integre'"))
    t.throws(() => run(path, process.execPath, compiler, '-p', '.'), { message: /integre/ })
  })
