// `cutover import`: what other software embedded, as a version.
import { resolve } from 'node:path'
import { Option } from 'commander'
import type { Command } from 'commander'
import { importDirectory } from '../../import/import.js'
import type { ImportReport } from '../../import/import.js'
import type { Labels } from '../../import/labels.js'
import type { Fields, Metric } from '../../schema.js'
import { attributes, command, whole, writing } from '../command.js'
import type { Run, Writing } from '../command.js'
import { openVersions, using } from '../directory.js'
import { duration, many, printable } from '../human.js'
import { jsonArgument } from '../input.js'
import { pairs } from '../table.js'
import { versionJson, versionPhrase } from '../versions-view.js'
import { lockOptions, whileWriting } from '../write.js'

interface Options extends Omit<Writing, 'ifCurrent'> {
  readonly fields?: string
  readonly metric?: Metric
  readonly duplicates?: 'throw' | 'last'
  readonly version?: string
  readonly attr?: readonly (readonly [string, unknown])[]
  readonly stage?: true
  readonly skipInvalid?: true
  readonly force?: true
  readonly keep?: number
}

/** Adds the command. */
export function addImport(parent: Command, run: Run): void {
  const imports = command(
    parent,
    'import <dir> <from>',
    'Make a version of documents.json, embeddings.npy and manifest.json, or of hnsw_index.bin, collection_meta.json and an id map, without embedding anew.',
    'cutover import ./books ~/other/index',
  )
    .option('--fields <json|file>', 'fields beside those that an import declares: content, path, embedding and rest')
    .addOption(
      new Option('--metric <metric>', 'how far apart two vectors are (default: cosine)').choices([
        'cosine',
        'l2',
        'inner-product',
      ]),
    )
    .addOption(
      new Option('--duplicates <how>', 'two documents with one id: refuse them, or let the last one count').choices([
        'throw',
        'last',
      ]),
    )
    .option('--force', 'import a hnsw_index.bin that its metadata calls stale')
    .option('--version <id>', 'the id of the new version; generated unless given')
    .addOption(attributes())
    .option('--stage', 'leave the version prepared, for `cutover publish`')
    .option('--skip-invalid', 'leave out documents that are not valid, and go on')
    .option(
      '--keep <versions>',
      'versions that the publish leaves behind, the current one included (default: 3)',
      whole(1),
    )
  writing(imports, { change: false }).action(
    run<[string, string, Options]>(async (context, dir, from, options) => {
      const { fields, metric, duplicates, attr, keep, allow } = options
      const declared = fields === undefined ? {} : { fields: (await jsonArgument(fields, '--fields')) as Fields }
      const status = () => using(openVersions(dir, options, 'read-only'), (store) => store.status())
      const began = performance.now()
      const report = await whileWriting(context, options, { path: resolve(dir), status }, ({ show }) =>
        importDirectory(dir, from, {
          ...lockOptions(context, options),
          ...declared,
          ...(metric ? { metric } : {}),
          ...(duplicates ? { duplicates } : {}),
          ...(options.version === undefined ? {} : { version: options.version }),
          ...(attr ? { attributes: Object.fromEntries(attr) } : {}),
          ...(keep === undefined ? {} : { keep: { versions: keep } }),
          ...(allow ? { allow } : {}),
          ...(options.force ? { force: true } : {}),
          activate: options.stage !== true,
          onInvalid: options.skipInvalid ? 'skip' : 'throw',
          onProgress: show,
        }),
      )
      const { out } = context
      const { graph, labels } = report
      const version = versionJson(report.version)
      out.result({ path: resolve(dir), ...report, version, labels: labels ?? null, graph: graph ?? null })
      const done = options.stage ? 'Prepared' : 'Published'
      const took = duration(performance.now() - began)
      out.lines(`${done} ${versionPhrase(report.version)} in ${took}.`, ...pairs(facts(report)))
    }),
  )
}

function facts({
  version,
  documents,
  vectors,
  dimensions,
  labels,
  graph,
  notes,
}: ImportReport): (readonly [string, string])[] {
  const { duplicates, skipped } = version.counts
  const left = [duplicates > 0 ? `${duplicates} replaced` : '', skipped > 0 ? `${skipped} left out` : '']
  return [
    ['read', [many(documents, 'document'), ...left].filter((text) => text !== '').join(', ')],
    ['vectors', `${many(vectors, 'vector')} of ${many(dimensions, 'dimension')}`],
    ...(labels ? ([['left out', leftOut(labels)]] as const).filter(([, text]) => text !== '') : []),
    ...(graph ? [['graph', `${many(graph.nodes, 'node')}, ${many(graph.edges, 'edge')}`] as const] : []),
    ...notes.map((note) => ['note', printable(note)] as const),
  ]
}

/** What an index of hnswlib's had that is not in the version. */
function leftOut({ deleted, withoutId, withoutVector }: Labels): string {
  const counts = [
    deleted > 0 ? `${many(deleted, 'vector')} deleted` : '',
    withoutId > 0 ? `${withoutId} without an id` : '',
    withoutVector > 0 ? `${many(withoutVector, 'id')} without a vector` : '',
  ]
  return counts.filter((text) => text !== '').join(', ')
}
