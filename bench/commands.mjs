// `node bench/commands.mjs [demo] [test]`: how long the README's commands take on a fresh clone, and again when all is up to date.
// Registry caches of npm and cargo stay as they are; `node_modules`, `target` and the demo's embeddings begin empty.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { seconds, table } from '../examples/demo/figures.mjs'

const repository = fileURLToPath(new URL('..', import.meta.url))
const names = process.argv.length > 2 ? process.argv.slice(2) : ['demo', 'test']
const env = { ...process.env }
delete env.CARGO_TARGET_DIR

function run(command, args, cwd) {
  const started = performance.now()
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: 'utf8', maxBuffer: 1 << 28 })
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout.slice(-4000)}${stderr.slice(-4000)}`)
  return performance.now() - started
}

const rows = []
for (const name of names) {
  const clone = mkdtempSync(join(tmpdir(), 'cutover-clone-'))
  try {
    run('git', ['clone', '--quiet', repository, clone])
    const script = name === 'test' ? ['test'] : ['run', name]
    for (const state of ['cold', 'warm'])
      rows.push([`npm ${script.join(' ')}, ${state}`, seconds(run('npm', script, clone))])
  } finally {
    rmSync(clone, { recursive: true, force: true })
  }
}
console.log(table(rows))
