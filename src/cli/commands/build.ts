// `cutover build`: everything anew from NDJSON, published or left for later.
import type { Command } from 'commander'
import { isCutoverError } from '../../errors.js'
import type { OpenOptions } from '../../options.js'
import type { Fields } from '../../schema.js'
import { attributes, command, whole, writing } from '../command.js'
import type { Context, Run, Writing } from '../command.js'
import { openToWrite, using } from '../directory.js'
import { messageOf } from '../exit.js'
import { count, duration, many } from '../human.js'
import { DocumentLines, jsonArgument } from '../input.js'
import { versionJson, versionPhrase } from '../versions-view.js'
import { lockOptions, whileWriting } from '../write.js'

interface Options extends Writing {
  readonly fields?: string
  readonly version?: string
  readonly attr?: readonly (readonly [string, unknown])[]
  readonly stage?: true
  readonly skipInvalid?: true
  readonly keep?: number
}

/** Invalid documents that are told of one by one; the rest are counted. */
const TOLD = 20

/** Adds the command. */
export function addBuild(parent: Command, run: Run): void {
  const build = command(
    parent,
    'build <dir> [files...]',
    'Replace all documents of an index by those of NDJSON files, or of stdin, and publish them as a new version.',
    `cutover build ./books books.ndjson --fields fields.json
zcat books.ndjson.gz | cutover build ./books --attr source=nightly`,
  )
    .option('--fields <json|file>', 'the schema; needed where there is no index yet')
    .option('--version <id>', 'the id of the new version; generated unless given')
    .addOption(attributes())
    .option('--stage', 'leave the version prepared, for `cutover publish`')
    .option('--skip-invalid', 'leave out documents that are not valid, tell of them and go on')
    .option(
      '--keep <versions>',
      'versions that the publish leaves behind, the current one included (default: 3)',
      whole(1),
    )
  writing(build).action(
    run<[string, string[], Options]>(async (context, dir, files, options) => {
      const open: OpenOptions<Fields> = {
        ...(options.fields === undefined ? {} : { fields: (await jsonArgument(options.fields, '--fields')) as Fields }),
        ...(options.keep === undefined ? {} : { keep: { versions: options.keep } }),
      }
      const skipped = new Skipped(context, options.skipInvalid === true)
      const input = await DocumentLines.open(files, skipped.line)
      skipped.input = input
      try {
        const began = performance.now()
        return await using(openToWrite(dir, options, open), async (index) => {
          const info = await whileWriting(context, options, index, ({ show }) =>
            index.rebuild(() => input.documents(), {
              ...lockOptions(context, options),
              ...(options.version === undefined ? {} : { version: options.version }),
              ...(options.attr ? { attributes: Object.fromEntries(options.attr) } : {}),
              activate: options.stage !== true,
              onInvalid: skipped.document ?? 'throw',
              onProgress: show,
            }),
          )
          const left = skipped.count
          context.out.result({ path: index.path, version: versionJson(info), skipped: left })
          const done = options.stage ? 'Prepared' : 'Published'
          const also = left > 0 ? `, ${many(left, 'document')} left out` : ''
          context.out.lines(`${done} ${versionPhrase(info)} in ${duration(performance.now() - began)}${also}.`)
        })
      } catch (error) {
        throw placed(error, input)
      } finally {
        await input.close()
      }
    }),
  )
}

/** Tells of documents that are left out, with their places. */
class Skipped {
  input: DocumentLines | undefined
  count = 0
  readonly #context: Context
  readonly line: ((error: Error) => void) | undefined
  readonly document: ((error: Error) => void) | undefined

  constructor(context: Context, skip: boolean) {
    this.#context = context
    if (!skip) return
    this.line = (error) => this.#tell(messageOf(error))
    this.document = (error) => this.#tell(messageOf(this.input ? placed(error, this.input) : error))
  }

  #tell(message: string): void {
    this.count++
    if (this.count <= TOLD) this.#context.out.note(`left out: ${message}`)
    else if (this.count === TOLD + 1)
      this.#context.out.note(`more than ${count(TOLD)} are left out; the rest are counted`)
  }
}

/** The error of an invalid document with the line that it came from. */
function placed(error: unknown, input: DocumentLines): unknown {
  if (!isCutoverError(error, 'CUTOVER_DOCUMENT')) return error
  const place = input.placeOf(error.detail['id'])
  if (place !== undefined) error.message = `${place}: ${error.message}`
  return error
}
