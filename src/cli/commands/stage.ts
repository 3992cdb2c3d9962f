// `cutover stage`: files of any kind as a version, prepared for `publish`.
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { InvalidArgumentError } from 'commander'
import type { Command } from 'commander'
import type { VersionStore } from '../../store/version-store.js'
import type { VersionInfo } from '../../version.js'
import { attributes, command, repeated, whole, writing } from '../command.js'
import type { Context, Run, Writing } from '../command.js'
import { openStoreToWrite, using } from '../directory.js'
import { EXIT, Failure } from '../exit.js'
import { bytes, duration, many } from '../human.js'
import type { ProgressLine } from '../progress.js'
import { versionJson } from '../versions-view.js'
import { lockOptions, whileWriting } from '../write.js'

interface Artifact {
  readonly name: string
  readonly from: string
}
interface Options extends Writing {
  readonly artifact: readonly Artifact[]
  readonly attr?: readonly (readonly [string, unknown])[]
  readonly version?: string
  readonly keep?: number
  readonly extend?: true
  readonly move?: true
  readonly publish?: true
}

/** Adds the command. */
export function addStage(parent: Command, run: Run): void {
  const stage = command(
    parent,
    'stage <dir>',
    'Copy files and directories into a new version and leave it prepared; makes the directory where there is none.',
    `cutover stage ./store --artifact faiss.index=build/faiss.index --artifact docs=build/docs --version v2
cutover publish ./store v2`,
  )
    .addOption(
      repeated(
        '--artifact <name=path>',
        'a file or a directory, and its name in the version; may be repeated',
        artifactOf,
      ),
    )
    .option('--extend', 'with the artifacts of the current version that are not named; they are shared, not copied')
    .option('--move', 'move what is named instead of copying it')
    .option('--publish', 'make the version current at once')
    .option('--version <id>', 'the id of the new version; generated unless given')
    .addOption(attributes())
    .option(
      '--keep <versions>',
      'versions that --publish leaves behind, the current one included (default: 3)',
      whole(1),
    )
  writing(stage).action(
    run<[string, Options]>(async (context, dir, options) => {
      await check(options)
      const began = performance.now()
      return using(openStoreToWrite(dir, options, options.keep), async (store) => {
        const info = await whileWriting(context, options, store, (line) => write(store, context, options, line))
        context.out.result({ path: store.path, version: versionJson(info) })
        const done = options.publish ? 'Published' : 'Prepared'
        const what = `${many(options.artifact.length, 'artifact')}, ${bytes(info.bytes)}`
        context.out.lines(`${done} ${info.id} (${what}) in ${duration(performance.now() - began)}.`)
      })
    }),
  )
}

/** `name=path`, or a path whose last part is the name. */
function artifactOf(value: string): Artifact {
  const at = value.indexOf('=')
  const artifact =
    at < 0 ? { name: basename(value), from: value } : { name: value.slice(0, at), from: value.slice(at + 1) }
  if (artifact.name === '' || artifact.from === '') throw new InvalidArgumentError('It is written name=path.')
  return artifact
}

/** Refuses, before anything is written, what cannot be staged. */
async function check({ artifact, extend, move }: Options): Promise<void> {
  if ((artifact ?? []).length === 0) throw new Failure('name at least one --artifact', EXIT.usage)
  if (extend && move) throw new Failure('--extend copies: it does not go with --move', EXIT.usage)
  const names = new Set<string>()
  for (const { name, from } of artifact) {
    if (names.has(name)) throw new Failure(`the artifact ${name} is named twice`, EXIT.usage)
    names.add(name)
    await stat(from)
  }
}

async function write(
  store: VersionStore,
  context: Context,
  { artifact, attr, version, extend, move, publish, ...options }: Options,
  { show }: ProgressLine,
): Promise<VersionInfo> {
  const { signal } = context
  const written = {
    ...lockOptions(context, options),
    ...(version === undefined ? {} : { version }),
    ...(attr ? { attributes: Object.fromEntries(attr) } : {}),
    activate: publish === true,
    onProgress: show,
  }
  if (extend) return store.extend(Object.fromEntries(artifact.map(({ name, from }) => [name, from])), written)
  const draft = await store.draft(written)
  try {
    for (const { name, from } of artifact) await draft.attach(name, from, { how: move ? 'move' : 'copy', signal })
    return await draft.publish({ signal })
  } finally {
    // Nothing is left of it unless it was published.
    await draft.discard()
  }
}
