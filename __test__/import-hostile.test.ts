// Damaged and hostile directories: a typed error or an import that is whole, in bounded memory, whatever the bytes.
import {
  closeSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { importDirectory, isCutoverError, openIndex } from 'cutover'
import { openNpy } from '#dist/import/npy.js'
import { Reading, look } from '#dist/import/reading.js'
import { npy, rowsAs, write } from './support/import.js'
import { directory, rejection } from './support/index.js'

const seed = Number(process.env['CUTOVER_SEED'] ?? Date.now() % 2 ** 32)

/** Numbers from 0 to below `n`, the same for the same seed (mulberry32). */
function random(start: number): (n: number) => number {
  let state = start >>> 0
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * n)
  }
}

const documents = Array.from({ length: 40 }, (_, n) => ({
  id: `d${n}`,
  content: `ünï ${n} 😀`,
  path: `p/${n}`,
  n: [{ n }],
}))
const vectors = documents.map((_, n) => [1, n, 0.5])
const nodes = documents.map(({ id }) => ({ id }))
const edges = documents.slice(1).map(({ id }) => ({ source: 'd0', target: id }))

/** A whole directory, small enough that damage hits something that matters. */
const whole = (path: string): string =>
  write(path, {
    'documents.json': documents,
    'embeddings.npy': rowsAs('<f4', vectors),
    'manifest.json': { count: documents.length, model: 'm' },
    'nodes.json': nodes,
    'edges.json': edges,
  })

type Damage = (bytes: Buffer, pick: (n: number) => number) => Buffer
const TOKENS = [
  '[',
  ']',
  '{',
  '}',
  '"',
  '\\',
  ',',
  ':',
  '\0',
  '\u2028',
  'null',
  '1e999',
  '[['.repeat(200),
  "'shape': (",
]
const damages: Damage[] = [
  (bytes, pick) => bytes.subarray(0, pick(bytes.length)),
  (bytes, pick) => Buffer.concat([bytes, Buffer.alloc(1 + pick(300), pick(256))]),
  (bytes, pick) => {
    for (let flips = 1 + pick(4); flips > 0; flips--) {
      const at = pick(bytes.length)
      bytes[at] = (bytes[at] ?? 0) ^ (1 << pick(8))
    }
    return bytes
  },
  (bytes, pick) => {
    const at = pick(bytes.length)
    return bytes.fill(0, at, Math.min(bytes.length, at + 1 + pick(64)))
  },
  (bytes, pick) => {
    const at = pick(bytes.length)
    return Buffer.concat([bytes.subarray(0, at), Buffer.from(TOKENS[pick(TOKENS.length)] ?? ''), bytes.subarray(at)])
  },
  (bytes, pick) => {
    const [at, to] = [pick(bytes.length), pick(bytes.length)]
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)])
  },
  // A digit of a count, a length or a shape becomes another.
  (bytes, pick) => {
    const digits = [...bytes.keys()].filter((at) => (bytes[at] ?? 0) >= 0x30 && (bytes[at] ?? 0) <= 0x39)
    if (digits.length > 0) bytes[digits[pick(digits.length)] ?? 0] = 0x30 + pick(10)
    return bytes
  },
]

/** Damages one or two files of a directory, or puts one in the place of another. */
function harm(path: string, pick: (n: number) => number): void {
  const names = readdirSync(path).toSorted()
  for (let times = 1 + pick(2); times > 0; times--) {
    const file = join(path, names[pick(names.length)] ?? '')
    const [bytes, damage] = [readFileSync(file), damages[pick(damages.length)]]
    if (pick(20) === 0) writeFileSync(file, readFileSync(join(path, names[pick(names.length)] ?? '')))
    else if (damage && bytes.length > 0) writeFileSync(file, damage(bytes, pick))
  }
}

test('a damaged directory is read whole or refused with a typed error that names a file', async (t) => {
  t.log(`CUTOVER_SEED=${seed}`)
  const pick = random(seed)
  const path = join(directory(t), 'from')
  let refusals = 0
  for (let round = 0; round < 400; round++) {
    rmSync(path, { recursive: true, force: true })
    harm(whole(path), pick)
    const error = await rejection(
      (async () => {
        const seen = await look(path, undefined)
        const reading = new Reading(seen, {}, 'throw', undefined)
        let read = 0
        for await (const _ of reading.documents()) read++
        t.like(reading.report(), { documents: read, vectors: read })
        t.is(seen.manifest.count, read)
      })(),
    )
    if (error === undefined) continue
    refusals++
    const typed = isCutoverError(error, 'CUTOVER_SOURCE') || isCutoverError(error, 'CUTOVER_GATE')
    if (!typed || !error.message.includes(path)) t.fail(`round ${round} of seed ${seed}: ${String(error)}`)
  }
  t.log(`${refusals} of 400 were refused`)
  t.true(refusals > 200)
})

test('a damaged directory never replaces what was imported before, unless it is whole', async (t) => {
  const pick = random(seed ^ 0x5eed)
  const root = directory(t)
  const [path, from] = [join(root, 'index'), join(root, 'from')]
  await importDirectory(path, whole(from))
  const index = await openIndex(path, { freshness: 'strict' })
  for (let round = 0; round < 25; round++) {
    rmSync(from, { recursive: true, force: true })
    harm(whole(from), pick)
    const before = index.current?.id
    const error = await rejection(importDirectory(path, from))
    const { version, total } = await index.search({ limit: 0 })
    t.is(total, documents.length, `round ${round} of seed ${seed}`)
    t.is(version === before, error !== undefined)
    if (error !== undefined && !isCutoverError(error)) t.fail(`round ${round} of seed ${seed}: ${String(error)}`)
    t.is((await index.status()).drafts, 0)
  }
  await index.close()
})

test('a file that says it is huge costs nothing until it is read, and then a block at a time', async (t) => {
  const path = join(directory(t), 'embeddings.npy')
  const rows = 2 ** 18
  const header = npy(Buffer.alloc(0), { shape: `(${rows}, 4096)` })
  const file = openSync(path, 'w')
  writeSync(file, header)
  // 4 GiB without a block on the disk.
  ftruncateSync(file, header.length + rows * 4096 * 4)
  closeSync(file)
  const before = process.memoryUsage().arrayBuffers
  const array = await openNpy(path)
  let [read, most] = [0, 0]
  for await (const row of array.rows()) {
    t.is(row.length, 4096)
    most = Math.max(most, process.memoryUsage().arrayBuffers - before)
    if (++read === 4000) break
  }
  await array.close()
  t.true(most < 48 * 2 ** 20, `${most} bytes`)
})
