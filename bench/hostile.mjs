// `node bench/hostile.mjs FOLDER [STRINGS]`: how long the slowest hostile text takes, in every mode, over the entries of FOLDER.
//
// Strings (5,000 by default) are made of what means something to some query language, of common words, and of what breaks those who
// count bytes; besides, some are as dear as a text can be made: the commonest words ten thousand times, beginnings that stand for the whole
// dictionary, phrases that nearly match everywhere. Each is asked in all modes, from one thread, and the slowest of each mode asked
// again twice: its fastest counts, so that what else the machine does is not taken for its cost.
import { openTemporary } from '../dist/index.js'
import { percentile } from '../examples/demo/figures.mjs'
import { entries } from './corpora.mjs'
import { folder } from './data.mjs'

const corpus = entries(folder())
const strings = Number(process.argv[3] ?? 5000)
const modes = /** @type {const} */ (['words', 'syntax', 'phrase', 'prefix', 'regex'])
const slowest = 20
const pieces = [
  String.raw`( ¦ ) ¦ (((( ¦ )))) ¦ " ¦ "" ¦ ' ¦ - * ¦ a:(^ ¦ * ¦ ** ¦ ? ¦ ~ ¦ ~2 ¦ ^ ¦ ^1e999 ¦ : ¦ :: ¦ a: ¦ no: ¦ AND ¦ OR ¦ NOT ¦ NOT NOT NOT ¦ &&`,
  String.raw`|| ¦ ! ¦ + ¦ - ¦ [a TO z] ¦ {1000} ¦ | ¦ (?i) ¦ \ ¦ \p{L} ¦ .* ¦ .*.*.*.* ¦ (a*)* ¦ (a|a)* ¦ 😀 ¦ 字 ¦ ﬃ ¦ parseHTTPRequest ¦ a ¦ the`,
  'of ¦ in ¦ or ¦ and ¦ to ¦ an ¦ being ¦ s* ¦ a* ¦ c* d* ¦ p.* ¦ .*e.* ¦ "of the"~3 ¦ the~2 ¦ ing~1 ¦ \t\n ¦ \0 ¦ \u{fffd} ¦ \u{202e} ¦ e\u{301}',
].flatMap((line) => line.split(' ¦ '))
const dear = {
  'common words': 'of a the or in and to an for with by that as on from '.repeat(500),
  'all different words': corpus.rows
    .slice(0, 3000)
    .map(({ b }) => b)
    .join(' '),
  beginnings: 'abcdefghijklmnopqrstuvwxyz'
    .split('')
    .map((letter) => `${letter}*`)
    .join(' '),
  'beginnings, boosted': Array.from({ length: 1000 }, (_, at) => `s*^${1 + at / 1000}`).join(' '),
  'a phrase of common words': 'of the '.repeat(500),
  'a phrase that may be moved': '"of the a in or and to"~1000',
  patterns: '.*(a|e|i|o|u).*(n|r|s|t).*',
  'a pattern of many states': '(a|b|c|d|e|f|g|h)*{1}(x|y|z)?.{0,40}q.{0,40}',
  'near words': 'acting bating cating dating eating fating gating hating lating mating '.repeat(10),
  'a megabyte of a word': 'a'.repeat(1 << 20),
  'a megabyte of words': 'a '.repeat(1 << 19),
  parentheses: '('.repeat(1 << 16),
  not: `${'NOT '.repeat(60)}the`,
}

/** Numbers that are the same in every run (xorshift32). */
let state = 0x2545f491
function below(end) {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return (state >>> 0) % end
}
function made() {
  const length = 1 + below([2000, 60, 60, 60, 8][Math.min(below(40), 4)])
  return Array.from({ length }, () => pieces[below(pieces.length)] + (below(3) === 0 ? '' : ' ')).join('')
}

const text = /** @type {const} */ ({ type: 'text', analyzer: corpus.analyzer })
const index = await openTemporary({ fields: { a: text, b: text } })
await index.rebuild(corpus.rows.map(({ id, a, b }) => ({ id, a, b })))

/** Milliseconds, and whether it was answered or refused. */
function ask(query, mode, at) {
  const more = mode === 'regex' ? {} : { fuzzy: /** @type {const} */ ([0, 1, 2, 'auto'])[at % 4], slop: at % 3 }
  const started = performance.now()
  let refused = false
  try {
    index.searchSync({ text: { query, mode, operator: at % 2 ? 'and' : 'or', ...more }, select: false })
  } catch (error) {
    if (error.code !== 'CUTOVER_QUERY' && !(error instanceof TypeError) && !(error instanceof RangeError))
      throw new Error(`${mode} of ${JSON.stringify(query.slice(0, 100))}`, { cause: error })
    refused = true
  }
  return { ms: performance.now() - started, refused }
}

const kinds = [...Object.entries(dear), ...Array.from({ length: strings }, () => ['made at random', made()])]
console.log(
  `${kinds.length.toLocaleString('en')} texts in each mode, over ${corpus.rows.length.toLocaleString('en')} entries`,
)
console.log('mode      refused   p50 ms   p99 ms   slowest ms   kind')
for (const mode of modes) {
  const asked = kinds.map(([kind, query], at) => {
    const { ms, refused } = ask(query, mode, at)
    return { kind, query, at, ms, refused }
  })
  const worst = asked.toSorted((one, other) => other.ms - one.ms).slice(0, slowest)
  for (const one of worst)
    for (let again = 0; again < 2; again++) one.ms = Math.min(one.ms, ask(one.query, mode, one.at).ms)
  const [{ ms, kind, query }] = worst.toSorted((one, other) => other.ms - one.ms)
  const times = asked.map((one) => one.ms)
  const share = ((100 * asked.filter(({ refused }) => refused).length) / asked.length).toFixed(0)
  console.log(
    `${mode.padEnd(9)} ${`${share} %`.padStart(7)} ${percentile(times, 0.5).toFixed(3).padStart(8)} ${percentile(times, 0.99).toFixed(2).padStart(8)} ${ms.toFixed(1).padStart(12)}   ${kind}: ${JSON.stringify(query.slice(0, 40))}`,
  )
}
await index.close()
