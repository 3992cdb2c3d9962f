// docs/operations.md: every command of it runs as written, in one directory, and prints what the page shows.
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import test from 'ava'
import { main } from './support/cli.js'
import { directory } from './support/index.js'

/** A block of commands, with what the page shows for it. */
interface Block {
  readonly heading: string
  readonly commands: string
  readonly shown: string | undefined
}

function blocks(markdown: string): Block[] {
  const found: Block[] = []
  const part = /^## (.*)$|^```sh\n([\s\S]*?)^```\n(?:\n```text\n([\s\S]*?)^```\n)?/gm
  let heading = ''
  for (const [, title, commands, shown] of markdown.matchAll(part)) {
    if (title !== undefined) heading = title
    else if (commands !== undefined) found.push({ heading, commands, shown })
  }
  return found
}

/** What the page shows, as a pattern: `…` stands for anything, on a line of its own for any lines. */
function pattern(shown: string): RegExp {
  const lines = shown
    .trimEnd()
    .split('\n')
    .map((line) => (line === '…' ? String.raw`(?:.*\n)*?.*` : line.split('…').map(literal).join('.*')))
  return new RegExp(`^${lines.join(String.raw`\s*\n`)}\\s*$`)
}

const literal = (text: string): string =>
  text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll(/ {2,}/g, ' {2,}')

test('the instructions do what they say', (t) => {
  t.timeout(240_000)
  const cwd = directory(t)
  const bin = join(directory(t), 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'cutover'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`)
  chmodSync(join(bin, 'cutover'), 0o755)
  const { COLUMNS: _, ...rest } = process.env
  const env = { ...rest, PATH: `${bin}${delimiter}${process.env['PATH']}` }
  const all = blocks(readFileSync('docs/operations.md', 'utf8'))
  t.true(all.length > 15)
  for (const { heading, commands, shown } of all) {
    const { status, stdout, stderr } = spawnSync('bash', ['-e', '-c', commands], {
      cwd,
      env,
      encoding: 'utf8',
      timeout: 60_000,
    })
    t.is(status, 0, `${heading}:\n${commands}\n${stdout}${stderr}`)
    if (shown !== undefined) t.regex(stdout, pattern(shown), `${heading}:\n${commands}\n${stdout}${stderr}`)
  }
})
