// `node bench/abort.mjs FOLDER`: how long after `abort()` a rebuild is over, and the longest silence between two reports of progress.
//
// All entries are rebuilt with their vectors; each rebuild is aborted at another moment, evenly spread over what a whole one takes.
import { setTimeout as sleep } from 'node:timers/promises'
import { openTemporary } from '../dist/index.js'
import { ms, percentile, seconds, table } from '../examples/demo/figures.mjs'
import { documents, fields, folder, ndjson, npy } from './data.mjs'

const data = folder()
const entries = ndjson(data, 'documents.ndjson.gz')
const vectors = npy(data, 'document-vectors.f16.npy')
const moments = 24

const index = await openTemporary({ fields })
const silences = {}
let last
const began = performance.now()
await index.rebuild(() => documents(entries, vectors), {
  onProgress({ phase, elapsedMs }) {
    if (last?.phase === phase) silences[phase] = Math.max(silences[phase] ?? 0, elapsedMs - last.elapsedMs)
    last = { phase, elapsedMs }
  },
})
const whole = performance.now() - began

const found = {}
for (let moment = 0; moment < moments; moment++) {
  const controller = new AbortController()
  let phase = 'reading'
  const rebuilt = index.rebuild(() => documents(entries, vectors), {
    signal: controller.signal,
    onProgress: (progress) => (phase = progress.phase),
  })
  const ended = rebuilt.then(
    () => 'published',
    () => performance.now(),
  )
  await sleep((whole * (moment + 0.5)) / moments)
  const at = phase
  const asked = performance.now()
  controller.abort()
  const end = await ended
  if (end !== 'published') (found[at] ??= []).push(end - asked)
}
await index.close()

console.log(`${entries.length.toLocaleString('en')} entries, rebuilt in ${seconds(whole)}; ${moments} moments\n`)
console.log(
  table([
    ...Object.entries(found).map(([phase, times]) => [
      `abort while ${phase} (${times.length}): median, longest`,
      `${ms(percentile(times, 0.5))}, ${ms(Math.max(...times))}`,
    ]),
    ...Object.entries(silences).map(([phase, silence]) => [`longest silence while ${phase}`, ms(silence)]),
  ]),
)
