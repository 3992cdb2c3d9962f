// The third rebuild, in a process of its own: it tells how far it is and waits to be killed.
import { openIndex } from './cutover.mjs'
import { documents, fields } from './source.mjs'
import { readEntries } from './wordnet.mjs'

const entries = readEntries()
const index = await openIndex(process.argv[2], { fields })
await index.rebuild(() => documents('third', entries, new Map()), {
  version: 'third',
  onProgress: ({ phase, done }) => process.send({ phase, share: done / entries.length }),
})
await index.close()
