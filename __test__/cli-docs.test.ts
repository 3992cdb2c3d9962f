// docs/cli.md agrees with the program: the help of every command, and the members of what it prints with --json.
import { readFileSync } from 'node:fs'
import test from 'ava'
import { library, shell } from './support/cli.js'

const text = readFileSync('docs/cli.md', 'utf8')
const sections = new Map(
  text
    .split(/^### /m)
    .slice(1)
    .map((section) => [/^\w+/.exec(section)?.[0] ?? '', section]),
)
const members = (command: string): string[] =>
  /^`--json`: `\{ (.*) \}`/m.exec(sections.get(command) ?? '')?.[1]?.split(', ') ?? []

test('docs/cli.md shows the help of every command', async (t) => {
  const run = shell(t)
  const overview = await run.ok('--help')
  const commands = [...overview.matchAll(/^ {2}([a-z]+) (?:\[options\] )?[<[]/gm)].map(([, name = '']) => name)
  t.deepEqual([...sections.keys()].toSorted(), commands.filter((name) => name !== 'help').toSorted())
  for (const [name, section] of sections) {
    const shown = /^```text\n([\s\S]*?)^```$/m.exec(section)?.[1]
    t.is(shown?.trimEnd(), (await run.ok('help', name)).trimEnd(), 'node scripts/cli-help.mjs writes it')
  }
})

test('what --json prints has the members that docs/cli.md lists, all of them, always', async (t) => {
  const run = await library(t)
  run.file('a.bin', 'bytes')
  const version = /A _version_ is `\{ (.*) \}`/.exec(text)?.[1]?.split(', ')
  const lines: string[][] = [
    ['create', 'new', '--fields', '{"title":{"type":"text"}}'],
    ['build', 'books', 'books.ndjson', '--version', 'v2'],
    ['search', 'books', 'sea'],
    ['get', 'books', 'a'],
    ['stage', 'store', '--artifact', 'a.bin', '--version', 's1'],
    ['status', 'books'],
    ['status', 'store'],
    ['ls', 'books'],
    ['show', 'books'],
    ['show', 'books', '--files'],
    ['publish', 'store', 's1'],
    ['stage', 'store', '--artifact', 'a.bin', '--version', 's2'],
    ['discard', 'store', 's2'],
    ['rollback', 'books'],
    ['tag', 'books', 'good'],
    ['backup', 'books', 'copy'],
    ['prune', 'books', '--dry-run'],
    ['verify', 'books'],
    ['repair', 'books', '--dry-run'],
    ['health', 'books'],
  ]
  for (const line of lines) {
    const printed = await run.json(...line)
    t.deepEqual(Object.keys(printed).toSorted(), members(line[0] ?? '').toSorted(), line.join(' '))
    const info = (printed['version'] ?? null) as object | null
    if (typeof info === 'object' && info !== null) t.deepEqual(Object.keys(info).toSorted(), version?.toSorted())
  }
})
