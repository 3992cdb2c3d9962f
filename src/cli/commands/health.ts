// `cutover health`: four questions, each a line; the first that fails decides the exit code.
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Option } from 'commander'
import type { Command } from 'commander'
import type { VersionStore } from '../../store/version-store.js'
import type { VersionInfo } from '../../version.js'
import { command, opening } from '../command.js'
import type { Opening, Run } from '../command.js'
import { holdsDocuments, manifestOf, reading, openVersions, using, versionOf } from '../directory.js'
import { EXIT, Failure, exitOf, messageOf } from '../exit.js'
import { bytes, many } from '../human.js'
import { table } from '../table.js'
import { DEPTHS, verification } from '../verification.js'
import type { Depth } from '../verification.js'

interface Check {
  readonly check: string
  readonly ok: boolean | null
  readonly detail: string
}

interface Options extends Opening {
  readonly depth: Depth
}

/** Adds the command. */
export function addHealth(parent: Command, run: Run): void {
  const health = command(
    parent,
    'health <dir>',
    'Ask whether there is a version, whether it can be read and loaded, and whether it agrees with itself.',
    'cutover health ./books && echo healthy',
  ).addOption(
    new Option('--depth <what>', 'how deep the last question goes: see `cutover verify`')
      .choices(DEPTHS)
      .default('sizes'),
  )
  opening(health).action(
    run<[string, Options]>(async ({ out, signal }, dir, options) => {
      const checks: Check[] = []
      let exit: number = EXIT.ok
      for (const [check, ask] of questions(dir, options, signal)) {
        if (exit !== EXIT.ok) {
          checks.push({ check, ok: null, detail: 'not asked' })
          continue
        }
        try {
          checks.push({ check, ok: true, detail: await ask() })
        } catch (error) {
          signal.throwIfAborted()
          exit = exitOf(error)
          checks.push({ check, ok: false, detail: messageOf(error) })
        }
      }
      out.result({ path: resolve(dir), ok: exit === EXIT.ok, checks })
      const rows = checks.map(({ check, ok, detail }) => [check, ok === null ? '-' : ok ? 'ok' : 'FAILED', detail])
      out.lines(...out.titled(table([{ title: 'CHECK' }, { title: 'RESULT' }, { title: 'DETAIL' }], rows)))
      return exit
    }),
  )
}

/** The questions in their order; an answer is a detail, a rejection a no. */
function questions(dir: string, options: Options, signal: AbortSignal): [string, () => Promise<string>][] {
  const versions = <R>(ask: (store: VersionStore, current: VersionInfo) => Promise<R>): Promise<R> =>
    using(openVersions(dir, options, 'read-only'), async (store) => ask(store, await versionOf(store, 'current')))
  return [
    ['exists', () => exists(dir)],
    ['readable', () => versions(async (_, current) => `version ${current.id}, ${bytes(current.bytes)}`)],
    ['loadable', () => versions((store, current) => loadable(store, current, options))],
    [
      'consistent',
      () =>
        versions(async (store, { id: version }) => {
          const { problems, bytesRead } = await verification(store, options, options.depth, { version, signal })
          const [problem] = problems
          if (!problem) return bytesRead > 0 ? `${options.depth}, ${bytes(bytesRead)} read` : options.depth
          const more = problems.length > 1 ? `, and ${many(problems.length - 1, 'problem')} more` : ''
          throw new Failure(`${problem.file}: ${problem.detail}${more}`, EXIT.corrupt)
        }),
    ],
  ]
}

async function exists(dir: string): Promise<string> {
  const found = await stat(dir).catch((cause: NodeJS.ErrnoException) => {
    throw cause.code === 'ENOENT' ? new Failure(`there is no ${resolve(dir)}`, EXIT.notFound, { cause }) : cause
  })
  if (found.isDirectory()) return resolve(dir)
  throw new Failure(`${resolve(dir)} is not a directory`, EXIT.notFound)
}

/** Documents are searched; files of other software are held, as a reader of theirs would. */
async function loadable(store: VersionStore, { id }: VersionInfo, options: Options): Promise<string> {
  const manifest = await manifestOf(store, id)
  if (holdsDocuments(manifest))
    return reading(store.path, options, async (index) => many((await index.search({ limit: 1 })).total, 'document'))
  return using(store.snapshot({ version: id }), async () => many(manifest.files.length, 'file'))
}
