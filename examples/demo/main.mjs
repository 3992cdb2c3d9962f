// Cutover's main job on real input: build, serve, rebuild behind the service, survive a killed rebuild, roll back.
// Exits non-zero when anything but a time is not as it must be.
import { readdirSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { openIndex } from './cutover.mjs'
import { embed } from './embed.mjs'
import { latencies, megabytes, ms, seconds, table } from './figures.mjs'
import { killHalfWay } from './kill.mjs'
import { Progress } from './progress.mjs'
import { sentences } from './queries.mjs'
import { Service } from './service.mjs'
import { showQueries, shownTexts } from './show.mjs'
import { documents, fields, hasVector, textOf } from './source.mjs'
import { readEntries } from './wordnet.mjs'

const path = fileURLToPath(new URL('.cache/index', import.meta.url))
const perSecond = 200
const broken = []
const now = () => performance.timeOrigin + performance.now()
const pause = (time) => new Promise((done) => setTimeout(done, time))

function holds(claim, truth) {
  console.log(`${truth ? 'yes' : 'NO '}  ${claim}`)
  if (!truth) broken.push(claim)
}

const unfinished = () => readdirSync(`${path}/versions`).filter((name) => name.endsWith('.staging'))

/** Builds and publishes a version; resolves with it and the times at which that began and ended. */
async function rebuild(index, version, entries, vectors) {
  const progress = new Progress('waiting', entries.length)
  const from = now()
  const info = await index.rebuild(() => documents(version, entries, vectors), {
    version,
    onProgress: ({ phase, done, total }) => progress.at((done / (total ?? entries.length)) * entries.length, phase),
  })
  const to = now()
  progress.end(`version "${version}" published`)
  return { info, from, to, swap: (await index.status()).lastPublish }
}

const entries = readEntries()
const chosen = entries.filter(hasVector)
const asked = sentences(chosen, 200)
console.log(
  `WordNet: ${entries.length.toLocaleString('en')} entries, ${chosen.length.toLocaleString('en')} of them with a vector.`,
)
const made = await embed([...chosen.map(textOf), ...asked, ...shownTexts])
const vectors = new Map(chosen.map((entry, at) => [entry.id, made[at]]))
const questions = asked.map((text, at) => ({ text, vector: made[chosen.length + at] }))

console.log('\n1. Build and publish the first version.')
rmSync(path, { recursive: true, force: true })
const index = await openIndex(path, { fields })
const first = await rebuild(index, 'first', entries, vectors)
holds('the first version holds every entry', first.info.documents === entries.length)

console.log(`\n2. Serve ${perSecond} queries a second from a worker.`)
const service = new Service({ path, asked: questions, perSecond })
await service.sees('first')
const serving = now()
await pause(5000)

console.log('\n3. Rebuild from a changed source while serving, and publish.')
const second = await rebuild(index, 'second', entries, vectors)
await service.sees('second')
const afterwards = now()
await pause(5000)
holds('the second version has fewer entries', second.info.documents < first.info.documents)

console.log('\n4. Kill a third rebuild half-way.')
holds('the third rebuild was killed while it was building', await killHalfWay(path))
holds('it left a draft behind', unfinished().length === 1)
await pause(2000)
holds('the service still answers from the second version', service.version === 'second')
holds(
  'the third version was never published',
  (await index.versions()).every(({ id }) => id !== 'third'),
)

console.log('\n5. Roll back, and return.')
holds('the index rolls back to the first version', (await index.rollback()).id === 'first')
holds('the next writer cleared up', unfinished().length === 0)
await service.sees('first')
holds('the second version is activated again', (await index.activate('second')).id === 'second')
await service.sees('second')
await pause(1000)

console.log('\n6. Three queries, and the figures.')
const rss = process.memoryUsage.rss()
await showQueries(index, made.slice(chosen.length + asked.length))
const { samples, wrong } = await service.stop()
for (const problem of wrong.slice(0, 5)) console.error(problem)
holds(`all ${samples.length.toLocaleString('en')} answers agree with their version`, wrong.length === 0)

const near = samples.filter(({ due }) => Math.abs(due - second.to) < 1000).map((sample) => sample.ms)
const rows = [
  ['entries', `${first.info.documents.toLocaleString('en')}, then ${second.info.documents.toLocaleString('en')}`],
  ['build time', `${seconds(first.to - first.from)}, then ${seconds(second.to - second.from)} while serving`],
  ['size on disk', `${megabytes(first.info.bytes)}, then ${megabytes(second.info.bytes)}`],
  ['resident memory', `${megabytes(rss)}, WordNet itself included`],
  ['p50 / p99 before the rebuild', latencies(samples, serving, second.from)],
  ['p50 / p99 during the rebuild', latencies(samples, second.from, second.to)],
  ['p50 / p99 after the rebuild', latencies(samples, afterwards, afterwards + 5000)],
  ['longest stall around the swap', ms(Math.max(...near))],
  ['swap, visible', ms(second.swap.visibleMs)],
  ['swap, durable', ms(second.swap.durableMs)],
  ['answers that disagreed', String(wrong.length)],
]
console.log(table(rows))
await index.close()

if (broken.length > 0) {
  console.error(`\nNot as it must be:\n${broken.map((claim) => `  ${claim}`).join('\n')}`)
  process.exitCode = 1
}
