// `node bench/peers-kill.mjs [POINTS]`: what a SIGKILL in the middle of a save leaves, of hnswlib-node, of usearch and of Cutover.
// An index of 2,000 vectors is saved over an older one of 2,000 others. strace kills the process as it enters a system call that
// changes files: of each kind of call the first, the second, … to the last, or POINTS of them evenly, 60 if not told. Then
// a fresh process loads what is there and compares every vector. strace, since a preloaded library does not see what the C library's own
// streams write. Needs `npm run peers --prefix bench`.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const require = createRequire(import.meta.url)
const script = fileURLToPath(import.meta.url)
const [count, dimensions] = [2000, 32]
/** Calls that change a file or a directory. What truncates on opening shows at the first write. */
const CALLS =
  'write,writev,pwrite64,pwritev,ftruncate,fallocate,copy_file_range,fsync,fdatasync,rename,renameat,renameat2,link,linkat,' +
  'unlink,unlinkat,mkdir,mkdirat,symlink,symlinkat'
const STRACE = ['strace', '-f', '-qq']

/** The vectors of one generation, other ones for each (xorshift32). */
function vectors(generation) {
  let state = 0x9e3779b9 ^ (generation * 0x85ebca6b)
  const next = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
  return Array.from({ length: count }, () => Float32Array.from({ length: dimensions }, next))
}

const same = (a, b) => a.length === b.length && b.every((value, at) => value === a[at])

/** Each saves a generation, and says whether every vector of one is there. */
const systems = {
  'hnswlib-node': {
    async save(directory, rows) {
      const { HierarchicalNSW } = require('hnswlib-node')
      const index = new HierarchicalNSW('l2', dimensions)
      index.initIndex(count)
      for (const [label, row] of rows.entries()) index.addPoint([...row], label)
      index.writeIndexSync(join(directory, 'index.bin'))
    },
    async load(directory) {
      const { HierarchicalNSW } = require('hnswlib-node')
      const index = new HierarchicalNSW('l2', dimensions)
      index.readIndexSync(join(directory, 'index.bin'))
      const found = index.getCurrentCount() === count
      const labels = new Set(index.getIdsList())
      return (rows) => found && rows.every((row, at) => labels.has(at) && same(index.getPoint(at), row))
    },
  },
  usearch: {
    async save(directory, rows) {
      const { Index } = require('usearch')
      const index = new Index(dimensions, 'l2sq')
      for (const [key, row] of rows.entries()) index.add(BigInt(key), row, 1)
      index.save(join(directory, 'index.usearch'))
    },
    async load(directory) {
      const { Index } = require('usearch')
      const index = new Index(dimensions, 'l2sq')
      index.load(join(directory, 'index.usearch'))
      // It gives no vectors back: one that is there is found at no distance.
      return (rows) =>
        index.size() === count &&
        rows.filter((row, at) => {
          const { keys, distances } = index.search(row, 1, 1)
          return keys[0] === BigInt(at) && distances[0] === 0
        }).length >=
          count * 0.99
    },
  },
  Cutover: {
    async save(directory, rows) {
      const { openIndex } = await import('../dist/index.js')
      const fields = { embedding: { type: 'vector', dimensions, metric: 'l2' } }
      const index = await openIndex(directory, { fields })
      await index.rebuild(() => rows.map((embedding, at) => ({ id: String(at), embedding })))
      await index.close()
    },
    async load(directory) {
      const { openIndex } = await import('../dist/index.js')
      const index = await openIndex(directory, { mode: 'read-only' })
      const found = new Map()
      for await (const { id, embedding } of index.documents({ select: ['embedding'] })) found.set(Number(id), embedding)
      await index.close()
      return (rows) => found.size === count && rows.every((row, at) => same(found.get(at) ?? [], row))
    },
  },
}

/** What a process of its own does, under strace or not. */
function run(what, name, directory, tracing = []) {
  const command = [...tracing, process.execPath, script, what, name, directory]
  const { status, signal, stdout, error } = spawnSync(command[0], command.slice(1), { encoding: 'utf8' })
  if (error) throw error
  return { status, signal, answer: stdout.trim() }
}

/** How often each call is made, by the thread that makes most of it: strace counts for each thread. */
function calls(name, directory) {
  const log = `${directory}.log`
  const { status } = run('save', name, directory, [...STRACE, '-o', log, '-e', `trace=${CALLS}`])
  if (status !== 0) throw new Error(`${name} could not be saved under strace`)
  const made = new Map()
  for (const [, thread, call] of readFileSync(log, 'utf8').matchAll(/^(\d+) +(\w+)\(/gm)) {
    const threads = made.get(call) ?? new Map()
    made.set(call, threads.set(thread, (threads.get(thread) ?? 0) + 1))
  }
  return [...made].flatMap(([call, threads]) =>
    Array.from({ length: Math.max(...threads.values()) }, (_, at) => ({ call, when: at + 1 })),
  )
}

/** At most so many, evenly chosen, the first and the last among them. */
function chosen(all, points) {
  if (all.length <= points) return all
  return Array.from({ length: points }, (_, at) => all[Math.round((at * (all.length - 1)) / (points - 1))])
}

function campaign(name, points, root) {
  const [old, work] = [join(root, 'old'), join(root, 'work')]
  const restore = () => {
    rmSync(work, { recursive: true, force: true })
    cpSync(old, work, { recursive: true, verbatimSymlinks: true })
  }
  rmSync(old, { recursive: true, force: true })
  mkdirSync(old)
  run('first', name, old)
  if (run('check', name, old).answer !== 'old') throw new Error(`${name} cannot be read after its first save`)
  restore()
  const all = calls(name, work)
  if (run('check', name, work).answer !== 'new') throw new Error(`${name} cannot be read after its second save`)
  const tally = { calls: all.length, kills: 0, old: 0, new: 0, neither: 0 }
  for (const { call, when } of chosen(all, points)) {
    restore()
    const inject = `inject=${call}:signal=SIGKILL:when=${when}`
    const { signal } = run('save', name, work, [...STRACE, '-o', '/dev/null', '-e', `trace=${call}`, '-e', inject])
    if (signal !== 'SIGKILL') continue
    tally.kills++
    const { answer } = run('check', name, work)
    tally[answer === 'old' || answer === 'new' ? answer : 'neither']++
  }
  return tally
}

const [what = '60', name, directory] = process.argv.slice(2)
if (what === 'first') await systems[name].save(directory, vectors(1))
else if (what === 'save') await systems[name].save(directory, vectors(2))
else if (what === 'check') {
  const holds = await systems[name].load(directory)
  console.log(holds(vectors(1)) ? 'old' : holds(vectors(2)) ? 'new' : 'neither')
} else {
  const points = Number(what)
  if (!Number.isInteger(points) || points < 2) throw new RangeError(`POINTS must be an integer from 2, got ${what}`)
  const root = mkdtempSync(join(tmpdir(), 'cutover-peers-'))
  try {
    console.log('                calls   kills   old whole   new whole   neither')
    for (const system of Object.keys(systems)) {
      const tally = campaign(system, points, root)
      const columns = Object.values(tally).map((value, at) => String(value).padStart([8, 8, 12, 12, 10][at]))
      console.log(system.padEnd(13) + columns.join(''))
    }
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}
