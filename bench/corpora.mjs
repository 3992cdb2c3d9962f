// The two corpora of the text figures, entries and source files, and the queries made of their own words.
//
// A row is { id, a, b, group }. Queries are the same in every run: what is taken where follows from a hash of a number.
import { ndjson } from './data.mjs'

/** The finaliser of MurmurHash3. */
function hash(number) {
  let bits = number
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}

/** Short entries: lemmas, gloss, and a domain; the queries are sentences. */
export function entries(folder) {
  const rows = ndjson(folder, 'documents.ndjson.gz').map(({ id, lemmas, gloss, domain }) => ({
    id,
    a: lemmas.join(', '),
    b: gloss,
    group: domain,
  }))
  // 0.98 % of the entries.
  const filter = ['noun.feeling', 'noun.motive', 'noun.shape', 'verb.emotion']
  const sentences = ndjson(folder, 'queries.ndjson').map(({ text }) => text)
  return { name: 'entries', rows, filter, stem: true, analyzer: { language: 'english' }, asked: 300, sentences }
}

/** Source files: path, content, and a package. */
export function code(path) {
  const rows = ndjson(path).map(({ id, content, package: group }) => ({ id, a: id, b: content, group }))
  const sizes = Object.entries(Object.groupBy ? Object.groupBy(rows, ({ group }) => group) : grouped(rows))
  let allowed = 0
  const filter = []
  // The smallest packages, until they have 1 % of the files.
  for (const [group, { length }] of sizes.toSorted(([, one], [, other]) => one.length - other.length)) {
    if (allowed >= rows.length / 100) break
    filter.push(group)
    allowed += length
  }
  return { name: 'code', rows, filter, stem: false, analyzer: 'code', asked: 100 }
}

function grouped(rows) {
  const groups = {}
  for (const row of rows) (groups[row.group] ??= []).push(row)
  return groups
}

const words = (text) => text.match(/[A-Za-z]{2,}/g) ?? []

/** Up to `count` consecutive words of some row's second text; never none. */
function run({ rows }, seed, count) {
  for (let attempt = 0; ; attempt++) {
    const found = words(rows[hash(seed * 7919 + attempt) % rows.length].b)
    if (found.length < count) continue
    const start = hash(seed + 13) % (found.length - count + 1)
    return found.slice(start, start + count)
  }
}

/** Consecutive words that stand side by side in a row, with spaces alone between them. */
function phrase({ rows }, seed, count) {
  const pattern = new RegExp(`\\b[a-z]{2,}(?: [a-z]{2,}){${count - 1}}\\b`, 'g')
  for (let attempt = 0; ; attempt++) {
    const found = rows[hash(seed * 104729 + attempt) % rows.length].b.match(pattern)
    if (found) return found[hash(seed) % found.length].split(' ')
  }
}

/** A word of at least five letters with one letter, not the first, replaced. */
function mistyped(corpus, seed) {
  for (let attempt = 0; ; attempt++) {
    const word = run(corpus, seed * 31 + attempt, 1)[0].toLowerCase()
    if (word.length < 5) continue
    const at = 1 + (hash(seed) % (word.length - 1))
    const letter = String.fromCodePoint(97 + (hash(seed + 1) % 26))
    return [word.slice(0, at) + letter + word.slice(at + 1)]
  }
}

/** The words of each query of a kind. */
export function queries(corpus, kind) {
  const make = {
    // Of a sentence where there are some, else of a document.
    or: (at) => {
      const count = 3 + (hash(at) % 3)
      const sentence = corpus.sentences && words(corpus.sentences[at % corpus.sentences.length])
      return sentence?.slice(0, count) ?? run(corpus, at, count)
    },
    and: (at) => run(corpus, at, 2 + (hash(at) % 2)),
    phrase: (at) => phrase(corpus, at, 2 + (hash(at) % 2)),
    prefix: (at) => [run(corpus, at, 1)[0].toLowerCase().slice(0, 4)],
    fuzzy: (at) => mistyped(corpus, at),
  }
  return Array.from({ length: corpus.asked }, (_, at) => (make[kind] ?? make.or)(at))
}
