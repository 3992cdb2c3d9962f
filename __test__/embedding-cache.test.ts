// Vectors that were paid for are not paid for again: after a kill, between rebuilds, for two processes; and a cache that is damaged is
// as good as none.
import { once } from 'node:events'
import { mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import type { SearchIndex } from 'cutover'
import { child, message } from './support/child-process.js'
import { hashing, notebook, notes, vectorOf } from './support/embedding.js'
import type { Notes } from './support/embedding.js'
import { directory } from './support/index.js'

/** Every document has the vector of its own text. */
async function agree(t: ExecutionContext, index: SearchIndex<Notes>, count: number): Promise<void> {
  let found = 0
  for await (const { id, body, vector } of index.documents()) {
    found++
    t.deepEqual(vector, vectorOf(body ?? ''), id)
  }
  t.is(found, count)
}

const files = (path: string): string[] =>
  readdirSync(join(path, 'embeddings')).map((name) => join(path, 'embeddings', name))

test('a rebuild killed at 90 % embeds at most 10 % again', async (t) => {
  const path = directory(t)
  const total = 2000
  const killed = child(t, 'embed', path, 'embedding-child')
  const before = await message(killed)
  killed.kill('SIGKILL')
  await once(killed, 'exit')
  t.is(before.embedded, total * 0.9)
  const { embedding, asked } = hashing()
  const index = await notebook(t, embedding, path)
  t.is(index.current, undefined)
  const info = await index.rebuild(notes(total))
  t.true(asked.texts() <= total * 0.1, `${asked.texts()} of ${total} texts were embedded again`)
  t.is(info.counts.reused, total - asked.texts())
  await agree(t, index, total)
})

test('a rebuild embeds only texts that are new, and says how many vectors it reused', async (t) => {
  const { embedding, asked } = hashing()
  const index = await notebook(t, embedding)
  t.is((await index.rebuild(notes(300))).counts.reused, 0)
  const { counts } = await index.rebuild([...notes(290, 10), ...notes(20, 300)])
  t.is(counts.reused, 290)
  t.is(asked.texts(), 320)
  await agree(t, index, 310)
  t.is((await index.versions()).at(-1)?.counts.reused, 290)
  const again = await index.rebuild(notes(310, 10), { reuse: false })
  t.is(again.counts.reused, 0)
  t.is(asked.texts(), 630)
  const other = hashing({ model: 'hash-2' })
  const changed = await notebook(t, other.embedding, index.path)
  t.is((await changed.rebuild(notes(300))).counts.reused, 0)
  t.is(other.asked.texts(), 300)
})

test('without bytes for it there is no cache', async (t) => {
  const { embedding, asked } = hashing()
  const index = await notebook(t, embedding, directory(t), { embeddingCacheBytes: 0 })
  await index.rebuild(notes(10))
  t.is((await index.rebuild(notes(10))).counts.reused, 0)
  t.is(asked.texts(), 20)
  t.false(readdirSync(index.path).includes('embeddings'))
})

test('a cache of a bounded size keeps the newest', async (t) => {
  const { embedding } = hashing({ batchSize: 8 })
  const index = await notebook(t, embedding, directory(t), { embeddingCacheBytes: 40_000 })
  await index.rebuild(notes(2000))
  const bytes = files(index.path).reduce((sum, path) => sum + readFileSync(path).length, 0)
  t.true(bytes > 20_000 && bytes <= 41_000, `${bytes} bytes`)
  const { counts } = await index.rebuild(notes(2000).toReversed())
  t.true(counts.reused > 100 && counts.reused < 2000, `${counts.reused} reused`)
  await agree(t, index, 2000)
})

test('a damaged cache gives no wrong vector, and costs no more than the vectors that it had', async (t) => {
  const { embedding, asked } = hashing()
  const index = await notebook(t, embedding)
  await index.rebuild(notes(100))
  const [path = ''] = files(index.path)
  const sound = readFileSync(path)
  const regions = [0, 8, 12, 16, 50, 64, 70, 100, 130, sound.length >> 1, sound.length - 1]
  for (const at of regions) {
    const damaged = Buffer.from(sound)
    damaged.writeUInt8(damaged.readUInt8(at) ^ 0x55, at)
    for (const file of files(index.path)) rmSync(file)
    writeFileSync(path, damaged)
    const before = asked.texts()
    const { counts } = await index.rebuild(notes(100))
    t.is(counts.reused, at < 64 ? 0 : 99, `byte ${at}`)
    t.is(asked.texts() - before, 100 - counts.reused)
    await agree(t, index, 100)
  }
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.alloc(100_000),
    sound.subarray(0, 1000),
    Buffer.concat([sound, sound]),
  ]) {
    for (const file of files(index.path)) rmSync(file)
    writeFileSync(path, bytes)
    await index.rebuild(notes(100))
    await agree(t, index, 100)
  }
})

test('a link, or a file, where the cache would be is left alone', async (t) => {
  const path = directory(t)
  const elsewhere = directory(t)
  symlinkSync(elsewhere, join(path, 'embeddings'))
  mkdirSync(join(path, 'versions'))
  const index = await notebook(t, hashing().embedding, path)
  await index.rebuild(notes(10))
  t.deepEqual(readdirSync(elsewhere), [])
  await agree(t, index, 10)
  rmSync(join(path, 'embeddings'))
  writeFileSync(join(path, 'embeddings'), 'mine')
  await index.rebuild(notes(10))
  t.is(readFileSync(join(path, 'embeddings'), 'utf8'), 'mine')
})

test('two processes that rebuild in turns share what was paid for', async (t) => {
  const path = directory(t)
  const told = await Promise.all(
    [1, 2].map(async () => {
      const process = child(t, 'rebuild', path, 'embedding-child')
      const [answer] = await Promise.all([message(process), once(process, 'exit')])
      return answer
    }),
  )
  const embedded = told.reduce((sum, { embedded: texts }) => sum + Number(texts), 0)
  t.is(embedded, 500)
  const { embedding, asked } = hashing()
  const index = await notebook(t, embedding, path)
  await index.rebuild(notes(500))
  t.is(asked.texts(), 0)
  await agree(t, index, 500)
})

test('verify, prune, repair and copies leave the cache out, and it may go at any time', async (t) => {
  const { embedding, asked } = hashing()
  const index = await notebook(t, embedding)
  await index.rebuild(notes(50))
  await index.rebuild(notes(50))
  writeFileSync(join(index.path, 'embeddings', 'strange'), 'x')
  t.deepEqual((await index.verify()).problems, [])
  await index.prune({ keep: { versions: 1 } })
  t.deepEqual((await index.repair()).problems, [])
  const copy = join(directory(t), 'copy')
  await index.copyTo(copy)
  t.false(readdirSync(copy).includes('embeddings'))
  rmSync(join(index.path, 'embeddings'), { recursive: true })
  t.is((await index.rebuild(notes(50))).counts.reused, 0)
  t.is(asked.texts(), 100)
})
