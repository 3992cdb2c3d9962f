// `cutover search`: hits for people, or the library's Results for programs.
import type { Command } from 'commander'
import type { Facets, Query, Results, TextQuery } from '../../query-types.js'
import type { Fields } from '../../schema.js'
import { command, names, opening, repeated, seconds, whole } from '../command.js'
import type { Opening, Run } from '../command.js'
import { reading, versionOf } from '../directory.js'
import { fieldLines } from '../documents-view.js'
import { EXIT, Failure } from '../exit.js'
import { count, duration, many, printable } from '../human.js'
import { jsonArgument } from '../input.js'
import type { Output } from '../output.js'
import { table } from '../table.js'

interface Sort {
  readonly field: string
  readonly order: 'asc' | 'desc'
}

interface Options extends Opening {
  readonly text?: string
  readonly vector?: string
  readonly field?: string
  readonly exact?: true
  readonly where?: string
  readonly limit?: number
  readonly offset?: number
  readonly select?: readonly string[]
  readonly sort?: readonly Sort[]
  readonly groupBy?: string
  readonly facet?: readonly string[]
  readonly version?: string
  readonly timeout?: number
}

/** Adds the command. */
export function addSearch(parent: Command, run: Run): void {
  const search = command(
    parent,
    'search <dir> [words...]',
    'Search the current version by words, by a vector, or both; without either, list what a filter allows.',
    `cutover search ./books silent spring --where '{"year": {"lt": 1970}}' --select title,year`,
  )
    .option('--text <words|json>', 'the words, or a text query as JSON, instead of the arguments')
    .option('--vector <json|file>', 'the nearest to this array of numbers: JSON, a file of it, or - for stdin')
    .option('--field <name>', 'the vector field to search, where there are several')
    .option('--exact', 'compare with every vector that the filter allows')
    .option('--where <json|file>', 'a filter, such as {"topic": ["nature", "building"]}')
    .option('--limit <hits>', 'hits to show; 0 counts only (default: 10)', whole(0))
    .option('--offset <hits>', 'hits to leave out at the top', whole(0))
    .option('--select <fields>', 'fields to show, with commas between them (default: all but vectors)', names)
    .addOption(repeated('--sort <field[:desc]>', 'order by a field instead of scores; may be repeated', sorting))
    .option('--group-by <field>', 'show the best hits of each value of a keyword')
    .addOption(repeated('--facet <field>', 'count the values of a field; may be repeated', String))
    .option('--version <version>', 'search this version: an id, a tag')
    .option('--timeout <seconds>', 'give up after this long', seconds)
  opening(search).action(
    run<[string, string[], Options]>(async ({ out, signal }, dir, words, options) => {
      const query = await queryOf(words, options)
      return reading(dir, options, async (index) => {
        const version = options.version === undefined ? {} : { version: (await versionOf(index, options.version)).id }
        const limits = { signal, ...version, ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout }) }
        const results = await index.search(query, limits)
        out.result({ ...results, facets: results.facets ?? null })
        out.lines(...hitLines(results, out), ...facetLines(results, out), summary(results, query))
      })
    }),
  )
}

/** `field`, or `field:desc`. */
function sorting(value: string): Sort {
  const field = value.replace(/:(?:asc|desc)$/, '')
  return { field, order: value.endsWith(':desc') ? 'desc' : 'asc' }
}

async function queryOf(words: readonly string[], options: Options): Promise<Query<Fields>> {
  if (words.length > 0 && options.text !== undefined)
    throw new Failure('the words are given twice: as arguments and by --text', EXIT.usage)
  const text = options.text ?? (words.length > 0 ? words.join(' ') : undefined)
  const structured = text !== undefined && options.text !== undefined && /^\s*\{/.test(text)
  const given = {
    text: structured ? ((await jsonArgument(text, '--text')) as TextQuery<Fields>) : text,
    vector: await vectorOf(options),
    where: options.where === undefined ? undefined : await jsonArgument(options.where, '--where'),
    limit: options.limit,
    offset: options.offset,
    select: options.select,
    sort: options.sort,
    groupBy: options.groupBy === undefined ? undefined : { field: options.groupBy },
    facets: options.facet ? (Object.fromEntries(options.facet.map((name) => [name, {}])) as Facets<Fields>) : undefined,
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Query<Fields>
}

async function vectorOf({ vector, field, exact }: Options): Promise<unknown> {
  if (vector === undefined) {
    if (field !== undefined || exact) throw new Failure('--field and --exact belong to --vector', EXIT.usage)
    return undefined
  }
  const values = await jsonArgument(vector, '--vector')
  return { values, ...(field === undefined ? {} : { field }), ...(exact ? { exact } : {}) }
}

type Found = Results<Fields>

function hitLines({ hits }: Pick<Found, 'hits'>, out: Output): string[] {
  const places = String(hits.length).length
  return hits.flatMap(({ id, score, document, group }, at) => {
    const place = `${String(at + 1).padStart(places)}. `
    if (group) return [`${place}${out.paint('bold', printable(group.value))}`, '', ...hitLines(group, out)]
    const title = `${place}${out.paint('bold', printable(id))}  ${out.paint('dim', scoreOf(score))}`
    return [title, ...(document ? fieldLines(document, out) : []), '']
  })
}

/** Four digits that count. */
const scoreOf = (score: number): string => String(Number(score.toPrecision(4)))

function facetLines({ facets }: Found, out: Output): string[] {
  const lines: string[] = []
  const counted = (facets ?? {}) as Record<string, readonly { value: unknown; count: number }[]>
  for (const [name, values] of Object.entries(counted)) {
    const rows = values.map((value) => [out.cut(printable(String(value.value))), count(value.count)])
    const columns = [{ title: printable(name).toUpperCase() }, { title: 'DOCUMENTS', right: true }]
    lines.push(...out.titled(table(columns, rows)), '')
  }
  return lines
}

function summary({ hits, total, exact, version, tookMs }: Found, query: Query<Fields>): string {
  const of = query.vector === undefined ? 'matching' : 'allowed'
  const near = exact ? '' : ', nearest by the graph'
  return `${count(hits.length)} of ${many(total, `${of} document`)}${near}, version ${version}, ${duration(tookMs)}.`
}
