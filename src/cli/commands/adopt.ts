// `cutover adopt`: versions that other software laid out, in place.
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { adopt } from '../../store/adopt.js'
import { command, opening, progressing } from '../command.js'
import type { Opening, Run } from '../command.js'
import { EXIT } from '../exit.js'
import { many, printable } from '../human.js'
import { ProgressLine } from '../progress.js'
import type { ProgressMode } from '../progress.js'
import { pairs } from '../table.js'
import { versionJson, versionTable } from '../versions-view.js'

interface Options extends Opening {
  readonly progress: ProgressMode
}

/** Adds the command. */
export function addAdopt(parent: Command, run: Run): void {
  const adopts = command(
    parent,
    'adopt <dir>',
    'Take over a directory of versions/<id>/ and CURRENT that other software made: digests are made, nothing is moved.',
    'cutover adopt ./indexes',
  )
  progressing(opening(adopts)).action(
    run<[string, Options]>(async ({ out, signal }, dir, { progress, allow }) => {
      const line = new ProgressLine(progress, 'bytes')
      try {
        const { versions, refused } = await adopt(dir, { signal, onProgress: line.show, ...(allow ? { allow } : {}) })
        out.result({ path: resolve(dir), versions: versions.map(versionJson), refused })
        out.lines(
          `Adopted ${many(versions.length, 'version')}.`,
          ...versionTable(versions, undefined, out),
          ...pairs(refused.map(({ name, reason }) => [`refused ${printable(name)}`, printable(reason)] as const)),
        )
        return refused.length === 0 ? EXIT.ok : EXIT.problem
      } finally {
        line.end()
      }
    }),
  )
}
