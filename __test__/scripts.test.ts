// What the two commands do before anything else: name a missing tool, install and build only what is not up to date.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'

/** Runs a line of JavaScript in which `tools` and `install` are those modules; a Failure is printed as the scripts do. */
function script(line: string, env: NodeJS.ProcessEnv = process.env) {
  const source = `
    import { main } from './scripts/process.mjs'
    import * as tools from './scripts/tools.mjs'
    import { installed } from './scripts/install.mjs'
    await main(async () => { ${line} })`
  const args = ['--input-type=module', '--eval', source]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env })
  return { status, said: (stdout + stderr).trim() }
}

const missing: [tool: string, line: string, says: RegExp][] = [
  ['an old Node', "tools.checkNode('20.18.1')", /^Node 20\.18\.1 is too old: install .*\.$/],
  ['an odd Node', "tools.checkNode('21.7.0')", /^Node 21\.7\.0 is too old/],
  ['Rust', 'tools.checkRust()', /^rustc cannot be run: install .* rustup .*\.$/],
  [
    'the C++ compiler',
    "tools.checkCompiler('c++')",
    /^No C\+\+17 compiler: `c\+\+` cannot be run; install one with .*\.$/,
  ],
  ['C++17', "tools.checkCompiler('false')", /^`false` does not compile C\+\+17: install a newer compiler with .*\.$/],
]
for (const [tool, line, says] of missing)
  test(`${tool} is named in one sentence with how to get it`, (t) => {
    const env = { ...process.env, PATH: tool === 'C++17' ? process.env['PATH'] : '/nonexistent', npm_execpath: '' }
    const { status, said } = script(line, env)
    t.is(status, 1)
    t.regex(said, says)
    t.is(said.split('\n').length, 1)
  })

test('the tools that are here are accepted', (t) => {
  t.deepEqual(script('tools.checkNode(); tools.checkRust(); tools.checkCompiler()'), { status: 0, said: '' })
})

test('versions are compared by number', (t) => {
  const { said } = script(
    "console.log(tools.atLeast('1.100.0', '1.95'), tools.atLeast('rustc 1.95.0 (abc 2026-01-01)', '1.95'), tools.atLeast('1.94.9', '1.95'))",
  )
  t.is(said, 'true true false')
})

/** Whether a directory with this lock file and this record of npm's is up to date. */
function upToDate(t: { teardown(done: () => void): void }, lock: object, record: object | undefined): string {
  const directory = mkdtempSync(join(tmpdir(), 'cutover-install-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  mkdirSync(join(directory, 'node_modules'))
  writeFileSync(join(directory, 'package-lock.json'), JSON.stringify({ packages: { '': {}, ...lock } }))
  if (record) writeFileSync(join(directory, 'node_modules/.package-lock.json'), JSON.stringify({ packages: record }))
  return script(`console.log(installed(${JSON.stringify(directory)}))`).said
}

test('an installation is up to date when npm recorded what the lock file names', (t) => {
  const ava = { version: '7.0.0', integrity: 'sha512-a' }
  const other = { version: '1.0.0', integrity: 'sha512-b', optional: true }
  const lock = { 'node_modules/ava': ava, 'node_modules/other-platform': other }
  t.is(upToDate(t, lock, { 'node_modules/ava': ava }), 'true')
  t.is(upToDate(t, lock, undefined), 'false')
  t.is(upToDate(t, lock, {}), 'false')
  t.is(upToDate(t, lock, { 'node_modules/ava': { ...ava, version: '6.0.0' } }), 'false')
  t.is(upToDate(t, lock, { 'node_modules/ava': ava, 'node_modules/left-over': ava }), 'false')
})
