// What each version of the demo's index is built from, and therefore what each of its answers must say.

/** The schema; a few entries have a vector, all have text and keywords. */
export const fields = /** @type {const} */ ({
  lemmas: { type: 'text', boost: 3 },
  gloss: { type: 'text' },
  examples: { type: 'stored' },
  pos: { type: 'keyword', facet: true },
  domain: { type: 'keyword', facet: true },
  senses: { type: 'integer' },
  embedding: { type: 'vector', dimensions: 512, metric: 'cosine' },
})

/** Entries of these lexicographer files get a vector: about three thousand. */
const embedded = new Set(['noun.feeling', 'noun.phenomenon', 'noun.shape', 'noun.time', 'verb.emotion', 'verb.weather'])
export const hasVector = (entry) => embedded.has(entry.domain)

/** What the model reads of an entry. */
export const textOf = (entry) => `${entry.lemmas.join(', ')}: ${entry.gloss}`

/** The changes, by version id. Undefined: the entry is not in that version. */
const changes = {
  first: (entry) => entry.gloss,
  // Examples become part of the gloss, and about one entry in fifty goes away.
  second: (entry) => (Number(entry.id.slice(-8)) % 50 === 0 ? undefined : [entry.gloss, ...entry.examples].join('; ')),
  // Never published: an answer with this gloss would show at once.
  third: (entry) => `unpublished: ${entry.gloss}`,
}

/** The document that `version` holds for the entry, without its vector; undefined when it holds none. */
export function documentOf(version, entry) {
  const gloss = changes[version](entry)
  if (gloss === undefined) return undefined
  const { id, lemmas, examples, pos, domain, senses } = entry
  return { id, lemmas: lemmas.join(', '), gloss, examples, pos, domain, senses }
}

/** The documents of a version, as a rebuild takes them. @param {Map<string, Float32Array>} vectors by id */
export function* documents(version, entries, vectors) {
  for (const entry of entries) {
    const document = documentOf(version, entry)
    const embedding = vectors.get(entry.id)
    if (document) yield embedding ? { ...document, embedding } : document
  }
}
