// `node bench/lifecycle.mjs [DIRECTORY]`: what versions cost: swaps, locks, snapshots, digests, verify and disk. DIRECTORY is on a disk,
// the temporary directory if not told; what has no need of a disk is measured on /dev/shm, a tmpfs, too. All data are made here.
import { spawnSync } from 'node:child_process'
import { createHash, randomFillSync } from 'node:crypto'
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { replaceFile, withLock } from '../dist/atomic/index.js'
import { openIndex } from '../dist/index.js'
import { openStore } from '../dist/store/index.js'
import { megabytes, ms, percentile, table } from '../examples/demo/figures.mjs'
import { generated, generatedFields } from './data.mjs'

const ARTIFACT = 256 * 2 ** 20
const BLOCK = randomFillSync(Buffer.alloc(4 * 2 ** 20))
const DOCUMENTS = 20_000
const integrity = 'sizes' // else digests are read at idle priority while something is measured
const pair = (times) => `${ms(percentile(times, 0.5))} / ${ms(percentile(times, 0.99))}`
const median = (times) => percentile(times, 0.5)
const ratio = (time, base) => `${(time / base).toFixed(2)} ×`

/** The milliseconds that each of so many calls took, one after another. */
async function repeated(calls, work) {
  const taken = []
  for (let call = 0; call < calls; call++) taken.push(await timed(() => work(call)))
  return taken
}

async function timed(work) {
  const started = performance.now()
  await work()
  return performance.now() - started
}

const held = async (from) => (await from.snapshot()).close()

/** Publishes, locks, files and snapshots in one directory. */
async function small(directory, where) {
  const index = await openIndex(join(directory, 'small'), { fields: generatedFields, integrity })
  const publishes = []
  for (let round = 0; round < 100; round++) {
    await index.rebuild(() => generated(100, round))
    publishes.push((await index.status()).lastPublish)
  }
  const store = await openStore(index.path, { mode: 'read-only', integrity })
  await held(store)
  const rows = [
    ['swap until visible', publishes.map((one) => one.visibleMs)],
    ['swap until durable', publishes.map((one) => one.durableMs)],
    ['lock taken and released', await repeated(1000, () => withLock(join(directory, 'free.lock'), () => {}))],
    ['replaceFile of 1 KB', await repeated(200, () => replaceFile(join(directory, 'file'), BLOCK.subarray(0, 1024)))],
    ['snapshot of an index opened and closed', await repeated(2000, () => held(index))],
    ['snapshot of a store opened and closed', await repeated(2000, () => held(store))],
  ]
  await store.close()
  const check = await versionCheck(index)
  await index.close()
  return [
    ...rows.map(([name, taken]) => [`${name}, ${where}: p50 / p99`, pair(taken)]),
    ...check.map(([name, value]) => [`${name}, ${where}`, value]),
  ]
}

/** The same trivial query on an index, which looks for a new version, and on a snapshot, which does not, by turns. */
async function versionCheck(index) {
  const snapshot = await index.snapshot()
  const [current, fixed] = [[], []]
  for (let call = 0; call < 22_000; call++) {
    for (const [reader, taken] of call % 2
      ? [
          [index, current],
          [snapshot, fixed],
        ]
      : [
          [snapshot, fixed],
          [index, current],
        ]) {
      const started = process.hrtime.bigint()
      reader.searchSync({ limit: 0 })
      const ended = process.hrtime.bigint()
      if (call >= 2000) taken.push(Number(ended - started) / 1000)
    }
  }
  await snapshot.close()
  const [onIndex, onSnapshot] = [median(current), median(fixed)]
  return [
    [
      'version check of a query, difference of medians',
      `${(onIndex - onSnapshot).toFixed(2)} µs (${onIndex.toFixed(2)} on the index, ${onSnapshot.toFixed(2)} on a snapshot)`,
    ],
  ]
}

async function writeArtifact(path, sync) {
  const file = await open(path, 'w')
  for (let done = 0; done < ARTIFACT; done += BLOCK.length) await file.write(BLOCK)
  if (sync) await file.sync()
  await file.close()
}

/** The files below a directory. */
function files(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
}

/** The milliseconds of one `sha256sum` of these files. */
const summed = (paths) =>
  timed(() => {
    const { status, stderr } = spawnSync('sha256sum', paths, { maxBuffer: 1 << 26 })
    if (status !== 0) throw new Error(`sha256sum failed: ${stderr}`)
  })

/**
 * A version of one large file beside the same file written and synced without any version. Each is first in every other round, and its
 * fastest round counts: memory that a virtual machine has not used before comes slowly, and hits whichever is second.
 */
async function digests(directory) {
  const store = await openStore(join(directory, 'large'), { keep: { versions: 1 }, integrity })
  const [published, finished, written, sums, hashed] = [[], [], [], [], []]
  const plain = async () => {
    const path = join(directory, 'plain')
    written.push(await timed(() => writeArtifact(path, true)))
    sums.push(await summed([path]))
    rmSync(path)
  }
  const version = async () => {
    let built = 0
    const build = async (draft) => {
      await writeArtifact(join(draft, 'artifact'), false)
      built = performance.now()
    }
    published.push(await timed(() => store.rebuild(build)))
    finished.push(performance.now() - built)
  }
  for (let round = 0; round < 6; round++) {
    for (const work of round % 2 ? [plain, version] : [version, plain]) await work()
    hashed.push(await timed(hash))
  }
  const [publish, finish, write, sum] = [published, finished, written, sums].map((taken) => Math.min(...taken))
  const rows = [
    [
      'publish of a 256 MiB file : written and synced by node:fs',
      `${ratio(publish, write)} (${ms(publish)} : ${ms(write)})`,
    ],
    ['digest, sync and swap once it is written : sha256sum', `${ratio(finish, sum)} (${ms(finish)} : ${ms(sum)})`],
    ["node:crypto's SHA-256 of as much : sha256sum", ratio(Math.min(...hashed), sum)],
    ...(await verified(store, ['sizes', 'digests'], 'a 256 MiB artifact')),
  ]
  await store.close()
  return rows
}

function hash() {
  const sha = createHash('sha256')
  for (let done = 0; done < ARTIFACT; done += BLOCK.length) sha.update(BLOCK)
  return sha.digest()
}

/** `verify` of the current version at each depth, beside `sha256sum` of its files. */
async function verified(store, depths, what) {
  const snapshot = await store.snapshot()
  const { id } = snapshot.version
  await snapshot.close()
  const paths = files(join(store.path, 'versions', id))
  const gigabytes = paths.reduce((sum, path) => sum + lstatSync(path).size, 0) / 1e9
  const taken = new Map(['sha256sum', ...depths].map((name) => [name, []]))
  for (let round = 0; round < 3; round++) {
    taken.get('sha256sum').push(await summed(paths))
    for (const depth of depths) taken.get(depth).push(await timed(() => sound(store, id, depth)))
  }
  const base = median(taken.get('sha256sum'))
  const perGigabyte = (time) => `${(time / 1000 / gigabytes).toFixed(3)} s per GB`
  return [
    [`sha256sum of ${what} (${megabytes(gigabytes * 1e9)})`, perGigabyte(base)],
    ...depths.map((depth) => {
      const time = median(taken.get(depth))
      return [`verify ${depth} of ${what} : sha256sum`, `${ratio(time, base)} (${perGigabyte(time)})`]
    }),
  ]
}

async function sound(store, version, depth) {
  const { ok, problems } = await store.verify({ version, depth })
  if (!ok) throw new Error(`not sound: ${JSON.stringify(problems)}`)
}

/** Bytes on disk below a directory, a file of several links once. */
function onDisk(directory) {
  const seen = new Map()
  const add = (path) => {
    // A name may go while this looks.
    const stat = lstatSync(path, { throwIfNoEntry: false })
    if (!stat) return
    seen.set(stat.ino, stat.blocks * 512)
    if (stat.isDirectory()) for (const name of names(path)) add(join(path, name))
  }
  add(directory)
  return [...seen.values()].reduce((sum, bytes) => sum + bytes, 0)
}

function names(directory) {
  try {
    return readdirSync(directory)
  } catch (error) {
    if (error.code === 'ENOENT') return []
    throw error
  }
}

/** A rebuild of 20,000 documents: the space it takes, at its peak too, and how long its check takes. */
async function large(directory) {
  const path = join(directory, 'documents')
  const index = await openIndex(path, { fields: generatedFields, integrity })
  await index.rebuild(() => generated(DOCUMENTS, 0))
  const rows = await verified(
    index,
    ['sizes', 'digests', 'contents'],
    `an index of ${DOCUMENTS.toLocaleString('en')} documents`,
  )
  const one = onDisk(path)
  let peak = one
  const sampler = setInterval(() => (peak = Math.max(peak, onDisk(path))), 20)
  await index.rebuild(() => generated(DOCUMENTS, 1))
  clearInterval(sampler)
  await index.rebuild(() => generated(DOCUMENTS, 2))
  const kept = onDisk(path)
  const { inUse } = await index.prune({ keep: { versions: 1 } })
  if (inUse.length > 0) throw new Error(`still held: ${inUse.join(', ')}`)
  const pruned = onDisk(path)
  await index.close()
  const of = (bytes) => `${ratio(bytes, one)} (${megabytes(bytes)})`
  return [
    ...rows,
    ['disk at rest, one version', of(one)],
    ['disk at the peak of a rebuild', of(peak)],
    ['disk at rest, three versions kept', of(kept)],
    ['disk after prune to one version, which spares the one before', of(pruned)],
  ]
}

const made = []
const scratch = (parent) => {
  mkdirSync(parent, { recursive: true })
  made.push(mkdtempSync(join(parent, 'cutover-bench-')))
  return made.at(-1)
}
try {
  const disk = scratch(process.argv[2] ?? tmpdir())
  console.log(table(await small(disk, 'disk')))
  console.log(table(await small(scratch('/dev/shm'), 'tmpfs')))
  console.log(table(await digests(disk)))
  console.log(table(await large(disk)))
} finally {
  for (const path of made) rmSync(path, { recursive: true, force: true })
}
