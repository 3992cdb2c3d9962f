// An endless mix of the four kinds of query, the same in every run.

/** @typedef {{ kind: 'text' | 'vector' | 'hybrid' | 'filtered', query: object, accepts?: (document: object) => boolean }} Question */

/** A small seeded generator: a run can be repeated. @returns {() => number} from 0 up to 1 */
function random(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** Sentences to ask with: examples of the entries that have vectors, spread over all of them. */
export function sentences(entries, count) {
  const all = entries.flatMap((entry) => entry.examples).filter((example) => example.split(' ').length > 4)
  const step = all.length / count
  return Array.from({ length: Math.min(count, all.length) }, (_, at) => all[Math.floor(at * step)])
}

/** A filter, and what it must let through. */
const feelings = { domain: 'noun.feeling', senses: { gte: 2 } }
const isFeeling = (document) => document.domain === 'noun.feeling' && document.senses >= 2

/**
 * Questions without end. `asked` are sentences with their vectors; words are taken from glosses.
 * @returns {Generator<Question, never>}
 */
export function* questions(entries, asked) {
  const next = random(42)
  const pick = (list) => list[Math.floor(next() * list.length)]
  for (;;) {
    const words = pick(entries).gloss.split(' ').slice(0, 6).join(' ')
    yield { kind: 'text', query: { text: words } }
    yield { kind: 'vector', query: { vector: pick(asked).vector } }
    const both = pick(asked)
    yield { kind: 'hybrid', query: { text: both.text, vector: both.vector } }
    const { pos } = pick(entries)
    yield { kind: 'filtered', query: { text: words, where: { pos } }, accepts: (document) => document.pos === pos }
    const { vector } = pick(asked)
    yield { kind: 'filtered', query: { vector, where: feelings }, accepts: isFeeling }
  }
}
