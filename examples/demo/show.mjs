// Three queries that a person can judge.
const shown = [
  { title: 'text', text: 'musical instrument with strings played with a bow', legs: ['text'] },
  {
    title: 'vector, feelings only',
    text: 'I am so happy to see my old friend again',
    where: { domain: 'noun.feeling' },
    legs: ['vector'],
  },
  { title: 'text and vector', text: 'heavy rain with thunder and lightning', legs: ['text', 'vector'] },
]

/** Prints the queries with their best hits. `vectors` are those of `shownTexts`. */
export async function showQueries(index, vectors) {
  for (const [at, { title, text, where, legs }] of shown.entries()) {
    const query = { limit: 4, select: ['lemmas', 'gloss', 'pos'], ...(where && { where }) }
    if (legs.includes('text')) query.text = text
    if (legs.includes('vector')) query.vector = vectors[at]
    const { hits, total, tookMs, version } = await index.search(query)
    console.log(
      `\n"${text}" (${title}; version ${version}, ${total.toLocaleString('en')} documents, ${tookMs.toFixed(1)} ms)`,
    )
    for (const { score, document } of hits)
      console.log(
        `  ${score.toFixed(3).padStart(7)}  ${document.lemmas} (${document.pos}): ${document.gloss.slice(0, 80)}`,
      )
  }
  console.log()
}
/** What the queries say, for their vectors. */
export const shownTexts = shown.map(({ text }) => text)
