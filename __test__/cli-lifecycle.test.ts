// The command line on versions: names, what goes and what stays, damage, the lock, and what other software made.
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import test from 'ava'
import { ending, library, schema, shell, start } from './support/cli.js'
import type { Shell } from './support/cli.js'
import { write } from './support/import.js'

/** A shell beside an index of three versions, v3 current. */
async function three(t: ExecutionContext): Promise<Shell> {
  const run = await library(t)
  for (const version of ['v2', 'v3']) await run.ok('build', 'books', 'books.ndjson', '--version', version)
  return run
}
const idsOf = async (run: Shell): Promise<string[]> =>
  ((await run.json('ls', 'books'))['versions'] as { id: string }[]).map(({ id }) => id)

test('a tag is given, used in the place of an id, and removed', async (t) => {
  const run = await three(t)
  t.is(await run.ok('tag', 'books', 'good', 'v1'), 'Tagged v1 good.\n')
  t.regex(await run.ok('rollback', 'books', 'good'), /^Current is v1 /)
  t.regex(await run.ok('search', 'books', 'sea', '--version', 'good'), /version v1, /)
  t.is(await run.ok('tag', 'books', 'good', '--delete'), 'Removed the tag good.\n')
  t.is((await run(['show', 'books', 'good'])).code, 4)
  t.is((await run(['tag', 'books', 'good', '--delete'])).code, 4)
})

test('prune tells what would go, then removes it; a tag keeps', async (t) => {
  const run = await three(t)
  await run.ok('build', 'books', 'books.ndjson', '--version', 'v4', '--keep', '9')
  await run.ok('tag', 'books', 'good', 'v1')
  const would = await run.json('prune', 'books', '--keep', '1', '--dry-run')
  t.like(would, { removed: ['v2'], dryRun: true })
  t.deepEqual(await idsOf(run), ['v1', 'v2', 'v3', 'v4'])
  const out = await run.ok('prune', 'books', '--keep', '1')
  t.regex(out, /^Removed 1 version, [\d.]+ KiB\.\n/)
  t.regex(out, /^gone {2}v2$/m)
  t.deepEqual(await idsOf(run), ['v1', 'v3', 'v4'])
})

test('verify names what is damaged and ends with 5; repair makes a whole version current', async (t) => {
  const run = await three(t)
  t.regex(await run.ok('verify', 'books'), /^3 versions, whole: digests, [\d.]+ KiB read in /)
  const file = join(run.cwd, 'books/versions/v3/segments/v3.0/embedding.full')
  chmodSync(file, 0o644)
  const bytes = readFileSync(file)
  bytes[100] = (bytes[100] ?? 0) ^ 1
  writeFileSync(file, bytes)

  t.is((await run(['verify', 'books', '--depth', 'sizes'])).code, 0)
  t.is((await run(['verify', 'books', 'v2'])).code, 0)
  const found = await run(['verify', 'books'])
  t.is(found.code, 5)
  t.regex(found.out, /^v3 +digest +segments\/v3\.0\/embedding\.full /m)
  t.is((await run(['health', 'books'])).code, 0)
  t.is((await run(['health', 'books', '--depth', 'digests'])).code, 5)

  const dry = await run(['repair', 'books', '--dry-run', '--json'])
  t.is(dry.code, 5)
  t.like(JSON.parse(dry.out), { setAside: ['v3'], dryRun: true })
  const repaired = await run(['repair', 'books'])
  t.is(repaired.code, 0, repaired.err)
  t.regex(repaired.out, /^current +v2/m)
  t.is((await run(['health', 'books', '--depth', 'digests'])).code, 0)
  t.like(await run.json('repair', 'books'), { current: 'v2', problems: [], setAside: [], removed: [] })
})

test('health tells damage from absence', async (t) => {
  const run = await library(t)
  const manifest = join(run.cwd, 'books/versions/v1/manifest.json')
  chmodSync(manifest, 0o644)
  writeFileSync(manifest, '{')
  const { code, out } = await run(['health', 'books'])
  t.is(code, 5)
  t.regex(out, /^readable +FAILED +.*manifest\.json/m)
})

test('a command runs under the writer lock, and its exit code is ours', async (t) => {
  const run = await library(t)
  run.file('job.sh', 'echo "$1"; cat books/.index_rebuild.holder; exit 7')
  const { code, out } = await run(['lock', 'books', '--', 'sh', 'job.sh', '--wait'])
  t.is(code, 7)
  t.regex(out, /^--wait\n\{"pid":\d+,.*"operation":"lock: sh"\}$/)
  t.is((await run(['lock', 'books', '--', 'no-such-command'])).code, 4)
  t.is((await run(['lock', 'missing', '--', 'true'])).code, 4)
  t.false(existsSync(join(run.cwd, 'missing')))
})

test('the lock lasts as long as the command, though cutover is killed', async (t) => {
  const run = await library(t)
  // Says that it runs, then waits for a file.
  const child = start(run.cwd, [
    'lock',
    'books',
    '--',
    'sh',
    '-c',
    'echo running; until [ -e go ]; do sleep 0.05; done; echo done > ended',
  ])
  await once(child.stdout ?? child, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
  const refused = await run(['prune', 'books', '--wait', '0'])
  t.is(refused.code, 3)
  t.regex(refused.err, /lock: sh/)
  t.false(existsSync(join(run.cwd, 'ended')))
  run.file('go', '')
  t.is((await run(['prune', 'books', '--wait', '60'])).code, 0)
  t.true(existsSync(join(run.cwd, 'ended')))
})

test('a signal that ends us ends the command, which is waited for', async (t) => {
  const run = await library(t)
  const child = start(run.cwd, [
    'lock',
    'books',
    '--',
    'sh',
    '-c',
    'trap "echo bye; exit 9" TERM; echo running; while :; do sleep 0.05; done',
  ])
  const ended = ending(child)
  await once(child.stdout ?? child, 'data')
  child.kill('SIGTERM')
  t.like(await ended, { code: 9, out: 'running\nbye\n' })
  t.is((await run(['prune', 'books', '--wait', '0'])).code, 0)
})

test('a command that would wait for its own lock is refused', async (t) => {
  const run = await library(t)
  const { code, err } = await run([
    'lock',
    'books',
    '--',
    process.execPath,
    join(process.cwd(), 'dist/cli/main.js'),
    'prune',
    'books',
  ])
  t.is(code, 3)
  t.regex(err, /is held by the `cutover lock` that runs this\n$/)
})

test('the files of a version are listed', async (t) => {
  const run = await library(t)
  const { files } = await run.json('show', 'books', '--files')
  t.deepEqual(
    (files as { name: string }[]).map(({ name }) => name),
    ['documents', 'embedding.full', 'embedding.graph', 'ids', 'text'].map((name) => `segments/v1.0/${name}`),
  )
  t.regex(await run.ok('show', 'books', 'v1', '--files'), /^ +[\d.]+ (B|KiB) {2}segments\/v1\.0\/ids$/m)
})

test('of two that create the same index one succeeds', async (t) => {
  const run = shell(t)
  const both = await Promise.all([1, 2].map(() => run(['create', 'books', '--fields', schema])))
  t.deepEqual(both.map(({ code }) => code).toSorted(), [0, 1])
  t.is(readdirSync(join(run.cwd, 'books/versions')).length, 1)
})

test('an index whose CURRENT is damaged is told of by every command, and mended', async (t) => {
  const run = await library(t)
  for (const content of [undefined, 'v9\n', 'no id\n']) {
    if (content === undefined) rmSync(join(run.cwd, 'books/CURRENT'))
    else writeFileSync(join(run.cwd, 'books/CURRENT'), content)
    t.is((await run(['health', 'books'])).code, 5, content)
    t.regex(await run.ok('status', 'books'), /^current +.*CURRENT is damaged: /m)
    t.is((await run(['search', 'books', 'sea'])).code, 5)
    t.regex(await run.ok('repair', 'books'), /^current +v1: /m)
    t.is((await run(['health', 'books'])).code, 0)
  }
})

test('versions of other software are adopted in place; what is left alone is named', async (t) => {
  const run = shell(t)
  mkdirSync(join(run.cwd, 'theirs/versions/v1/sub'), { recursive: true })
  mkdirSync(join(run.cwd, 'theirs/versions/NotAnId'))
  run.file('theirs/versions/v1/sub/index.bin', 'bytes')
  run.file('theirs/versions/v1/manifest.json', '"their own"')
  run.file('theirs/CURRENT', 'v1\n')
  const { code, out } = await run(['adopt', 'theirs'])
  t.is(code, 1)
  t.regex(out, /^v1 +current /m)
  t.regex(out, /^refused NotAnId +\S/m)
  t.is((await run(['health', 'theirs', '--depth', 'digests'])).code, 0)
  const { files } = await run.json('show', 'theirs', '--files')
  t.deepEqual((files as { name: string }[]).map(({ name }) => name).toSorted(), ['manifest.json', 'sub/index.bin'])
  const search = await run(['search', 'theirs', 'x'])
  t.is(search.code, 1)
  t.regex(search.err, /^cutover: theirs holds files of other software, not documents\n$/)
})

test('what other software embedded is imported', async (t) => {
  const run = shell(t)
  const from = write(join(run.cwd, 'from'))
  const out = await run.ok('import', 'books', from, '--attr', 'by=test')
  t.regex(out, /^Published \S+ \(\d+ documents, .*\nread +\d+ documents\nvectors +\d+ vectors of 3 dimensions\n/)
  t.like(await run.json('ls', 'books'), { versions: [{ attributes: { by: 'test' } }] })
  rmSync(join(from, 'embeddings.npy'))
  const missing = await run(['import', 'books', from])
  t.is(missing.code, 4)
  t.regex(missing.err, /^cutover: .*embeddings\.npy/)
})

test('files of any kind are staged, published later by another process, and extended', async (t) => {
  const run = shell(t)
  mkdirSync(join(run.cwd, 'docs/deep'), { recursive: true })
  run.file('docs/deep/page.txt', 'page')
  run.file('a.faiss', 'vectors')
  const staged = await run.ok(
    'stage',
    'store',
    '--artifact',
    'a.faiss',
    '--artifact',
    'pages=docs',
    '--version',
    'v1',
    '--attr',
    'model=e5',
  )
  t.regex(staged, /^Prepared v1 \(2 artifacts, 11 B\) in /)
  t.is((await run.json('ls', 'store'))['current'], null)
  t.regex(await run.ok('publish', 'store', 'v1'), /^Current is v1 /)
  const at = (name: string): string => readFileSync(join(run.cwd, 'store/current/artifacts', name), 'utf8')
  t.is(at('a.faiss') + at('pages/deep/page.txt'), 'vectorspage')

  run.file('a.faiss', 'better')
  await run.ok('stage', 'store', '--extend', '--artifact', 'a.faiss', '--version', 'v2', '--publish')
  t.is(at('a.faiss') + at('pages/deep/page.txt'), 'betterpage')
  t.regex(await run.ok('rollback', 'store'), /^Current is v1 /)
  await run.ok('stage', 'store', '--extend', '--artifact', 'a.faiss', '--version', 'v3')
  t.is(await run.ok('discard', 'store', 'v3'), 'Discarded v3.\n')
  t.is((await run(['discard', 'store', 'v3'])).code, 4)
  t.is((await run(['discard', 'store', 'v1'])).code, 1)
  t.is((await run(['health', 'store', '--depth', 'digests'])).code, 0)
  t.like(await run.json('show', 'store', 'v1'), { version: { attributes: { model: 'e5' } } })
  t.is((await run(['backup', 'store', 'copy'])).code, 0)
  t.is(readFileSync(join(run.cwd, 'copy/current/artifacts/a.faiss'), 'utf8'), 'vectors')
})

test('what cannot be staged is refused before anything is made', async (t) => {
  const run = shell(t)
  run.file('a', 'a')
  t.is((await run(['stage', 'store', '--artifact', 'a', '--artifact', 'missing'])).code, 4)
  t.is((await run(['stage', 'store', '--artifact', 'a', '--artifact', 'a=a'])).code, 2)
  t.is((await run(['stage', 'store'])).code, 2)
  t.false(existsSync(join(run.cwd, 'store')))
})

test('--move takes what it stages away', async (t) => {
  const run = shell(t)
  run.file('a', 'bytes')
  await run.ok('stage', 'store', '--artifact', 'a', '--move', '--publish')
  t.false(existsSync(join(run.cwd, 'a')))
  t.is(readFileSync(join(run.cwd, 'store/current/artifacts/a'), 'utf8'), 'bytes')
})
