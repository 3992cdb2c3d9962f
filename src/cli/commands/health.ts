import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
// `cutover health`: four questions, each a line; the first that fails decides the exit code.
import type { Command } from 'commander'
import { command, opening } from '../command.js'
import type { Opening, Run } from '../command.js'
import { openToRead, openVersions, using } from '../directory.js'
import { EXIT, Failure, exitOf, messageOf } from '../exit.js'
import { bytes, many } from '../human.js'
import { table } from '../table.js'

interface Check {
  readonly check: string
  readonly ok: boolean | null
  readonly detail: string
}

/** Adds the command. */
export function addHealth(parent: Command, run: Run): void {
  const health = command(
    parent,
    'health <dir>',
    'Ask whether there is a version, whether it can be read and loaded, and whether it agrees with itself.',
    'cutover health ./books && echo healthy',
  )
  opening(health).action(
    run<[string, Opening]>(async ({ out }, dir, options) => {
      const checks: Check[] = []
      let exit: number = EXIT.ok
      for (const [check, ask] of questions(dir, options)) {
        if (exit !== EXIT.ok) {
          checks.push({ check, ok: null, detail: 'not asked' })
          continue
        }
        try {
          checks.push({ check, ok: true, detail: await ask() })
        } catch (error) {
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
function questions(dir: string, options: Opening): [string, () => Promise<string>][] {
  return [
    [
      'exists',
      async () => {
        const found = await stat(dir).catch((cause: NodeJS.ErrnoException) => {
          throw cause.code === 'ENOENT' ? new Failure(`there is no ${resolve(dir)}`, EXIT.notFound, { cause }) : cause
        })
        if (found.isDirectory()) return resolve(dir)
        throw new Failure(`${resolve(dir)} is not a directory`, EXIT.notFound)
      },
    ],
    [
      'readable',
      () =>
        using(openVersions(dir, options, 'read-only'), async (open) => {
          const { current } = await open.status()
          if (current) return `version ${current.id}, ${bytes(current.bytes)}`
          throw new Failure('nothing was published yet', EXIT.notFound)
        }),
    ],
    [
      'loadable',
      () =>
        using(openToRead(dir, options), async (index) => {
          const { total } = await index.search({ limit: 1 })
          return many(total, 'document')
        }),
    ],
  ]
}
