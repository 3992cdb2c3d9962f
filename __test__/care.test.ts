// What looks after an index's versions: tags, attributes, pruning, verifying, repairing, copying.
import { chmodSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { isCutoverError, openIndex } from '#dist/index.js'
import type { SearchIndex } from '#dist/index.js'
import { directory } from './support/index.js'

const fields = { title: { type: 'text' }, about: { type: 'vector', dimensions: 2 } } as const
type Index = SearchIndex<typeof fields>

const documents = (word: string) =>
  Array.from({ length: 20 }, (_, n) => ({ id: `d${n}`, title: `${word} ${n}`, about: [1, n] }))

async function opened(path: string, options: Parameters<typeof openIndex>[1] = {}): Promise<Index> {
  return (await openIndex(path, { fields, ...options })) as unknown as Index
}

/** Changes bytes of the current version's documents, so that only a digest tells. */
function damage(path: string, from = '"title":"t', to = '"title":"X'): void {
  const version = readFileSync(join(path, 'CURRENT'), 'utf8').trim()
  const segments = join(path, 'versions', version, 'segments')
  const file = join(segments, readdirSync(segments)[0] as string, 'documents')
  const bytes = readFileSync(file)
  bytes.write(to, bytes.indexOf(from))
  chmodSync(file, 0o644)
  writeFileSync(file, bytes)
}

test('a tagged version is kept, and named as tagged', async (t) => {
  const index = await opened(directory(t))
  const first = await index.rebuild(documents('one'))
  await index.tag('stable', first.id)
  for (const word of ['two', 'three', 'four']) await index.rebuild(documents(word))
  const { removed, kept } = await index.prune({ keep: { versions: 1 } })
  t.true(kept.includes(first.id) && !removed.includes(first.id))
  t.deepEqual((await index.versions()).find(({ id }) => id === first.id)?.tags, ['stable'])
  await index.tag('stable', undefined)
  t.true((await index.prune({ keep: { versions: 1 }, dryRun: true })).removed.includes(first.id))
  t.true((await index.versions()).some(({ id }) => id === first.id))
  const error = await t.throwsAsync(index.tag('stable', 'nobody'))
  t.true(isCutoverError(error, 'CUTOVER_NOT_FOUND'))
  await index.close()
})

test('attributes merge, and undefined removes', async (t) => {
  const index = await opened(directory(t))
  const { id } = await index.rebuild(documents('one'), { attributes: { model: 'a', commit: 'c' } })
  const { attributes } = await index.setAttributes(id, { model: 'b', commit: undefined, more: [1] })
  t.deepEqual(attributes, { model: 'b', more: [1] })
  await index.close()
})

test('what was published verifies, down to its contents, and says how far it is', async (t) => {
  const index = await opened(directory(t))
  const { id } = await index.rebuild(documents('one'))
  const told: number[] = []
  const report = await index.verify({ onProgress: ({ done, total }) => told.push((total ?? done) - done) })
  t.deepEqual([report.ok, report.problems, report.versions], [true, [], [id]])
  t.true(report.bytesRead > 1000 && told.every((left) => left >= 0))
  t.is((await index.verify({ depth: 'sizes' })).bytesRead, 0)
  await t.throwsAsync(index.verify({ depth: 'all' as 'sizes' }), { instanceOf: RangeError })
  await index.close()
})

test('damage is found, refused by who reads digests, set aside by a repair, and the version before answers', async (t) => {
  const path = directory(t)
  // Nothing is compared in the background: what is damaged below is to be found by those who look.
  const writer = await opened(path, { integrity: 'sizes' })
  const first = await writer.rebuild(documents('one'))
  const second = await writer.rebuild(documents('two'))
  await writer.close()
  damage(path)

  const sizes = await opened(path, { integrity: 'sizes' })
  t.true((await sizes.search('two')).total > 0)
  const report = await sizes.verify()
  t.deepEqual(
    report.problems.map(({ version, kind }) => [version, kind]),
    [[second.id, 'digest']],
  )
  await sizes.close()
  const refused = await t.throwsAsync(opened(path, { integrity: 'digests' }))
  t.true(isCutoverError(refused, 'CUTOVER_CORRUPT'))

  const index = await opened(path, { integrity: 'digests', onCorrupt: 'fall-back' })
  t.is((await index.search('one')).version, first.id)
  const dry = await index.repair({ dryRun: true })
  t.deepEqual([dry.current, dry.setAside.length], [first.id, 1])
  t.is(readFileSync(join(path, 'CURRENT'), 'utf8').trim(), second.id)
  const repaired = await index.repair()
  t.is(repaired.current, first.id)
  t.is(index.current?.id, first.id)
  t.true((await index.search('one')).total > 0)
  t.true((await index.verify()).ok)
  t.deepEqual((await index.repair()).setAside, [])
  await index.close()
})

test('a stored document that is no JSON any more is CUTOVER_CORRUPT to who compares no digests', async (t) => {
  const path = directory(t)
  const writer = await opened(path, { integrity: 'sizes' })
  await writer.rebuild(documents('one'))
  await writer.close()
  damage(path, '"title":', '"title"}')
  const index = await opened(path, { integrity: 'sizes' })
  for (const call of [() => index.search('one'), () => index.get('d0')]) {
    const error = await t.throwsAsync(call())
    t.true(isCutoverError(error, 'CUTOVER_CORRUPT'), String(error))
  }
  await index.close()
})

test('a copy is an index of its own', async (t) => {
  const [path, target] = [directory(t), join(directory(t), 'copy')]
  const index = await opened(path)
  const { id, digest } = await index.rebuild(documents('one'))
  await index.copyTo(target)
  const exists = await t.throwsAsync(index.copyTo(target))
  t.true(isCutoverError(exists))
  await index.close()
  const copy = await opened(target)
  t.deepEqual([copy.current?.id, copy.current?.digest], [id, digest])
  t.is((await copy.search('one')).total, 20)
  t.true((await copy.verify()).ok)
  await copy.rebuild(documents('two'))
  t.is((await copy.search('two')).total, 20)
  await copy.close()
})

test('after close every one of these calls is refused', async (t) => {
  const index = await opened(directory(t))
  const { id } = await index.rebuild(documents('one'))
  await index.close()
  const calls = [
    () => index.tag('t', id),
    () => index.setAttributes(id, {}),
    () => index.prune(),
    () => index.verify(),
    () => index.repair(),
    () => index.copyTo('nowhere'),
    () => index.versions(),
  ]
  for (const call of calls) {
    const error = await t.throwsAsync(call())
    t.true(isCutoverError(error, 'CUTOVER_CLOSED'))
  }
})

test('artifacts are kept with the version, and a gate can look at them', async (t) => {
  const [path, brought] = [directory(t), directory(t)]
  writeFileSync(join(brought, 'nodes.json'), '[1]')
  mkdirSync(join(brought, 'lucene'))
  writeFileSync(join(brought, 'lucene/_0.cfs'), 'segment')
  const index = await opened(path)
  const artifacts = { 'graph/nodes.json': join(brought, 'nodes.json'), lucene: join(brought, 'lucene') }
  await index.rebuild(documents('one'), {
    artifacts,
    gate: (draft) => void t.is(readFileSync(draft.artifact('graph/nodes.json'), 'utf8'), '[1]'),
  })
  const snapshot = await index.snapshot()
  t.is(readFileSync(join(snapshot.artifact('lucene'), '_0.cfs'), 'utf8'), 'segment')
  await snapshot.close()
  t.true((await index.verify()).ok)
  const before = index.current?.id
  const missing = await t.throwsAsync(
    index.rebuild(() => t.fail('the source was asked for'), { artifacts: { gone: join(brought, 'gone') } } as never),
  )
  t.true(isCutoverError(missing) && missing.message.includes('gone'), missing.message)
  await t.throwsAsync(index.rebuild([], { artifacts: { '../out': brought } }), { instanceOf: RangeError })
  await t.throwsAsync(index.rebuild([], { artifacts: { a: 1 as never } }), { instanceOf: TypeError })
  t.is(index.current?.id, before)
  await index.close()
})
