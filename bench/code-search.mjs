// `node bench/code-search.mjs CODE`: how often a file of source code is among the first ten when a name that it exports is asked for.
//
// CODE is a file of JSON lines with `path`, `language` and `content`. 500 exported names of at least two parts, picked by hash, each
// defined in exactly one file; the queries are the name's parts as separate words, in snake_case, in kebab-case and in camelCase or
// PascalCase, whichever the name is not, and the name itself.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { openTemporary } from '../dist/index.js'
import { ndjson } from './data.mjs'

const path = process.argv[2]
if (!path || !existsSync(path)) {
  console.error('Usage: node bench/code-search.mjs CODE, a file of JSON lines with path, language and content.')
  process.exit(2)
}
const wanted = 500
const documents = ndjson(path)

/** Names that a file exports where it defines them. */
const definition =
  /^export\s+(?:declare\s+|default\s+)?(?:abstract\s+)?(?:async\s+)?(?:function\*?|class|const|let|var|interface|type|enum)\s+([A-Za-z_$][\w$]*)|^exports\.([A-Za-z_$][\w$]*)\s*=\s*(?!void 0)/gm

/** parseHTTPRequest2 → parse, http, request, 2. */
const parts = (name) => name.match(/[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+|\d+/g)?.map((part) => part.toLowerCase()) ?? []
const capital = (part) => part[0].toUpperCase() + part.slice(1)

/** name → its only file, of names that no other file defines. */
function definitions() {
  const where = new Map()
  for (const { path: file, content } of documents)
    for (const [, one, other] of content.matchAll(definition)) {
      const name = one ?? other
      where.set(name, where.has(name) && where.get(name) !== file ? undefined : file)
    }
  return [...where].filter(([name, file]) => file && /^[A-Za-z]\w*$/.test(name) && parts(name).length >= 2)
}

const digest = ([name]) => createHash('sha256').update(name).digest('hex')
const all = definitions()
const picked = all
  .map((one) => [digest(one), one])
  .toSorted(([one], [other]) => (one < other ? -1 : 1))
  .slice(0, wanted)
  .map(([, one]) => one)

const forms = {
  'as it is': (name) => name,
  'parts as words': (name) => parts(name).join(' '),
  snake_case: (name) => parts(name).join('_'),
  'kebab-case': (name) => parts(name).join('-'),
  'camelCase or PascalCase': (name) => {
    const [first, ...rest] = parts(name)
    const camel = [first, ...rest.map(capital)].join('')
    return camel === name ? capital(camel) : camel
  },
}

const code = /** @type {const} */ ('code')
const fields = /** @type {const} */ ({
  path: { type: 'text', analyzer: code },
  content: { type: 'text', analyzer: code },
  language: { type: 'keyword' },
})
const index = await openTemporary({ fields })
await index.rebuild(function* () {
  for (const { path: id, language, content } of documents) yield { id, path: id, language, content }
})
console.log(
  `${documents.length.toLocaleString('en')} files; ${picked.length} of ${all.length.toLocaleString('en')} exported names that one file defines\n`,
)
console.log('query                    first  in the first 10')
let [found, asked] = [0, 0]
for (const [form, make] of Object.entries(forms)) {
  let [first, among] = [0, 0]
  for (const [name, file] of picked) {
    const { hits } = await index.search({ text: make(name), limit: 10, select: false })
    const rank = hits.findIndex(({ id }) => id === file)
    if (rank === 0) first++
    if (rank >= 0) among++
    else if (process.env.BENCH_MISSES) console.log(`  missed: ${make(name)} in ${file}`)
  }
  const share = (count) => `${((100 * count) / picked.length).toFixed(1)} %`
  console.log(`${form.padEnd(23)}  ${share(first).padStart(6)}  ${share(among)}`)
  if (form !== 'as it is') [found, asked] = [found + among, asked + picked.length]
}
console.log(`\nsplit or re-cased, in the first 10: ${((100 * found) / asked).toFixed(1)} % (≥ 90 %)`)
await index.close()
