// What is opened from the current version follows it: opened anew, closed after its last use, whoever published.
import { chmodSync, readFileSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { isCutoverError } from 'cutover/store'
import type { CutoverError, StoreSnapshot, VersionStore } from 'cutover/store'
import { Lifetime } from '#dist/lifetime.js'
import { Follower } from '#dist/store/follow.js'
import { child, message } from './support/child-process.js'
import { deferred, refused, rejection } from './support/index.js'
import { build, put, python, run, store } from './support/store.js'

/** Resolves at the next event of this kind; keeps the process alive until then. */
function event<T>(versions: VersionStore, name: 'version' | 'problem', wanted: (value: T) => boolean): Promise<T> {
  return new Promise((resolve) => {
    const alive = setInterval(() => {}, 1000)
    const listener = (...[value]: unknown[]): void => {
      if (!wanted(value as T)) return
      clearInterval(alive)
      versions.off(name, listener)
      resolve(value as T)
    }
    versions.on(name, listener)
  })
}

/** Waits, in turns of the loop, until something holds. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((done) => setImmediate(done))
}

test('it is opened once a version, and closed after its last use', async (t) => {
  const versions = await store(t)
  await refused(
    t,
    'CUTOVER_EMPTY',
    versions.follow(() => 1),
  )
  await versions.rebuild(build({ a: '1' }))
  const log: string[] = []
  const followed = await versions.follow(
    (snapshot) => {
      const value = readFileSync(snapshot.path('a'), 'utf8')
      log.push(`open ${value}`)
      return value
    },
    (value) => void log.push(`close ${value}`),
  )
  t.is(await followed.use((value) => value), '1')
  const go = deferred()
  const long = followed.use(async (value) => {
    await go.promise
    return value
  })
  const second = await versions.rebuild(build({ a: '2' }))
  t.is(followed.version.id, second.id)
  t.is(await followed.use((value) => value), '2', 'a write through this store is followed when it resolves')
  t.deepEqual(log, ['open 1', 'open 2'], 'the old one is in use')
  t.true((await versions.status()).inUse.length === 2)
  go.resolve()
  t.is(await long, '1')
  await until(() => log.includes('close 1'))
  await versions.rollback()
  t.is(await followed.use((value) => value), '1')
  await versions.activate(followed.version.id)
  const mine = new Error('mine')
  t.is(
    await rejection(
      followed.use(() => {
        throw mine
      }),
    ),
    mine,
  )
  const last = deferred()
  const using = followed.use(() => last.promise)
  const closing = followed.close()
  await refused(
    t,
    'CUTOVER_CLOSED',
    followed.use(() => 1),
  )
  last.resolve()
  await using
  await closing
  await followed.close()
  t.deepEqual(log, ['open 1', 'open 2', 'close 1', 'open 1', 'close 2', 'close 1'])
  await until(async () => (await versions.status()).inUse.length === 0)
  await versions.rebuild(build({ a: '3' }))
  t.is(log.length, 6, 'nothing follows any more')
})

test('changes that come while it is being opened are opened once, and the last one stays', async (t) => {
  const versions = await store(t)
  await versions.rebuild(build({ a: '1' }))
  const opened: string[] = []
  let running = 0
  const followed = await versions.follow(async (snapshot) => {
    t.is(++running, 1, 'one at a time')
    await new Promise((done) => setImmediate(done))
    running--
    opened.push(snapshot.version.id)
    return snapshot.version.id
  })
  const infos = await Promise.all(['2', '3', '4', '5'].map((a) => versions.rebuild(build({ a }))))
  t.is(
    await followed.use((id) => id),
    String(
      infos
        .map(({ id }) => id)
        .toSorted()
        .at(-1),
    ),
  )
  t.true(opened.length <= 5)
  t.is(new Set(opened).size, opened.length)
})

test('a version that cannot be opened is a problem, told once, and the one before stays in use', async (t) => {
  const versions = await store(t)
  await versions.rebuild(build({ a: 'good' }))
  const mine = new Error('no vectors in it')
  let opens = 0
  const openOne = (snapshot: StoreSnapshot): string => {
    opens++
    const value = readFileSync(snapshot.path('a'), 'utf8')
    if (value === 'bad') throw mine
    return value
  }
  const followed = await versions.follow(openOne)
  const problems: CutoverError[] = []
  versions.on('problem', (problem) => void problems.push(problem))
  const { id } = await versions.rebuild(build({ a: 'bad' }))
  t.is(problems.length, 1)
  t.true(isCutoverError(problems[0], 'CUTOVER_SOURCE'))
  t.is(problems[0]?.cause, mine)
  t.like(problems[0]?.detail, { version: id })
  t.is(await followed.use((value) => value), 'good')
  await versions.activate(id)
  t.is(opens, 2, 'what failed is not tried again while it stays current')
  await versions.rebuild(build({ a: 'better' }))
  t.is(await followed.use((value) => value), 'better')
  t.is(await rejection(versions.rebuild(build({ a: 'bad' })).then(() => versions.follow(openOne))), mine)
})

test('a version that cannot be held is a problem, and asked for again without an event', async (t) => {
  let current = 'one'
  let failing = false
  const mine = new Error('no descriptors')
  const problems: Error[] = []
  const hold = async (): Promise<StoreSnapshot> => {
    if (failing) throw mine
    return { version: { id: current }, close: async () => {} } as StoreSnapshot
  }
  const host = { life: new Lifetime('the store'), hold, problem: (error: Error) => problems.push(error), ended() {} }
  const opened = deferred()
  const followed = await Follower.start(
    host,
    ({ version }) => {
      if (version.id === 'two') opened.resolve()
      return version.id
    },
    () => {},
  )
  failing = true
  current = 'two'
  await followed.follow()
  t.deepEqual(problems, [mine])
  t.is(await followed.use((id) => id), 'one')
  failing = false
  // Its timer lets the process end.
  const alive = setInterval(() => {}, 1000)
  await opened.promise
  clearInterval(alive)
  await followed.follow()
  t.is(await followed.use((id) => id), 'two')
  await followed.close()
})

test('what becomes current while something is opened is opened after it', async (t) => {
  let current = 'one'
  const opening = deferred()
  const go = deferred()
  const host = {
    life: new Lifetime('the store'),
    hold: async () => ({ version: { id: current }, close: async () => {} }) as StoreSnapshot,
    problem: (error: Error) => t.fail(error.message),
    ended() {},
  }
  const followed = await Follower.start(
    host,
    async ({ version }) => {
      if (version.id !== 'two') return version.id
      opening.resolve()
      await go.promise
      return version.id
    },
    () => {},
  )
  current = 'two'
  const first = followed.follow()
  await opening.promise
  current = 'three'
  const second = followed.follow()
  go.resolve()
  await Promise.all([first, second])
  t.is(await followed.use((id) => id), 'three')
  await followed.close()
})

test('closing the store closes what follows it', async (t) => {
  const versions = await store(t)
  await versions.rebuild(build({ a: '1' }))
  let closed = 0
  const followed = await versions.follow(
    () => 1,
    () => void closed++,
  )
  await versions.close()
  t.is(closed, 1)
  await refused(
    t,
    'CUTOVER_CLOSED',
    followed.use(() => 1),
  )
  await followed.close()
  t.is(closed, 1)
})

/** An index as FAISS writes one, more or less: a magic, dimensions, a count, then float32 rows. */
function faiss(rows: readonly (readonly number[])[]): string {
  const header = Buffer.alloc(12)
  header.write('IxF2', 0, 'latin1')
  header.writeInt32LE(rows[0]?.length ?? 0, 4)
  header.writeInt32LE(rows.length, 8)
  return Buffer.concat([header, Buffer.from(new Float32Array(rows.flat()).buffer)]).toString('latin1')
}

const openFaiss = async (snapshot: StoreSnapshot): Promise<FileHandle> => open(snapshot.path('index.faiss'))

test('a FAISS-like file that another process writes is followed', async (t) => {
  const versions = await store(t)
  const publisher = child(t, 'publish', versions.path, 'store-child')
  await message(publisher)
  const publish = async (count: number): Promise<string> => {
    const answer = message(publisher)
    const rows = Array.from({ length: count }, (_, n) => [n, n + 0.5])
    publisher.send({ 'index.faiss': faiss(rows) })
    return String((await answer)['id'])
  }
  await publish(3)
  const followed = await versions.follow(openFaiss, (file) => file.close())
  const count = (): Promise<number> =>
    followed.use(async (file) => {
      const { buffer } = await file.read(Buffer.alloc(12), 0, 12, 0)
      t.is(buffer.toString('latin1', 0, 4), 'IxF2')
      return buffer.readInt32LE(8)
    })
  t.is(await count(), 3)
  for (const size of [5, 2, 7]) {
    const id = await publish(size)
    await until(() => followed.version.id === id)
    t.is(await count(), size)
  }
  await followed.close()
})

test('a SQLite file that Python writes is followed, and read where it is', async (t) => {
  const interpreter = python(t)
  if (!interpreter) return
  const versions = await store(t)
  const make = (words: readonly string[]) => (root: string) => {
    const script = `import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute('CREATE VIRTUAL TABLE words USING fts5(word)')
db.executemany('INSERT INTO words VALUES (?)', [(w,) for w in sys.argv[2:]])
db.commit()
db.close()`
    run(interpreter, ['-c', script, join(root, 'fts.sqlite3'), ...words])
  }
  const query = `import sqlite3, sys
db = sqlite3.connect('file:' + sys.argv[1] + '?mode=ro&immutable=1', uri=True)
print(' '.join(row[0] for row in db.execute('SELECT word FROM words WHERE words MATCH ? ORDER BY word', (sys.argv[2],))))`
  await versions.rebuild(make(['lease', 'lock']))
  const followed = await versions.follow((snapshot) => snapshot.path('fts.sqlite3'))
  const ask = (term: string): Promise<string> => followed.use((path) => run(interpreter, ['-c', query, path, term]))
  t.is(await ask('l*'), 'lease lock')
  const changed = event(versions, 'version', () => true)
  await versions.rebuild(make(['lock', 'lynx']))
  await changed
  t.is(await ask('l*'), 'lock lynx')
  t.deepEqual(
    run('ls', [join(versions.path, 'versions', followed.version.id, 'artifacts')]),
    'fts.sqlite3',
    'a reader leaves nothing beside it',
  )
})

test('an event tells of what another process publishes, with what was before', async (t) => {
  const versions = await store(t)
  const publisher = child(t, 'publish', versions.path, 'store-child')
  await message(publisher)
  const seen: [string, string | undefined][] = []
  versions.on('version', (now, before) => void seen.push([now.id, before?.id]))
  const ids: string[] = []
  for (const a of ['1', '2', '3']) {
    const told = event<{ id: string }>(versions, 'version', () => true)
    const answer = message(publisher)
    publisher.send({ a })
    const { id } = await told
    t.is(id, String((await answer)['id']))
    ids.push(id)
  }
  t.deepEqual(seen, [
    [ids[0], undefined],
    [ids[1], ids[0]],
    [ids[2], ids[1]],
  ])
  t.throws(() => versions.on('versions' as never, () => {}), { instanceOf: RangeError })
})

test('damage that the background finds is told as a problem', async (t) => {
  const versions = await store(t, { integrity: 'sizes' })
  const { id } = await versions.rebuild(build({ a: 'four' }))
  // In a file of its own: the check knows files by what they are on disk.
  const artifacts = join(versions.path, 'versions', id, 'artifacts')
  chmodSync(artifacts, 0o755)
  rmSync(join(artifacts, 'a'))
  put(artifacts, { a: 'fuor' })
  const checking = await store(t, {}, versions.path)
  const told = event<CutoverError>(checking, 'problem', () => true)
  const snapshot = await checking.snapshot()
  t.is((await told).code, 'CUTOVER_CORRUPT')
  await snapshot.close()
  await refused(t, 'CUTOVER_CORRUPT', checking.snapshot())
  const strict = await store(t, { integrity: 'digests' }, versions.path)
  await refused(t, 'CUTOVER_CORRUPT', strict.snapshot())
})
