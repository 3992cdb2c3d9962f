// Text indexes of other packages, filled and asked alike: `build(corpus, folder)` gives their bytes and a function for each kind of
// query that they have, which answers with the best ten.
//
// A row is { id, a, b, group }: two texts and a keyword. FTS5 and MiniSearch index both texts, zvec and LanceDB one made of the two,
// since neither ranks over several fields. FTS5 is durable as SQLite's defaults are (rollback journal, synchronous FULL).
import { lstatSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const k = 10
const one = ({ a, b }) => `${a} ${b}`
const quoted = (word) => `"${word.replaceAll('"', '""')}"`
const any = (words) => words.map(quoted).join(' OR ')

/** Bytes of all files at or below the path; a link, as the one to an index's current version, is not followed. */
export function bytesOf(path) {
  const stat = lstatSync(path)
  return stat.isDirectory() ? readdirSync(path).reduce((sum, name) => sum + bytesOf(join(path, name)), 0) : stat.size
}

async function fts5({ rows, stem, filter }, folder) {
  const { default: Database } = await import('better-sqlite3')
  mkdirSync(folder)
  const file = join(folder, 'fts5.db')
  const database = new Database(file)
  database.exec(`
    create table document (row integer primary key, id text unique, grouped text);
    create index grouping on document (grouped);
    create virtual table entry using fts5 (a, b, tokenize = '${stem ? 'porter ' : ''}unicode61')`)
  const document = database.prepare('insert into document values (?, ?, ?)')
  const entry = database.prepare('insert into entry (rowid, a, b) values (?, ?, ?)')
  database.transaction(() => {
    for (const [at, { id, a, b, group }] of rows.entries()) {
      document.run(at, id, group)
      entry.run(at, a, b)
    }
  })()
  const plain = database.prepare(`select rowid from entry where entry match ? order by rank limit ${k}`)
  const marks = filter.map(() => '?').join(', ')
  const filtered = database.prepare(`
    select entry.rowid from entry join document on document.row = entry.rowid
    where entry match ? and grouped in (${marks}) order by rank limit ${k}`)
  const snippets = database.prepare(`
    select rowid, snippet(entry, -1, '<b>', '</b>', '…', 16) from entry where entry match ? order by rank limit ${k}`)
  return {
    bytes: bytesOf(file),
    or: (words) => plain.all(any(words)),
    and: (words) => plain.all(words.map(quoted).join(' AND ')),
    phrase: (words) => plain.all(quoted(words.join(' '))),
    prefix: ([start]) => plain.all(`${quoted(start)} *`),
    filtered: (words) => filtered.all(any(words), ...filter),
    highlights: (words) => snippets.all(any(words)),
    close: () => database.close(),
  }
}

async function minisearch({ rows, filter }) {
  const { default: MiniSearch } = await import('minisearch')
  const index = new MiniSearch({ fields: ['a', 'b'], storeFields: ['group'] })
  index.addAll(rows)
  const allowed = new Set(filter)
  const best = (words, options) => index.search(words.join(' '), options).slice(0, k)
  return {
    bytes: JSON.stringify(index).length,
    or: (words) => best(words, { combineWith: 'OR' }),
    and: (words) => best(words, { combineWith: 'AND' }),
    prefix: (words) => best(words, { prefix: true }),
    fuzzy: (words) => best(words, { fuzzy: 1 }),
    filtered: (words) => best(words, { filter: ({ group }) => allowed.has(group) }),
    close: () => {},
  }
}

async function zvec({ rows, stem, filter }, folder) {
  const { default: z } = await import('@zvec/zvec')
  const indexType = z.ZVecIndexType.FTS
  const dataType = z.ZVecDataType.STRING
  const filters = stem ? ['lowercase', 'stemmer'] : ['lowercase']
  const schema = new z.ZVecCollectionSchema({
    name: 'bench',
    fields: [
      { name: 'text', dataType, indexParams: { indexType, tokenizerName: 'standard', filters } },
      { name: 'grouped', dataType, indexParams: { indexType: z.ZVecIndexType.INVERT } },
    ],
  })
  const collection = z.ZVecCreateAndOpen(folder, schema)
  const step = 500
  for (let from = 0; from < rows.length; from += step)
    collection.insertSync(
      rows.slice(from, from + step).map((row, at) => ({
        id: String(from + at),
        fields: { text: one(row), grouped: row.group },
      })),
    )
  collection.optimizeSync({ concurrency: 1 })
  const ask = (fts, defaultOperator, where) =>
    collection.querySync({
      fieldName: 'text',
      topk: k,
      fts,
      outputFields: [],
      params: { indexType, defaultOperator },
      ...(where && { filter: where }),
    })
  const where = `grouped in (${filter.map((value) => `'${value}'`).join(', ')})`
  return {
    bytes: bytesOf(folder),
    or: (words) => ask({ matchString: words.join(' ') }, 'OR'),
    and: (words) => ask({ matchString: words.join(' ') }, 'AND'),
    phrase: (words) => ask({ queryString: `"${words.join(' ')}"` }, 'OR'),
    filtered: (words) => ask({ matchString: words.join(' ') }, 'OR', where),
    close: () => collection.closeSync(),
  }
}

async function lancedb({ rows, stem, filter }, folder) {
  const lance = await import('@lancedb/lancedb')
  const connection = await lance.connect(folder)
  const step = 20_000
  let table
  for (let from = 0; from < rows.length; from += step) {
    const part = rows.slice(from, from + step).map((row, at) => ({ id: from + at, text: one(row), grouped: row.group }))
    if (table) await table.add(part)
    else table = await connection.createTable('bench', part)
  }
  const config = lance.Index.fts({ withPosition: true, stem, removeStopWords: false, asciiFolding: false })
  await table.createIndex('text', { config })
  await table.createIndex('grouped', { config: lance.Index.bitmap() })
  await table.waitForIndex(['text_idx', 'grouped_idx'], 3600)
  const ask = (search, where) => {
    const query = table.query().fullTextSearch(search).limit(k).select(['id', '_score'])
    return (where ? query.where(where) : query).toArray()
  }
  const match = (words, options) => new lance.MatchQuery(words.join(' '), 'text', options)
  const where = `grouped in (${filter.map((value) => `'${value}'`).join(', ')})`
  return {
    bytes: bytesOf(folder),
    or: (words) => ask(match(words)),
    and: (words) => ask(match(words, { operator: lance.Operator.And })),
    phrase: (words) => ask(new lance.PhraseQuery(words.join(' '), 'text')),
    fuzzy: (words) => ask(match(words, { fuzziness: 1, prefixLength: 1 })),
    filtered: (words) => ask(match(words), where),
    close: () => table.close(),
  }
}

export const peers = { FTS5: fts5, minisearch, '@zvec/zvec': zvec, '@lancedb/lancedb': lancedb }
