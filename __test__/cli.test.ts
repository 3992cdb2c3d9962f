// The command line on an index of documents: what it prints, for people and for programs, and how it ends.
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { openIndex } from 'cutover'
import { ending, library, lines, schema, shell, start } from './support/cli.js'
import { contents, deferred } from './support/index.js'

test('an index is created, filled, searched and read', async (t) => {
  const run = shell(t)
  run.file('fields.json', schema)
  run.file('books.ndjson', lines)
  t.regex(
    await run.ok('create', 'books', '--fields', 'fields.json'),
    /^Created .*books: version \S+, without documents\.\n$/,
  )
  t.regex(
    await run.ok(
      'build',
      'books',
      'books.ndjson',
      '--attr',
      'source=nightly',
      '--attr',
      'size:={"n":3}',
      '--version',
      'v2',
    ),
    /^Published v2 \(3 documents, [\d.]+ KiB\) in /,
  )
  const found = await run.ok('search', 'books', 'spring', '--facet', 'topic', '--select', 'title,year')
  t.regex(
    found,
    /^1\. b  [\d.]+\n    title  Silent Spring\n    year   1962\n\nTOPIC   DOCUMENTS\nnature          1\n\n1 of 1 /,
  )
  t.is(
    await run.ok('get', 'books', 'c'),
    'c\n    title      A Pattern Language\n    topic      building\n    year       1977\n    embedding  [0.1, 0.9, 0.4]\n',
  )
  const listed = (await run.ok('ls', 'books')).split('\n')
  t.regex(listed[0] ?? '', /^VERSION +STATE +DOCUMENTS +SIZE +AGE +TAGS +ATTRIBUTES$/)
  t.regex(listed[2] ?? '', /^v2 +current +3 +[\d.]+ KiB +\d+ s +size=\{"n":3\} source=nightly$/)
  t.regex(await run.ok('show', 'books'), /^version +v2\nstate +current\n/)
  t.regex(await run.ok('status', 'books'), /\nwriter +none\n/)
})

test('documents come from stdin, and from several files', async (t) => {
  const run = shell(t)
  t.is((await run(['build', 'books', '--fields', schema], lines)).code, 0)
  run.file('one.ndjson', lines)
  run.file('two.ndjson', '\uFEFF{"id":"d","title":"Ünïcode 😀"}\r\n\n{"id":"e"}')
  t.like(await run.json('build', 'books', 'one.ndjson', 'two.ndjson'), { skipped: 0, version: { documents: 5 } })
  t.like(await run.json('get', 'books', 'd', 'e'), { documents: [{ id: 'd', title: 'Ünïcode 😀' }, { id: 'e' }] })
})

test('programs read the library’s own shapes', async (t) => {
  const run = await library(t)
  const index = await openIndex(join(run.cwd, 'books'), { mode: 'read-only' })
  t.teardown(() => index.close())
  const query = { vector: { values: [0.1, 0.9, 0.4], exact: true }, where: { year: { gt: 1960 } }, limit: 2 } as const
  const { tookMs: _, ...results } = await index.search(query)
  const args = ['--vector', '[0.1,0.9,0.4]', '--exact', '--where', '{"year":{"gt":1960}}', '--limit', '2']
  const { tookMs, ...printed } = await run.json('search', 'books', ...args)
  t.is(typeof tookMs, 'number')
  t.deepEqual(printed, { ...results, facets: null } as never)

  const [first] = await index.versions()
  const told = { ...first, createdAt: first?.createdAt.toJSON(), parent: null }
  t.deepEqual(await run.json('ls', 'books'), { current: 'v1', versions: [told] })
  t.deepEqual(await run.json('show', 'books'), { current: true, version: told, files: null })
  t.deepEqual(await run.json('get', 'books', 'b'), {
    version: 'v1',
    documents: [
      JSON.parse(lines.split('\n')[1] ?? '', (name, value: unknown) =>
        name === 'embedding' ? (value as number[]).map(Math.fround) : value,
      ),
    ],
  })
  const status = await run.json('status', 'books')
  t.deepEqual(Object.keys(status), [
    'path',
    'current',
    'versions',
    'bytes',
    'freeBytes',
    'locked',
    'lock',
    'inUse',
    'drafts',
    'limitations',
  ])
})

test('a vector is read from a file or from stdin', async (t) => {
  const run = await library(t)
  run.file('vector.json', '[0.1, 0.9, 0.4]')
  for (const [argument, input] of [['vector.json'], ['-', '[0.1,0.9,0.4]']] as const)
    t.regex((await run(['search', 'books', '--vector', argument, '--limit', '1'], input)).out, /^1\. c /)
})

test('a prepared version is published later by another process, and rolled back', async (t) => {
  const run = await library(t)
  run.file('fewer.ndjson', lines.split('\n').slice(0, 1).join(''))
  t.regex(await run.ok('build', 'books', 'fewer.ndjson', '--stage', '--version', 'v2'), /^Prepared v2 \(1 document, /)
  t.is((await run.json('ls', 'books'))['current'], 'v1')
  t.regex(await run.ok('publish', 'books', 'v2'), /^Current is v2 .*, after v1\.\n$/)
  t.like(await run.json('rollback', 'books'), { current: { id: 'v1' }, before: { id: 'v2' } })
  t.regex(await run.ok('ls', 'books'), /^v2 +withdrawn /m)
})

test('each failure has its exit code, one line on stderr and nothing on stdout', async (t) => {
  const run = await library(t)
  run.file('bad.ndjson', `${lines}{"id":"d"\n`)
  run.file('misfit.ndjson', `${lines}{"id":"d","year":1.5}\n`)
  const cases: [args: string[], code: number, says: RegExp][] = [
    [['search', 'missing', 'x'], 4, /^cutover: .*missing is not an index: it does not exist\n$/],
    [['get', 'books', 'nothing'], 4, /^cutover: there is no document nothing in version v1\n$/],
    [['show', 'books', 'v9'], 4, /^cutover: there is no version v9, and no version tagged so\n$/],
    [['build', 'books', 'missing.ndjson'], 4, /^cutover: .*missing\.ndjson/],
    [['rollback', 'books'], 4, /^cutover: .*\n$/],
    [['build', 'books', 'bad.ndjson'], 1, /^cutover: bad\.ndjson:4: not JSON: .*\n$/],
    [['build', 'books', 'misfit.ndjson'], 1, /^cutover: misfit\.ndjson:4: document "d", field "year": .*\n$/],
    [['build', 'books', 'books.ndjson', '--version', 'v1'], 1, /^cutover: .*v1.*\n$/],
    [['create', 'books', '--fields', schema], 1, /^cutover: .*books is an index already\n$/],
    [['publish', 'books', 'v1', '--if-current', 'v0'], 1, /^cutover: .*\n$/],
    [['search', 'books', '--where', '{"nope":1}'], 2, /^cutover: .*nope.*\n$/],
    [['search', 'books', '--where', '{'], 2, /^cutover: --where is not JSON: .*\n$/],
    [['search', 'books', '--limit', 'many'], 2, /^cutover: .*many/],
    [['build', 'books', '--fields', '{"x":{"type":"txt"}}'], 2, /^cutover: .*txt/],
    [['unknown'], 2, /^cutover: unknown command 'unknown'/],
    [['ls'], 2, /^cutover: missing required argument 'dir'/],
  ]
  for (const [args, code, says] of cases) {
    const ended = await run(args)
    t.is(ended.code, code, args.join(' '))
    t.is(ended.out, '', args.join(' '))
    t.regex(ended.err, says)
  }
})

test('with --json a failure is an object on stderr', async (t) => {
  const { code, err } = await shell(t)(['status', 'missing', '--json'])
  t.is(code, 4)
  const told = JSON.parse(err) as { exitCode: number; error: Record<string, unknown> }
  t.like(told, { exitCode: 4, error: { code: 'CUTOVER_NOT_FOUND', retryable: false } })
  t.deepEqual(Object.keys(told.error), ['code', 'message', 'detail', 'retryable'])
})

test('invalid lines and documents are left out on request, told of with their lines, and counted', async (t) => {
  const run = await library(t)
  run.file('mixed.ndjson', `${lines}{"id":"d"\n{"id":"e","year":1.5}\n[]\n{"title":"no id"}\n{"id":"f"}\n`)
  const { code, out, err } = await run(['build', 'books', 'mixed.ndjson', '--skip-invalid', '--json'])
  t.is(code, 0, err)
  t.like(JSON.parse(out), { skipped: 4, version: { documents: 4 } })
  for (const line of [4, 5, 6]) t.regex(err, new RegExp(`left out: mixed\\.ndjson:${line}: `))
  t.is(err.trim().split('\n').length, 4)
})

test('a writer that waits says for whom, and ends with 3 when its time is up', async (t) => {
  const run = await library(t)
  const index = await openIndex(join(run.cwd, 'books'))
  const [reading, finish] = [deferred(), deferred()]
  const rebuilding = index.rebuild(async function* () {
    reading.resolve()
    await finish.promise
    yield { id: 'z' }
  })
  await reading.promise
  const refused = await run(['rollback', 'books', '--wait', '0'])
  t.is(refused.code, 3)
  t.regex(refused.err, new RegExp(`^cutover: .*process ${process.pid} .*rebuild`))
  const waited = await run(['rollback', 'books', '--wait', '1.5'])
  t.is(waited.code, 3)
  t.regex(waited.err, new RegExp(`waiting for process ${process.pid} on \\S+: rebuild, since \\d+ s\n`))
  finish.resolve()
  await rebuilding
  await index.close()
})

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  test(`${signal} ends a build with ${code} and leaves nothing behind`, async (t) => {
    const run = await library(t)
    const path = join(run.cwd, 'books')
    const before = contents(path)
    const child = start(run.cwd, ['build', 'books', '--progress', 'lines'])
    const ended = ending(child)
    child.stdin?.on('error', () => {})
    child.stdin?.write(`${lines}\n`)
    // Its first words: it holds the lock and reads what will never end.
    while (!readdirSync(join(path, 'versions')).some((name) => name.endsWith('.staging')))
      await once(child.stderr ?? child, 'data')
    child.kill(signal)
    const { code: exit, err } = await ended
    t.is(exit, code)
    t.regex(err, new RegExp(`cutover: interrupted by ${signal}: nothing has changed\n$`))
    t.deepEqual(contents(path), before)
  })

test('progress goes to stderr, and only on request where that is no terminal', async (t) => {
  const run = await library(t)
  t.is((await run(['build', 'books', 'books.ndjson'])).err, '')
  const { out, err } = await run(['build', 'books', 'books.ndjson', '--progress', 'lines'])
  t.regex(out, /^Published /)
  t.regex(err, /^cutover: waiting for the writer lock, .*\n(cutover: .*\n)*cutover: publishing, .*\n$/)
})

test('what comes from documents cannot steer a terminal', async (t) => {
  const run = shell(t)
  run.file('hostile.ndjson', `${JSON.stringify({ id: 'x\u001B[2J', title: 'a\u001B]0;owned\u0007b\nc\u202Ed' })}\n`)
  await run.ok('build', 'books', 'hostile.ndjson', '--fields', schema)
  for (const args of [
    ['search', 'books', 'a'],
    ['get', 'books', 'x\u001B[2J'],
  ]) {
    const printed = await run.ok(...args)
    t.deepEqual(
      [...'\u001B\u0007\u202E'].filter((character) => printed.includes(character)),
      [],
    )
  }
})

test('health asks four questions; the first that fails decides the exit code', async (t) => {
  const run = await library(t)
  const { ok, checks } = await run.json('health', 'books')
  t.true(ok)
  t.deepEqual((checks as { check: string }[]).map(({ check }) => check).slice(0, 3), ['exists', 'readable', 'loadable'])
  const { code, out } = await run(['health', 'missing'])
  t.is(code, 4)
  t.regex(out, /^exists +FAILED +there is no /m)
  t.regex(out, /^loadable +- +not asked$/m)
  t.false(existsSync(join(run.cwd, 'missing')))
})
