// What the tests of embeddings do in processes of their own. Each tells its parent how many texts it embedded.
import { openIndex } from 'cutover'
import { fields, hashing, notes, vectorOf } from './embedding.js'

const [what = '', path = ''] = process.argv.slice(2)
const TOTAL = 2000

const deeds: Record<string, () => Promise<void>> = {
  /** Embeds 90 % of the notes, and waits to be killed. */
  async embed() {
    setInterval(() => {}, 1000)
    let embedded = 0
    const { embedding } = hashing({
      batchSize: 50,
      async embed(texts) {
        // With one call at a time this one begins when what the others gave is kept. It never ends.
        if (embedded === TOTAL * 0.9) {
          process.send?.({ embedded })
          return new Promise(() => {})
        }
        embedded += texts.length
        return texts.map((text) => vectorOf(text))
      },
      concurrency: 1,
    })
    const index = await openIndex(path, { fields, embeddings: { vector: embedding } })
    await index.rebuild(notes(TOTAL))
  },

  /** Rebuilds five times, every time with a hundred notes more. */
  async rebuild() {
    const { embedding, asked } = hashing()
    const index = await openIndex(path, { fields, embeddings: { vector: embedding } })
    for (let round = 1; round <= 5; round++) await index.rebuild(() => notes(round * 100))
    await index.close()
    process.send?.({ embedded: asked.texts() })
    process.disconnect()
  },
}

await deeds[what]?.()
